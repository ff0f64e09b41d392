import { totalmem } from 'node:os'
import { join } from 'node:path'
import { InputError, LesionwiseError, UsageError } from '../errors.js'
import { requireContrasts } from '../methods/registry.js'
import { coreCount } from '../platform/index.js'
import { hash, readBytes } from '../run/inputs.js'
import type { SegmentOptions } from '../run/options.js'
import { contrastsUsed } from '../run/prepare.js'
import { methodFor, packageVersion, parametersOf } from '../run/segment.js'
import { type Modality, modalities } from '../volume/study.js'
import { chosen, type Dataset, readDataset, type Session } from './bids-dataset.js'
import { openDerivatives, tidyVisit, writeProblems } from './bids-derivatives.js'
import { identityDifference, readLog, storedVisit, type VisitIdentity, type VisitLog, writeLog } from './bids-status.js'
import type { VisitAnswer, VisitTask } from './bids-worker.js'
import { MemoryGate } from './memory-gate.js'
import { inParallel } from './pool.js'
import { reasonOf, runScript } from './processes.js'

/** Settings of `segment` that a run over a data set takes for all its visits. */
export type VisitSettings = Pick<
  SegmentOptions,
  'threshold' | 'minimumSizeMm3' | 'minimumVoxels' | 'connectivity' | 'locationRule' | 'register' | 'pdf' | 'language'
>

export interface BidsOptions extends VisitSettings {
  /** The raw data set. */
  bids: string
  /** The derivatives. */
  out: string
  /** Labels with or without `sub-`; default: all. */
  participants?: readonly string[]
  /** Labels with or without `ses-`; default: all. */
  sessions?: readonly string[]
  /** Method id; default: the best for the contrasts of each visit. */
  method?: string
  params?: Record<string, unknown>
  work?: string
  /** Visits worked on at a time. Default: half the cores. */
  processes?: number
  /** Memory for all of them together. Default: 90 % of the machine's. */
  memoryGb?: number
  /** Threads of each process. Default: the cores, shared among them. */
  threads?: number
  seed?: number
  device?: SegmentOptions['device']
  keepPaths?: boolean
  /** Longest time of one visit. */
  timeoutSeconds?: number
  /** Only tell what would be done. */
  dryRun?: boolean
  signal?: AbortSignal
  onProgress?(event: { stage: string; fraction: number }): void
  /** A line for the reader: why a visit is done again, what failed. */
  onNote?(text: string): void
}

export interface VisitOutcome {
  id: string
  status: VisitLog['status'] | 'to do'
  /** True when an earlier run had done it with the same images and settings. */
  before?: boolean
  /** What changed since an earlier run, so that it was or would be done again. */
  changed?: string
  reason?: string
  exitCode?: number
  notes?: string[]
  method?: string
  seconds?: number
  peakMegabytes?: number
}

export interface ParticipantResult {
  schemaVersion: 1
  level: 'participant'
  dryRun: boolean
  visits: VisitOutcome[]
  /** What breaks the rules of BIDS in the raw data set. */
  problems: Dataset['problems']
  seconds: number
}

/**
 * Segments every visit of a BIDS data set, each in a process of its own, into BIDS derivatives. What is complete with the
 * same images and settings is left as it is; what failed is recorded with its reason and the others go on; stopped at any
 * moment, the same call does what is missing.
 *
 * @throws UsageError (an unknown label, method or parameter), InputError (nothing in the data set can be used), RunError
 *   (the folder of the derivatives); the signal's reason when aborted
 */
