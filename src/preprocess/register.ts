import { withArena } from '../kernels/index.js'
import { seededRandom } from '../learn/random.js'
import { type Affine, apply, compose, invert, type Vec3 } from '../volume/affine.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import { notZero, onlyStripped } from './registration/mixed.js'
import { ascend, type Slope } from './registration/optimise.js'
import { coarser, finer, type Level, makeLevel, robustRange } from './registration/sampling.js'
import { bestStarts } from './registration/search.js'
import { type Measure, measureOf } from './registration/similarity.js'
import { derivatives, type Freedom, freed, parametersToMap, plausible } from './registration/transform.js'

export { registrationCheck, trustThreshold, trustworthy } from './registration/check.js'

export interface RegisterOptions {
  /** 6: rigid, for images of one person; 12: affine, for a template. */
  dof: 6 | 12
  /** Only points inside count; on any grid of the fixed image's space. */
  fixedMask?: Mask
  /** Only what lies inside counts; on any grid of the moving image's space. */
  movingMask?: Mask
  /** A map to start from instead of a search around the headers' and the centres of mass. */
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
  /** Mutual information at the end, nats. */
  mutualInformation: number
  evaluations: number
}

/**
 * Rigid or affine registration by normalised mutual information (Studholme et al. 1999; Parzen windows of Mattes et al.
 * 2003), coarse to fine, by its gradient. At 8 mm several starts are followed (the headers' alignment, the centres of
 * mass, the best of a net of turns and shifts) and the best is kept; an affine map then gains a common scale, three
 * scales and shears one after the other. Deterministic by seed; the same bits for any number of threads.
 *
 * Images may have any spacing and obliqueness, thick slices, the head whole or stripped, and need not cover the same.
 * When only one of them is stripped, its brain alone counts.
 */
export async function register(fixed: Image, moving: Image, options: RegisterOptions): Promise<Registration> {
  const given = options.fixedMask || options.movingMask
  const only = given ? undefined : onlyStripped(fixed, moving)
  if (!only) return await align(fixed, moving, options)
  if (only === 'fixed') return await align(fixed, moving, { ...options, fixedMask: notZero(fixed) })
  // Points are drawn from the brain, so the stripped image takes the part of the fixed one.
  const initial = options.initial && invert(options.initial)
  const back = await align(moving, fixed, { ...options, initial, fixedMask: notZero(moving) })
  return { ...back, map: invert(back.map) }
}

async function align(fixed: Image, moving: Image, options: RegisterOptions): Promise<Registration> {
  const { dof, initial, seed = 1, signal, progress = () => {} } = options
  const levels = await pyramid(fixed, moving, dof === 6 ? rigidLevels : affineLevels, options, seed)
  progress(0.3)
  const centre = centreOfMass(levels[0].fixed)
  return await withArena(
    async (arena) => {
      let evaluations = 0
      const slopeOf =
        (measure: Measure, base: Affine) =>
        async (p: readonly number[]): Promise<Slope> => {
          evaluations++
          const here = compose(base, parametersToMap(p, centre))
          if (!plausible(p)) return { value: Number.NEGATIVE_INFINITY, gradient: new Float64Array(p.length) }
          const { normalised, overlap, slope } = await measure.withSlope(here)
          const gradient = Float64Array.from(derivatives(p, centre), (change) => {
            const moved = measure.aboutOrigin(compose(base, change))
            return slope.reduce((sum, s, i) => sum + s * moved[i], 0)
          })
          return { value: normalised * shared(overlap), gradient }
        }

      const coarse = measureOf(arena, levels[0])
      const starts = initial ? [initial] : await bestStarts(coarse, centre, centreOfMass(levels[0].whole), shared)
      let best = { base: starts[0], point: new Array<number>(6).fill(0), value: Number.NEGATIVE_INFINITY }
      for (const [i, base] of starts.entries()) {
        const f = slopeOf(coarse, base)
        let { point, value } = await ascend(f, new Array<number>(6).fill(0), { longest: 8, tolerance: 0.3 })
        if (dof === 12)
          for (const freedom of [7, 9, 12] as Freedom[])
            ({ point, value } = await ascend(f, freed(point, freedom), { longest: 6, tolerance: 0.3 }))
        // The headers, which come first, are right more often than chance: another start has to be clearly better.
        if (value > best.value + (best.value > 0 && i > 0 ? 0.002 : 0)) best = { base, point, value }
        progress(0.3 + (0.3 * (i + 1)) / starts.length)
      }
      const { base } = best
      let { point } = best
      for (const [i, level] of levels.entries()) {
        if (i === 0) continue
        const measure = measureOf(arena, level)
        ;({ point } = await ascend(slopeOf(measure, base), point, { longest: level.mm, tolerance: level.mm / 50 }))
        progress(0.6 + (0.4 * i) / (levels.length - 1))
      }
      const map = compose(base, parametersToMap(point, centre))
      const { normalised, mutualInformation } = await measureOf(arena, levels[levels.length - 1])(map)
      return { map, similarity: normalised, mutualInformation, evaluations }
    },
    { signal },
  )
}

