import { defined } from './describe.js'
import { type Alternative, discreteP, normalP, type TestResult } from './paired.js'
import { midRanks } from './ranks.js'

export interface MannWhitneyOptions {
  alternative?: Alternative
  /** `auto`: exact where both lists have fewer than 50 values and nothing ties, else normal. */
  method?: 'auto' | 'exact' | 'normal'
}

export interface MannWhitneyResult extends TestResult {
  /** P(first > second) + P(tie) / 2 for one value of each: U / (n₁ n₂), the area under the ROC curve. */
  superiority: number
}

/**
 * Mann and Whitney's U test of two independent lists (Mann & Whitney 1947, Ann Math Stat 18:50). `statistic` is U of
 * the first list; the normal approximation has corrections for ties and continuity. NaN values are left out and counted.
 * @throws RangeError when an exact p is asked for although values tie
 */
export function mannWhitney(
  first: readonly number[],
  second: readonly number[],
  { alternative = 'two-sided', method = 'auto' }: MannWhitneyOptions = {},
): MannWhitneyResult {
  const [a, b] = [defined(first), defined(second)]
  const [n1, n2] = [a.kept.length, b.kept.length]
  const { ranks, ties } = midRanks([...a.kept, ...b.kept])
  if (method === 'exact' && ties > 0) throw new RangeError('there are ties: no exact p, use the normal approximation')
  const statistic = ranks.slice(0, n1).reduce((sum, rank) => sum + rank, 0) - (n1 * (n1 + 1)) / 2
  const exact = method === 'exact' || (method === 'auto' && n1 < 50 && n2 < 50 && ties === 0)
  const n = n1 + n2
  const spread = Math.sqrt(((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1))))
  const p =
    n1 * n2 === 0
      ? Number.NaN
      : exact
        ? discreteP(statistic, rankSumCounts(n1, n2), alternative)
        : normalP(statistic, (n1 * n2) / 2, spread, alternative)
  return {
    statistic,
    p,
    n,
    skipped: a.skipped + b.skipped,
    superiority: statistic / (n1 * n2),
    method: exact ? 'exact' : 'normal',
  }
}

/** In how many orders of n1 + n2 values U is 0, 1, … n1·n2: the last value belongs to either list. */
function rankSumCounts(n1: number, n2: number): Float64Array {
  let row: Float64Array[] = Array.from({ length: n2 + 1 }, () => Float64Array.of(1))
  for (let i = 1; i <= n1; i++) {
    const next = [Float64Array.of(1)]
    for (let j = 1; j <= n2; j++) {
      const counts = new Float64Array(i * j + 1)
      row[j].forEach((ways, u) => (counts[u + j] += ways))
      next[j - 1].forEach((ways, u) => (counts[u] += ways))
      next.push(counts)
    }
    row = next
  }
  return row[n2]
}
