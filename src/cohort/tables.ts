import { type Cell, writeTsv } from '../formats/tsv.js'
import type { Estimate } from '../report/benchmark-input.js'
import type { BenchmarkResult } from './benchmark.js'

/** One row a run: what it took and what it scored. */
export function resultsTable({ runs, cases }: BenchmarkResult): string {
  const keys = [...new Set(runs.flatMap(({ scored }) => Object.keys(scored?.scores ?? {})))]
  const groups = new Map(cases.map(({ id, group }) => [id, group]))
  const columns = [
    ...['case', 'group', 'method', 'repeat', 'status'],
    ...['prepare_s', 'method_s', 'total_s', 'prepare_mb', 'run_mb', 'peak_mb', 'stand_ins'],
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
      run.standIns?.map((one) => `${one.given} for ${one.for}`).join(', '),
      ...keys.map((key) => run.scored?.scores[key]),
      ...[run.exitCode, run.reason],
    ]
  })
  return writeTsv(columns, rows)
}

/** The methods' figures in a few lines for a reader. */
export function summaryTable({ analysis, runs, leftOut, options }: BenchmarkResult): string {
  const { cases, groups, methods } = analysis
  const width = Math.max(...methods.map(({ id }) => id.length), 6)
  const cell = ({ mean, low, high }: Estimate) =>
    `${fixed(mean)}${Number.isNaN(low) ? ' '.repeat(17) : ` (${fixed(low)} to ${fixed(high)})`}`
  const lines = methods.map(
    ({ id, estimates, failed, seconds, peakMegabytes }) =>
      `${id.padEnd(width)}  ${cell(estimates.dice)}  ${cell(estimates.lesion_f1)}  ${seconds.method.toFixed(1).padStart(8)} s  ${String(peakMegabytes).padStart(8)} MB  ${String(failed).padStart(6)}`,
  )
  const failed = runs.filter(({ status }) => status === 'failed')
  return [
    `${cases.length} cases of ${groups} patients${options.repeats > 1 ? `, ${options.repeats} times` : ''}; mean (95 % interval)`,
    `${'method'.padEnd(width)}  ${'Dice'.padEnd(22)}  ${'lesion F1'.padEnd(22)}  time alone  peak memory  failed`,
    ...lines,
    ...failed.map(({ method, case: id, reason }) => `failed: ${method} on ${id}: ${reason}`),
    ...leftOut.map(({ id, reason }) => `left out: ${id}: ${reason}`),
    '',
  ].join('\n')
}

const fixed = (value: number): string => (Number.isNaN(value) ? '  n/a' : value.toFixed(3))
