import { withArena } from '../kernels/index.js'
import { seededRandom } from '../learn/random.js'
import { type Affine, apply, compose, identity, translation, type Vec3 } from '../volume/affine.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import { maximise } from './registration/optimise.js'
import { coarser, type Level, makeLevel, robustRange, type Similarity, similarityOf } from './registration/similarity.js'
import { parametersToMap, plausible, radius } from './registration/transform.js'

export { registrationCheck, trustworthy } from './registration/check.js'

export interface RegisterOptions {
  /** 6: rigid, for images of one person; 12: affine, for a template. */
  dof: 6 | 12
  /** Only points inside count; on any grid of the fixed image's space. */
  fixedMask?: Mask
  /** A map to start from instead of the headers' and the centres of mass. */
  initial?: Affine
  seed?: number
  signal?: AbortSignal
  progress?: (fraction: number) => void
}

export interface Registration {
  /** World map: fixed RAS mm → moving RAS mm. `resample(moving, fixedGrid, { map })` brings the moving image over. */
  map: Affine
  /** Normalised mutual information at the end (Studholme 1999), 1 none – 2 full. */
  similarity: number
  evaluations: number
}

/**
 * Rigid or affine registration by normalised mutual information (Studholme et al. 1999; Parzen windows of Mattes et al.
 * 2003), coarse to fine. The coarsest level tries the headers' alignment, the centres of mass, and rotations up to 45°
 * about them, and goes on from the best. Deterministic by seed; the same bits for any number of threads.
 */
export async function register(fixed: Image, moving: Image, options: RegisterOptions): Promise<Registration> {
  const { dof, initial, seed = 1, signal, progress = () => {} } = options
  const random = seededRandom(seed)
  const fixedRange = robustRange(fixed, options.fixedMask)
  const movingRange = robustRange(moving)
  const levels: Level[] = []
  for (const { mm, count } of pyramid)
    levels.push(
      makeLevel(await coarser(fixed, mm), await coarser(moving, mm), {
        count, random, fixedMask: options.fixedMask, fixedRange, movingRange,
      }),
    )
  const centre = centreOfMass(fixed, fixedRange)
  const between = centreOfMass(moving, movingRange).map((x, axis) => x - centre[axis]) as unknown as Vec3

  return await withArena(
    async (arena) => {
      let evaluations = 0
      const at = (similarity: (map: Affine) => Promise<Similarity>, base: Affine) => async (p: readonly number[]) => {
        evaluations++
        if (!plausible(p)) return 0
        const { normalised, overlap } = await similarity(compose(base, parametersToMap(p, centre)))
        // Little overlap makes any histogram look ordered.
        return overlap < 0.25 ? normalised * overlap * 4 : normalised
      }

      const coarse = similarityOf(arena, levels[0])
      const bases = initial ? [initial] : [identity, translation(between)]
      let found = { base: bases[0], point: zeros(6), value: Number.NEGATIVE_INFINITY }
      for (const [i, base] of bases.entries()) {
        const f = at(coarse, base)
        const starts = i === bases.length - 1 && !initial ? [zeros(6), ...(await bestRotations(f))] : [zeros(6)]
        for (const start of starts) {
          const { point, value } = await maximise(f, start, { step: 6, tolerance: 1, rounds: 4 })
          // The headers are right more often than chance: another start has to be clearly better.
          if (value > found.value + (i === 0 ? 0 : 0.002)) found = { base, point, value }
        }
        progress(0.15 * (i + 1))
      }

      const { base } = found
      let point = found.point
      if (dof === 12) {
        for (const parameters of [9, 12]) {
          point = [...point, ...zeros(parameters - point.length)]
          ;({ point } = await maximise(at(coarse, base), point, { step: 4, tolerance: 0.5, rounds: 5 }))
        }
        progress(0.45)
      }
      let similarity = 0
      for (const [i, level] of levels.entries()) {
        if (i === 0) continue
        const { mm } = pyramid[i]
        const f = at(similarityOf(arena, level), base)
        ;({ point, value: similarity } = await maximise(f, point, { step: mm / 2, tolerance: mm / 40, rounds: 6 }))
        progress(0.45 + (0.55 * i) / (levels.length - 1))
      }
      return { map: compose(base, parametersToMap(point, centre)), similarity, evaluations }
    },
    { signal },
  )
}

/** Spacing of the levels in mm, and the most points that each looks at. */
const pyramid = [
  { mm: 8, count: 12_000 },
  { mm: 4, count: 50_000 },
  { mm: 2, count: 120_000 },
] as const

/** The three best of a coarse net of rotations up to 45° about each axis. */
async function bestRotations(f: (p: readonly number[]) => Promise<number>): Promise<number[][]> {
  const angles = [-45, -22.5, 0, 22.5, 45].map((degrees) => (degrees * Math.PI * radius) / 180)
  const tried: { p: number[]; value: number }[] = []
  for (const rx of angles)
    for (const ry of angles)
      for (const rz of angles) {
        if (rx === 0 && ry === 0 && rz === 0) continue
        const p = [0, 0, 0, rx, ry, rz]
        tried.push({ p, value: await f(p) })
      }
  return tried
    .sort((a, b) => b.value - a.value)
    .slice(0, 3)
    .map(({ p }) => p)
}

const zeros = (n: number): number[] => new Array<number>(n).fill(0)

/** Centre of the head in RAS mm: the mean place of the voxels, weighted by intensity within the robust range. */
function centreOfMass({ dims: [nx, ny, nz], affine, data }: Volume, [low, high]: readonly [number, number]): Vec3 {
  const sum = [0, 0, 0]
  let total = 0
  // Dark voxels are air or noise; half of the range counts as fully bright, so that fat does not outweigh the brain.
  const from = low + 0.15 * (high - low)
  const full = low + 0.5 * (high - low)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (data[at] <= from) continue
        const weight = Math.min(1, (data[at] - from) / (full - from))
        total += weight
        sum[0] += weight * i
        sum[1] += weight * j
        sum[2] += weight * k
      }
  if (total === 0) return apply(affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2])
  return apply(affine, sum.map((s) => s / total) as unknown as Vec3)
}
