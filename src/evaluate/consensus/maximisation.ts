/**
 * The M-steps of STAPLE: from how often a rater said each label where each label is thought true, to the probabilities
 * of saying it. Columns are stored one after the other: `counts[truth · labels + said]`.
 */

/** Beta priors on a rater's parameters (Commowick & Warfield 2010, MAP STAPLE). Defaults are animaSTAPLE's. */
export interface PerformancePrior {
  /** `none`: maximum likelihood; `diagonal`: priors on the probabilities of being right; `full`: on all of them. */
  kind: 'none' | 'diagonal' | 'full'
  /** How much the prior counts. */
  weight: number
  /** Beta distribution of the probability of being right … */
  alpha: number
  beta: number
  /** … and of each wrong label. */
  offAlpha: number
  offBeta: number
}

export const defaultPrior: PerformancePrior = {
  kind: 'none',
  weight: 0.5,
  alpha: 5,
  beta: 1.5,
  offAlpha: 1.5,
  offBeta: 5,
}

/**
 * Fills the columns of `theta` (probability of saying a label, given the true one) from `counts`. A label that is
 * nowhere thought true leaves its column as it was.
 */
export function maximise(theta: Float64Array, counts: Float64Array, labels: number, prior: PerformancePrior): void {
  const { kind, weight, alpha, beta } = prior
  for (let truth = 0; truth < labels; truth++) {
    const n = counts.subarray(truth * labels, (truth + 1) * labels)
    const column = theta.subarray(truth * labels, (truth + 1) * labels)
    const all = n.reduce((sum, value) => sum + value, 0)
    if (kind === 'none') {
      if (all > 0) for (let said = 0; said < labels; said++) column[said] = n[said] / all
    } else if (kind === 'diagonal') diagonalMap(column, n, all, truth, weight, alpha, beta)
    // With two labels the priors of right and wrong are one: being wrong is not being right.
    else if (labels === 2)
      diagonalMap(column, n, all, truth, weight, alpha + prior.offBeta - 1, beta + prior.offAlpha - 1)
    else fullMap(column, n, all, truth, prior)
  }
}

/** The mode with a prior on the probability of being right; wrong labels share the rest as they share the counts. */
function diagonalMap(
  column: Float64Array,
  n: Float64Array,
  all: number,
  truth: number,
  weight: number,
  alpha: number,
  beta: number,
): void {
  const total = all + weight * (alpha + beta - 2)
  const wrong = all - n[truth]
  const restOfOne = (wrong + weight * (beta - 1)) / total
  for (let said = 0; said < column.length; said++)
    if (said === truth) column[said] = (n[said] + weight * (alpha - 1)) / total
    else if (wrong > 0) column[said] = (n[said] / wrong) * restOfOne
    // Nothing to share by: with several wrong labels the original leaves them at zero.
    else column[said] = column.length === 2 ? restOfOne : 0
}

const mostRounds = 50
const stillEnough = 1e-6

/**
 * The mode with Beta priors on all parameters of a column, which has no closed form: where the derivative of
 * Σ (n + w(α − 1)) ln θ + w(β − 1) ln(1 − θ) is the same for all labels, found as a fixed point from the last estimate.
 */
function fullMap(column: Float64Array, n: Float64Array, all: number, truth: number, prior: PerformancePrior): void {
  const labels = column.length
  const { weight, alpha, beta, offAlpha, offBeta } = prior
  const total = all + weight * ((labels - 1) * (offAlpha + offBeta - 2) + alpha + beta - 2)
  const pull = (said: number) => ((said === truth ? beta : offBeta) - 1) / (1 - column[said])
  const next = new Float64Array(labels)
  for (let round = 0; round < mostRounds; round++) {
    let moved = 0
    for (let said = 0; said < labels; said++) {
      let others = 0
      for (let other = 0; other < labels; other++) if (other !== said) others += pull(other)
      const own = (said === truth ? alpha : offAlpha) - 1
      next[said] = (n[said] + weight * own) / (total - weight * others)
      moved = Math.max(moved, Math.abs(next[said] - column[said]))
    }
    column.set(next)
    if (moved <= stillEnough) return
  }
}
