import { volumeAgreement } from '../evaluate/agreement.js'
import type { CaseResult, Protocol, Ranking, TeamResults } from '../evaluate/protocol.js'
import { bootstrapInterval } from '../evaluate/statistics/bootstrap.js'
import { mean, median } from '../evaluate/statistics/describe.js'
import { rankStability } from '../evaluate/statistics/rank-stability.js'
import type { Analysis, DetectionBySize, Estimate, MethodAnalysis } from '../report/benchmark-input.js'
import type { BenchmarkResult } from './benchmark.js'
import { caseByCase, compareMethods, criticalDifference, type Table } from './compare.js'
import type { RunRecord } from './runs.js'
import { measuresOf } from './scoring.js'

/** By what methods are ranked and compared. Both are 0 at worst, which is what a failed run gets. */
export const primary = ['dice', 'lesion_f1'] as const

/**
 * Compares the methods. A case counts when at least one method gave a result; on such a case a run that failed scores 0
 * in the primary measures and is left out of the others. Repeats are averaged first; cases of one group are resampled
 * and tested as one.
 */
export function analyse(
  { runs, methods, cases }: Pick<BenchmarkResult, 'runs' | 'methods' | 'cases'>,
  protocol: Protocol,
): Analysis {
  const counting = cases.filter(({ id }) => runs.some((run) => run.case === id && run.status === 'done'))
  const ids = counting.map(({ id }) => id)
  const groups = counting.map(({ group }) => group)
  const methodIds = methods.map(({ id }) => id)
  const of = (method: string, id: string) => runs.filter((run) => run.method === method && run.case === id)
  const table = (key: string): Table => ({
    methods: methodIds,
    groups,
    values: methodIds.map((method) => ids.map((id) => figureOf(of(method, id), key))),
  })
  const tables = new Map(measuresOf(protocol).map(({ key }) => [key, table(key)]))
  const ranked = primary.map((key) => ({ key, table: tables.get(key)! }))
  const stability = new Map(
    ranked.map(({ key, table: t }) => [key, rankStability(caseByCase(t), { clusters: groups, resamples: 1000 })]),
  )
  const teams = new Map(methodIds.map((method) => [method, teamOf(method, ids, of)]))

  return {
    primary: [...primary],
    cases: ids,
    groups: new Set(groups).size,
    methods: methodIds.map((id, m): MethodAnalysis => {
      const own = runs.filter((run) => run.method === id && ids.includes(run.case))
      const done = own.filter(({ status }) => status === 'done')
      return {
        id,
        places: Object.fromEntries(primary.map((key) => [key, stability.get(key)!.ranks[m] ?? Number.NaN])),
        first: Object.fromEntries(primary.map((key) => [key, stability.get(key)!.first[m] ?? Number.NaN])),
        estimates: Object.fromEntries([...tables].map(([key, t]) => [key, estimate(t.values[m], groups)])),
        overall: protocol.overall(teams.get(id)!),
        failed: own.length - done.length,
        seconds: {
          prepare: median(done.map((run) => run.seconds?.prepare ?? Number.NaN)),
          method: median(done.map((run) => run.seconds?.method ?? Number.NaN)),
          total: median(done.map((run) => run.seconds?.total ?? Number.NaN)),
        },
        peakMegabytes: Math.max(...done.map(({ peakMegabytes: p }) => (p ? Math.max(p.prepare, p.run) : Number.NaN))),
        volume: volumeAgreement(tables.get('reference_ml')!.values[m], tables.get('candidate_ml')!.values[m]),
        bySize: addedUp(done.filter(({ repeat }) => repeat === 1)),
        ...repeatability(done),
      }
    }),
    comparisons: ranked.flatMap(({ key, table: t }) => compareMethods(key, t)),
    criticalDifferences: ranked.map(({ key, table: t }) => criticalDifference(key, t)),
    rankings: ranksOf(protocol, teams),
  }
}

/** Mean over the repeats; a run that failed is worth 0 where that is the worst, else nothing. */
function figureOf(repeats: readonly RunRecord[], key: string): number {
  const values = repeats.flatMap(({ status, scored }) =>
    status === 'failed'
      ? (primary as readonly string[]).includes(key)
        ? [0]
        : []
      : [scored?.scores[key] ?? Number.NaN],
  )
  return mean(values)
}

function estimate(values: readonly number[], groups: readonly string[]): Estimate {
  const items = values.map((value, i) => ({ value, group: groups[i] })).filter(({ value }) => !Number.isNaN(value))
  const numbers = items.map(({ value }) => value)
  const clusters = items.map(({ group }) => group)
  // One patient says nothing about the spread among patients.
  const interval =
    new Set(clusters).size < 2
      ? { low: Number.NaN, high: Number.NaN }
      : bootstrapInterval(items, (drawn) => mean(drawn.map(({ value }) => value)), { clusters })
  return {
    mean: mean(numbers),
    low: interval.low,
    high: interval.high,
    median: median(numbers),
    n: numbers.length,
  }
}

/** A method's cases as the protocol sees them; the first of the repeats stands for all. */
function teamOf(method: string, ids: readonly string[], of: (method: string, id: string) => RunRecord[]): TeamResults {
  return new Map(
    ids.map((id): [string, CaseResult | undefined] => [
      id,
      of(method, id).find(({ status }) => status === 'done')?.scored?.official,
    ]),
  )
}

/** The organisers' rankings; a single method has nobody to be ranked against. */
const ranksOf = (protocol: Protocol, teams: ReadonlyMap<string, TeamResults>): readonly Ranking[] =>
  teams.size < 2 || [...teams.values()].every((cases) => cases.size === 0) ? [] : protocol.rank(teams)

function addedUp(done: readonly RunRecord[]): DetectionBySize[] {
  const sums: DetectionBySize[] = []
  for (const { scored } of done)
    for (const [i, bin] of (scored?.bySize ?? []).entries()) {
      sums[i] ??= { ...bin, reference: 0, detected: 0, candidate: 0, confirmed: 0 }
      for (const key of ['reference', 'detected', 'candidate', 'confirmed'] as const) sums[i][key] += bin[key]
    }
  return sums
}

/** Whether repeats gave the same bits. */
function repeatability(done: readonly RunRecord[]): { repeatable?: boolean } {
  const masks = new Map<string, Set<string>>()
  for (const { case: id, maskSha256 } of done) masks.set(id, (masks.get(id) ?? new Set()).add(maskSha256 ?? ''))
  if (!done.some(({ repeat }) => repeat > 1)) return {}
  return { repeatable: [...masks.values()].every(({ size }) => size === 1) }
}
