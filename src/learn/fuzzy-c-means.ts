export interface FuzzyClusters {
  /** Ascending, in the units of the values. */
  centres: Float64Array
  fuzzifier: number
  /** The centres stand still. */
  converged: boolean
}

export interface FuzzyOptions {
  /** Where the centres start: one for each cluster. */
  start: readonly number[]
  /** m > 1: 1 is k-means, larger is softer. Default 2. */
  fuzzifier?: number
  /** Most rounds. Default 100. */
  rounds?: number
  signal?: AbortSignal
}

/**
 * Fuzzy c-means of weighted numbers (Bezdek 1981): each number belongs to every cluster in part, the parts summing to 1,
 * by u ∝ |value − centre|^(−2/(m−1)); each centre is the mean of the values weighted by uᵐ. With the bins of a histogram
 * for values and their counts for weights it costs nothing beside the histogram.
 */
export function fuzzyCMeans(
  values: ArrayLike<number>,
  weights: ArrayLike<number>,
  { start, fuzzifier = 2, rounds = 100, signal }: FuzzyOptions,
): FuzzyClusters {
  const centres = Float64Array.from(start).sort()
  const part = new Float64Array(centres.length)
  const [total, sum] = [new Float64Array(centres.length), new Float64Array(centres.length)]
  let converged = false
  for (let round = 0; round < rounds && !converged; round++) {
    signal?.throwIfAborted()
    total.fill(0)
    sum.fill(0)
    for (let i = 0; i < values.length; i++) {
      if (!(weights[i] > 0)) continue
      memberships(centres, fuzzifier, values[i], part)
      for (let k = 0; k < centres.length; k++) {
        const u = weights[i] * part[k] ** fuzzifier
        total[k] += u
        sum[k] += u * values[i]
      }
    }
    const range = Math.abs(centres[centres.length - 1] - centres[0])
    let moved = 0
    for (let k = 0; k < centres.length; k++) {
      // A centre that nothing belongs to stays where it is.
      if (!(total[k] > 0)) continue
      const next = sum[k] / total[k]
      moved = Math.max(moved, Math.abs(next - centres[k]))
      centres[k] = next
    }
    converged = moved <= 1e-6 * range
  }
  return { centres: centres.sort(), fuzzifier, converged }
}

/** How much a value belongs to the cluster of place `k`, 0–1. */
export function membershipIn({ centres, fuzzifier }: FuzzyClusters, k: number, value: number): number {
  return memberships(centres, fuzzifier, value, new Float64Array(centres.length))[k]
}

/** Parts relative to those of the nearest centre, so that no power overflows; centres on the value share it. */
function memberships(centres: Float64Array, fuzzifier: number, value: number, out: Float64Array): Float64Array {
  let nearest = Number.POSITIVE_INFINITY
  for (let k = 0; k < centres.length; k++) nearest = Math.min(nearest, Math.abs(value - centres[k]))
  let total = 0
  for (let k = 0; k < centres.length; k++) {
    const away = Math.abs(value - centres[k])
    out[k] = away === nearest ? 1 : (nearest / away) ** (2 / (fuzzifier - 1))
    total += out[k]
  }
  for (let k = 0; k < centres.length; k++) out[k] /= total
  return out
}
