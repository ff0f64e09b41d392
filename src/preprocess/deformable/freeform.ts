import { type Arena, withArena } from '../../kernels/index.js'
import { correlationOf } from './correlation.js'
import type { Found, SearchOptions } from './flow.js'
import { latticeOf, unbend } from './lattice.js'
import { type Level, margin } from './levels.js'
import { newPair, type Pair, refined, whole } from './pair.js'

/** How far the first steps go, in units of what the voxels ask for on average; halved where the fit no longer grows. */
const firstStep = 8
/** A control point moves by at most this share of the spacing along each axis: then a level does not fold. */
const farthest = 0.4
/** Strength of the step against bending, below 2/144 so that it settles. */
const stiffness = 0.001

/**
 * Free-form deformation by cubic B-splines (Rueckert et al. 1999): each level adds one lattice, whose map is applied before
 * those of the coarser ones, with control points kept close enough to theirs that none folds (Rueckert et al. 2006). Voxels'
 * pulls are averaged under each spline (Tustison et al. 2009); bending is held down.
 *
 * @param smoothing distance of the control points, voxels, at every level
 */
export async function freeform(
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
        const report = (fraction: number) => progress((i + fraction) / levels.length)
        const done = await fitLevel(arena, level, pair, Math.max(2, Math.round(smoothing)), iterations[i], report)
        similarity = done.similarity
        steps.push(done.steps)
      }
      return { field: await whole(arena, pair!), similarity, steps }
    },
    { signal },
  )
}

/** Finds the level's control points; leaves the map with theirs in `pair.toMoving`. */
async function fitLevel(
  arena: Arena,
  level: Level,
  pair: Pair,
  spacing: number,
  most: number,
  report: (fraction: number) => void,
): Promise<{ similarity: number; steps: number }> {
  const [nx, ny, nz] = level.grid.dims
  const n = nx * ny * nz
  const lattice = latticeOf(arena, level.grid.dims, spacing)
  const correlation = correlationOf(arena, level)
  const count = 3 * lattice.dims[0] * lattice.dims[1] * lattice.dims[2]
  const [points, pulls] = [arena.float32(count), arena.float32(count)]
  const [field, moves] = [arena.float32(3 * n), arena.float32(6 * n)]
  const limit = farthest * spacing
  /** Similarity of control points, and what they are asked to do: the map is in `pair.spare`. */
  const judge = async (values: Float32Array): Promise<number> => {
    points.view().set(values)
    await lattice.expand(points, field)
    const maps = [pair.toMoving.ptr, field.ptr, pair.spare.ptr]
    await arena.run('composeRows', ny * nz, 64, ...maps, nx, ny, nz, 1, nx, margin / level.mm)
    return await correlation(0, pair.spare.ptr, moves.ptr, moves.ptr + 12 * n)
  }
  let best = new Float32Array(count)
  let similarity = await judge(best)
  let step = firstStep
  let steps = 0
  for (; steps < most && step > firstStep / 16; steps++) {
    await lattice.gather(moves.ptr + 12 * n, pulls)
    const pull = pulls.view()
    const next = best.map((value, i) => Math.max(-limit, Math.min(limit, value + step * pull[i])))
    unbend(next, lattice.dims, stiffness * step)
    const here = await judge(next)
    const gain = here - similarity
    if (gain > 0) [best, similarity] = [next, here]
    if (gain < 5e-4) step /= 2
    // The pulls belong to the control points kept.
    if (gain <= 0) await judge(best)
    report((steps + 1) / most)
  }
  await judge(best)
  ;[pair.toMoving, pair.spare] = [pair.spare, pair.toMoving]
  return { similarity, steps }
}
