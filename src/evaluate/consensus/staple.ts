import { defaultPrior, maximise, type PerformancePrior } from './maximisation.js'
import { decisionPatterns, judged, type Patterns, spread } from './patterns.js'
import { asLabels, assertRaters, type Consensus, performanceAgainst, type RaterMap } from './types.js'

export interface StapleOptions {
  /** The union of the masks, grown by a ball of so many voxels, is where STAPLE works; 0: the whole image. Default 2. */
  dilation?: number
  /** Priors on the raters' parameters. Default none. */
  prior?: Partial<PerformancePrior>
  /** Probability of being right that every rater begins with. Default 0.99. */
  initial?: number
  /** It ends when no parameter moves by more. Default 1e-8. */
  tolerance?: number
  /** Default 100. */
  maximumIterations?: number
  /** Cut of maps of probability, of which STAPLE takes labels only. Default 0.5. */
  threshold?: number
}

export interface StapleConsensus extends Consensus {
  /** How frequent each label is in the region, over all raters: the prior of the truth. */
  frequency: readonly number[]
}

/**
 * STAPLE for any number of labels: the hidden truth and each rater's probabilities of saying a label where another is
 * true, by expectation and maximisation (Warfield et al. 2004, IEEE TMI 23:903). It does what animaSTAPLE does: the
 * region is the dilated union of the masks, the truth's prior the label frequencies of all raters within it, and not
 * updated; equal probabilities go to the lower label. The region matters much: over a whole image background
 * outweighs everything.
 *
 * @throws RangeError when there are fewer than two raters, or they are not on one grid
 */
export function staple(raters: readonly RaterMap[], options: StapleOptions = {}): StapleConsensus {
  assertRaters(raters)
  const { dilation = 2, initial = 0.99, tolerance = 1e-8, maximumIterations = 100, threshold = 0.5 } = options
  const prior = { ...defaultPrior, ...options.prior }
  const patterns = decisionPatterns(
    raters.map((rater) => asLabels(rater, threshold)),
    dilation,
  )
  const { labels } = patterns
  const square = labels * labels
  const frequency = labelFrequency(patterns)
  const theta = Array.from({ length: patterns.raters }, () => startingTheta(labels, initial))
  const truth = new Float64Array(patterns.counts.length * labels)
  const counts = new Float64Array(square)
  const before = new Float64Array(square)
  let iterations = 0
  let converged = patterns.region.voxels === 0
  while (!converged && iterations < maximumIterations) {
    expect(patterns, frequency, theta, truth)
    let moved = 0
    theta.forEach((own, rater) => {
      before.set(own)
      countStatements(patterns, truth, rater, counts)
      maximise(own, counts, labels, prior)
      for (let i = 0; i < square; i++) moved = Math.max(moved, Math.abs(own[i] - before[i]))
    })
    converged = ++iterations > 1 && moved <= tolerance
  }
  const rows = patterns.counts.length
  const label = new Uint8Array(rows)
  const lesion = new Float64Array(rows)
  for (let row = 0; row < rows && patterns.region.voxels > 0; row++) {
    const weights = truth.subarray(row * labels, (row + 1) * labels)
    label[row] = mostProbable(weights)
    lesion[row] = lesionShare(weights)
  }
  const performances = performanceAgainst(judged(patterns, lesion))
  return {
    ...spread(patterns, label, lesion),
    raters: performances.map((one, rater) => ({ ...one, performance: saidByTruth(theta[rater], labels) })),
    frequency: [...frequency],
    iterations,
    converged,
  }
}

/** Mean over the raters of how much of the region each label takes; background is the rest. */
function labelFrequency({ raters, labels, said, counts, region }: Patterns): Float64Array {
  const frequency = new Float64Array(labels)
  for (let row = 0; row < counts.length; row++)
    for (let rater = 0; rater < raters; rater++) frequency[said[row * raters + rater]] += counts[row]
  let rest = 1
  for (let label = 1; label < labels; label++) {
    frequency[label] /= region.voxels * raters
    rest -= frequency[label]
  }
  frequency[0] = rest
  return frequency
}

/** Parameters `[truth · labels + said]` of a rater who is right with probability `right`. */
export const startingTheta = (labels: number, right: number): Float64Array =>
  Float64Array.from({ length: labels * labels }, (_, i) =>
    i % labels === Math.floor(i / labels) ? right : (1 - right) / (labels - 1),
  )

/** Parameters as `[said][truth]`. */
export const saidByTruth = (theta: Float64Array, labels: number): number[][] =>
  Array.from({ length: labels }, (_, said) =>
    Array.from({ length: labels }, (_, truth) => theta[truth * labels + said]),
  )

/** The probability of each label in each pattern: the prior times what each rater says, made to sum to 1. */
function expect(
  { raters, labels, said, counts }: Patterns,
  frequency: Float64Array,
  theta: Float64Array[],
  truth: Float64Array,
): void {
  for (let row = 0; row < counts.length; row++) {
    const weights = truth.subarray(row * labels, (row + 1) * labels)
    weights.set(frequency)
    for (let rater = 0; rater < raters; rater++) {
      const own = theta[rater]
      const label = said[row * raters + rater]
      let largest = 0
      for (let m = 0; m < labels; m++) largest = Math.max(largest, (weights[m] *= own[m * labels + label]))
      // Many raters make products too small for a double: a power of two changes no digit.
      if (largest < 2 ** -600) for (let m = 0; m < labels; m++) weights[m] *= 2 ** 600
    }
    let sum = 0
    for (let m = 0; m < labels; m++) sum += weights[m]
    if (sum > 0) for (let m = 0; m < labels; m++) weights[m] /= sum
    // What no label can explain tells nothing.
    else weights.set(frequency)
  }
}

/** How often the rater says each label where each is thought true: `counts[truth · labels + said]`. */
function countStatements(patterns: Patterns, truth: Float64Array, rater: number, into: Float64Array): void {
  const { raters, labels, said, counts } = patterns
  into.fill(0)
  for (let row = 0; row < counts.length; row++) {
    const label = said[row * raters + rater]
    for (let m = 0; m < labels; m++) into[m * labels + label] += counts[row] * truth[row * labels + m]
  }
}

/** The label of highest probability; those within 1e-12 of each other are equal, and the lowest of them wins. */
export function mostProbable(weights: Float64Array): number {
  let best = 0
  for (let m = 1; m < weights.length; m++) if (weights[m] > weights[best] * (1 + 1e-12)) best = m
  return best
}

/** Probability of any label but 0, summed without the rounding of 1 − p. */
export function lesionShare(weights: Float64Array): number {
  let sum = 0
  for (let m = 1; m < weights.length; m++) sum += weights[m]
  return sum
}