export async function bidsParticipant(options: BidsOptions): Promise<ParticipantResult> {
  const clock = performance.now()
  const { bids, out, dryRun = false, signal = new AbortController().signal } = options
  const processes = options.processes ?? Math.max(1, Math.floor(coreCount() / 2))
  if (!Number.isInteger(processes) || processes < 1) throw new UsageError('--n-procs takes a whole number from 1')
  const data = await readDataset(bids)
  const sessions = chosen(data, { participants: options.participants, sessionLabels: options.sessions })
  await assertMethod(options, sessions)
  const plans = await Promise.all(sessions.map((session) => planned(session, options)))
  assertSomethingToDo(bids, plans)

  const version = await packageVersion()
  if (!dryRun) {
    await openDerivatives(out, data, version)
    await writeProblems(out, data)
  }
  const run: Run = {
    options,
    version,
    gate: new MemoryGate(1000 * (options.memoryGb ?? (0.9 * totalmem()) / 1e9)),
    threads: options.threads ?? Math.max(1, Math.floor(coreCount() / processes)),
  }
  const outcomes = new Map<string, VisitOutcome>()
  await inParallel(plans, processes, signal, async (plan, stop) => {
    options.onProgress?.({ stage: plan.session.id, fraction: outcomes.size / plans.length })
    const outcome = await visit(plan, run, stop)
    outcomes.set(outcome.id, outcome)
    if (outcome.status === 'failed') options.onNote?.(`${outcome.id} failed: ${outcome.reason}`)
    if (outcome.status === 'left out') options.onNote?.(`${outcome.id} left out: ${outcome.reason}`)
  })
  return {
    schemaVersion: 1,
    level: 'participant',
    dryRun,
    visits: plans.map(({ session }) => outcomes.get(session.id) as VisitOutcome),
    problems: data.problems,
    seconds: Number(((performance.now() - clock) / 1000).toFixed(1)),
  }
}

interface Run {
  options: BidsOptions
  version: string
  gate: MemoryGate
  threads: number
}

/** A visit, and how it is to be segmented or why it is not. */
interface Plan {
  session: Session
  problem?: string
  method?: { id: string; params: Record<string, unknown>; used: Modality[] }
}

/** Wrong arguments are found before anything is done, not once for each visit. */
async function assertMethod(options: BidsOptions, sessions: readonly Session[]): Promise<void> {
  const all = modalities.filter((modality) => sessions.some(({ images }) => images[modality] !== undefined))
  if (!all.includes('flair')) return
  const { method } = await methodFor(options, all)
  if (method) parametersOf(method, options.params ?? {})
}

async function planned(session: Session, options: BidsOptions): Promise<Plan> {
  if (session.problem !== undefined) return { session, problem: session.problem }
  const given = modalities.filter((modality) => session.images[modality] !== undefined)
  try {
    const { entry, method } = await methodFor(options, given)
    if (!entry || !method) return { session, problem: 'no method runs with its images' }
    requireContrasts(entry, given)
    const params = parametersOf(method, options.params ?? {})
    return { session, method: { id: entry.id, params, used: contrastsUsed(entry, given) } }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { session, problem: error.message.replaceAll('--', '') }
  }
}

function assertSomethingToDo(bids: string, plans: readonly Plan[]): void {
  if (plans.some(({ problem }) => problem === undefined)) return
  const [first] = plans
  throw new InputError(
    bids,
    first ? `no visit can be used (${first.session.id}: ${first.problem})` : 'no visit is of this subject and session',
    'give a data set with a FLAIR in sub-*/[ses-*/]anat/',
  )
}