/** Spacing of the levels in mm, and the most points that each looks at. */
const affineLevels = [
  { mm: 8, count: 12_000 },
  { mm: 4, count: 40_000 },
  { mm: 2, count: 100_000 },
]
const rigidLevels = [...affineLevels, { mm: 0.8, count: 150_000 }]

/** Little overlap makes any histogram look ordered: below a half of the points it costs. */
const shared = (overlap: number): number => Math.min(1, 0.5 + overlap)

type PyramidLevel = Level & { mm: number; fixed: Image; whole: Image }

/** The levels, coarsest first. Each is smoothed from the one before: that costs little, and blurs add up as they should. */
async function pyramid(
  fixed: Image,
  moving: Image,
  steps: readonly { mm: number; count: number }[],
  { fixedMask, movingMask }: RegisterOptions,
  seed: number,
): Promise<PyramidLevel[]> {
  const random = seededRandom(seed)
  const images: { fixed: Image; whole: Image }[] = []
  let finest = { fixed, whole: moving }
  for (const { mm } of [...steps].reverse()) {
    finest = { fixed: await coarser(finest.fixed, mm), whole: await coarser(finest.whole, mm) }
    images.unshift(finest)
  }
  const middle = images[Math.min(2, images.length - 1)]
  const fixedRange = robustRange(middle.fixed, fixedMask)
  const movingRange = robustRange(middle.whole, movingMask)
  const levels: PyramidLevel[] = []
  for (const [i, { mm, count }] of steps.entries()) {
    const { fixed: image, whole } = images[i]
    const sampling = { count, mm, random, fixedMask, movingMask, fixedRange, movingRange }
    levels.push({ ...makeLevel(image, finer(whole, Math.max(1, mm)), sampling), mm, fixed: image, whole })
  }
  return levels
}

/** Centre of the head in RAS mm: the mean place of the voxels that are not dark. */
function centreOfMass({ dims: [nx, ny, nz], affine, data }: Volume): Vec3 {
  const [low, high] = robustRange({ dims: [nx, ny, nz], affine, data })
  const sum = [0, 0, 0]
  let total = 0
  // Dark voxels are air or noise; half of the range counts as fully bright, so that fat does not outweigh the brain.
  const from = low + 0.15 * (high - low)
  const full = low + 0.5 * (high - low)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (!(data[at] > from)) continue
        const weight = Math.min(1, (data[at] - from) / (full - from))
        total += weight
        sum[0] += weight * i
        sum[1] += weight * j
        sum[2] += weight * k
      }
  if (total === 0) return apply(affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2])
  return apply(affine, [sum[0] / total, sum[1] / total, sum[2] / total])
}
