/** The steps of LOP-STAPLE: opinions pooled, raters judged by the pool, and what a rater is worth. */
import type { Image } from '../../volume/volume.js'
import type { Statements } from './statements.js'

/** How much of the region a rater gives to each label. */
export function labelFrequency(
  { raters, labels, said, counts }: Statements,
  voxels: number,
  rater: number,
): Float64Array {
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
export function poolOpinions(
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
export function estimate(
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
export function information(theta: Float64Array, frequency: Float64Array): number {
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
export function scaled(weights: readonly number[]): Float64Array {
  if (!weights.every((w) => w >= 0 && Number.isFinite(w))) throw new RangeError('A weight must not be negative.')
  const sum = weights.reduce((s, w) => s + w, 0)
  return Float64Array.from(weights, (w) => (sum > 0 ? w / sum : 1 / weights.length))
}

/** The raters' weights in each row, where rows are voxels; those of a voxel sum to 1. */
export const voxelWeights = (maps: readonly Image[], { voxels }: Statements): Float64Array =>
  Float64Array.from(Array.from(voxels!, (voxel) => [...scaled(maps.map(({ data }) => data[voxel]))]).flat())

/** Each rater's weight, on average over the rows. */
export function meanWeights(weights: Float64Array, raters: number): Float64Array {
  const mean = new Float64Array(raters)
  weights.forEach((w, i) => {
    mean[i % raters] += (w * raters) / weights.length
  })
  return mean
}
