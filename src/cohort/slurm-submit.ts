import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunError, UsageError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import { openOutputFolder } from '../run/output-folder.js'
import { packageVersion } from '../run/segment.js'
import { chosen, readDataset, type Session } from './bids-dataset.js'
import { openDerivatives, writeProblems } from './bids-derivatives.js'
import { type BidsOptions, bidsParticipant, type VisitOutcome } from './bids-participant.js'
import { readLog, type VisitLog, visitLog, writeLog } from './bids-status.js'
import { type Queued, queue, submit } from './slurm.js'
import {
  type ArrayTask,
  groupName,
  jobName,
  outputOf,
  readSubmissions,
  readTaskState,
  type Submission,
  scriptOf,
  slurmFolder,
  taskOf,
  writeScripts,
  writeSubmission,
} from './slurm-files.js'

export interface SlurmOptions extends Omit<BidsOptions, 'onProgress' | 'processes' | 'memoryGb'> {
  partition?: string
  /** Longest time of a task. Default: what was measured × 1.3, else 60. */
  minutes?: number
  /** Memory of a task. Default: what was measured × 1.3, else 4. */
  memoryGb?: number
  /** Tasks that run at a time. Default: 100. */
  atATime?: number
  /** How often what failed is tried again. Default: 2. */
  retries?: number
  /** The group level, once all have ended, and its own arguments. */
  group?: string[]
  /** How a node calls Lesionwise. Default: this Node.js with this installation. */
  command?: readonly string[]
}

export interface SlurmResult {
  schemaVersion: 1
  level: 'participant'
  dryRun: boolean
  /** Where list, scripts, states and output of the submission are; undefined when there was nothing to submit. */
  folder?: string
  submission?: Submission
  /** Visits that were submitted, were in the queue already, are done, have no images that could be used. */
  submitted: string[]
  queued: string[]
  done: string[]
  leftOut: { id: string; reason?: string }[]
}

/** The largest array that Slurm takes as it is installed is 1001 tasks (MaxArraySize). */
const largestArray = 1000
const unmeasured = { memoryMb: 4000, minutes: 60 }
/** The process that looks after the one that works. */
const companionMb = 200
const margin = 1.3

/**
 * Submits the visits still to do as job arrays: a task for each visit, further arrays that try again what failed, and the
 * group level after them. What is done, or waits or runs in Slurm, is not submitted: the same call again goes on.
 *
 * @throws as `bidsParticipant`; RunError when Slurm is not there or refuses, or somebody else is just submitting
 */
export async function bidsSlurm(options: SlurmOptions): Promise<SlurmResult> {
  const { dryRun = false, retries = 2, atATime = 100 } = options
  const [bids, out] = [resolve(options.bids), resolve(options.out)]
  if (!Number.isInteger(retries) || retries < 0 || retries > 10)
    throw new UsageError('--slurm-retries takes a whole number from 0 to 10')
  if (!Number.isInteger(atATime) || atATime < 1) throw new UsageError('--slurm-max-jobs takes a whole number from 1')
  const data = await readDataset(bids)
  if (!dryRun) {
    await openDerivatives(out, data, await packageVersion())
    await writeProblems(out, data)
  }
  const lock = dryRun ? undefined : await openOutputFolder<string>(slurmFolder(out), () => false)
  try {
    const waiting = await queue()
    const { visits } = await bidsParticipant({ ...options, bids, out, dryRun: true, processes: 1 })
    const earlier = await readSubmissions(out)
    const known = queuedVisits(waiting, earlier)
    const open = visits.filter(({ status }) => status === 'to do' || status === 'failed')
    const fresh = open.filter(({ id }) => !known.has(id))
    const leftOut = visits.filter(({ status }) => status === 'left out')
    if (!dryRun) await logLeftOut(out, leftOut, data.sessions)
    const told = {
      schemaVersion: 1 as const,
      level: 'participant' as const,
      dryRun,
      submitted: fresh.map(({ id }) => id),
      queued: open.filter(({ id }) => known.has(id)).map(({ id }) => id),
      done: visits.filter(({ status }) => status === 'done').map(({ id }) => id),
      leftOut: leftOut.map(({ id, reason }) => ({ id, reason })),
    }
    const submission: Submission = {
      id: `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`,
      date: new Date().toISOString(),
      tasks: tasksOf(fresh, chosen(data, {})),
      ...(await sizeOf(out, fresh, earlier, options)),
      jobs: [],
    }
    // A group level that waits from before will see all that is in the queue.
    const grouped = earlier.some(({ id }) => waiting.some(({ name }) => name === groupName(id)))
    if (fresh.length === 0 && (!options.group || grouped)) return told
    const folder = join(slurmFolder(out), submission.id)
    if (dryRun) return { ...told, submission }

    await writeScripts(out, submission, {
      bids,
      command: options.command ?? [process.execPath, fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))],
      options: argumentsOf(options),
      group: options.group,
    })
    await writeSubmission(out, submission)
    await submitAll(out, submission, {
      ...{
        retries,
        atATime,
        partition: options.partition,
        cpus: options.threads ?? 1,
        group: options.group !== undefined,
      },
      // Also after what waits from before.
      before: [...new Set(waiting.filter((one) => taskOf(one) && known.jobs.has(one.job)).map(({ job }) => job))],
    })
    return { ...told, folder, submission }
  } finally {
    await lock?.release()
  }
}

