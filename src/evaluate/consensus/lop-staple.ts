import { type Image, sameGrid } from '../../volume/volume.js'
import { lesionShare, mostProbable, saidByTruth, startingTheta } from './staple.js'
import { type Statements, statementsOf } from './statements.js'
import { type Consensus, performanceAgainst, type RaterMap } from './types.js'

export interface LopStapleOptions {
  /**
   * How much each rater counts in the pool. `estimated` (default): by the information that the rater gives about the
   * truth. `equal`: all alike. Numbers: one for each rater; images: one for each rater and voxel, as from the likeness
   * of an atlas to the image. They are scaled to sum to 1.
   */
  weights?: 'estimated' | 'equal' | readonly number[] | readonly Image[]
  /**
   * As how many independent raters the pool counts: Σ w_j. 1 (default) is the geometric mean, which asks for near
   * agreement where lesion is rare, as the prior stands whole against it; the number of raters is STAPLE's product.
   */
  strength?: number
  /** Region; see `decisionPatterns`. Of maps of probability it is grown from where one is at least 0.05. Default 2. */
  dilation?: number
  /** Probability of being right that every rater begins with. Default 0.99. */
  initial?: number
  /** It ends when no parameter moves by more. Default 1e-8. */
  tolerance?: number
  /** Default 100. */
  maximumIterations?: number
}

export interface LopStapleConsensus extends Consensus {
  /** How frequent each label is in the region, over all raters: the prior of the truth. */
  frequency: readonly number[]
}

/**
 * STAPLE with a logarithmic opinion pool (Akhondi-Asl, Hoyte, Lockhart & Warfield 2014, IEEE TMI 33:1997), the kind of
 * rule that made the consensus of the MSSEG 2016 challenge. Each rater by itself, with its performance parameters θ,
 * has a posterior q of the labels; they are pooled into their weighted geometric mean, W ∝ ∏ q_j^w_j with Σ w_j = 1.
 * STAPLE's product takes the raters' errors as independent and gets surer with every rater; the pool of raters who all
 * say the same is as sure as one of them, and decides more like a majority of those who know something.
 *
 * No code of the authors is public, and masks made here need not equal theirs. Ours are:
 * - θ is estimated as in STAPLE, a rater's statements counting once, or J w_j times where weights are given. Pooled
 *   with Σ w_j = 1 already there, the likelihood would be highest where raters say nothing (Hölder's inequality), and
 *   the estimation ends there. Half a voxel is added to each count (Jeffreys), so that no rater can veto;
 * - weights where none are given: the mutual information between what a rater says and the truth, by its θ and the
 *   label frequencies. Who says the same everywhere, or guesses, weighs nothing;
 * - region and prior are those of `staple`;
 * - a probability is taken as the rater's own posterior: over the rater's mean probability in the region it is the
 *   evidence for a label, to which its θ is applied. A rater who is always right then has itself as its posterior.
 *
 * @throws RangeError when there are fewer than two raters, they are not on one grid, a probability is not within 0–1,
 *   labels above 1 are mixed with probabilities, or the weights or the strength are negative, or weights are not one for each rater
 */