/** Does one visit, or says why not; whatever goes wrong in it stays in it. @throws the reason of an abort only */
async function visit({ session, problem, method }: Plan, run: Run, signal: AbortSignal): Promise<VisitOutcome> {
  const { options, version } = run
  const { id } = session
  const ended = async (outcome: Omit<VisitOutcome, 'id'>): Promise<VisitOutcome> => {
    const said = {
      ...outcome,
      ...(outcome.reason === undefined ? {} : { reason: withoutPaths(outcome.reason, options) }),
    }
    // Of a visit that was done before the log stays, unless it tells of a later run that failed with other settings.
    const logged = outcome.before === true && (await readLog(options.out, id))?.status === 'done'
    if (!options.dryRun && !logged && said.status !== 'to do')
      await writeLog(options.out, logOf(session, { ...said, status: said.status })).catch((error: Error) => {
        options.onNote?.(`${id}: the log could not be written (${withoutPaths(error.message, options)})`)
      })
    return { id, ...said }
  }
  if (problem !== undefined || !method) return await ended({ status: 'left out', reason: problem })
  try {
    const images = Object.fromEntries(method.used.map((role) => [role, session.images[role] as string]))
    const hashes: Record<string, string> = {}
    for (const [role, path] of Object.entries(images)) hashes[role] = hash(await readBytes(join(options.bids, path)))
    const identity: VisitIdentity = {
      version,
      method: method.id,
      params: method.params,
      settings: settingsOf(options),
      images: hashes,
      seed: options.seed ?? 1,
    }
    const { provenance: earlier, damage } = await storedVisit(options.out, session)
    const changed = earlier ? identityDifference(earlier.identity, identity) : damage
    if (earlier && changed === undefined) {
      run.gate.learn(earlier.peakMegabytes)
      if (!options.dryRun) await tidyVisit(options.out, session).catch(() => {})
      const { seconds, peakMegabytes } = earlier
      return await ended({ status: 'done', before: true, method: method.id, seconds, peakMegabytes })
    }
    const again = changed === undefined ? {} : { changed }
    if (options.dryRun) return await ended({ status: 'to do', method: method.id, ...again })
    if (damage !== undefined) options.onNote?.(`${id} was done, but ${damage}: done again`)
    else if (changed !== undefined) options.onNote?.(`${id} was done with other settings (${changed}): done again`)
    const { subject, session: label } = session
    const { work, device, keepPaths } = options
    const task: VisitTask = {
      ...{ subject, session: label, root: options.bids, images, out: options.out, identity },
      options: { work, device, keepPaths, threads: run.threads },
    }
    return await ended({ ...(await run.gate.run(() => worker(task, run, signal))), method: method.id, ...again })
  } catch (error) {
    signal.throwIfAborted()
    const exitCode = error instanceof LesionwiseError ? error.exitCode : 1
    return await ended({ status: 'failed', reason: (error as Error).message, exitCode })
  }
}

async function worker(task: VisitTask, { options }: Run, signal: AbortSignal): Promise<Omit<VisitOutcome, 'id'>> {
  const { timeoutSeconds } = options
  signal.throwIfAborted()
  const ended = await runScript('cohort/bids-worker.js', [JSON.stringify(task)], { signal, timeoutSeconds })
  if (ended.code !== 0 || ended.timedOut) {
    await tidyVisit(task.out, task).catch(() => {})
    return {
      status: 'failed',
      reason: reasonOf(ended, timeoutSeconds),
      ...(ended.code === undefined || ended.timedOut ? {} : { exitCode: ended.code }),
    }
  }
  const { before, seconds, peakMegabytes, notes } = JSON.parse(ended.stdout) as VisitAnswer
  return { status: 'done', ...(before ? { before } : {}), seconds, peakMegabytes, notes }
}

const settingNames = [
  'threshold',
  'minimumSizeMm3',
  'minimumVoxels',
  'connectivity',
  'locationRule',
  'register',
  'pdf',
  'language',
] as const

/** The settings that were given; the others take their defaults. */
const settingsOf = (options: BidsOptions): VisitSettings =>
  Object.fromEntries(settingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])))

/** Names of folders outside the data sets can tell who somebody is. */
const withoutPaths = (text: string, { bids, out, work }: BidsOptions): string =>
  [out, bids, ...(work === undefined ? [] : [work])]
    .sort((a, b) => b.length - a.length)
    .reduce((said, folder) => said.replaceAll(`${folder.replace(/\/+$/, '')}/`, ''), text)

function logOf(
  session: Session,
  outcome: Omit<VisitOutcome, 'id' | 'status'> & { status: VisitLog['status'] },
): VisitLog {
  const { id, subject, session: label, notes } = session
  const { before: _, ...rest } = outcome
  return {
    ...{ id, subject, session: label },
    ...rest,
    notes: [...notes, ...(outcome.notes ?? [])],
    date: new Date().toISOString(),
  }
}
