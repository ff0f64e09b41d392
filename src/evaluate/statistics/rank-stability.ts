import { type BootstrapOptions, bootstrapSampler } from './bootstrap.js'
import { mean, median, quantile } from './describe.js'
import type { Better } from './friedman.js'
import { holm } from './multiple.js'
import { wilcoxonSignedRank } from './paired.js'
import { kendallTau, midRanks } from './ranks.js'

/**
 * How a challenge makes one ranking of many cases: figures are averaged, then ranked; or ranked in each case, then the
 * ranks averaged; or methods are ranked by how many others they beat significantly (Maier-Hein et al. 2018, Nat Commun
 * 9:5217).
 */
export type RankingRule =
  | 'mean-then-rank'
  | 'median-then-rank'
  | 'rank-then-mean'
  | 'rank-then-median'
  | 'test-then-rank'

export interface RankingOptions {
  rule?: RankingRule
  better?: Better
  /** Taken for a figure that is NaN. Not given: averages leave it out, and ranks in a case put it last. */
  missing?: number
  /** Level of the tests, of `test-then-rank` and of the significance map. */
  alpha?: number
}

/** Places of methods, 1 is best; ties share the mean of their places. `scores[case][method]`. */
export function rankMethods(scores: readonly (readonly number[])[], options: RankingOptions = {}): number[] {
  const { rule = 'mean-then-rank', alpha = 0.05 } = options
  const costs = toCosts(scores, options)
  const k = costs[0]?.length ?? 0
  const column = (rows: readonly (readonly number[])[], j: number) => rows.map((row) => row[j])
  const last = (x: number) => (Number.isNaN(x) ? Infinity : x)
  if (rule === 'test-then-rank') {
    const p = significanceMap(scores, options)
    return midRanks(p.map((row) => -row.filter((value) => value <= alpha).length)).ranks
  }
  const rows = rule.startsWith('rank') ? costs.map((row) => midRanks(row.map(last)).ranks) : costs
  const average = rule.includes('mean') ? mean : median
  return midRanks(Array.from({ length: k }, (_, j) => rounded(last(average(column(rows, j)))))).ranks
}

/**
 * Which method is significantly better than which: p of the one-sided Wilcoxon signed-rank test that row beats column,
 * adjusted by Holm over all ordered pairs; 1 on the diagonal and where nothing differs.
 */
export function significanceMap(scores: readonly (readonly number[])[], options: RankingOptions = {}): number[][] {
  const costs = toCosts(scores, options)
  const columns = Array.from({ length: costs[0]?.length ?? 0 }, (_, j) => costs.map((row) => row[j]))
  const pairs = columns.flatMap((_, i) => columns.flatMap((_, j) => (i === j ? [] : [[i, j] as const])))
  const adjusted = holm(
    pairs.map(([i, j]) => {
      const { p } = wilcoxonSignedRank(columns[j], columns[i], { alternative: 'greater' })
      return Number.isNaN(p) ? 1 : p
    }),
  )
  const map = columns.map(() => columns.map(() => 1))
  pairs.forEach(([i, j], at) => (map[i][j] = adjusted[at]))
  return map
}

export interface RankStability {
  /** The ranking of all cases. */
  ranks: number[]
  /** Of each method its places over the resamples: median and the middle 95 %. */
  spread: { median: number; low: number; high: number }[]
  /** Of each method the share of resamples at each place that occurred, best place first. */
  distribution: { place: number; share: number }[][]
  /** Of each method the share of resamples in which no other is better. */
  first: number[]
  /** Kendall's τ-b of each resample's ranking with that of all cases; 1 is the same order. */
  tau: { mean: number; median: number; low: number; high: number; values: number[] }
  /** See `significanceMap`. */
  significance: number[][]
}

/**
 * How much a ranking owes to the cases it was made of: the ranking is made again on bootstrap samples of the cases, by
 * the challenge's own rule (Wiesenfarth et al. 2021, Sci Rep 11:2369). Clusters (patients) and strata as in
 * `bootstrapInterval`.
 */
export function rankStability(
  scores: readonly (readonly number[])[],
  options: RankingOptions & Omit<BootstrapOptions, 'level' | 'method'> = {},
): RankStability {
  const { resamples = 1000 } = options
  const ranks = rankMethods(scores, options)
  const draw = bootstrapSampler(scores, options)
  const drawn = Array.from({ length: resamples }, () => rankMethods(draw(), options))
  const places = ranks.map((_, j) => drawn.map((row) => row[j]))
  const taus = drawn.map((row) => kendallTau(row, ranks))
  return {
    ranks,
    spread: places.map((list) => ({
      median: median(list),
      low: quantile(list, 0.025),
      high: quantile(list, 0.975),
    })),
    distribution: places.map(shares),
    first: ranks.map((_, j) => drawn.filter((row) => row[j] === Math.min(...row)).length / resamples),
    tau: {
      mean: mean(taus),
      median: median(taus),
      low: quantile(taus, 0.025),
      high: quantile(taus, 0.975),
      values: taus,
    },
    significance: significanceMap(scores, options),
  }
}

function shares(places: readonly number[]): { place: number; share: number }[] {
  const counts = new Map<number, number>()
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => a - b).map(([place, n]) => ({ place, share: n / places.length }))
}

/** The figures turned so that less is better. */
function toCosts(scores: readonly (readonly number[])[], { better = 'higher', missing }: RankingOptions): number[][] {
  const sign = better === 'higher' ? -1 : 1
  return scores.map((row) => row.map((x) => sign * (Number.isNaN(x) && missing !== undefined ? missing : x)))
}

/** Averages of the same figures in another order differ by rounding: 12 digits are compared. */
const rounded = (x: number): number => (Number.isFinite(x) ? Number(x.toPrecision(12)) : x)
