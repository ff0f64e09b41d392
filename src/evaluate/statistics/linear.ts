import { Matrix, QrDecomposition } from 'ml-matrix'
import { fUpper, tQuantile, tUpper } from './distributions.js'

/** One coefficient of a linear model. */
export interface Coefficient {
  name: string
  estimate: number
  standardError: number
  t: number
  p: number
  low: number
  high: number
}

export interface LinearModel {
  coefficients: Coefficient[]
  /** Of the residuals: n − number of columns. */
  df: number
  /** Standard deviation of the residuals. */
  residualSd: number
  /** Of the variance around the mean, the share that the model explains; NaN when the response does not vary. */
  rSquared: number
  /** Sum of the squared residuals. */
  residualSquares: number
  /** Rows used, and rows left out because a value is NaN. */
  n: number
  skipped: number
}

export interface Column {
  name: string
  values: readonly number[]
}

/**
 * Ordinary least squares by QR decomposition of the scaled columns. Rows with a NaN are left out and counted. An intercept
 * is a column like the others.
 *
 * @throws RangeError when lengths differ, rows are no more than columns, or columns are collinear
 */
export function linearModel(response: readonly number[], columns: readonly Column[], level = 0.95): LinearModel {
  for (const { name, values } of columns)
    if (values.length !== response.length)
      throw new RangeError(`${name} has ${values.length} values for ${response.length} rows`)
  const rows = completeRows(response, columns)
  const [n, p] = [rows.length, columns.length]
  if (n <= p) throw new RangeError(`${n} rows are too few for ${p} columns`)
  const scales = columns.map(({ values }) => Math.hypot(...rows.map((i) => values[i])) || 1)
  const design = new Matrix(rows.map((i) => columns.map(({ values }, c) => values[i] / scales[c])))
  const y = Matrix.columnVector(rows.map((i) => response[i]))
  const qr = new QrDecomposition(design)
  const r = qr.upperTriangularMatrix
  const diagonal = r.diagonal().map(Math.abs)
  // Columns are of length 1, so this is what is left of each beside those before it.
  const dependent = diagonal.findIndex((left) => !(left > 1e-10))
  if (dependent >= 0)
    throw new RangeError(`the column ${columns[dependent].name} follows from the others; leave it out`)
  const beta = qr.solve(y)
  const residuals = Matrix.sub(y, design.mmul(beta)).to1DArray()
  const residualSquares = residuals.reduce((sum, e) => sum + e * e, 0)
  const df = n - p
  const residualSd = Math.sqrt(residualSquares / df)
  const unscaled = inverseOfTriangle(r)
  const mean = y.mean()
  const total = y.to1DArray().reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const reach = tQuantile((1 + level) / 2, df)
  return {
    coefficients: columns.map(({ name }, c) => {
      const estimate = beta.get(c, 0) / scales[c]
      const standardError = (residualSd * Math.hypot(...unscaled[c])) / scales[c]
      const t = estimate / standardError
      const p2 = 2 * tUpper(Math.abs(t), df)
      const [low, high] = [estimate - reach * standardError, estimate + reach * standardError]
      return { name, estimate, standardError, t, p: p2, low, high }
    }),
    df,
    residualSd,
    rSquared: total > 0 ? 1 - residualSquares / total : Number.NaN,
    residualSquares,
    n,
    skipped: response.length - n,
  }
}

export interface JointTest {
  f: number
  df1: number
  df2: number
  p: number
}

/**
 * Whether some columns together explain anything beside the others: F test of the model with them against the model
 * without them, both on the rows in which nothing is NaN.
 *
 * @throws RangeError as `linearModel`
 */
export function jointTest(
  response: readonly number[],
  columns: readonly Column[],
  tested: ReadonlySet<string>,
): JointTest {
  const rows = completeRows(response, columns)
  const only = (values: readonly number[]) => rows.map((i) => values[i])
  const kept = columns.map(({ name, values }) => ({ name, values: only(values) }))
  const full = linearModel(only(response), kept)
  const less = linearModel(
    only(response),
    kept.filter(({ name }) => !tested.has(name)),
  )
  const df1 = less.df - full.df
  const f = (less.residualSquares - full.residualSquares) / df1 / (full.residualSquares / full.df)
  return { f, df1, df2: full.df, p: fUpper(f, df1, full.df) }
}

const completeRows = (response: readonly number[], columns: readonly Column[]): number[] =>
  response
    .map((_, i) => i)
    .filter((i) => !Number.isNaN(response[i]) && columns.every(({ values }) => !Number.isNaN(values[i])))

/** Inverse of an upper triangle, row by row. */
function inverseOfTriangle(r: Matrix): number[][] {
  const p = r.rows
  const inverse = Array.from({ length: p }, () => new Array<number>(p).fill(0))
  for (let column = 0; column < p; column++)
    for (let row = column; row >= 0; row--) {
      let sum = row === column ? 1 : 0
      for (let k = row + 1; k <= column; k++) sum -= r.get(row, k) * inverse[k][column]
      inverse[row][column] = sum / r.get(row, row)
    }
  return inverse
}
