import { chiSquareUpper, fUpper, studentisedRangeQuantile, studentisedRangeUpper, tUpper } from './distributions.js'
import { type Adjustment, holm } from './multiple.js'
import { midRanks } from './ranks.js'

export interface FriedmanResult {
  /** Mean rank of each method; 1 is best. */
  averageRanks: number[]
  /** Friedman's χ² with its correction for ties, k − 1 degrees of freedom. */
  chiSquare: number
  p: number
  /** Iman and Davenport's F with k − 1 and (k − 1)(n − 1) degrees of freedom: less timid than χ². */
  f: number
  fP: number
  /** Kendall's coefficient of concordance of the cases, 0 to 1. */
  concordance: number
  /** Cases used. */
  n: number
  /** Cases left out because a method has no figure (NaN) there. */
  skipped: number
  /** Ranks of each used case, needed by the comparisons that follow. */
  ranks: number[][]
}

/** Which way is better for the figures that are ranked. */
export type Better = 'higher' | 'lower'

/**
 * Friedman's test of k methods on the same n cases (Friedman 1937, JASA 32:675), and its F form (Iman & Davenport 1980,
 * Commun Stat A 9:571; advised by Demšar 2006, JMLR 7:1). `scores[case][method]`.
 * @throws RangeError for fewer than two methods, or rows of different lengths
 */
export function friedman(scores: readonly (readonly number[])[], better: Better = 'higher'): FriedmanResult {
  const k = scores[0]?.length ?? 0
  if (k < 2) throw new RangeError('at least two methods can be compared')
  if (scores.some((row) => row.length !== k)) throw new RangeError(`each case needs a figure of each of ${k} methods`)
  const used = scores.filter((row) => !row.some(Number.isNaN))
  const n = used.length
  const ranked = used.map((row) => midRanks(better === 'higher' ? row.map((x) => -x) : row))
  const ranks = ranked.map((row) => row.ranks)
  const averageRanks = Array.from({ length: k }, (_, j) => ranks.reduce((sum, row) => sum + row[j], 0) / n)
  const between = n * averageRanks.reduce((sum, rank) => sum + (rank - (k + 1) / 2) ** 2, 0)
  const ties = ranked.reduce((sum, row) => sum + row.ties, 0)
  const chiSquare = (12 * between) / (k * (k + 1) - ties / (n * (k - 1)))
  const concordance = chiSquare / (n * (k - 1))
  // At full concordance the remainder is zero but for rounding.
  const f = 1 - concordance < 1e-12 ? Infinity : ((n - 1) * chiSquare) / (n * (k - 1) - chiSquare)
  return {
    averageRanks,
    chiSquare,
    p: chiSquareUpper(chiSquare, k - 1),
    f,
    fP: f === Infinity ? 0 : fUpper(f, k - 1, (k - 1) * (n - 1)),
    concordance,
    n,
    skipped: scores.length - n,
    ranks,
  }
}

/**
 * Nemenyi's critical difference: mean ranks of k methods over n cases that differ by at least this differ at level
 * alpha, all pairs taken together (Nemenyi 1963; Demšar 2006).
 */
export const nemenyiCriticalDifference = (k: number, n: number, alpha = 0.05): number =>
  (studentisedRangeQuantile(1 - alpha, k) / Math.SQRT2) * rankError(k, n)

/** p of each pair of methods by Nemenyi's test: symmetric, 1 on the diagonal. */
export const nemenyi = ({ averageRanks, n }: FriedmanResult): number[][] =>
  eachPair(averageRanks.length, (i, j) =>
    studentisedRangeUpper(
      (Math.abs(averageRanks[i] - averageRanks[j]) / rankError(averageRanks.length, n)) * Math.SQRT2,
      averageRanks.length,
    ),
  )

/**
 * p of each pair by Conover's t test on the ranks (Conover 1999, Practical Nonparametric Statistics, 5.8), adjusted
 * over all pairs; more powerful than Nemenyi's. Meant for use after a significant Friedman test.
 */
export function conover({ averageRanks, ranks, n, chiSquare }: FriedmanResult, adjust: Adjustment = holm): number[][] {
  const k = averageRanks.length
  const squares = ranks.flat().reduce((sum, rank) => sum + rank * rank, 0)
  const spread = squares - (n * k * (k + 1) ** 2) / 4
  const df = (n - 1) * (k - 1)
  const error = Math.sqrt(((2 * n * spread) / df) * Math.max(0, 1 - chiSquare / (n * (k - 1))))
  const raw = eachPair(k, (i, j) => 2 * tUpper((n * Math.abs(averageRanks[i] - averageRanks[j])) / error, df))
  return adjustPairs(raw, adjust)
}

/** Adjusts the p values of a symmetric table, each pair counting once. */
export function adjustPairs(table: readonly (readonly number[])[], adjust: Adjustment): number[][] {
  const pairs = table.flatMap((_, i) => Array.from({ length: i }, (_, j) => [i, j] as const))
  const adjusted = adjust(pairs.map(([i, j]) => table[i][j]))
  const out = table.map((row) => row.slice())
  pairs.forEach(([i, j], at) => {
    out[i][j] = out[j][i] = adjusted[at]
  })
  return out
}

/**
 * Bars of a critical-difference diagram: the largest runs of methods, in the order of their mean ranks, of which no two
 * differ. Methods that differ from all neighbours are in none. Each bar lists methods best first.
 * @param differ whether methods i and j differ, e.g. by the critical difference or by a table of p values
 */
export function cliques(averageRanks: readonly number[], differ: (i: number, j: number) => boolean): number[][] {
  const order = averageRanks.map((_, i) => i).sort((a, b) => averageRanks[a] - averageRanks[b])
  const bars: number[][] = []
  let reached = 0
  for (let from = 0; from < order.length; from++) {
    let to = from + 1
    while (to < order.length && order.slice(from, to).every((i) => !differ(i, order[to]))) to++
    if (to - from > 1 && to > reached) bars.push(order.slice(from, to))
    reached = Math.max(reached, to)
  }
  return bars
}

const rankError = (k: number, n: number): number => Math.sqrt((k * (k + 1)) / (6 * n))

function eachPair(k: number, value: (i: number, j: number) => number): number[][] {
  const table = Array.from({ length: k }, () => new Array<number>(k).fill(1))
  for (let i = 1; i < k; i++) for (let j = 0; j < i; j++) table[i][j] = table[j][i] = value(i, j)
  return table
}
