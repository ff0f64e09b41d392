import { InputError } from '../../errors.js'
import { identity, type Vec3, voxelSizes } from '../../volume/affine.js'
import { fillHoles } from '../../volume/components.js'
import { boundingBox } from '../../volume/crop.js'
import type { Mask, Volume } from '../../volume/volume.js'

/** Slice, row, column: the order of axes in nnU-Net's arrays. Voxels lie as in a Volume, columns fastest. */
export type Shape3 = readonly [number, number, number]

/** The channels of one case on a common grid. */
export interface NnunetImage {
  readonly shape: Shape3
  /** mm along slice, row and column. */
  readonly spacing: Shape3
  readonly channels: readonly Float32Array[]
}

/** Images on one grid in nnU-Net's order of axes. */
export const nnunetImage = (images: readonly Volume<Float32Array>[]): NnunetImage => ({
  shape: reversed(images[0].dims),
  spacing: reversed(voxelSizes(images[0].affine)),
  channels: images.map(({ data }) => data),
})

/** Where a cropped image lay: the first voxel of the box, and the shape before. */
export interface CropBox {
  readonly start: Shape3
  readonly before: Shape3
}

export interface Cropped extends NnunetImage {
  readonly box: CropBox
  /** 1 where any channel is not zero, holes filled. */
  readonly nonzero: Uint8Array
}

/**
 * The smallest box that holds every voxel at which some channel is not zero.
 * @throws InputError when all channels are zero throughout
 */
export function cropToNonzero(image: NnunetImage, source: string): Cropped {
  const mask = nonzeroMask(image)
  const found = boundingBox(mask)
  if (!found) throw new InputError(source, 'all channels are zero throughout', 'give images with content')
  const box: CropBox = { start: reversed(found.start), before: image.shape }
  const shape = reversed(found.dims)
  const crop = <T extends Float32Array | Uint8Array>(data: T) => cropData(data, box, shape)
  return { shape, spacing: image.spacing, channels: image.channels.map(crop), box, nonzero: crop(mask.data) }
}

function nonzeroMask({ shape, channels }: NnunetImage): Mask {
  const data = new Uint8Array(shape[0] * shape[1] * shape[2])
  for (const channel of channels) for (let i = 0; i < data.length; i++) if (channel[i] !== 0) data[i] = 1
  return fillHoles({ dims: reversed(shape), affine: identity, data })
}

/** The voxels of a box of `shape`, copied. */
export function cropData<T extends Float32Array | Uint8Array>(data: T, { start, before }: CropBox, shape: Shape3): T {
  const out = new (data.constructor as { new (n: number): T })(shape[0] * shape[1] * shape[2])
  forEachRow(start, before, shape, (outer, inner) => out.set(data.subarray(outer, outer + shape[2]), inner))
  return out
}

/** An image as large as before cropping, `background` around the box. */
export function uncrop<T extends Float32Array | Uint8Array>(data: T, { start, before }: CropBox, shape: Shape3): T {
  const out = new (data.constructor as { new (n: number): T })(before[0] * before[1] * before[2])
  forEachRow(start, before, shape, (outer, inner) => out.set(data.subarray(inner, inner + shape[2]), outer))
  return out
}

function forEachRow(start: Shape3, before: Shape3, shape: Shape3, visit: (outer: number, inner: number) => void): void {
  for (let z = 0, inner = 0; z < shape[0]; z++)
    for (let y = 0; y < shape[1]; y++, inner += shape[2])
      visit(start[2] + before[2] * (start[1] + y + before[1] * (start[0] + z)), inner)
}

const reversed = ([a, b, c]: Vec3): Vec3 => [c, b, a]
