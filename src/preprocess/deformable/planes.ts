import type { Arena, Block } from '../../kernels/index.js'
import { gaussianWeights } from '../../volume/filter.js'
import { type Grid, voxelCount } from '../../volume/volume.js'

/** A Gaussian ready for use in an arena. */
export interface Gauss {
  weights: Block<Float32Array>
  reach: number
}

/** @param sigma voxels */
export function gaussOf(arena: Arena, sigma: number): Gauss {
  const weights = gaussianWeights(sigma)
  return { weights: arena.float32(weights), reach: (weights.length - 1) / 2 }
}

/** Smooths `count` planes that lie one behind the other; the result is in `to`, and `from` is used up. */
export async function blurPlanes(
  arena: Arena,
  { weights, reach }: Gauss,
  grid: Grid,
  count: number,
  from: Block<Float32Array>,
  to: Block<Float32Array>,
): Promise<void> {
  const [nx, ny, nz] = grid.dims
  const rows = ny * nz
  await arena.run('blurX', count * rows, 256, from.ptr, to.ptr, nx, weights.ptr, reach)
  await arena.run('blurY', count * rows, 256, to.ptr, from.ptr, nx, ny, weights.ptr, reach)
  // Along z each plane is a volume of its own.
  for (let p = 0; p < count; p++) {
    const at = 4 * p * voxelCount(grid)
    await arena.run('blurZ', rows, 256, from.ptr + at, to.ptr + at, nx, ny, nz, weights.ptr, reach)
  }
}
