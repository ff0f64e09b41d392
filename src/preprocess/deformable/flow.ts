import { type Arena, type Block, withArena } from '../../kernels/index.js'
import { compose, invert, type Vec3 } from '../../volume/affine.js'
import { type DisplacementField, turned } from '../../volume/deformation.js'
import { gaussianWeights } from '../../volume/filter.js'
import { type Grid, voxelCount } from '../../volume/volume.js'
import type { Level } from './levels.js'

export interface FlowOptions {
  /** Most steps at each level. */
  iterations: readonly number[]
  /** σ of the Gaussian over each update, voxels. */
  smoothing: number
  signal?: AbortSignal
  progress: (fraction: number) => void
}

/** Half the side of the cubes of the local correlation, voxels. */
const radius = 2
/** Variance (of intensities 0–1) below which a cube is flat and says nothing. */
const flat = 1e-4
/** How far each update goes, and the longest step of a voxel (below one half nothing folds). */
const step = 1
const longest = 0.4

/**
 * Moves both images towards each other, level by level. Two maps from a middle space, one to each image, grow by composed
 * smooth steps; the map from fixed to moving is the second after the inverse of the first.
 */
export async function flow(
  levels: readonly Level[],
  { iterations, smoothing, signal, progress }: FlowOptions,
): Promise<{ field: DisplacementField; similarity: number; steps: number[] }> {
  return await withArena(
    async (arena) => {
      const steps: number[] = []
      let pair: Pair | undefined
      let similarity = 0
      for (const [i, level] of levels.entries()) {
        pair = pair ? await refined(arena, pair, level.grid) : newPair(arena, level.grid)
        const matcher = matcherOf(arena, level, pair, gaussianWeights(smoothing))
        const seen: number[] = []
        while (seen.length < iterations[i]) {
          similarity = await matcher()
          seen.push(similarity)
          progress((i + seen.length / iterations[i]) / levels.length)
          if (settled(seen)) break
        }
        steps.push(seen.length)
      }
      const field = await whole(arena, pair!)
      return { field, similarity, steps }
    },
    { signal },
  )
}

/** Displacements from the middle space to either image, in voxels: three planes each. */
interface Pair {
  grid: Grid
  toFixed: Block<Float32Array>
  toMoving: Block<Float32Array>
  spare: Block<Float32Array>
}

function newPair(arena: Arena, grid: Grid): Pair {
  const n = 3 * voxelCount(grid)
  return { grid, toFixed: arena.float32(n), toMoving: arena.float32(n), spare: arena.float32(n) }
}

/** The same maps on a finer grid. */
async function refined(arena: Arena, from: Pair, grid: Grid): Promise<Pair> {
  const to = newPair(arena, grid)
  const map = compose(invert(from.grid.affine), grid.affine)
  const matrix = arena.float64(map.slice(0, 12))
  const [nx, ny, nz] = grid.dims
  const [many, few] = [voxelCount(grid), voxelCount(from.grid)]
  for (const name of ['toFixed', 'toMoving'] as const) {
    for (const axis of [0, 1, 2])
      await arena.run(
        'resampleLinear',
        ny * nz,
        64,
        from[name].ptr + 4 * axis * few,
        ...from.grid.dims,
        to[name].ptr + 4 * axis * many,
        nx,
        ny,
        matrix.ptr,
        0,
      )
    // Along the same axes; a step of the finer grid is map[0] of the coarser one's.
    const values = to[name].view()
    for (let i = 0; i < values.length; i++) values[i] /= map[0]
  }
  return to
}

/** One step: returns the similarity before it. */
function matcherOf(arena: Arena, level: Level, pair: Pair, weights: Float32Array): () => Promise<number> {
  const { dims } = level.grid
  const [nx, ny, nz] = dims
  const n = voxelCount(level.grid)
  const rows = ny * nz
  const chunk = 64
  const fixed = arena.float32(level.fixed.data)
  const moving = arena.float32(level.moving.data)
  const weight = level.weight && arena.float32(level.weight.data)
  const [f, m, w] = [arena.float32(n), arena.float32(n), weight && arena.float32(n)]
  const [sums, spareSums] = [arena.float32(5 * n), arena.float32(5 * n)]
  const [update, spareUpdate] = [arena.float32(6 * n), arena.float32(6 * n)]
  const totals = arena.float64(2 * Math.ceil(rows / chunk))
  const gauss = arena.float32(weights)
  const reach = (weights.length - 1) / 2

  return async () => {
    await arena.run('warpRows', rows, chunk, fixed.ptr, pair.toFixed.ptr, f.ptr, nx, ny, nz)
    await arena.run('warpRows', rows, chunk, moving.ptr, pair.toMoving.ptr, m.ptr, nx, ny, nz)
    if (w) await arena.run('warpRows', rows, chunk, weight!.ptr, pair.toFixed.ptr, w.ptr, nx, ny, nz)
    await arena.run('lnccX', rows, chunk, f.ptr, m.ptr, sums.ptr, nx, n, radius)
    await arena.run('lnccY', 5 * nz, 4, sums.ptr, spareSums.ptr, nx, ny, radius)
    await arena.run('lnccZ', 5 * ny, 4, spareSums.ptr, sums.ptr, nx, ny, nz, radius)
    const images = [f.ptr, m.ptr, sums.ptr, w?.ptr ?? 0]
    const out = [update.ptr, update.ptr + 12 * n, ...dims, radius, flat, totals.ptr, chunk]
    await arena.run('lnccForce', rows, chunk, ...images, ...out)
    // Six planes lie one behind the other; along z each is a volume of its own.
    await arena.run('blurX', 6 * rows, 256, update.ptr, spareUpdate.ptr, nx, gauss.ptr, reach)
    await arena.run('blurY', 6 * rows, 256, spareUpdate.ptr, update.ptr, nx, ny, gauss.ptr, reach)
    for (let p = 0; p < 6; p++) {
      const at = 4 * p * n
      await arena.run('blurZ', rows, 256, update.ptr + at, spareUpdate.ptr + at, nx, ny, nz, gauss.ptr, reach)
    }
    for (const [name, at] of [
      ['toFixed', 0],
      ['toMoving', 12 * n],
    ] as const) {
      const by = spareUpdate.ptr + at
      await arena.run('composeRows', rows, chunk, pair[name].ptr, by, pair.spare.ptr, ...dims, step, longest)
      ;[pair[name], pair.spare] = [pair.spare, pair[name]]
    }
    const parts = totals.view()
    let [sum, count] = [0, 0]
    for (let i = 0; i < parts.length; i += 2) {
      sum += parts[i]
      count += parts[i + 1]
    }
    return count > 0 ? sum / count : 0
  }
}

/** No more than this is gained by the last steps. */
function settled(seen: readonly number[]): boolean {
  const back = 5
  return seen.length > 2 * back && seen[seen.length - 1] - seen[seen.length - 1 - back] < 5e-4
}

/** Displacement in mm of the map from fixed to moving: toMoving ∘ toFixed⁻¹. */
async function whole(arena: Arena, { grid, toFixed, toMoving }: Pair): Promise<DisplacementField> {
  const [nx, ny, nz] = grid.dims as Vec3
  const back = arena.float32(3 * voxelCount(grid))
  const out = arena.float32(3 * voxelCount(grid))
  await arena.run('invertRows', ny * nz, 64, toFixed.ptr, back.ptr, nx, ny, nz)
  await arena.run('chainRows', ny * nz, 64, toMoving.ptr, back.ptr, out.ptr, nx, ny, nz)
  return turned({ ...grid, data: out.copy() }, grid.affine)
}
