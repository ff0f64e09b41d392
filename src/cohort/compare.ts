import { bootstrapInterval } from '../evaluate/statistics/bootstrap.js'
import { mean } from '../evaluate/statistics/describe.js'
import { cliques, friedman, nemenyiCriticalDifference } from '../evaluate/statistics/friedman.js'
import { holm } from '../evaluate/statistics/multiple.js'
import { wilcoxonSignedRank } from '../evaluate/statistics/paired.js'
import type { Comparison, CriticalDifference } from '../report/benchmark-input.js'

/** One measure, the higher the better: a row a method, a column a case. */
export interface Table {
  methods: readonly string[]
  /** Of each case. */
  groups: readonly string[]
  values: readonly (readonly number[])[]
}

/** Each pair of methods over the groups that both have, the better one first; p adjusted over the pairs (Holm). */
export function compareMethods(measure: string, table: Table): Comparison[] {
  const byGroup = groupMeans(table)
  const pairs = table.methods.flatMap((_, a) => table.methods.slice(a + 1).map((_, b) => [a, a + 1 + b] as const))
  const found = pairs.map(([a, b]): Comparison => {
    const both = byGroup.filter((row) => !Number.isNaN(row[a] - row[b]))
    const difference = mean(both.map((row) => row[a] - row[b]))
    const [better, other] = difference < 0 ? [b, a] : [a, b]
    const interval =
      both.length < 2
        ? { low: Number.NaN, high: Number.NaN }
        : bootstrapInterval(both, (drawn) => mean(drawn.map((row) => row[better] - row[other])))
    const { p } = wilcoxonSignedRank(
      both.map((row) => row[better]),
      both.map((row) => row[other]),
    )
    return {
      measure,
      better: table.methods[better],
      other: table.methods[other],
      n: both.length,
      difference: Math.abs(difference),
      low: interval.low,
      high: interval.high,
      p,
      adjusted: Number.NaN,
    }
  })
  const adjusted = holm(found.map(({ p }) => p))
  return found.map((one, i) => ({ ...one, adjusted: adjusted[i] }))
}

/** Mean ranks over the groups with Nemenyi's critical difference, or why there is none. */
export function criticalDifference(
  measure: string,
  table: Table,
): CriticalDifference | { measure: string; reason: string } {
  const { methods } = table
  if (methods.length < 3)
    return {
      measure,
      reason: `mean ranks of ${methods.length === 1 ? 'one method' : 'two methods'} tell no more than the comparison above; the diagram needs three`,
    }
  const rows = groupMeans(table).filter((row) => !row.some(Number.isNaN))
  if (rows.length < 2) return { measure, reason: 'fewer than two patients have a figure of every method' }
  const { averageRanks, p, n } = friedman(rows)
  const difference = nemenyiCriticalDifference(methods.length, n)
  const alike = cliques(averageRanks, (i, j) => Math.abs(averageRanks[i] - averageRanks[j]) >= difference)
  return {
    measure,
    ranks: methods.map((method, i) => ({ method, rank: averageRanks[i] })),
    alike: alike.map((bar) => bar.map((i) => methods[i])),
    difference,
    n,
    p,
  }
}

/** A row a case, as ranking takes it. */
export const caseByCase = ({ groups, values }: Table): number[][] => groups.map((_, i) => values.map((row) => row[i]))

/** A row a group, in the order in which they first appear: each method's mean over the group's cases. */
function groupMeans({ groups, values }: Table): number[][] {
  return [...new Set(groups)].map((group) => values.map((row) => mean(row.filter((_, i) => groups[i] === group))))
}
