import { type Mask, voxelCount } from '../../volume/volume.js'
import { decisionPatterns, judged, type Patterns, spread } from './patterns.js'
import { statementsOf } from './statements.js'
import { assertRaters, type Consensus, isProbability, performanceAgainst, type RaterMap } from './types.js'

/** Who wins where votes are equal: background, or the lesion (the lowest of the labels that tie, but for background). */
export type Tie = 'background' | 'lesion'

export interface MajorityOptions {
  /** Default `background`: a voxel is lesion where more than half of the raters say so. `lesion`: half are enough. */
  tie?: Tie
  /** Region over which the raters' performance is counted; see `decisionPatterns`. Default 2. */
  dilation?: number
}

/**
 * Each voxel's most frequent label; with maps of probability, lesion where their mean exceeds one half. The soft map is
 * the share of raters that draw lesion, or the mean probability.
 *
 * @throws RangeError when there are fewer than two raters, they are not on one grid, or a probability is not within 0–1
 */
export function majority(
  raters: readonly RaterMap[],
  { tie = 'background', dilation = 2 }: MajorityOptions = {},
): Consensus {
  assertRaters(raters)
  if (raters.some(isProbability)) return meanProbability(raters, tie, dilation)
  const patterns = decisionPatterns(raters as Mask[], dilation)
  const rows = patterns.counts.length
  const label = new Uint8Array(rows)
  const share = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const votes = votesOf(patterns, row)
    label[row] = winner(votes, tie)
    share[row] = 1 - votes[0] / patterns.raters
  }
  return {
    ...spread(patterns, label, share),
    raters: performanceAgainst(
      judged(
        patterns,
        label.map((l) => (l !== 0 ? 1 : 0)),
      ),
    ),
    iterations: 1,
    converged: true,
  }
}

/** Votes (or, with weights, sums of weights) for each label in a pattern. */
export function votesOf({ raters, labels, said }: Patterns, row: number, weights?: ArrayLike<number>): Float64Array {
  const votes = new Float64Array(labels)
  for (let rater = 0; rater < raters; rater++) votes[said[row * raters + rater]] += weights ? weights[rater] : 1
  return votes
}

/** The label with most votes. Sums of weights within 1e-12 of each other tie, whatever order they were added in. */
export function winner(votes: Float64Array, tie: Tie): number {
  const tied = Math.max(...votes) * (1 - 1e-12)
  const first = votes.findIndex((n) => n >= tied)
  if (first > 0 || tie === 'background') return first
  const lesion = votes.findIndex((n, label) => label > 0 && n >= tied)
  return Math.max(0, lesion)
}

function meanProbability(raters: readonly RaterMap[], tie: Tie, dilation: number): Consensus {
  const { dims, affine } = raters[0]
  const sums = new Float64Array(voxelCount(raters[0]))
  for (const { data } of raters) for (let i = 0; i < sums.length; i++) sums[i] += data[i]
  const labels = new Uint8Array(sums.length)
  const mean = new Float32Array(sums.length)
  const half = raters.length / 2
  for (let i = 0; i < sums.length; i++) {
    // Sums that differ from one half by rounding only are a tie.
    const tied = Math.abs(sums[i] - half) <= 1e-6 * half
    if (tied ? tie === 'lesion' : sums[i] > half) labels[i] = 1
    mean[i] = sums[i] / raters.length
  }
  const { counts, said, voxels } = statementsOf(raters, dilation)
  return {
    labels: { dims, affine, data: labels },
    probability: { dims, affine, data: mean },
    raters: performanceAgainst({
      raters: raters.length,
      counts,
      said: (row, rater) => said[row * raters.length + rater],
      truth: (row) => labels[voxels![row]],
    }),
    iterations: 1,
    converged: true,
  }
}
