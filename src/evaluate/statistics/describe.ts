/** What is told of one list of figures. NaN values (not defined for a case) are left out and counted. */
export interface Description {
  /** Values that were used. */
  n: number
  /** NaN values that were left out. */
  skipped: number
  mean: number
  /** Sample standard deviation (n − 1); NaN for fewer than two values. */
  sd: number
  median: number
  q1: number
  q3: number
  min: number
  max: number
}

/** Figures that describe a list; all NaN where nothing is left to describe. */
export function describe(values: readonly number[]): Description {
  const { kept, skipped } = defined(values)
  const sorted = kept.sort((a, b) => a - b)
  const at = (p: number) => sortedQuantile(sorted, p)
  return {
    n: sorted.length,
    skipped,
    mean: mean(sorted),
    sd: sd(sorted),
    median: at(0.5),
    q1: at(0.25),
    q3: at(0.75),
    min: at(0),
    max: at(1),
  }
}

/** The values that are not NaN, in their order, and how many were left out. */
export function defined(values: readonly number[]): { kept: number[]; skipped: number } {
  const kept = values.filter((value) => !Number.isNaN(value))
  return { kept, skipped: values.length - kept.length }
}

/** Arithmetic mean of the values that are not NaN; NaN when there are none. */
export function mean(values: Iterable<number>): number {
  let [sum, n] = [0, 0]
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += value
      n++
    }
  return n === 0 ? Number.NaN : sum / n
}

/** Sample variance (n − 1) of the values that are not NaN, in two passes; NaN for fewer than two. */
export function variance(values: readonly number[]): number {
  const centre = mean(values)
  let [sum, n] = [0, 0]
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += (value - centre) ** 2
      n++
    }
  return n < 2 ? Number.NaN : sum / (n - 1)
}

/** Sample standard deviation (n − 1) of the values that are not NaN. */
export const sd = (values: readonly number[]): number => Math.sqrt(variance(values))

/**
 * Quantile of the values that are not NaN: linear between the order statistics (type 7 of Hyndman & Fan 1996, Am Stat
 * 50:361; the default of R and NumPy). `p` from 0 to 1.
 */
export const quantile = (values: readonly number[], p: number): number =>
  sortedQuantile(
    defined(values).kept.sort((a, b) => a - b),
    p,
  )

/** Median of the values that are not NaN. */
export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Quantile (type 7) of values that are in rising order and hold no NaN. */
export function sortedQuantile(sorted: ArrayLike<number>, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a quantile is asked for between 0 and 1, not at ${p}`)
  if (sorted.length === 0) return Number.NaN
  const place = (sorted.length - 1) * p
  const below = Math.floor(place)
  const [a, b] = [sorted[below], sorted[Math.min(below + 1, sorted.length - 1)]]
  return a === b ? a : a + (place - below) * (b - a)
}