/** Visits that wait or run, and the jobs they are in. */
function queuedVisits(waiting: readonly Queued[], submissions: readonly Submission[]) {
  const visits = new Set<string>()
  const jobs = new Set<string>()
  for (const one of waiting) {
    const task = taskOf(one)
    const found = task && submissions.find(({ id }) => id === task.id)
    if (!found) continue
    jobs.add(one.job)
    for (const id of found.tasks[task.at]?.ids ?? []) visits.add(id)
  }
  return { has: (id: string) => visits.has(id), jobs }
}

/** A task for each visit; one for all of a person's where a visit cannot be named by its session. */
function tasksOf(visits: readonly VisitOutcome[], sessions: readonly Session[]): ArrayTask[] {
  const wanted = new Set(visits.map(({ id }) => id))
  const found = sessions.filter(({ id }) => wanted.has(id))
  const whole = new Set(found.filter(({ session }) => session === undefined).map(({ subject }) => subject))
  const tasks = found
    .filter(({ subject }) => !whole.has(subject))
    .map(({ id, subject, session }): ArrayTask => ({ subject, session, ids: [id] }))
  for (const subject of whole)
    tasks.push({ subject, ids: found.filter((one) => one.subject === subject).map(({ id }) => id) })
  return tasks.sort((a, b) => (a.ids[0] < b.ids[0] ? -1 : 1))
}

/** Memory and time of a task: as told, as measured on visits of the same methods, or as nobody knows better. */
async function sizeOf(
  out: string,
  visits: readonly VisitOutcome[],
  earlier: readonly Submission[],
  { memoryGb, minutes }: SlurmOptions,
): Promise<Pick<Submission, 'memoryMb' | 'minutes'>> {
  const methods = new Set(visits.map(({ method }) => method))
  const logs: VisitLog[] = []
  for (const name of await readdir(join(out, 'logs')).catch(() => []))
    if (name.endsWith('.json')) {
      // A log that cannot be read measures nothing.
      const log = jsonOf(await readFile(join(out, 'logs', name)).catch(() => undefined), visitLog)
      if (log) logs.push(log)
    }
  const measured = logs.filter(({ status, method }) => status === 'done' && methods.has(method))
  const most = (values: (number | undefined)[]) => Math.max(0, ...values.filter((value) => value !== undefined))
  const megabytes = most(measured.map(({ peakMegabytes }) => peakMegabytes))
  const seconds = most(measured.map((log) => log.seconds))
  // Those that did not fit get half as much again.
  const tight = await strangled(out, visits, earlier)
  const grown = (learnt: number, key: 'memoryMb' | 'minutes') =>
    Math.ceil(Math.max(learnt, ...tight.map((submission) => 1.5 * submission[key])))
  return {
    memoryMb:
      memoryGb !== undefined
        ? Math.ceil(1000 * memoryGb)
        : grown(megabytes > 0 ? margin * megabytes + companionMb : unmeasured.memoryMb, 'memoryMb'),
    minutes: minutes ?? grown(seconds > 0 ? Math.max(5, (margin * seconds) / 60) : unmeasured.minutes, 'minutes'),
  }
}

