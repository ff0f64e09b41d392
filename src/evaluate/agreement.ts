import { mean } from './statistics/describe.js'
import { fQuantile, normalQuantile, tQuantile, tUpper } from './statistics/distributions.js'
import { midRanks } from './statistics/ranks.js'

/** An estimate and the interval that holds the true value with the level asked for. NaN: not defined for so few values. */
export interface Estimate {
  value: number
  low: number
  high: number
}

/** How two series of volumes agree, of which pairs with a NaN are left out. */
export interface VolumeAgreement {
  /** Pairs used. */
  n: number
  pearson: Estimate
  spearman: number
  /** ICC(2,1), absolute agreement. */
  icc21: Estimate
  /** ICC(3,1), consistency. */
  icc31: Estimate
  /** Lin's concordance correlation coefficient. */
  concordance: Estimate
  blandAltman: BlandAltman
}

/**
 * Agreement of volumes (or any other figure, in its unit) over cases.
 *
 * @param level of the intervals, 0.95 unless given
 * @throws RangeError when the series differ in length
 */
export function volumeAgreement(
  reference: readonly number[],
  candidate: readonly number[],
  { level = 0.95 }: { level?: number } = {},
): VolumeAgreement {
  const [x, y] = pairs(reference, candidate)
  const { icc21, icc31 } = intraclassCorrelation(
    x.map((value, i) => [value, y[i]]),
    { level },
  )
  return {
    n: x.length,
    pearson: pearson(x, y, { level }),
    spearman: spearman(x, y),
    icc21,
    icc31,
    concordance: concordance(x, y, { level }),
    blandAltman: blandAltman(x, y, { level }),
  }
}

/**
 * Pearson's product-moment correlation, interval by Fisher's z; NaN for fewer than two pairs or a constant series (the
 * interval for fewer than four).
 */
export function pearson(a: readonly number[], b: readonly number[], { level = 0.95 } = {}): Estimate {
  const [x, y] = pairs(a, b)
  const { xx, yy, xy, n } = moments(x, y)
  const r = xx > 0 && yy > 0 ? Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy))) : Number.NaN
  return byFisher(r, n > 3 ? 1 / Math.sqrt(n - 3) : Number.NaN, level)
}

/** Spearman's rank correlation, ties at the mean of their places. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = pairs(a, b)
  return pearson(midRanks(x).ranks, midRanks(y).ranks).value
}

/**
 * Lin's concordance correlation coefficient: 2 s_xy / (s_x² + s_y² + (x̄ − ȳ)²) with moments over n; interval by Fisher's z
 * (Lin 1989, Biometrics 45:255; correction 2000, Biometrics 56:324).
 */
export function concordance(a: readonly number[], b: readonly number[], { level = 0.95 } = {}): Estimate {
  const [x, y] = pairs(a, b)
  const { xx, yy, xy, shift, n } = moments(x, y)
  const value = (2 * xy) / (xx + yy + shift ** 2)
  const r = xy / Math.sqrt(xx * yy)
  const u2 = shift ** 2 / Math.sqrt(xx * yy)
  const square = value ** 2
  const variance =
    (((1 - r ** 2) * square) / ((1 - square) * r ** 2) +
      (2 * value ** 3 * (1 - value) * u2) / (r * (1 - square) ** 2) -
      (value ** 4 * u2 ** 2) / (2 * r ** 2 * (1 - square) ** 2)) /
    (n - 2)
  return byFisher(value, Math.sqrt(variance), level)
}

/**
 * Intraclass correlations of single ratings with F-based intervals: ICC(2,1), absolute agreement of raters drawn from
 * many, and ICC(3,1), consistency of these raters, from a two-way analysis of variance.
 *
 * Sources: Shrout & Fleiss 1979, Psychol Bull 86:420; McGraw & Wong 1996, Psychol Methods 1:30 (ICC(A,1), ICC(C,1)).
 *
 * @param ratings one row a case, one column a rater; rows with a NaN are left out
 * @throws RangeError when rows differ in length
 */
