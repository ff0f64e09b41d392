import { compose, translation, type Vec3, voxelSizes } from './affine.js'
import type { Grid, Mask, Volume, VoxelArray } from './volume.js'
import { forEachIn } from './words.js'

/** A block of voxels: first index and count along each axis. */
export interface Box {
  readonly start: Vec3
  readonly dims: Vec3
}

/** The smallest box that holds every non-zero voxel and `marginMm` around it, within the volume; null for an empty mask. */
export function boundingBox(mask: Volume, marginMm = 0): Box | null {
  const { dims, data } = mask
  const low = [...dims]
  const high = [-1, -1, -1]
  let at = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++) {
        if (data[at] === 0) continue
        if (i < low[0]) low[0] = i
        if (i > high[0]) high[0] = i
        if (j < low[1]) low[1] = j
        if (j > high[1]) high[1] = j
        if (k < low[2]) low[2] = k
        if (k > high[2]) high[2] = k
      }
  if (high[0] < 0) return null
  const margin = voxelSizes(mask.affine).map((size) => Math.ceil(marginMm / size))
  const start = low.map((n, axis) => Math.max(0, n - margin[axis])) as unknown as Vec3
  const end = high.map((n, axis) => Math.min(dims[axis], n + margin[axis] + 1))
  return { start, dims: end.map((n, axis) => n - start[axis]) as unknown as Vec3 }
}

/** The smallest box that holds every non-zero voxel of either of two masks on one grid; null when both are empty. */
export function unionBox({ dims, data: a }: Mask, { data: b }: Mask): Box | null {
  const [nx, ny, nz] = dims
  let [x0, x1, y0, y1, z0, z1] = [nx, -1, ny, -1, nz, -1]
  forEachIn(a, b, (at) => {
    const row = (at / nx) | 0
    const i = at - row * nx
    const k = (row / ny) | 0
    const j = row - k * ny
    if (i < x0) x0 = i
    if (i > x1) x1 = i
    if (j < y0) y0 = j
    if (j > y1) y1 = j
    if (k < z0) z0 = k
    z1 = k
  })
  return x1 < 0 ? null : { start: [x0, y0, z0], dims: [x1 - x0 + 1, y1 - y0 + 1, z1 - z0 + 1] }
}

/** The grid of a box of `grid`: the same voxels at the same places. */
export const cropGrid = ({ affine }: Grid, { start, dims }: Box): Grid => ({
  dims,
  affine: compose(affine, translation(start)),
})

/** The voxels of `box`, copied. */
export function crop<T extends VoxelArray>(volume: Volume<T>, box: Box): Volume<T> {
  const grid = cropGrid(volume, box)
  const [nx, ny] = volume.dims
  const out = new (volume.data.constructor as new (n: number) => T)(box.dims[0] * box.dims[1] * box.dims[2])
  let at = 0
  for (let k = 0; k < box.dims[2]; k++)
    for (let j = 0; j < box.dims[1]; j++, at += box.dims[0]) {
      const from = box.start[0] + nx * (box.start[1] + j + ny * (box.start[2] + k))
      out.set(volume.data.subarray(from, from + box.dims[0]) as never, at)
    }
  return { ...grid, data: out }
}

/** Undoes `crop`: the box's voxels back in a volume on `grid`, zero elsewhere. */
export function uncrop<T extends VoxelArray>(volume: Volume<T>, box: Box, grid: Grid): Volume<T> {
  const [nx, ny, nz] = grid.dims
  const out = new (volume.data.constructor as new (n: number) => T)(nx * ny * nz)
  let at = 0
  for (let k = 0; k < box.dims[2]; k++)
    for (let j = 0; j < box.dims[1]; j++, at += box.dims[0]) {
      const to = box.start[0] + nx * (box.start[1] + j + ny * (box.start[2] + k))
      out.set(volume.data.subarray(at, at + box.dims[0]) as never, to)
    }
  return { dims: grid.dims, affine: grid.affine, data: out }
}
