import { seededRandom } from '../../random.js'
import { mean, sd } from './describe.js'
import { binomialCdf, normalUpper, tUpper } from './distributions.js'
import { midRanks } from './ranks.js'

/** What is held against "no difference": that the first list is higher (`greater`), lower (`less`), or either. */
export type Alternative = 'two-sided' | 'greater' | 'less'

export interface TestResult {
  statistic: number
  /** NaN where the data cannot tell (e.g. no pair differs). */
  p: number
  /** Pairs that the test used. */
  n: number
  /** Pairs left out because a value is NaN. */
  skipped: number
  method: 'exact' | 'normal' | 't' | 'random permutations'
}

/**
 * Differences first − second of paired figures (one pair a case); pairs without a difference (a NaN, or the same
 * infinity twice) are left out and counted.
 * @throws RangeError when the lists differ in length
 */
export function differences(first: readonly number[], second: readonly number[]) {
  if (first.length !== second.length)
    throw new RangeError(`paired lists have one length, these ${first.length} and ${second.length}`)
  const kept = first.map((value, i) => value - second[i]).filter((value) => !Number.isNaN(value))
  // Differences of printed figures that should tie differ by rounding (0.3 − 0.1 and 0.2): what ranks see is rounded.
  const largest = first
    .concat(second)
    .reduce((most, x) => (Math.abs(x) < Infinity ? Math.max(most, Math.abs(x)) : most), 0)
  const unit = largest > 0 ? 2 ** (Math.ceil(Math.log2(largest)) - 42) : 1
  return { kept, rounded: kept.map((value) => Math.round(value / unit)), skipped: first.length - kept.length }
}

export interface WilcoxonOptions {
  alternative?: Alternative
  /**
   * Pairs that do not differ: `wilcox` drops them before ranking, `pratt` after (Pratt 1959, JASA 54:655), so that the
   * others keep the higher ranks.
   */
  zeros?: 'wilcox' | 'pratt'
  /** `auto`: exact for up to 50 differing pairs without ties, else normal. `exact` with ties is conditional on them. */
  method?: 'auto' | 'exact' | 'normal'
}

export interface WilcoxonResult extends TestResult {
  /** Pairs that do not differ. */
  zeros: number
  /** (W+ − W−) / (W+ + W−), from −1 to 1: the matched-pairs rank-biserial correlation (Kerby 2014, Comp Psych 3:1). */
  rankBiserial: number
}

/**
 * Wilcoxon's signed-rank test (Wilcoxon 1945, Biometrics Bull 1:80). `statistic` is W+, the sum of ranks of the pairs
 * whose first value is higher. The normal approximation has corrections for ties and for continuity.
 */
export function wilcoxonSignedRank(
  first: readonly number[],
  second: readonly number[],
  { alternative = 'two-sided', zeros = 'wilcox', method = 'auto' }: WilcoxonOptions = {},
): WilcoxonResult {
  const { rounded, skipped } = differences(first, second)
  const all = zeros === 'wilcox' ? rounded.filter((d) => d !== 0) : rounded
  const ranked = midRanks(all.map(Math.abs)).ranks
  const used = all.map((d, i) => ({ up: d > 0, rank: ranked[i] })).filter((_, i) => all[i] !== 0)
  const ranks = used.map(({ rank }) => rank)
  const total = ranks.reduce((sum, rank) => sum + rank, 0)
  const statistic = used.reduce((sum, { up, rank }) => sum + (up ? rank : 0), 0)
  const tied = new Set(ranks).size < ranks.length
  const exact = method === 'exact' || (method === 'auto' && ranks.length <= 50 && !tied)
  const p =
    ranks.length === 0
      ? Number.NaN
      : exact
        ? discreteP(statistic * 2, subsetSums(ranks.map((rank) => rank * 2)), alternative)
        : normalP(statistic, total / 2, Math.sqrt(ranks.reduce((sum, rank) => sum + rank * rank, 0) / 4), alternative)
  return {
    statistic,
    p,
    n: ranks.length,
    skipped,
    zeros: rounded.length - ranks.length,
    rankBiserial: (2 * statistic - total) / total,
    method: exact ? 'exact' : 'normal',
  }
}

/** Sign test: the number of pairs whose first value is higher against a fair coin; pairs that do not differ are dropped. */
export function signTest(
  first: readonly number[],
  second: readonly number[],
  alternative: Alternative = 'two-sided',
): TestResult {
  const { rounded, skipped } = differences(first, second)
  const up = rounded.filter((d) => d > 0).length
  const n = rounded.filter((d) => d !== 0).length
  const [atMost, atLeast] = [binomialCdf(up, n, 0.5), binomialCdf(n - up, n, 0.5)]
  return {
    statistic: up,
    p: n === 0 ? Number.NaN : oneOrTwoSided(atMost, atLeast, alternative),
    n,
    skipped,
    method: 'exact',
  }
}

