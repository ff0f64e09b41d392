import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { RunError } from '../errors.js'
import { standInsOf } from '../methods/contrasts.js'
import type { RunOutcome } from '../report/benchmark-input.js'
import { methodStage } from '../run/options.js'
import { writeWhole } from '../run/output-file.js'
import { ResultFolder } from '../run/result-files.js'
import type { Modality } from '../volume/study.js'
import type { PlannedMethod } from './plan.js'
import type { PreparationTask, PreparationTime } from './prepare-worker.js'
import { type Ended, type ProcessOptions, reasonOf, runScript } from './processes.js'
import type { Scored } from './scoring.js'

/** All that a run's result follows from: the same values give the same mask. */
export interface RunIdentity {
  version: string
  method: string
  params: Record<string, unknown>
  /** sha256 of each image by its role. */
  images: Partial<Record<Modality, string>>
  seed: number
}

/** One method on one case, as `run.json` in its folder keeps it. */
export interface RunRecord extends RunIdentity, RunOutcome {
  maskSha256?: string
  scored?: Scored
}

export interface RunSettings extends ProcessOptions {
  threads: number
  seed: number
}

/** The mark of a finished run. */
const recordName = 'run.json'
export const maskName = 'lesion_mask.nii.gz'

/** The first run of a method on a case has the folder to itself, its repeats stand below it. */
export const runFolder = (out: string, method: string, id: string, repeat: number): string =>
  join(out, 'runs', method, id, ...(repeat > 1 ? [`repeat-${repeat}`] : []))

/** Method, case and number of every run, case by case. */
export const eachRun = (
  cases: readonly { id: string }[],
  methods: readonly PlannedMethod[],
  repeats: number,
): [method: string, id: string, repeat: number][] =>
  cases.flatMap(({ id }) =>
    methods.flatMap(({ entry }) =>
      Array.from({ length: repeats }, (_, n): [string, string, number] => [entry.id, id, n + 1]),
    ),
  )

/**
 * What an earlier benchmark left of these runs, by `runFolder('', …)`. Images are compared when a case's turn comes.
 *
 * @throws RunError when a run was made with another version, seed or parameters
 */
export async function earlierRecords(
  out: string,
  cases: readonly { id: string }[],
  methods: readonly PlannedMethod[],
  repeats: number,
  { version, seed }: { version: string; seed: number },
): Promise<Map<string, RunRecord>> {
  const found = new Map<string, RunRecord>()
  for (const run of eachRun(cases, methods, repeats)) {
    const record = await readRecord(runFolder(out, ...run))
    if (!record) continue
    const params = methods.find(({ entry }) => entry.id === run[0])!.params
    assertSame(record, { ...record, version, seed, params }, runFolder(out, ...run))
    found.set(runFolder('', ...run), record)
  }
  return found
}

/** @throws RunError when what is in the folder follows from something else */
export function assertSame(before: RunIdentity, now: RunIdentity, folder: string): void {
  const changed = difference(before, now)
  if (changed)
    throw new RunError(`${folder}: was made with other settings (${changed}); give the same again, or another --out`)
}

/** The record in a run's folder; undefined when the run was never finished. */
export async function readRecord(folder: string): Promise<RunRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(join(folder, recordName), 'utf8'), undefinedAsNaN) as RunRecord
    return identity.safeParse(record).success ? record : undefined
  } catch {
    return undefined
  }
}

/** What a record must have to be known again. */
const identity = z.looseObject({
  version: z.string(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()),
  images: z.record(z.string(), z.string()),
  seed: z.number(),
  case: z.string(),
  status: z.enum(['done', 'failed']),
}) satisfies z.ZodType<RunIdentity & Pick<RunOutcome, 'case' | 'status'>>

/** Numbers that are not defined stand as null in JSON. */
const undefinedAsNaN = (_: string, value: unknown): unknown => (value === null ? Number.NaN : value)

export async function writeRecord(folder: string, record: RunRecord): Promise<void> {
  await writeWhole(new Map([[join(folder, recordName), `${JSON.stringify(record, null, 1)}\n`]]))
}