export function lopStaple(raters: readonly RaterMap[], options: LopStapleOptions = {}): LopStapleConsensus {
  const {
    weights = 'estimated',
    strength = 1,
    dilation = 2,
    initial = 0.99,
    tolerance = 1e-8,
    maximumIterations = 100,
  } = options
  const given = typeof weights === 'string' ? undefined : weights
  const maps = given?.some((one) => typeof one !== 'number') ? (given as readonly Image[]) : undefined
  const s = statementsOf(raters, dilation, maps !== undefined)
  if (given && given.length !== s.raters)
    throw new RangeError(`There are ${s.raters} raters and ${given.length} weights.`)
  for (const map of maps ?? [])
    if (!sameGrid(map, raters[0], 0.01)) throw new RangeError('Weights and masks must be on one grid.')

  if (!(strength >= 0)) throw new RangeError(`A pool cannot have the strength of ${strength} raters.`)

  const { labels, counts } = s
  const rows = counts.length
  const voxels = counts.reduce((sum, n) => sum + n, 0)
  const often = Array.from({ length: s.raters }, (_, rater) => labelFrequency(s, voxels, rater))
  const frequency = often[0].map((_, label) => often.reduce((sum, own) => sum + own[label], 0) / s.raters)
  const theta = Array.from({ length: s.raters }, () => startingTheta(labels, initial))
  const pool = new Float64Array(rows * labels)
  const equal = scaled(new Array<number>(s.raters).fill(1))
  const fixed = maps ? voxelWeights(maps, s) : given ? scaled(given as readonly number[]) : equal
  let iterations = 0
  let converged = voxels === 0
  while (!converged && iterations < maximumIterations) {
    poolOpinions(s, frequency, often, theta, fixed, s.raters, pool)
    let moved = 0
    theta.forEach((own, rater) => {
      const before = Float64Array.from(own)
      estimate(s, pool, often[rater], fixed, rater, own)
      for (let i = 0; i < own.length; i++) moved = Math.max(moved, Math.abs(own[i] - before[i]))
    })
    converged = ++iterations > 1 && moved <= tolerance
  }
  const weight = weights === 'estimated' ? scaled(theta.map((own) => information(own, frequency))) : fixed
  poolOpinions(s, frequency, often, theta, weight, strength, pool)
  const label = new Uint8Array(rows)
  const lesion = new Float64Array(rows)
  for (let row = 0; row < rows && voxels > 0; row++) {
    const own = pool.subarray(row * labels, (row + 1) * labels)
    label[row] = mostProbable(own)
    lesion[row] = lesionShare(own)
  }
  const performances = performanceAgainst({
    raters: s.raters,
    counts,
    said: (row, rater) => Math.min(1, s.said[row * s.raters + rater]),
    truth: (row) => Math.min(1, label[row]),
  })
  const mean = meanWeights(weight, s.raters)
  return {
    ...s.spread(label, lesion),
    raters: performances.map((one, rater) => ({
      ...one,
      performance: saidByTruth(theta[rater], labels),
      weight: mean[rater],
    })),
    frequency: [...frequency],
    iterations,
    converged,
  }
}

/** How much of the region a rater gives to each label. */
function labelFrequency({ raters, labels, said, counts }: Statements, voxels: number, rater: number): Float64Array {
  const frequency = new Float64Array(labels)
  for (let row = 0; row < counts.length; row++) {
    // What is said between two labels is shared between them.
    const value = said[row * raters + rater]
    const low = Math.floor(value)
    frequency[low] += (counts[row] / voxels) * (low + 1 - value)
    if (value > low) frequency[low + 1] += (counts[row] / voxels) * (value - low)
  }
  return frequency
}

/**
 * The pool of every row: the prior times what each rater says to the power of its weight. `weights` sum to 1, for all
 * rows or for each; with `total` 1 the result is the weighted geometric mean of the raters' posteriors (their
 * denominators are the same for all labels, and the prior enters once), with the number of raters STAPLE's product.
 */
