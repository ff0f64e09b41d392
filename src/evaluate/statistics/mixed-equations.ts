import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'

export interface MixedModelData {
  response: readonly number[]
  /** Columns of the design, an intercept among them where one is wanted. */
  fixed: readonly { name: string; values: readonly number[] }[]
  /** Grouping factors with a random intercept each, e.g. case and rater. */
  random: readonly { name: string; labels: readonly string[] }[]
}

/**
 * A model ready to be solved for any ratios of standard deviations: cross-products of its columns. The factor with most
 * levels stands apart, since its block is diagonal; the columns are the levels of the other factors, the fixed effects
 * and the response.
 */
export interface Equations {
  n: number
  p: number
  skipped: number
  /** Most levels first. */
  factors: { name: string; levels: string[] }[]
  /** Rows of each level of the first factor. */
  counts: number[]
  /** Levels of the first factor × columns. */
  border: Matrix
  /** Columns × columns. */
  square: Matrix
  /** Of each column the place of its factor in `factors`, or −1. */
  owner: number[]
}

export interface Solution {
  /** −2 log restricted likelihood, the residual variance profiled out. */
  deviance: number
  /** log|L|² + log|R|² of the penalised equations. */
  logDeterminants: number
  /** Penalised residual sum of squares. */
  residual: number
  beta: number[]
  /** Covariance of beta over the residual variance. */
  unscaledCovariance: number[][]
  /** Random effects of each factor over its ratio. */
  spherical: number[][]
}

/** Checks the data, leaves out rows without a response, and puts the factor with most levels first. */
export function prepare({ response, fixed, random }: MixedModelData): Equations {
  for (const [name, { length }] of [
    ...fixed.map((f) => [f.name, f.values] as const),
    ...random.map((r) => [r.name, r.labels] as const),
  ])
    if (length !== response.length) throw new RangeError(`${name} has ${length} values for ${response.length} rows`)
  const rows = response.map((_, i) => i).filter((i) => !Number.isNaN(response[i]))
  const [n, p] = [rows.length, fixed.length]
  if (n <= p) throw new RangeError(`${n} rows are too few for ${p} fixed effects`)
  const factors = random
    .map(({ name, labels }) => {
      const levels = [...new Set(rows.map((i) => labels[i]))]
      const index = new Map(levels.map((label, at) => [label, at]))
      if (levels.length < 2) throw new RangeError(`the random factor ${name} has one level only; leave it out`)
      if (levels.length === n) throw new RangeError(`the random factor ${name} has a level for each row; leave it out`)
      return { name, levels, level: rows.map((i) => index.get(labels[i])!) }
    })
    .sort((a, b) => b.levels.length - a.levels.length)
  const x = new Matrix(rows.map((i) => fixed.map(({ values }) => values[i])))
  if (!new CholeskyDecomposition(x.transpose().mmul(x)).isPositiveDefinite())
    throw new RangeError('the fixed effects are collinear; leave one out')
  const [first, ...others] = factors
  const owner = [...others.flatMap(({ levels }, f) => levels.map(() => f + 1)), ...new Array<number>(p + 1).fill(-1)]
  const counts = first ? first.levels.map(() => 0) : []
  const border = Matrix.zeros(counts.length, owner.length)
  const square = Matrix.zeros(owner.length, owner.length)
  rows.forEach((source, i) => {
    const cells = [
      ...others.map(({ level }, f) => [owner.indexOf(f + 1) + level[i], 1] as const),
      ...x.getRow(i).map((value, j) => [owner.length - 1 - p + j, value] as const),
      [owner.length - 1, response[source]] as const,
    ]
    for (const [a, u] of cells) for (const [b, v] of cells) square.set(a, b, square.get(a, b) + u * v)
    if (!first) return
    const l = first.level[i]
    counts[l]++
    for (const [a, u] of cells) border.set(l, a, border.get(l, a) + u)
  })
  return {
    n,
    p,
    skipped: response.length - n,
    factors: factors.map(({ name, levels }) => ({ name, levels })),
    counts,
    border,
    square,
    owner,
  }
}

/**
 * Solves the penalised least squares problem |y − Xβ − ZΛu|² + |u|² for given ratios of standard deviations to the
 * residual's. The first factor is eliminated by hand, so that the work grows with the cube of the other factors' levels.
 */
export function profile(
  { n, p, factors, counts, border, square, owner }: Equations,
  ratios: readonly number[],
): Solution {
  const m = owner.length - 1
  const q = m - p
  const scale = owner.map((f) => (f < 0 ? 1 : ratios[f]))
  const diagonal = counts.map((count) => 1 + ratios[0] ** 2 * count)
  // Half of the first factor's elimination on either side, which keeps what is left symmetric to the last bit.
  const halves = border.clone()
  scale.forEach((by, c) => halves.mulColumn(c, by * (ratios[0] ?? 0)))
  diagonal.forEach((d, l) => halves.mulRow(l, 1 / Math.sqrt(d)))
  const reduced = new Matrix(
    owner.map((f, a) => owner.map((_, b) => square.get(a, b) * (scale[a] * scale[b]) + (a === b && f >= 0 ? 1 : 0))),
  )
  if (counts.length > 0) reduced.sub(halves.transpose().mmul(halves))
  const left = reduced.subMatrix(0, m - 1, 0, m - 1)
  const right = reduced.subMatrix(0, m - 1, m, m)
  const factor = new CholeskyDecomposition(left)
  const solved = factor.solve(right)
  const lower = factor.lowerTriangularMatrix
  let logDeterminants = diagonal.reduce((sum, d) => sum + Math.log(d), 0)
  for (let j = 0; j < m; j++) logDeterminants += 2 * Math.log(lower.get(j, j))
  const residual = reduced.get(m, m) - right.transpose().mmul(solved).get(0, 0)
  const coefficients = [...solved.to1DArray(), -1]
  return {
    logDeterminants,
    residual,
    deviance: logDeterminants + (n - p) * (1 + Math.log((2 * Math.PI * residual) / (n - p))),
    beta: coefficients.slice(q, m),
    unscaledCovariance: inverse(left)
      .subMatrix(q, m - 1, q, m - 1)
      .to2DArray(),
    spherical: factors.map(({ levels }, f) =>
      f > 0
        ? coefficients.filter((_, c) => owner[c] === f)
        : levels.map(
            (_, l) =>
              -halves.getRow(l).reduce((sum, half, c) => sum + half * coefficients[c], 0) / Math.sqrt(diagonal[l]),
          ),
    ),
  }
}
