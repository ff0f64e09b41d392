import { mean, sd, sortedQuantile } from './describe.js'
import { noncentralTUpper, normalQuantile } from './distributions.js'
import { differences, subsetSums } from './paired.js'
import { findZero } from './special.js'

/** An estimate with its confidence interval. */
export interface Interval {
  estimate: number
  low: number
  high: number
  /** Confidence, e.g. 0.95. */
  level: number
}

/**
 * Cohen's d of paired figures: mean difference over the standard deviation of the differences; the interval is the set
 * of noncentral t distributions that the data do not speak against. NaN for fewer than two pairs or no spread.
 */
export function cohensDz(first: readonly number[], second: readonly number[], level = 0.95): Interval {
  const { kept } = differences(first, second)
  const n = kept.length
  const estimate = mean(kept) / sd(kept)
  if (!(Math.abs(estimate) < Infinity)) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, level }
  const t = estimate * Math.sqrt(n)
  const reach = 10 + Math.abs(t)
  const bound = (tail: number) =>
    findZero((delta) => noncentralTUpper(t, n - 1, delta) - tail, t - reach, t + reach, 1e-9) / Math.sqrt(n)
  return { estimate, low: bound((1 - level) / 2), high: bound((1 + level) / 2), level }
}

/**
 * Hodges and Lehmann's estimate of the typical difference: the median of the means of all pairs of differences (Walsh
 * averages), with the interval that belongs to Wilcoxon's signed-rank test (Hodges & Lehmann 1963, Ann Math Stat
 * 34:598). Exact for up to 50 pairs without ties, else by the normal approximation.
 */
export function hodgesLehmann(first: readonly number[], second: readonly number[], level = 0.95): Interval {
  const { kept } = differences(first, second)
  const n = kept.length
  const walsh = new Float64Array((n * (n + 1)) / 2)
  let at = 0
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) walsh[at++] = (kept[i] + kept[j]) / 2
  const sorted = Array.from(walsh.sort())
  const outside = Math.max(0, n <= 50 ? exactTail(n, (1 - level) / 2) : normalTail(n, (1 - level) / 2))
  // Too few pairs for this level: the interval has no end.
  const low = outside < 1 ? -Infinity : sorted[outside - 1]
  const high = outside < 1 ? Infinity : sorted[sorted.length - outside]
  if (n === 0) return { estimate: Number.NaN, low: Number.NaN, high: Number.NaN, level }
  return { estimate: sortedQuantile(sorted, 0.5), low, high, level }
}

/** The largest k with P(W < k) ≤ tail for the signed-rank statistic W of n pairs. */
function exactTail(n: number, tail: number): number {
  const counts = subsetSums(Array.from({ length: n }, (_, i) => i + 1))
  let [k, below] = [0, 0]
  while (k < counts.length && below + counts[k] <= tail * 2 ** n) below += counts[k++]
  return k
}

const normalTail = (n: number, tail: number): number =>
  Math.floor((n * (n + 1)) / 4 + normalQuantile(tail) * Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24))

/**
 * Cliff's delta: P(a > b) − P(a < b) for one value of each list, from −1 to 1 (Cliff 1993, Psych Bull 114:494). NaN
 * values are left out; NaN when a list is empty.
 */
export function cliffsDelta(first: readonly number[], second: readonly number[]): number {
  const others = Float64Array.from(second.filter((value) => !Number.isNaN(value))).sort()
  let [balance, n] = [0, 0]
  for (const value of first) {
    if (Number.isNaN(value)) continue
    n++
    balance += firstNot(others, (x) => x < value) - (others.length - firstNot(others, (x) => x <= value))
  }
  return balance / (n * others.length)
}

/** Index of the first value of a sorted list that a condition, true at the front only, does not hold for. */
function firstNot(sorted: Float64Array, holds: (x: number) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle])) low = middle + 1
    else high = middle
  }
  return low
}
