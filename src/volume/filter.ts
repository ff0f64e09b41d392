import { type Arena, type Block, withArena } from '../kernels/index.js'
import { type Vec3, voxelSizes } from './affine.js'
import type { Grid, Image, Mask, Volume } from './volume.js'

/**
 * Gaussian smoothing; `sigmaMm` in mm, one value or one for each voxel axis. Kernels reach 4 σ; beyond the border the
 * border's voxel is repeated, so that a constant stays constant.
 */
export async function gaussian(image: Volume, sigmaMm: number | Vec3): Promise<Image> {
  return await withArena(async (arena) => {
    const result = await blurInArena(arena, arena.float32(image.data), image, sigmaMm)
    return { dims: image.dims, affine: image.affine, data: result.copy() }
  })
}

/**
 * Gaussian smoothing of what lies inside `mask`, as if there were nothing outside: blur(I·M) / blur(M).
 * Outside the mask the result is 0.
 */
export async function gaussianInMask(image: Volume, mask: Mask, sigmaMm: number | Vec3): Promise<Image> {
  return await withArena(async (arena) => {
    const values = new Float32Array(image.data.length)
    for (let i = 0; i < values.length; i++) if (mask.data[i] !== 0) values[i] = image.data[i]
    const top = (await blurInArena(arena, arena.float32(values), image, sigmaMm)).copy()
    const bottom = (await blurInArena(arena, arena.float32(mask.data), image, sigmaMm)).view()
    for (let i = 0; i < top.length; i++) top[i] = mask.data[i] !== 0 && bottom[i] > 1e-6 ? top[i] / bottom[i] : 0
    return { dims: image.dims, affine: image.affine, data: top }
  })
}

/** Slices of this thickness, mm, and more are not neighbours: nothing is smoothed or compared across them. */
export const thickSlice = 2.5

/**
 * Gaussian smoothing by `sigmaMm` along the voxel axes of thin steps alone: thick slices are not mixed.
 * @param mask smooths within it alone, as `gaussianInMask`
 */
export async function gaussianInPlane(image: Image, sigmaMm: number, mask?: Mask): Promise<Image> {
  if (sigmaMm === 0) return image
  const [x, y, z] = voxelSizes(image.affine).map((mm) => (mm < thickSlice ? sigmaMm : 0))
  return mask ? await gaussianInMask(image, mask, [x, y, z]) : await gaussian(image, [x, y, z])
}

/** Three passes, each from one block into the other; an axis whose σ is far below a voxel is left alone. */
export async function blurInArena(
  arena: Arena,
  values: Block<Float32Array>,
  grid: Grid,
  sigmaMm: number | Vec3,
): Promise<Block<Float32Array>> {
  const [nx, ny, nz] = grid.dims
  const size = voxelSizes(grid.affine)
  const sigma = size.map((mm, axis) => (typeof sigmaMm === 'number' ? sigmaMm : sigmaMm[axis]) / mm)
  let [from, to] = [values, undefined as Block<Float32Array> | undefined]
  const pass = async (axis: 0 | 1 | 2) => {
    if (sigma[axis] < 0.05 || grid.dims[axis] === 1) return
    const weights = gaussianWeights(sigma[axis])
    const radius = (weights.length - 1) / 2
    const kernel = arena.float32(weights)
    to ??= arena.float32(values.length)
    if (axis === 0) await arena.run('blurX', ny * nz, 256, from.ptr, to.ptr, nx, kernel.ptr, radius)
    else if (axis === 1) await arena.run('blurY', ny * nz, 256, from.ptr, to.ptr, nx, ny, kernel.ptr, radius)
    else await arena.run('blurZ', ny * nz, 256, from.ptr, to.ptr, nx, ny, nz, kernel.ptr, radius)
    ;[from, to] = [to, from]
  }
  await pass(0)
  await pass(1)
  await pass(2)
  return from
}

/** Sampled Gaussian out to 4 σ (voxels), summing to 1. */
export function gaussianWeights(sigma: number): Float32Array {
  const radius = Math.max(1, Math.ceil(4 * sigma))
  const raw = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2))
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  return Float32Array.from(raw, (weight) => weight / total)
}