function poolOpinions(
  { raters, labels, said, counts }: Statements,
  frequency: Float64Array,
  often: readonly Float64Array[],
  theta: readonly Float64Array[],
  weights: Float64Array,
  total: number,
  pool: Float64Array,
): void {
  const everywhere = weights.length === raters
  // What is said is mostly a label: its powers are taken once.
  const powers = theta.map((own, rater) => (everywhere ? own.map((p) => p ** (total * weights[rater])) : own))
  for (let row = 0; row < counts.length; row++) {
    const first = row * labels
    for (let m = 0; m < labels; m++) pool[first + m] = frequency[m]
    for (let rater = 0; rater < raters; rater++) {
      const w = total * weights[everywhere ? rater : row * raters + rater]
      if (w === 0) continue
      const value = said[row * raters + rater]
      const low = Math.floor(value)
      const part = value - low
      let largest = 0
      if (part === 0 && everywhere)
        for (let m = 0; m < labels; m++)
          largest = Math.max(largest, (pool[first + m] *= powers[rater][m * labels + low]))
      else {
        // A label that is said outright is the same evidence for all truths: how often it is said plays no part.
        const lower = part === 0 ? 1 : (1 - part) / often[rater][low]
        const upper = part === 0 ? 0 : part / often[rater][low + 1]
        for (let m = 0; m < labels; m++) {
          const at = m * labels + low
          const likelihood = lower * theta[rater][at] + (part === 0 ? 0 : upper * theta[rater][at + 1])
          largest = Math.max(largest, (pool[first + m] *= w === 1 ? likelihood : likelihood ** w))
        }
      }
      // Many raters make products too small for a double: a power of two changes no digit.
      if (largest < 2 ** -600) for (let m = 0; m < labels; m++) pool[first + m] *= 2 ** 600
    }
    let sum = 0
    for (let m = 0; m < labels; m++) sum += pool[first + m]
    for (let m = 0; m < labels; m++) pool[first + m] /= sum
  }
}

/**
 * The rater's parameters from the pool: how often it says a label where another is true; half a voxel more of each.
 * What is said between two labels is shared between them as the parameters so far make likely. With weights of every
 * voxel it counts as much of a voxel as the rater is relied on there.
 */
function estimate(
  { raters, labels, said, counts }: Statements,
  pool: Float64Array,
  often: Float64Array,
  weights: Float64Array,
  rater: number,
  theta: Float64Array,
): void {
  const before = Float64Array.from(theta)
  theta.fill(0.5)
  for (let row = 0; row < counts.length; row++) {
    const relied = weights.length === raters ? 1 : raters * weights[row * raters + rater]
    const value = said[row * raters + rater]
    const low = Math.floor(value)
    const part = value - low
    for (let m = 0; m < labels; m++) {
      const n = relied * counts[row] * pool[row * labels + m]
      const at = m * labels + low
      if (part === 0) theta[at] += n
      else {
        const lower = ((1 - part) / often[low]) * before[at]
        const upper = (part / often[low + 1]) * before[at + 1]
        theta[at] += (n * lower) / (lower + upper)
        theta[at + 1] += (n * upper) / (lower + upper)
      }
    }
  }
  for (let m = 0; m < labels; m++) {
    const column = theta.subarray(m * labels, (m + 1) * labels)
    const all = column.reduce((sum, n) => sum + n, 0)
    for (let l = 0; l < labels; l++) column[l] /= all
  }
}

/** Mutual information, in nats, between what a rater with these parameters says and the truth. */
function information(theta: Float64Array, frequency: Float64Array): number {
  const labels = frequency.length
  let sum = 0
  for (let said = 0; said < labels; said++) {
    let share = 0
    for (let m = 0; m < labels; m++) share += frequency[m] * theta[m * labels + said]
    for (let m = 0; m < labels; m++) {
      const p = theta[m * labels + said]
      if (p > 0 && frequency[m] > 0) sum += frequency[m] * p * Math.log(p / share)
    }
  }
  return Math.max(0, sum)
}

/** Weights that sum to 1; equal ones where all are 0. */
function scaled(weights: readonly number[]): Float64Array {
  if (!weights.every((w) => w >= 0 && Number.isFinite(w))) throw new RangeError('A weight must not be negative.')
  const sum = weights.reduce((s, w) => s + w, 0)
  return Float64Array.from(weights, (w) => (sum > 0 ? w / sum : 1 / weights.length))
}

const voxelWeights = (maps: readonly Image[], { voxels }: Statements): Float64Array =>
  Float64Array.from(Array.from(voxels!, (voxel) => [...scaled(maps.map(({ data }) => data[voxel]))]).flat())

function meanWeights(weights: Float64Array, raters: number): Float64Array {
  const mean = new Float64Array(raters)
  weights.forEach((w, i) => {
    mean[i % raters] += (w * raters) / weights.length
  })
  return mean
}
