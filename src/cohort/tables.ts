import { type Cell, writeTsv } from '../formats/tsv.js'
import type { BenchmarkResult } from './benchmark.js'

/** One row a run: what it took and what it scored. */
export function resultsTable({ runs, cases }: BenchmarkResult): string {
  const keys = [...new Set(runs.flatMap(({ scored }) => Object.keys(scored?.scores ?? {})))]
  const groups = new Map(cases.map(({ id, group }) => [id, group]))
  const columns = [
    ...['case', 'group', 'method', 'repeat', 'status'],
    ...['prepare_s', 'method_s', 'total_s', 'prepare_mb', 'run_mb', 'peak_mb'],
    ...keys,
    ...['exit_code', 'reason'],
  ]
  const rows = runs.map((run): Cell[] => {
    const { prepare, method, total } = run.seconds ?? {}
    const memory = run.peakMegabytes
    return [
      ...[run.case, groups.get(run.case), run.method, run.repeat, run.status],
      ...[prepare, method, total].map((s) => s && Number(s.toFixed(3))),
      ...[memory?.prepare, memory?.run, memory && Math.max(memory.prepare, memory.run)],
      ...keys.map((key) => run.scored?.scores[key]),
      ...[run.exitCode, run.reason],
    ]
  })
  return writeTsv(columns, rows)
}