/** What differs between two identities, in words; undefined when nothing does. */
function difference(before: RunIdentity, now: RunIdentity): string | undefined {
  if (before.version !== now.version) return `version ${before.version}, this is ${now.version}`
  const names = new Set([...Object.keys(before.params), ...Object.keys(now.params)])
  for (const name of names)
    if (JSON.stringify(before.params[name]) !== JSON.stringify(now.params[name]))
      return `${name} = ${JSON.stringify(before.params[name])}, not ${JSON.stringify(now.params[name])}`
  if (before.seed !== now.seed) return `seed ${before.seed}, not ${now.seed}`
  const roles = new Set([...Object.keys(before.images), ...Object.keys(now.images)]) as Set<Modality>
  for (const role of roles) if (before.images[role] !== now.images[role]) return `another ${role.toUpperCase()} image`
  return undefined
}

/** What a process gave, or why it gave nothing. */
export type Outcome<T> = { value: T } | { failure: Pick<RunRecord, 'reason' | 'exitCode'> }

/**
 * Prepares a case for a method in a process of its own, unless the folder holds that preparation already: then with the
 * time it took when it was made.
 */
export async function preparation(task: PreparationTask, settings: ProcessOptions): Promise<Outcome<PreparationTime>> {
  const mark = join(task.work, 'preparation.json')
  const known = await readFile(mark, 'utf8').catch(() => undefined)
  if (known !== undefined) return { value: JSON.parse(known) as PreparationTime }
  // Steps of a preparation that was cut short would make this one look quick.
  await rm(task.work, { recursive: true, force: true })
  const ended = await runScript('cohort/prepare-worker.js', [JSON.stringify(task)], settings)
  if (ended.code !== 0) return { failure: failureOf(ended, settings) }
  const time = JSON.parse(ended.stdout) as PreparationTime
  await writeFile(mark, JSON.stringify(time))
  return { value: time }
}

/** Runs `segment` in a process of its own, on steps that `preparation` has kept. */
export async function segmentation(
  { method, images, work, params }: PreparationTask & { params: Record<string, unknown> },
  prepared: PreparationTime,
  folder: string,
  { threads, seed, ...settings }: RunSettings,
): Promise<Outcome<Pick<RunRecord, 'seconds' | 'peakMegabytes' | 'maskSha256' | 'standIns'>>> {
  const args = ['segment', '--method', method, '--out', folder, '--work', work, '--quiet']
  args.push('--threads', String(threads), '--seed', String(seed))
  for (const [role, path] of Object.entries(images)) args.push(`--${role}`, path)
  for (const [name, value] of Object.entries(params)) args.push('--param', `${name}=${value}`)
  const ended = await runScript('cli/main.js', args, settings)
  if (ended.code !== 0) return { failure: failureOf(ended, settings) }
  const result = await ResultFolder.open(folder)
  const provenance = await result.provenance()
  const { flags } = await result.summary()
  const at = provenance.stages.findIndex(({ stage }) => stage === methodStage)
  const sum = provenance.stages.slice(0, at).reduce((seconds, stage) => seconds + stage.seconds, 0)
  return {
    value: {
      seconds: {
        prepare: prepared.seconds,
        method: provenance.stages[at].seconds,
        // What the run would have taken had it found nothing prepared.
        total: prepared.seconds + provenance.seconds - sum,
      },
      peakMegabytes: { prepare: prepared.peakMegabytes, run: provenance.peakMegabytes },
      maskSha256: createHash('sha256')
        .update(await readFile(join(folder, maskName)))
        .digest('hex'),
      standIns: standInsOf(flags.map(({ code }) => code)),
    },
  }
}

const failureOf = (ended: Ended, { timeoutSeconds }: ProcessOptions): Pick<RunRecord, 'reason' | 'exitCode'> => ({
  reason: reasonOf(ended, timeoutSeconds),
  ...(ended.code === undefined || ended.timedOut ? {} : { exitCode: ended.code }),
})
