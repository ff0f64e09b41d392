import { type Image, sameGrid } from '../../volume/volume.js'
import {
  estimate,
  information,
  labelFrequency,
  meanWeights,
  poolOpinions,
  scaled,
  voxelWeights,
} from './opinion-pool.js'
import { lesionShare, mostProbable, saidByTruth, startingTheta } from './staple.js'
import { statementsOf } from './statements.js'
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
