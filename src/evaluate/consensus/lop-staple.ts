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
 * - region and prior are those of `staple`; a probability counts as so much of a voxel said to be lesion.
 *
 * @throws RangeError when there are fewer than two raters, they are not on one grid, a probability is not within 0–1,
 *   labels above 1 are mixed with probabilities, or the weights are negative or not one for each rater
 */
export function lopStaple(raters: readonly RaterMap[], options: LopStapleOptions = {}): LopStapleConsensus {
  const { weights = 'estimated', dilation = 2, initial = 0.99, tolerance = 1e-8, maximumIterations = 100 } = options
  const given = typeof weights === 'string' ? undefined : weights
  const maps = given?.some((one) => typeof one !== 'number') ? (given as readonly Image[]) : undefined
  const s = statementsOf(raters, dilation, maps !== undefined)
  if (given && given.length !== s.raters)
    throw new RangeError(`There are ${s.raters} raters and ${given.length} weights.`)
  for (const map of maps ?? [])
    if (!sameGrid(map, raters[0], 0.01)) throw new RangeError('Weights and masks must be on one grid.')

  const { labels, counts } = s
  const rows = counts.length
  const voxels = counts.reduce((sum, n) => sum + n, 0)
  const frequency = labelFrequency(s, voxels)
  const theta = Array.from({ length: s.raters }, () => startingTheta(labels, initial))
  const pool = new Float64Array(rows * labels)
  const equal = scaled(new Array<number>(s.raters).fill(1))
  const fixed = maps ? voxelWeights(maps, s) : given ? scaled(given as readonly number[]) : equal
  let iterations = 0
  let converged = voxels === 0
  while (!converged && iterations < maximumIterations) {
    poolOpinions(s, frequency, theta, fixed, s.raters, pool)
    let moved = 0
    theta.forEach((own, rater) => {
      const before = Float64Array.from(own)
      estimate(s, pool, rater, own)
      for (let i = 0; i < own.length; i++) moved = Math.max(moved, Math.abs(own[i] - before[i]))
    })
    converged = ++iterations > 1 && moved <= tolerance
  }
  const weight = weights === 'estimated' ? scaled(theta.map((own) => information(own, frequency))) : fixed
  poolOpinions(s, frequency, theta, weight, 1, pool)
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

/** Mean over the raters of how much of the region each label takes; background is the rest. */
function labelFrequency({ raters, labels, said, counts }: Statements, voxels: number): Float64Array {
  const frequency = new Float64Array(labels)
  for (let row = 0; row < counts.length; row++)
    for (let rater = 0; rater < raters; rater++)
      share(said[row * raters + rater], counts[row] / (voxels * raters), (label, n) => {
        frequency[label] += n
      })
  return frequency
}

/** Gives `n` to the label that is said, or to the two it lies between. */
function share(said: number, n: number, add: (label: number, n: number) => void): void {
  const low = Math.floor(said)
  add(low, n * (low + 1 - said))
  if (said > low) add(low + 1, n * (said - low))
}

/**
 * The pool of every row: the prior times what each rater says to the power of its weight. `weights` sum to 1, for all
 * rows or for each; with `total` 1 the result is the weighted geometric mean of the raters' posteriors (their
 * denominators are the same for all labels, and the prior enters once), with the number of raters STAPLE's product.
 */
function poolOpinions(
  { raters, labels, said, counts }: Statements,
  frequency: Float64Array,
  theta: readonly Float64Array[],
  weights: Float64Array,
  total: number,
  pool: Float64Array,
): void {
  const rows = counts.length
  const everywhere = weights.length === raters
  // What a rater says is mostly a label: its logarithms are taken once.
  const logs = theta.map((own) => own.map(Math.log))
  const logPrior = frequency.map(Math.log)
  for (let row = 0; row < rows; row++) {
    const own = pool.subarray(row * labels, (row + 1) * labels)
    own.set(logPrior)
    for (let rater = 0; rater < raters; rater++) {
      const w = total * weights[everywhere ? rater : row * raters + rater]
      if (w === 0) continue
      const value = said[row * raters + rater]
      const low = Math.floor(value)
      const part = value - low
      for (let m = 0; m < labels; m++) {
        const at = m * labels + low
        const log = part === 0 ? logs[rater][at] : Math.log((1 - part) * theta[rater][at] + part * theta[rater][at + 1])
        own[m] += w * log
      }
    }
    let highest = -Infinity
    for (let m = 0; m < labels; m++) highest = Math.max(highest, own[m])
    let sum = 0
    for (let m = 0; m < labels; m++) sum += own[m] = Math.exp(own[m] - highest)
    for (let m = 0; m < labels; m++) own[m] /= sum
  }
}

/** The rater's parameters from the pool: how often it says a label where another is true; half a voxel more of each. */
function estimate(
  { raters, labels, said, counts }: Statements,
  pool: Float64Array,
  rater: number,
  theta: Float64Array,
) {
  theta.fill(0.5)
  for (let row = 0; row < counts.length; row++)
    share(said[row * raters + rater], counts[row], (label, n) => {
      for (let m = 0; m < labels; m++) theta[m * labels + label] += n * pool[row * labels + m]
    })
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
    let often = 0
    for (let m = 0; m < labels; m++) often += frequency[m] * theta[m * labels + said]
    for (let m = 0; m < labels; m++) {
      const p = theta[m * labels + said]
      if (p > 0 && frequency[m] > 0) sum += frequency[m] * p * Math.log(p / often)
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