export function intraclassCorrelation(
  ratings: readonly (readonly number[])[],
  { level = 0.95 } = {},
): { icc21: Estimate; icc31: Estimate } {
  const k = ratings[0]?.length ?? 0
  if (ratings.some((row) => row.length !== k)) throw new RangeError('Each case needs one rating of each rater.')
  const rows = ratings.filter((row) => !row.some(Number.isNaN))
  const n = rows.length
  const grand = mean(rows.flat())
  const betweenCases = (k * sum(rows.map((row) => (mean(row) - grand) ** 2))) / (n - 1)
  const raterMeans = Array.from({ length: k }, (_, j) => mean(rows.map((row) => row[j])))
  const betweenRaters = (n * sum(raterMeans.map((m) => (m - grand) ** 2))) / (k - 1)
  const residual =
    sum(rows.flatMap((row) => row.map((v, j) => (v - mean(row) - raterMeans[j] + grand) ** 2))) / ((n - 1) * (k - 1))
  const icc21 = (betweenCases - residual) / (betweenCases + (k - 1) * residual + (k * (betweenRaters - residual)) / n)
  const icc31 = (betweenCases - residual) / (betweenCases + (k - 1) * residual)

  const upper = 1 - (1 - level) / 2
  // Too few or constant ratings leave no degrees of freedom, and no interval.
  const quantile = (a: number, b: number) => (a > 0 && b > 0 ? fQuantile(upper, a, b) : Number.NaN)
  const [df1, df2] = [n - 1, (n - 1) * (k - 1)]
  const f = betweenCases / residual
  const consistency = (ratio: number) => (ratio - 1) / (ratio + k - 1)
  // Satterthwaite's degrees of freedom of the error that raters and residual make up together.
  const a = (k * icc21) / (n * (1 - icc21))
  const b = 1 + (k * icc21 * (n - 1)) / (n * (1 - icc21))
  const df = (a * betweenRaters + b * residual) ** 2 / ((a * betweenRaters) ** 2 / (k - 1) + (b * residual) ** 2 / df2)
  const error = k * betweenRaters + (k * n - k - n) * residual
  const [fLow, fHigh] = [quantile(df1, df), quantile(df, df1)]
  const certain = { value: 1, low: 1, high: 1 }
  if (icc21 === 1) return { icc21: certain, icc31: certain }
  return {
    icc21: {
      value: icc21,
      low: (n * (betweenCases - fLow * residual)) / (fLow * error + n * betweenCases),
      high: (n * (fHigh * betweenCases - residual)) / (error + n * fHigh * betweenCases),
    },
    icc31:
      icc31 === 1
        ? certain
        : {
            value: icc31,
            low: consistency(f / quantile(df1, df2)),
            high: consistency(f * quantile(df2, df1)),
          },
  }
}

/** Differences candidate − reference against their means. */
export interface BlandAltman {
  n: number
  /** Mean difference. */
  bias: Estimate
  /** Standard deviation of the differences (n − 1). */
  sd: number
  /** Bias − z·sd and bias + z·sd, which hold `level` of the differences; their own intervals are approximate. */
  lower: Estimate
  upper: Estimate
  /** Proportional bias: slope of the regression of the difference on the mean of both; 0 when there is none. */
  slope: Estimate
  intercept: number
  /** Two-sided p of slope 0. */
  slopeP: number
}

/**
 * Bland–Altman analysis. Intervals of bias and slope by Student's t; of the limits from the standard error
 * sd·√(1/n + z²/(2(n − 1))).
 *
 * Source: Bland & Altman 1999, Stat Methods Med Res 8:135.
 *
 * @throws RangeError when the series differ in length
 */
export function blandAltman(
  reference: readonly number[],
  candidate: readonly number[],
  { level = 0.95 } = {},
): BlandAltman {
  const [x, y] = pairs(reference, candidate)
  const n = x.length
  const difference = x.map((value, i) => y[i] - value)
  const middle = x.map((value, i) => (value + y[i]) / 2)
  const { xx, yy, xy } = moments(middle, difference)
  const bias = mean(difference)
  const sd = n > 1 ? Math.sqrt((yy * n) / (n - 1)) : Number.NaN
  const tail = 1 - (1 - level) / 2
  const [z, t] = [normalQuantile(tail), n > 1 ? tQuantile(tail, n - 1) : Number.NaN]
  const around = (value: number, half: number): Estimate => ({ value, low: value - half, high: value + half })
  const limitHalf = t * sd * Math.sqrt(1 / n + z ** 2 / (2 * (n - 1)))
  const slope = xx > 0 ? xy / xx : Number.NaN
  const slopeError = n > 2 ? Math.sqrt(Math.max(0, yy / xx - slope ** 2) / (n - 2)) : Number.NaN
  return {
    n,
    bias: around(bias, (t * sd) / Math.sqrt(n)),
    sd,
    lower: around(bias - z * sd, limitHalf),
    upper: around(bias + z * sd, limitHalf),
    slope: around(slope, n > 2 ? tQuantile(tail, n - 2) * slopeError : Number.NaN),
    intercept: bias - slope * mean(middle),
    slopeP: n > 2 ? 2 * tUpper(Math.abs(slope) / slopeError, n - 2) : Number.NaN,
  }
}

/** @throws RangeError when the series differ in length */
function pairs(a: readonly number[], b: readonly number[]): [number[], number[]] {
  if (a.length !== b.length)
    throw new RangeError(`The series have ${a.length} and ${b.length} values: give one of each for every case.`)
  const use = (_: number, i: number) => !Number.isNaN(a[i]) && !Number.isNaN(b[i])
  return [a.filter(use), b.filter(use)]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Central second moments over n, and the difference of the means. */
function moments(x: readonly number[], y: readonly number[]) {
  const n = x.length
  const [mx, my] = [mean(x), mean(y)]
  const [dx, dy] = [x.map((v) => v - mx), y.map((v) => v - my)]
  const product = (a: number[], b: number[]) => sum(a.map((v, i) => v * b[i])) / n
  return { n, xx: product(dx, dx), yy: product(dy, dy), xy: product(dx, dy), shift: my - mx }
}

/** The interval of a correlation whose Fisher z has this standard error. */
function byFisher(value: number, error: number, level: number): Estimate {
  const half = normalQuantile(1 - (1 - level) / 2) * error
  if (Math.abs(value) === 1) return { value, low: value, high: value }
  return { value, low: Math.tanh(Math.atanh(value) - half), high: Math.tanh(Math.atanh(value) + half) }
}
