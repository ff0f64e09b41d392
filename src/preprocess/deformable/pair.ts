import type { Arena, Block } from '../../kernels/index.js'
import { compose, invert } from '../../volume/affine.js'
import { type DisplacementField, turned } from '../../volume/deformation.js'
import { type Grid, voxelCount } from '../../volume/volume.js'
import { blurPlanes, gaussOf } from './planes.js'

/** Displacements from the middle space to either image, in voxels of the grid: three planes each. */
export interface Pair {
  grid: Grid
  toFixed: Block<Float32Array>
  toMoving: Block<Float32Array>
  spare: Block<Float32Array>
}
export const sides = ['toFixed', 'toMoving'] as const

export function newPair(arena: Arena, grid: Grid): Pair {
  const n = 3 * voxelCount(grid)
  return { grid, toFixed: arena.float32(n), toMoving: arena.float32(n), spare: arena.float32(n) }
}

/** The same maps on a finer grid along the same axes. */
export async function refined(arena: Arena, from: Pair, grid: Grid): Promise<Pair> {
  const to = newPair(arena, grid)
  for (const side of sides) await refineField(arena, from.grid, from[side], grid, to[side])
  return to
}

/** Brings a field in voxels to a grid along the same axes, in voxels of that. */
async function refineField(
  arena: Arena,
  coarse: Grid,
  from: Block<Float32Array>,
  fine: Grid,
  to: Block<Float32Array>,
): Promise<void> {
  const map = compose(invert(coarse.affine), fine.affine)
  const matrix = arena.float64(map.slice(0, 12))
  const [nx, ny, nz] = fine.dims
  for (const axis of [0, 1, 2]) {
    const source = [from.ptr + 4 * axis * voxelCount(coarse), ...coarse.dims]
    const target = [to.ptr + 4 * axis * voxelCount(fine), nx, ny]
    await arena.run('resampleLinear', ny * nz, 64, ...source, ...target, matrix.ptr, 0)
  }
  // A step of the finer grid is map[0] of the coarser one's.
  const values = to.view()
  for (let i = 0; i < values.length; i++) values[i] /= map[0]
}

/**
 * The map from fixed to moving, toMoving ∘ toFixed⁻¹, as displacements in mm. Where strong contrast has drawn either half
 * together to less than a tenth, it is smoothed there until it is not, so that nothing folds.
 */
export async function whole(arena: Arena, pair: Pair): Promise<DisplacementField> {
  const { grid } = pair
  const [nx, ny, nz] = grid.dims
  const rows = ny * nz
  for (const side of sides) await unfold(arena, pair, side)
  const back = arena.float32(3 * voxelCount(grid))
  const out = arena.float32(3 * voxelCount(grid))
  const forth = arena.float32(voxelCount(grid))
  for (let turn = 0; ; turn++) {
    await arena.run('invertRows', rows, 64, pair.toFixed.ptr, back.ptr, nx, ny, nz)
    await arena.run('chainRows', rows, 64, pair.toMoving.ptr, back.ptr, out.ptr, nx, ny, nz)
    if (turn === mostTurns) break
    await arena.run('jacobianRows', rows, 64, out.ptr, forth.ptr, nx, ny, nz)
    let least = lowest(forth.view())
    await arena.run('invertRows', rows, 64, out.ptr, back.ptr, nx, ny, nz)
    await arena.run('jacobianRows', rows, 64, back.ptr, forth.ptr, nx, ny, nz)
    least = Math.min(least, lowest(forth.view()))
    if (least > 0.01) break
    // Interpolation of a steep field may fold where its halves do not.
    for (const side of sides) await smoothed(arena, pair, side)
  }
  return turned({ ...grid, data: out.copy() }, grid.affine)
}

const mostTurns = 20
/** The least Jacobian of either half. */
const leastOfHalf = 0.1

async function unfold(arena: Arena, pair: Pair, side: (typeof sides)[number]): Promise<void> {
  const { grid } = pair
  const [nx, ny, nz] = grid.dims
  const n = voxelCount(grid)
  const jacobian = arena.float32(n)
  const spare = arena.float32(n)
  const wide = gaussOf(arena, 2)
  for (let turn = 0; turn < mostTurns; turn++) {
    await arena.run('jacobianRows', ny * nz, 64, pair[side].ptr, jacobian.ptr, nx, ny, nz)
    const values = jacobian.view()
    if (lowest(values) >= leastOfHalf) return
    for (let i = 0; i < n; i++) values[i] = values[i] < leastOfHalf ? 1 : 0
    await blurPlanes(arena, wide, grid, 1, jacobian, spare)
    const before = pair[side].copy()
    await smoothed(arena, pair, side)
    const [after, near] = [pair[side].view(), spare.view()]
    for (let p = 0; p < 3; p++)
      for (let i = 0; i < n; i++) {
        const at = p * n + i
        after[at] = before[at] + Math.min(1, 20 * near[i]) * (after[at] - before[at])
      }
  }
}

async function smoothed(arena: Arena, pair: Pair, side: (typeof sides)[number]): Promise<void> {
  await blurPlanes(arena, gaussOf(arena, 0.8), pair.grid, 3, pair[side], pair.spare)
  ;[pair[side], pair.spare] = [pair.spare, pair[side]]
}

function lowest(values: Float32Array): number {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < values.length; i++) if (values[i] < least) least = values[i]
  return least
}
