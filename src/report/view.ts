import { type Vec3, voxelSizes } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import { reorient, towardsRas } from '../volume/orient.js'
import type { Volume, VoxelArray } from '../volume/volume.js'

export type Plane = 'axial' | 'coronal' | 'sagittal'
export const planes: readonly Plane[] = ['axial', 'coronal', 'sagittal']

/**
 * How each plane is looked at, on a grid whose axes run towards RAS: in the radiological convention, as if from the
 * feet and from the front, so that the patient's right is on the image's left; sagittal with the face to the left.
 */
export const looks: Readonly<
  Record<
    Plane,
    { across: 0 | 1; down: 1 | 2; through: 0 | 1 | 2; left: string; right: string; top: string; bottom: string }
  >
> = {
  axial: { across: 0, down: 1, through: 2, left: 'R', right: 'L', top: 'A', bottom: 'P' },
  coronal: { across: 0, down: 2, through: 1, left: 'R', right: 'L', top: 'S', bottom: 'I' },
  sagittal: { across: 1, down: 2, through: 0, left: 'A', right: 'P', top: 'S', bottom: 'I' },
}

/** A slice as it is looked at: `data` row by row from the top left, and its size in mm. */
export interface Slice<T extends VoxelArray = VoxelArray> {
  readonly data: T
  readonly width: number
  readonly height: number
  readonly widthMm: number
  readonly heightMm: number
}

/** The same volume with its axes turned towards RAS, as the other functions here take it. */
export const upright = <T extends VoxelArray>(volume: Volume<T>): Volume<T> =>
  reorient(volume, towardsRas(volume.affine))

/**
 * Slice `index` of an upright volume, cut to `box`.
 *
 * @param index along the axis through the plane, in voxels of the whole volume
 */
export function slice<T extends VoxelArray>(
  { dims, affine, data }: Volume<T>,
  plane: Plane,
  index: number,
  box: Box = { start: [0, 0, 0], dims },
): Slice<T> {
  const { across, down, through } = looks[plane]
  const stride = [1, dims[0], dims[0] * dims[1]]
  const size = voxelSizes(affine)
  const [width, height] = [box.dims[across], box.dims[down]]
  const out = new (data.constructor as new (n: number) => T)(width * height)
  // All three axes on a screen run against RAS: right is on the left, front and head are at the top.
  const first = stride[through] * index + stride[across] * (box.start[across] + width - 1)
  for (let y = 0; y < height; y++) {
    const row = first + stride[down] * (box.start[down] + height - 1 - y)
    for (let x = 0; x < width; x++) out[x + width * y] = data[row - stride[across] * x]
  }
  return { data: out, width, height, widthMm: width * size[across], heightMm: height * size[down] }
}

/** Position, in RAS mm, of slice `index` along the world axis the plane looks through, at the middle of the grid. */
export function positionMm({ dims, affine }: Volume, plane: Plane, index: number): number {
  const { through } = looks[plane]
  const middle = dims.map((n, axis) => (axis === through ? index : (n - 1) / 2)) as unknown as Vec3
  const row = 4 * through
  return affine[row] * middle[0] + affine[row + 1] * middle[1] + affine[row + 2] * middle[2] + affine[row + 3]
}
