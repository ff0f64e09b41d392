import { analyse } from '../../src/cohort/analysis.js'
import type { BenchmarkResult } from '../../src/cohort/benchmark.js'
import type { RunRecord } from '../../src/cohort/runs.js'
import { measuresOf } from '../../src/cohort/scoring.js'
import { findProtocol } from '../../src/evaluate/protocols.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { BenchmarkInput } from '../../src/report/benchmark-input.js'

export const protocol = findProtocol('msseg2016')

/** A run that was never made, with scores around `dice` and a reference of `ml`. */
export function madeUpRun(method: string, id: string, dice: number, ml = 10, over: Partial<RunRecord> = {}): RunRecord {
  const f1 = Math.max(0, Math.min(1, dice - 0.1))
  return {
    ...{ version: '0', method, params: { k: 3 }, images: {}, seed: 1, case: id, repeat: 1, status: 'done' },
    seconds: { prepare: 12, method: 1.5, total: 16 },
    peakMegabytes: { prepare: 700, run: 500 },
    maskSha256: `${method} ${id}`,
    scored: {
      protocol: protocol.id,
      references: ['r'],
      scores: {
        ...{ dice, lesion_f1: f1, lesion_sensitivity: f1 + 0.05, lesion_precision: f1 - 0.05 },
        ...{ sensitivity: dice, precision: dice, hausdorff95: 20 * (1 - dice), assd: 3 * (1 - dice) },
        ...{ reference_ml: ml, candidate_ml: ml * (1.4 - dice / 2), reference_lesions: 20, candidate_lesions: 18 },
      },
      official: { scores: { dice, f1Score: f1 } },
      bySize: [
        { from: 0, to: 50, reference: 8, detected: Math.round(8 * f1 * 0.6), candidate: 6, confirmed: 3 },
        { from: 50, to: 500, reference: 8, detected: Math.round(8 * f1), candidate: 8, confirmed: 6 },
        { from: 500, reference: 4, detected: 4, candidate: 4, confirmed: 4 },
      ],
    },
    ...over,
  }
}

/** Runs that failed carry no figures. */
export const failedRun = (method: string, id: string, reason = 'was broken'): RunRecord => {
  const { seconds: _, peakMegabytes: __, scored: ___, maskSha256: ____, ...rest } = madeUpRun(method, id, 0)
  return { ...rest, status: 'failed', reason, exitCode: 1 }
}

/** The result of a benchmark with these runs; `groups` says which patient a case is of, where not one of its own. */
export function madeUpResult(
  methods: readonly string[],
  runs: RunRecord[],
  groups: Readonly<Record<string, string>> = {},
): BenchmarkResult {
  const ids = [...new Set(runs.map((run) => run.case))]
  const found = {
    schemaVersion: 1 as const,
    complete: true,
    software: { name: 'lesionwise' as const, version: '0' },
    machine: { processor: 'none', cores: 2, memoryGb: 8, system: 'linux', runtime: 'node' },
    options: { protocol: protocol.id, repeats: 1, jobs: 1, threads: 2, seed: 1 },
    methods: methods.map((id) => ({ id, title: `Method ${id}`, citation: 'Nobody 2099', params: { k: 3 } })),
    cases: ids.map((id) => ({ id, group: groups[id] ?? id, images: {}, references: ['r'] })),
    leftOut: [],
    runs,
    started: '2026-01-01T00:00:00.000Z',
    finished: '2026-01-01T00:10:00.000Z',
    seconds: 600,
  }
  return { ...found, analysis: analyse(found, protocol) }
}

/** Methods of rising skill on 14 cases of 12 patients of rising load. */
export function madeUpBenchmark(methods: readonly string[]): BenchmarkResult {
  const normal = gaussianRandom(seededRandom(5))
  const runs: RunRecord[] = []
  for (let n = 0; n < 14; n++) {
    const ml = 0.6 * 1.4 ** n
    const ease = 0.45 + 0.03 * n + 0.06 * normal()
    for (const [m, method] of methods.entries())
      runs.push(
        m === 0 && n === 3
          ? failedRun(method, `case-${n}`, 'F.nii.gz: <b>no brain</b> was found in it; give --brain-mask')
          : madeUpRun(method, `case-${n}`, Math.max(0.02, Math.min(0.97, ease + 0.07 * m + 0.04 * normal())), ml, {
              seconds: { prepare: 12, method: 0.4 * 4 ** m, total: 15 + 4 ** m },
            }),
      )
  }
  return madeUpResult(methods, runs, { 'case-1': 'p', 'case-2': 'p', 'case-8': 'q', 'case-9': 'q' })
}

/** The same as the page takes it. */
export function pageInput(result: BenchmarkResult, pictures: BenchmarkInput['pictures'] = []): BenchmarkInput {
  const { runs, methods, cases } = result
  const figureOf = (id: string, key: string) =>
    runs.find((run) => run.case === id && run.scored)?.scored?.scores[key] ?? Number.NaN
  return {
    software: { name: 'Lesionwise', version: '0' },
    date: '2026-01-01',
    machine: 'none, 2 cores',
    settings: { Seed: 1 },
    protocol,
    measures: measuresOf(protocol),
    methods: methods.map((method) => ({ ...method, notes: { k: 'threshold, in standard deviations' } })),
    cases: cases.map(({ id, group }) => ({
      id,
      group,
      referenceMl: figureOf(id, 'reference_ml'),
      referenceLesions: figureOf(id, 'reference_lesions'),
    })),
    runs: runs.map((run) => ({
      ...run,
      scores: run.scored?.scores,
      ...(run.status === 'done' ? { report: `runs/${run.method}/${run.case}/report.html` } : {}),
    })),
    leftOut: [{ id: 'case-99', reason: 'no reference mask' }],
    analysis: result.analysis,
    pictures,
  }
}
