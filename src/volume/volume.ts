import { type Affine, cornerDistance, type Vec3, voxelSizes } from './affine.js'

/** Where the voxels of a volume lie: counts along the three voxel axes, and the voxel → RAS+ mm affine. */
export interface Grid {
  readonly dims: Vec3
  readonly affine: Affine
}

export type VoxelArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

/** A 3-D image: `data` holds nx·ny·nz values, x fastest: index = i + nx·(j + ny·k). */
export interface Volume<T extends VoxelArray = VoxelArray> extends Grid {
  readonly data: T
}

/** An intensity, probability or field image. */
export type Image = Volume<Float32Array>
/** A binary mask (0 or 1) or a small label map. */
export type Mask = Volume<Uint8Array>

export const voxelCount = ({ dims }: Grid): number => dims[0] * dims[1] * dims[2]

/** Volume of one voxel in mm³, from the voxel sizes (grids of sheared axes are not met in MRI). */
export function voxelVolume({ affine }: Grid): number {
  const [x, y, z] = voxelSizes(affine)
  return x * y * z
}

export const gridOf = ({ dims, affine }: Grid): Grid => ({ dims, affine })

export const emptyImage = (grid: Grid): Image => ({ ...gridOf(grid), data: new Float32Array(voxelCount(grid)) })
export const emptyMask = (grid: Grid): Mask => ({ ...gridOf(grid), data: new Uint8Array(voxelCount(grid)) })

/** True when two grids have the same counts and put every corner within `tolerance` mm of each other. */
export const sameGrid = (a: Grid, b: Grid, tolerance = 1e-3): boolean =>
  a.dims.every((n, axis) => n === b.dims[axis]) && cornerDistance(a.affine, b.affine, a.dims) <= tolerance

/** Number of non-zero voxels. */
export function countVoxels({ data }: Volume): number {
  let n = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) n++
  return n
}

/** Indices of the voxels that are not 0, in storage order. */
export function voxelsIn(volume: Volume): Uint32Array {
  const { data } = volume
  const voxels = new Uint32Array(countVoxels(volume))
  for (let at = 0, n = 0; n < voxels.length; at++) if (data[at] !== 0) voxels[n++] = at
  return voxels
}

/** The voxels for which `test` holds. A loop: `Uint8Array.from` with a function takes ten times as long. */
export function maskWhere({ dims, affine, data }: Volume, test: (value: number, index: number) => boolean): Mask {
  const out = new Uint8Array(data.length)
  for (let i = 0; i < out.length; i++) if (test(data[i], i)) out[i] = 1
  return { dims, affine, data: out }
}

/** Volume of the non-zero voxels in ml. */
export const volumeMl = (mask: Volume): number => (countVoxels(mask) * voxelVolume(mask)) / 1000
