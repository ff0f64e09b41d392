import { type Tie, votesOf, winner } from './majority.js'
import { decisionPatterns, judged, type Patterns, spread } from './patterns.js'
import { asLabels, type Consensus, performanceAgainst, type RaterMap } from './types.js'

export interface SimpleOptions {
  /** A rater is left out when its Dice lies more than so many standard deviations below the raters' mean … Default 1. */
  alpha?: number
  /** … and by at least so much: good raters who differ little all stay. Default 0.02. */
  margin?: number
  /** So many raters stay whatever they are. Default 3. */
  minimumRaters?: number
  /** Who wins where weighted votes are equal. Default `background`. */
  tie?: Tie
  /** Region over which the raters' performance is counted; see `decisionPatterns`. Default 2. */
  dilation?: number
  /** Cut of maps of probability. Default 0.5. */
  threshold?: number
}

const mostRounds = 50

/**
 * SIMPLE: selective and iterative performance-level estimation (Langerak et al. 2010, IEEE TMI 29:2000). Begins with
 * the majority vote; then, in turn, measures each rater by its Dice with the vote, leaves out those who are far below
 * the mean, and votes again with the Dice of the others as weights, until nobody leaves and the vote stays.
 * Of several labels the Dice is that of all lesion labels together: voxels of the same label in both, twice, over the
 * labelled voxels of both. The margin and the three who stay are ours.
 *
 * @throws RangeError when there are fewer than two raters, or they are not on one grid
 */
export function simple(raters: readonly RaterMap[], options: SimpleOptions = {}): Consensus {
  const { alpha = 1, margin = 0.02, minimumRaters = 3, tie = 'background', dilation = 2, threshold = 0.5 } = options
  const patterns = decisionPatterns(
    raters.map((rater) => asLabels(rater, threshold)),
    dilation,
  )
  const kept = new Array<boolean>(raters.length).fill(true)
  let weights = new Array<number>(raters.length).fill(1)
  let label = vote(patterns, weights, tie)
  let iterations = 0
  let converged = false
  while (!converged && iterations < mostRounds) {
    const dice = raters.map((_, rater) => diceWith(patterns, label, rater))
    const selected = dice.filter((_, rater) => kept[rater])
    const mean = selected.reduce((sum, d) => sum + d, 0) / selected.length
    const deviation = Math.sqrt(selected.reduce((sum, d) => sum + (d - mean) ** 2, 0) / selected.length)
    const least = mean - Math.max(alpha * deviation, margin)
    const leaving = dice
      .map((d, rater) => ({ d, rater }))
      .filter(({ d, rater }) => kept[rater] && d < least)
      .sort((a, b) => a.d - b.d)
      .slice(0, Math.max(0, selected.length - minimumRaters))
    for (const { rater } of leaving) kept[rater] = false
    weights = dice.map((d, rater) => (kept[rater] ? d : 0))
    // All weights 0: nobody meets the vote, as when all are disjoint. Then all count alike.
    if (weights.every((w) => w === 0)) weights = kept.map(Number)
    const next = vote(patterns, weights, tie)
    converged = leaving.length === 0 && next.every((l, row) => l === label[row])
    label = next
    iterations++
  }
  const all = weights.reduce((sum, w) => sum + w, 0)
  const share = Float64Array.from(label, (_, row) => 1 - votesOf(patterns, row, weights)[0] / all)
  // What all draw is certain whatever rounding says.
  const probability = share.map((p) => (p < 1e-12 ? 0 : p))
  const performances = performanceAgainst(
    judged(
      patterns,
      label.map((l) => Math.min(1, l)),
    ),
  )
  return {
    ...spread(patterns, label, probability),
    raters: performances.map((one, rater) => ({ ...one, weight: weights[rater] / all, kept: kept[rater] })),
    iterations,
    converged,
  }
}

const vote = (patterns: Patterns, weights: readonly number[], tie: Tie): Uint8Array =>
  Uint8Array.from(patterns.counts, (_, row) => winner(votesOf(patterns, row, weights), tie))

/** 1 where both are empty. */
function diceWith({ raters, said, counts }: Patterns, label: Uint8Array, rater: number): number {
  let [both, sum] = [0, 0]
  for (let row = 0; row < counts.length; row++) {
    const own = said[row * raters + rater]
    if (own !== 0) sum += counts[row]
    if (label[row] !== 0) sum += counts[row]
    if (own !== 0 && own === label[row]) both += counts[row]
  }
  return sum === 0 ? 1 : (2 * both) / sum
}
