import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../errors.js'
import type { Protocol } from '../evaluate/protocol.js'
import { findProtocol } from '../evaluate/protocols.js'
import { coreCount } from '../platform/index.js'
import type { Analysis } from '../report/benchmark-input.js'
import { openOutputFolder } from '../run/output-folder.js'
import { contrastsUsed } from '../run/prepare.js'
import { packageVersion } from '../run/segment.js'
import { type Modality, modalities } from '../volume/study.js'
import { analyse } from './analysis.js'
import { benchmarkPage } from './benchmark-report.js'
import { type CaseList, readCases } from './case-list.js'
import { type Bench, runCase } from './case-runs.js'
import { type JudgedCase, judge } from './judge.js'
import { thisMachine } from './machine.js'
import { assertUsable, planMethods } from './plan.js'
import { inParallel } from './pool.js'
import { eachRun, earlierRecords, type RunRecord, runFolder } from './runs.js'
import { resultsTable } from './tables.js'

export interface BenchmarkOptions {
  /** BIDS folder or TSV of cases. */
  data: string
  /** Folder of reference masks; default: the list's, or the BIDS folder's `derivatives`. */
  masks?: string
  methods: readonly string[]
  /** Values by `method.name`; the others take the method's defaults. */
  params?: Readonly<Record<string, unknown>>
  out: string
  /** Default `msseg2016`. */
  protocol?: string
  /** How often each method runs on each case: for the spread of times. Default 1. */
  repeats?: number
  /** Run only what is missing or failed in `out`. */
  resume?: boolean
  /** Cases worked on at a time. More than one disturbs times. Default 1. */
  jobs?: number
  /** Longest time of one process, in s. */
  timeoutSeconds?: number
  /** Folder in which preparations are kept for later; default: they are removed with the last run of their case. */
  work?: string
  /** Threads of each process. Default: the cores, shared among the jobs. */
  threads?: number
  seed?: number
  signal?: AbortSignal
  onProgress?(event: { stage: string; fraction: number }): void
  /** Called once for each run that ends, also those that an earlier benchmark has done. */
  onRun?(record: RunRecord): void
}

/** Everything a benchmark found, as `benchmark.json` has it. */
export interface BenchmarkResult {
  schemaVersion: 1
  /** False after an interruption: `--resume` goes on. */
  complete: boolean
  software: { name: 'lesionwise'; version: string }
  machine: ReturnType<typeof thisMachine>
  options: { protocol: string; repeats: number; jobs: number; threads: number; seed: number; timeoutSeconds?: number }
  methods: { id: string; title: string; citation: string; params: Record<string, unknown> }[]
  cases: {
    id: string
    group: string
    images: Partial<Record<Modality, string>>
    references: string[]
    fault?: string
  }[]
  leftOut: CaseList['leftOut']
  runs: RunRecord[]
  analysis: Analysis
  started: string
  finished: string
  seconds: number
}

/**
 * Runs every method on every case, each run in a process of its own, scores the masks, compares the methods, and writes
 * `results.tsv`, `benchmark.json`, `benchmark.html` and a folder a run under `runs/METHOD/CASE`. A run that fails is
 * recorded with its reason; the others go on.
 *
 * @throws UsageError, InputError (the list of cases), RunError (the output folder); the signal's reason when aborted,
 *   with what is done by then in `results.tsv` and `benchmark.json`
 */
export async function benchmark(options: BenchmarkOptions): Promise<BenchmarkResult> {
  const started = new Date()
  const { repeats = 1, jobs = 1, seed = 1, signal = new AbortController().signal } = options
  for (const [name, value] of Object.entries({ repeats, jobs }))
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} takes a whole number from 1`)
  const threads = options.threads ?? Math.max(1, Math.floor(coreCount() / jobs))
  const protocol = findProtocol(options.protocol ?? 'msseg2016')
  const methods = await planMethods(options.methods, options.params ?? {})
  const { cases, leftOut } = await readCases(options.data, options.masks)
  const version = await packageVersion()

  assertUsable(options.out, await readdir(options.out).catch(() => []), options.resume === true)
  const folder = await openOutputFolder<string>(options.out, (name) => ownFiles.includes(name))
  try {
    const identity = { version, seed }
    const records = await earlierRecords(options.out, cases, methods, repeats, identity)
    const judged = new Map<string, BenchmarkResult['cases'][number]>()
    const result = (complete: boolean): BenchmarkResult =>
      analysed(
        {
          schemaVersion: 1,
          complete,
          software: { name: 'lesionwise', version },
          machine: thisMachine(),
          options: { protocol: protocol.id, repeats, jobs, threads, seed, timeoutSeconds: options.timeoutSeconds },
          methods: methods.map(({ entry, params }) => ({
            id: entry.id,
            title: entry.title,
            citation: entry.citation.text,
            params,
          })),
          cases: cases.map(({ id, group }) => judged.get(id) ?? { id, group, images: {}, references: [] }),
          leftOut,
          // Jobs end in any order; tables stand in that of the cases.
          runs: eachRun(cases, methods, repeats).flatMap((run) => records.get(runFolder('', ...run)) ?? []),
          started: started.toISOString(),
          finished: new Date().toISOString(),
          seconds: (Date.now() - started.getTime()) / 1000,
        },
        protocol,
      )
    const used = modalities.filter((m) => methods.some(({ entry }) => contrastsUsed(entry, [m]).length > 0))
    const total = cases.length * methods.length * repeats
    let ended = 0
    const bench: Omit<Bench, 'work'> = {
      out: options.out,
      version,
      methods,
      protocol,
      repeats,
      settings: { threads, seed, timeoutSeconds: options.timeoutSeconds },
      keepWork: options.work !== undefined,
      onStart: (stage) => options.onProgress?.({ stage, fraction: ended / total }),
      onRun: (record) => {
        ended++
        records.set(runFolder('', record.method, record.case, record.repeat), record)
        options.onRun?.(record)
      },
    }
    const work = options.work ?? join(options.out, '.work')
    await inParallel(cases, jobs, signal, async (one, stop) => {
      const read = await judge(one, used)
      judged.set(one.id, aboutCase(read))
      await runCase(read, { ...bench, work: resolve(work, one.id) }, stop)
    }).catch(async (error) => {
      if (signal.aborted) await folder.publish(files(result(false)))
      throw error
    })
    const done = result(true)
    const page = new Map([
      ...files(done),
      ['benchmark.html', await benchmarkPage(done, { methods, protocol, cases, out: options.out })],
    ])
    await folder.publish(page)
    return done
  } finally {
    if (options.work === undefined) await rm(join(options.out, '.work'), { recursive: true, force: true })
    await folder.release()
  }
}

const analysed = (found: Omit<BenchmarkResult, 'analysis'>, protocol: Protocol): BenchmarkResult => ({
  ...found,
  analysis: analyse(found, protocol),
})

const ownFiles: readonly string[] = ['results.tsv', 'benchmark.json', 'benchmark.html']

const files = (result: BenchmarkResult): Map<string, string> =>
  new Map([
    ['results.tsv', resultsTable(result)],
    ['benchmark.json', `${JSON.stringify(result, null, 1)}\n`],
  ])

const aboutCase = ({ id, group, sha256, references, fault }: JudgedCase): BenchmarkResult['cases'][number] => ({
  id,
  group,
  images: sha256,
  references: references.map((reference) => reference.sha256),
  ...(fault ? { fault: fault.message } : {}),
})
