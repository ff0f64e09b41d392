import { erfc, findZero, incompleteBeta, incompleteGamma, integrate, logGamma } from './special.js'

/**
 * Probability distributions: `…Cdf(x)` is P(X ≤ x), `…Upper(x)` is P(X > x), right in the tail to many digits, and
 * `…Quantile(p)` the x with P(X ≤ x) = p. Degrees of freedom need not be whole. NaN in, NaN out.
 */
const sqrt2 = Math.SQRT2

export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)
export const normalCdf = (x: number): number => 0.5 * erfc(-x / sqrt2)
export const normalUpper = (x: number): number => 0.5 * erfc(x / sqrt2)

/** By Halley's steps from a rational first guess (Abramowitz & Stegun 26.2.23). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : Number.NaN
  if (p === 0.5) return 0
  const tail = Math.min(p, 1 - p)
  const t = Math.sqrt(-2 * Math.log(tail))
  let x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  for (let step = 0; step < 4; step++) {
    const error = (normalUpper(x) - tail) / normalDensity(x)
    x += error / (1 - (x * error) / 2)
  }
  return p < 0.5 ? -x : x
}

/** Student's t with `df` degrees of freedom; Infinity gives the normal distribution. */
export function tUpper(t: number, df: number): number {
  if (df === Infinity) return normalUpper(t)
  if (t < 0) return 1 - tUpper(-t, df)
  const square = t * t
  return 0.5 * incompleteBeta(df / 2, 0.5, df / (df + square), square / (df + square))
}
export const tCdf = (t: number, df: number): number => tUpper(-t, df)

export function tQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1)) return p === 0 ? -Infinity : p === 1 ? Infinity : Number.NaN
  if (df === Infinity) return normalQuantile(p)
  const tail = Math.min(p, 1 - p)
  const t = crossing((x) => tail - tUpper(x, df))
  return p < 0.5 ? -t : t
}

export const chiSquareUpper = (x: number, df: number): number => incompleteGamma(df / 2, x / 2).upper
export const chiSquareCdf = (x: number, df: number): number => incompleteGamma(df / 2, x / 2).lower
export const chiSquareQuantile = (p: number, df: number): number =>
  quantile(
    p,
    (x) => chiSquareCdf(x, df),
    (x) => chiSquareUpper(x, df),
  )

/** Fisher's F. */
export const fUpper = (x: number, df1: number, df2: number): number => fTails(x, df1, df2).upper()
export const fCdf = (x: number, df1: number, df2: number): number => fTails(x, df1, df2).lower()
export const fQuantile = (p: number, df1: number, df2: number): number =>
  quantile(
    p,
    (x) => fCdf(x, df1, df2),
    (x) => fUpper(x, df1, df2),
  )

function fTails(x: number, df1: number, df2: number) {
  const scaled = df1 * Math.max(0, x)
  const [share, rest] = [scaled / (scaled + df2), df2 / (scaled + df2)]
  return {
    lower: () => incompleteBeta(df1 / 2, df2 / 2, share, rest),
    upper: () => incompleteBeta(df2 / 2, df1 / 2, rest, share),
  }
}

/**
 * P(X ≤ successes) for X binomial with `trials` trials of probability `p`.
 */
export const binomialCdf = (successes: number, trials: number, p: number): number =>
  successes < 0 ? 0 : successes >= trials ? 1 : incompleteBeta(trials - successes, successes + 1, 1 - p, p)

/**
 * Noncentral t: P(T > t) for T = (Z + delta) / s, s² = χ²(df) / df, by integrating over s.
 * It is what the power of a t test is read from. Absolute accuracy about 1e-12.
 */
export const noncentralTUpper = (t: number, df: number, delta: number): number =>
  overChi(df, (s) => normalUpper(t * s - delta))

/**
 * Studentised range: P(Q > q) for the range of `groups` normal values over an independent standard deviation with
 * `df` degrees of freedom (Infinity: the deviation is known, as Nemenyi's test wants). Absolute accuracy about 1e-11.
 */
export function studentisedRangeUpper(q: number, groups: number, df = Infinity): number {
  if (q <= 0) return 1
  const upper = df === Infinity ? 1 - rangeCdf(q, groups) : overChi(df, (s) => 1 - rangeCdf(q * s, groups))
  return Math.min(1, Math.max(0, upper))
}

/** The q that the studentised range exceeds with probability 1 − p. */
export const studentisedRangeQuantile = (p: number, groups: number, df = Infinity): number =>
  quantile(
    p,
    (q) => 1 - studentisedRangeUpper(q, groups, df),
    (q) => studentisedRangeUpper(q, groups, df),
    1e-10,
  )

/** P(range of `groups` standard normal values ≤ w): each may be the least, the others lie within w above it. */
const rangeCdf = (w: number, groups: number): number =>
  groups * integrate((z) => normalDensity(z) * (normalUpper(z) - normalUpper(z + w)) ** (groups - 1), -8.5, 8.5, 12)

/** Mean of g(s) over s = √(χ²(df) / df). */
function overChi(df: number, g: (s: number) => number): number {
  if (df === Infinity) return g(1)
  const spread = 1 / Math.sqrt(2 * df)
  const scale = Math.log(2) + (df / 2) * Math.log(df / 2) - logGamma(df / 2)
  const density = (s: number) => Math.exp(scale + (df - 1) * Math.log(s) - (df * s * s) / 2)
  return integrate((s) => density(s) * g(s), Math.max(0, 1 - 9 * spread), 1 + 12 * spread, 16)
}

/** Quantile of a distribution on x ≥ 0, from whichever tail is the smaller. */
function quantile(p: number, cdf: (x: number) => number, upper: (x: number) => number, tolerance = 0): number {
  if (!(p > 0 && p < 1)) return p === 0 ? 0 : p === 1 ? Infinity : Number.NaN
  return crossing((x) => (p < 0.5 ? cdf(x) - p : 1 - p - upper(x)), tolerance)
}

/** The x ≥ 0 where a rising function that is below zero at 0 reaches it. */
function crossing(f: (x: number) => number, tolerance = 0): number {
  let high = 1
  while (f(high) < 0) high *= 2
  return findZero(f, 0, high, tolerance)
}
