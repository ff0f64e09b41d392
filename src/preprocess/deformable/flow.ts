import { type Arena, withArena } from '../../kernels/index.js'
import type { DisplacementField } from '../../volume/deformation.js'
import { correlationOf } from './correlation.js'
import { type Level, margin } from './levels.js'
import { newPair, type Pair, refined, sides, whole } from './pair.js'
import { blurPlanes, gaussOf } from './planes.js'

export interface SearchOptions {
  /** Most steps at each level. */
  iterations: readonly number[]
  /** σ of the Gaussian over each update, voxels. */
  smoothing: number
  signal?: AbortSignal
  progress: (fraction: number) => void
}

export interface Found {
  /** Displacements in mm from the fixed image. */
  field: DisplacementField
  similarity: number
  steps: number[]
}

/** How far each update goes, and the longest step of a voxel: below one half nothing folds. */
const step = 2
const longest = 0.4
/** σ in voxels of the Gaussian over the two maps after each step: what the images do not hold springs back. */
const elastic = 0.6

/**
 * Moves both images towards each other, level by level. Two maps from a middle space, one to each image, grow by composed
 * smooth steps; the map from fixed to moving is the second after the inverse of the first.
 */
export async function flow(
  levels: readonly Level[],
  { iterations, smoothing, signal, progress }: SearchOptions,
): Promise<Found> {
  return await withArena(
    async (arena) => {
      const steps: number[] = []
      let pair: Pair | undefined
      let similarity = 0
      for (const [i, level] of levels.entries()) {
        pair = pair ? await refined(arena, pair, level.grid) : newPair(arena, level.grid)
        const advance = stepperOf(arena, level, pair, smoothing)
        const seen: number[] = []
        while (seen.length < iterations[i] && !settled(seen)) {
          similarity = await advance()
          seen.push(similarity)
          progress((i + seen.length / iterations[i]) / levels.length)
        }
        steps.push(seen.length)
      }
      return { field: await whole(arena, pair!), similarity, steps }
    },
    { signal },
  )
}

/** One step of both maps; gives the similarity before it. */
function stepperOf(arena: Arena, level: Level, pair: Pair, smoothing: number): () => Promise<number> {
  const { grid } = level
  const [nx, ny, nz] = grid.dims
  const n = nx * ny * nz
  const correlation = correlationOf(arena, level)
  const smoothUpdate = gaussOf(arena, smoothing)
  const smoothMap = gaussOf(arena, elastic)
  const update = arena.float32(6 * n)
  const smooth = arena.float32(6 * n)
  return async () => {
    const similarity = await correlation(pair.toFixed.ptr, pair.toMoving.ptr, update.ptr, update.ptr + 12 * n)
    await blurPlanes(arena, smoothUpdate, grid, 6, update, smooth)
    for (const [s, side] of sides.entries()) {
      const by = smooth.ptr + s * 12 * n
      const maps = [pair[side].ptr, by, pair.spare.ptr]
      await arena.run('composeRows', ny * nz, 64, ...maps, nx, ny, nz, step, longest, margin / level.mm)
      await blurPlanes(arena, smoothMap, grid, 3, pair.spare, pair[side])
    }
    return similarity
  }
}

/** Less than this is gained by the last five steps. */
function settled(seen: readonly number[]): boolean {
  const back = 5
  return seen.length > 2 * back && seen[seen.length - 1] - seen[seen.length - 1 - back] < 5e-4
}