/** The latest submissions of visits whose task was killed there, by memory or time as far as can be told. */
async function strangled(
  out: string,
  visits: readonly VisitOutcome[],
  earlier: readonly Submission[],
): Promise<Submission[]> {
  const found = new Set<Submission>()
  for (const { id } of visits) {
    const last = earlier.findLast(({ tasks }) => tasks.some(({ ids }) => ids.includes(id)))
    if (!last) continue
    const state = await readTaskState(
      out,
      last.id,
      last.tasks.findIndex(({ ids }) => ids.includes(id)),
    )
    const outOfMemory = state?.code === 1 && /SIGKILL|out of memory/i.test((await readLog(out, id))?.reason ?? '')
    if (state && (state.code === undefined || outOfMemory)) found.add(last)
  }
  return [...found]
}

interface How {
  retries: number
  atATime: number
  partition?: string
  cpus: number
  group: boolean
  before: readonly string[]
}

async function submitAll(out: string, submission: Submission, how: How): Promise<void> {
  const { id, tasks, memoryMb, minutes } = submission
  const { partition, cpus } = how
  const arrays = Math.ceil(tasks.length / largestArray)
  let last: string[] = []
  try {
    for (let attempt = 0; attempt <= how.retries && arrays > 0; attempt++) {
      const now: string[] = []
      for (let offset = 0; offset < tasks.length; offset += largestArray) {
        const job = await submit({
          ...{ memoryMb, minutes, cpus, partition },
          script: scriptOf(out, id, 'task'),
          args: [offset, attempt],
          name: jobName(id, offset, attempt),
          output: outputOf(out, id, '%A_%a'),
          array: {
            tasks: Math.min(largestArray, tasks.length - offset),
            atATime: Math.max(1, Math.floor(how.atATime / arrays)),
          },
          after: last,
        })
        now.push(job)
        submission.jobs.push({ job, offset, attempt })
        await writeSubmission(out, submission)
      }
      last = now
    }
    if (how.group)
      submission.group = await submit({
        ...{ memoryMb: 2000, minutes: 30, cpus: 1, partition },
        script: scriptOf(out, id, 'group'),
        args: [],
        name: groupName(id),
        output: outputOf(out, id, 'group'),
        after: [...how.before, ...last],
      })
    await writeSubmission(out, submission)
  } catch (cause) {
    const taken = submission.jobs.map(({ job }) => job)
    throw taken.length === 0
      ? cause
      : new RunError(
          `${(cause as Error).message}; submitted before that: ${taken.join(', ')} (scancel takes them back)`,
          { cause },
        )
  }
}

/** Those that no task will see are listed by their logs, as a run here would list them. */
async function logLeftOut(out: string, visits: readonly VisitOutcome[], sessions: readonly Session[]): Promise<void> {
  for (const { id, reason } of visits) {
    const session = sessions.find((one) => one.id === id)
    const before = await readLog(out, id)
    if (!session || (before?.status === 'left out' && before.reason === reason)) continue
    const { subject, session: label, notes } = session
    await writeLog(out, {
      id,
      subject,
      session: label,
      status: 'left out',
      reason,
      notes,
      date: new Date().toISOString(),
    })
  }
}

/** The arguments that a task needs to do what was asked of the whole. */
function argumentsOf(options: SlurmOptions): string[] {
  const of = (name: string, value: unknown): string[] => (value === undefined ? [] : [`--${name}`, String(value)])
  const { model, ...params } = options.params ?? {}
  return [
    ...of('method', options.method),
    ...of('model', typeof model === 'string' && model.includes('/') ? resolve(model) : model),
    ...Object.entries(params).flatMap(([name, value]) => of('param', `${name}=${value}`)),
    ...of('threshold', options.threshold),
    ...of('min-size', options.minimumSizeMm3),
    ...(options.register === false ? ['--no-register'] : []),
    ...(options.pdf ? ['--pdf'] : []),
    ...(options.language === undefined ? [] : ['--lang', options.language]),
    ...of('work', options.work === undefined ? undefined : resolve(options.work)),
    ...of('seed', options.seed),
    ...(options.device === undefined ? [] : of('device', options.device)),
    ...(options.keepPaths ? ['--keep-paths'] : []),
    ...of('timeout', options.timeoutSeconds),
    ...['--n-procs', '1', '--threads', String(options.threads ?? 1), '--quiet'],
  ]
}
