import { seededRandom } from '../../random.js'
import { defined, mean, sd, sortedQuantile } from './describe.js'
import { normalCdf, normalQuantile } from './distributions.js'
import type { Interval } from './effects.js'

export interface BootstrapOptions {
  /** Confidence; 0.95 when not given. */
  level?: number
  /** `bca`: corrected for bias and skewness (Efron 1987, JASA 82:171). */
  method?: 'percentile' | 'bca'
  resamples?: number
  seed?: number
  /** For each item its patient (or site): all items of one are drawn together. */
  clusters?: readonly (string | number)[]
  /** For each item its stratum (e.g. scanner, training centre): each stratum keeps its number of clusters. */
  strata?: readonly (string | number)[]
}

export interface BootstrapInterval extends Interval {
  method: 'percentile' | 'bca'
  /** Standard deviation of the statistic over the resamples. */
  standardError: number
  /** Resamples whose statistic was not defined (NaN); the interval is made of the others. */
  undefinedResamples: number
}

/**
 * Confidence interval of a statistic by resampling whole clusters with replacement (Efron & Tibshirani 1993; Davison
 * & Hinkley 1997, 5.3). An item is whatever the statistic takes: a number, a pair, a case with all its figures.
 * The same seed gives the same interval.
 *
 * @throws RangeError when labels do not fit the items, or a cluster lies in two strata
 */
export function bootstrapInterval<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  options: BootstrapOptions = {},
): BootstrapInterval {
  const { level = 0.95, method = 'bca', resamples = 2000, seed = 1 } = options
  const groups = stratify(items.length, options)
  const estimate = statistic(items)
  const draw = resampler(items, groups, seededRandom(seed))
  const { kept, skipped } = defined(Array.from({ length: resamples }, () => statistic(draw())))
  const sorted = kept.sort((a, b) => a - b)
  const standardError = sd(sorted)
  const tails = [(1 - level) / 2, (1 + level) / 2]
  const flat = sorted[0] === sorted[sorted.length - 1]
  const at = method === 'percentile' || flat ? tails : bcaTails(tails, sorted, estimate, items, statistic, groups)
  const [low, high] = at.map((p) => (Number.isNaN(p) ? Number.NaN : sortedQuantile(sorted, p)))
  return { estimate, low, high, level, method, standardError, undefinedResamples: skipped }
}

/** One resample after another: a function that gives a new one at each call. */
export function bootstrapSampler<T>(items: readonly T[], options: BootstrapOptions = {}): () => T[] {
  return resampler(items, stratify(items.length, options), seededRandom(options.seed ?? 1))
}

/** Strata of clusters of item numbers. */
type Groups = number[][][]

function resampler<T>(items: readonly T[], groups: Groups, random: () => number): () => T[] {
  return () => {
    const drawn: T[] = []
    for (const clusters of groups)
      for (let i = 0; i < clusters.length; i++)
        for (const item of clusters[Math.floor(random() * clusters.length)]) drawn.push(items[item])
    return drawn
  }
}

function stratify(n: number, { clusters, strata }: BootstrapOptions): Groups {
  for (const labels of [clusters, strata])
    if (labels && labels.length !== n) throw new RangeError(`${n} items have ${labels.length} labels; give one an item`)
  const members = new Map<string | number, number[]>()
  const stratumOf = new Map<string | number, string | number>()
  for (let i = 0; i < n; i++) {
    const cluster = clusters?.[i] ?? i
    const stratum = strata?.[i] ?? ''
    if ((stratumOf.get(cluster) ?? stratum) !== stratum)
      throw new RangeError(
        `"${cluster}" is in the strata "${stratumOf.get(cluster)}" and "${stratum}"; it belongs in one`,
      )
    stratumOf.set(cluster, stratum)
    members.set(cluster, [...(members.get(cluster) ?? []), i])
  }
  const groups = new Map<string | number, number[][]>()
  for (const [cluster, list] of members) {
    const stratum = stratumOf.get(cluster)!
    groups.set(stratum, [...(groups.get(stratum) ?? []), list])
  }
  return [...groups.values()]
}

/** Where in the bootstrap distribution the ends of a BCa interval lie; acceleration from leaving out one cluster. */
function bcaTails<T>(
  tails: number[],
  sorted: readonly number[],
  estimate: number,
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  groups: Groups,
): number[] {
  const below = sorted.filter((value) => value < estimate).length
  const equal = sorted.filter((value) => value === estimate).length
  // Resamples that equal the estimate count half: statistics of few cases are lumpy.
  const bias = normalQuantile((below + equal / 2) / sorted.length)
  let [cubes, squares] = [0, 0]
  for (const clusters of groups) {
    const n = clusters.length
    if (n < 2) continue
    const without = clusters.map((left) => {
      const out = new Set(left)
      return statistic(items.filter((_, i) => !out.has(i)))
    })
    const centre = mean(without)
    for (const value of without) {
      if (Number.isNaN(value)) continue
      const pull = (n - 1) * (centre - value)
      cubes += pull ** 3 / n ** 3
      squares += pull ** 2 / n ** 2
    }
  }
  const acceleration = squares === 0 ? 0 : cubes / (6 * squares ** 1.5)
  return tails.map((tail) => {
    const z = bias + normalQuantile(tail)
    return normalCdf(bias + z / (1 - acceleration * z))
  })
}