/** Student's t test of the mean difference. `statistic` is t with n − 1 degrees of freedom. */
export function pairedT(
  first: readonly number[],
  second: readonly number[],
  alternative: Alternative = 'two-sided',
): TestResult {
  const { kept, skipped } = differences(first, second)
  const n = kept.length
  const t = mean(kept) / (sd(kept) / Math.sqrt(n))
  return { statistic: t, p: oneOrTwoSided(tUpper(-t, n - 1), tUpper(t, n - 1), alternative), n, skipped, method: 't' }
}

export interface PermutationOptions {
  alternative?: Alternative
  /** All 2^n ways of flipping signs are counted where they are no more than this; else so many are drawn. */
  permutations?: number
  seed?: number
}

/**
 * Paired permutation test of the mean difference (Fisher 1935): under "no difference" the sign of each difference is a
 * coin's throw. Drawn permutations count the data as one of them (Phipson & Smyth 2010, SAGMB 9:39), so p is never 0.
 */
export function permutationTest(
  first: readonly number[],
  second: readonly number[],
  { alternative = 'two-sided', permutations = 100_000, seed = 1 }: PermutationOptions = {},
): TestResult {
  const { kept, skipped } = differences(first, second)
  const n = kept.length
  const sum = kept.reduce((total, d) => total + d, 0)
  const slack = 1e-10 * kept.reduce((total, d) => total + Math.abs(d), 0)
  const extreme = (flipped: number) =>
    alternative === 'two-sided'
      ? Math.abs(flipped) >= Math.abs(sum) - slack
      : alternative === 'greater'
        ? flipped >= sum - slack
        : flipped <= sum + slack
  const exact = 2 ** n <= permutations
  let count = 0
  if (exact) {
    // In Gray's order: each step flips one sign.
    const signs = kept.map(() => 1)
    let flipped = sum
    for (let step = 1; step <= 2 ** n; step++) {
      if (extreme(flipped)) count++
      const at = 31 - Math.clz32(step & -step)
      if (at < n) flipped += 2 * kept[at] * (signs[at] = -signs[at])
    }
  } else {
    const random = seededRandom(seed)
    for (let draw = 0; draw < permutations; draw++) {
      let flipped = 0
      for (let i = 0; i < n; i++) flipped += random() < 0.5 ? kept[i] : -kept[i]
      if (extreme(flipped)) count++
    }
  }
  const p = n === 0 ? Number.NaN : exact ? count / 2 ** n : (count + 1) / (permutations + 1)
  return { statistic: sum / n, p, n, skipped, method: exact ? 'exact' : 'random permutations' }
}

/** p from P(X ≤ x) and P(X ≥ x) of a test statistic; two-sided is twice the smaller, at most 1. */
export const oneOrTwoSided = (atMost: number, atLeast: number, alternative: Alternative): number =>
  alternative === 'less' ? atMost : alternative === 'greater' ? atLeast : Math.min(1, 2 * Math.min(atMost, atLeast))

/** p of a statistic that is about normal, moved half a unit towards its mean. */
export function normalP(statistic: number, centre: number, spread: number, alternative: Alternative): number {
  const towards = (by: number) => (statistic - centre + by) / spread
  return oneOrTwoSided(normalUpper(-towards(0.5)), normalUpper(towards(-0.5)), alternative)
}

/** p of a whole number whose distribution is proportional to `counts`. */
export function discreteP(statistic: number, counts: Float64Array, alternative: Alternative): number {
  let [below, at, above] = [0, 0, 0]
  for (let s = 0; s < counts.length; s++)
    if (s < statistic) below += counts[s]
    else if (s > statistic) above += counts[s]
    else at += counts[s]
  const all = below + at + above
  return oneOrTwoSided((below + at) / all, (above + at) / all, alternative)
}

/** In how many ways subsets of whole numbers add up to each sum. */
export function subsetSums(numbers: readonly number[]): Float64Array {
  const counts = new Float64Array(numbers.reduce((sum, n) => sum + n, 0) + 1)
  counts[0] = 1
  let reached = 0
  for (const n of numbers) {
    reached += n
    for (let s = reached; s >= n; s--) counts[s] += counts[s - n]
  }
  return counts
}
