import { Matrix, solve } from 'ml-matrix'

/** Logistic regression on standardised features. */
export interface LogisticModel {
  /** Mean and deviation of each feature in training. */
  mean: number[]
  deviation: number[]
  /** The intercept, then one weight a feature. */
  weights: number[]
}

/**
 * Ridge logistic regression by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani & Friedman 2009,
 * section 4.4). Features that do not vary have no say.
 *
 * @param rows one list of features each
 * @param truth 1 or 0 of each row
 * @param importance of each row; default 1
 * @param ridge penalty on the weights other than the intercept, in units of rows
 * @throws RangeError when there is no row, or only one kind of truth
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  truth: readonly (0 | 1)[],
  { importance = rows.map(() => 1), ridge = 1, iterations = 50 } = {},
): LogisticModel {
  if (rows.length === 0 || rows.length !== truth.length || new Set(truth).size < 2)
    throw new RangeError('A logistic regression needs rows of both kinds.')
  const count = rows[0].length
  const total = importance.reduce((a, b) => a + b, 0)
  const average = (of: (row: readonly number[]) => number) =>
    rows.reduce((sum, row, i) => sum + importance[i] * of(row), 0) / total
  const mean = Array.from({ length: count }, (_, j) => average((row) => row[j]))
  const deviation = mean.map((m, j) => Math.sqrt(average((row) => (row[j] - m) ** 2)))
  const design = rows.map((row) => [1, ...standardised(row, mean, deviation)])
  let weights = new Array<number>(count + 1).fill(0)
  for (let step = 0; step < iterations; step++) {
    const gradient = weights.map((w, j) => (j === 0 ? 0 : -ridge * w))
    const curvature = Matrix.diag(weights.map((_, j) => (j === 0 ? 1e-9 : ridge)))
    design.forEach((x, i) => {
      const p = logistic(dot(x, weights))
      const pull = importance[i] * (truth[i] - p)
      const stiffness = importance[i] * Math.max(1e-9, p * (1 - p))
      for (let j = 0; j <= count; j++) {
        gradient[j] += pull * x[j]
        for (let k = 0; k <= count; k++) curvature.set(j, k, curvature.get(j, k) + stiffness * x[j] * x[k])
      }
    })
    const change = solve(curvature, Matrix.columnVector(gradient)).to1DArray()
    weights = weights.map((w, j) => w + change[j])
    if (Math.max(...change.map(Math.abs)) < 1e-8) break
  }
  return { mean, deviation, weights }
}

/** Probability that a row is of the kind 1. */
export const predictLogistic = ({ mean, deviation, weights }: LogisticModel, row: readonly number[]): number =>
  logistic(dot([1, ...standardised(row, mean, deviation)], weights))

const standardised = (row: readonly number[], mean: readonly number[], deviation: readonly number[]): number[] =>
  row.map((v, j) => (deviation[j] > 0 ? (v - mean[j]) / deviation[j] : 0))

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i], 0)

export const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
