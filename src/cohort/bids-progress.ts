import { InputError, RunError } from '../errors.js'
import { exists } from '../run/output-folder.js'
import { chosen, readDataset, type Session } from './bids-dataset.js'
import { isOurDataset } from './bids-derivatives.js'
import { readLog, storedVisit, type VisitLog } from './bids-status.js'
import { queue } from './slurm.js'
import { outputOf, readSubmissions, readTaskState, type Submission, type TaskState, taskOf } from './slurm-files.js'

export interface StatusOptions {
  bids: string
  out: string
  participants?: readonly string[]
  sessions?: readonly string[]
  onNote?(text: string): void
}

export const visitStates = ['done', 'running', 'waiting', 'failed', 'left out', 'not run'] as const

export interface VisitState {
  id: string
  state: (typeof visitStates)[number]
  /** Why it failed or was left out; of one that waits to be tried again, why it failed before. */
  reason?: string
  /** Where what the task printed is. */
  output?: string
}

export interface StatusResult {
  schemaVersion: 1
  level: 'status'
  counts: Record<(typeof visitStates)[number], number>
  visits: VisitState[]
}

/**
 * How far a data set is, from what each visit and each task wrote of itself; Slurm is asked only for what waits and runs.
 *
 * @throws InputError (no data set, nothing of ours in `out`), UsageError (a label that is not there)
 */
export async function bidsStatus({ bids, out, participants, sessions, onNote }: StatusOptions): Promise<StatusResult> {
  const data = await readDataset(bids)
  const chosenVisits = chosen(data, { participants, sessionLabels: sessions })
  if (!(await isOurDataset(out)))
    throw new InputError(out, 'holds no results of ours', 'run `lesionwise bids BIDS_DIR OUT_DIR participant` first')
  const submissions = await readSubmissions(out)
  const queued = submissions.length === 0 ? new Map() : await inQueue(submissions, onNote)
  const visits = await Promise.all(
    chosenVisits.map(async (session) => await stateOf(session, out, submissions, queued.get(session.id))),
  )
  const count = (state: VisitState['state']) => visits.filter((visit) => visit.state === state).length
  const counts = Object.fromEntries(visitStates.map((state) => [state, count(state)])) as StatusResult['counts']
  return { schemaVersion: 1, level: 'status', counts, visits }
}

/** Of a visit in the queue: whether it runs, and whether all that waits are further tries. */
interface InQueue {
  running: boolean
  onlyRetries: boolean
}

async function inQueue(
  submissions: readonly Submission[],
  onNote: StatusOptions['onNote'],
): Promise<Map<string, InQueue>> {
  const found = new Map<string, InQueue>()
  try {
    for (const one of await queue()) {
      const task = taskOf(one)
      const ids = submissions.find(({ id }) => id === task?.id)?.tasks[task?.at ?? -1]?.ids ?? []
      for (const id of ids) {
        const { running = false, onlyRetries = true } = found.get(id) ?? {}
        found.set(id, {
          running: running || one.running,
          onlyRetries: onlyRetries && !one.running && task !== undefined && task.attempt > 0,
        })
      }
    }
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    onNote?.(`what waits or runs is not known (${error.message})`)
  }
  return found
}

async function stateOf(
  session: Session,
  out: string,
  submissions: readonly Submission[],
  queued: InQueue | undefined,
): Promise<VisitState> {
  const { id } = session
  const log = await readLog(out, id)
  const last = submissions.findLast(({ tasks }) => tasks.some(({ ids }) => ids.includes(id)))
  const at = last?.tasks.findIndex(({ ids }) => ids.includes(id)) ?? -1
  const task = last && (await readTaskState(out, last.id, at))
  // Further tries of what is done end at once; a first try of what is done does it anew.
  const { provenance, damage } = await storedVisit(out, session)
  const done = provenance !== undefined && log?.status !== 'failed'
  if (done && (!queued || queued.onlyRetries)) return { id, state: 'done' }
  if (queued?.running) return { id, state: 'running' }

  const output = last && task ? outputOf(out, last.id, task.job).replaceAll('%%', '%') : undefined
  const about = output !== undefined && (await exists(output)) ? { output } : {}
  const reason = reasonFor(log, task, last) ?? damage
  if (queued) return { id, state: 'waiting', ...(reason === undefined ? {} : { reason, ...about }) }
  if (log?.status === 'left out' || (session.problem !== undefined && log === undefined))
    return { id, state: 'left out', reason: log?.reason ?? session.problem }
  if (reason !== undefined) return { id, state: 'failed', reason, ...about }
  return { id, state: 'not run' }
}

/** Why a visit has no result: the later word of the task and of the visit's own log. */
function reasonFor(
  log: VisitLog | undefined,
  task: TaskState | undefined,
  submission: Submission | undefined,
): string | undefined {
  const logged = log?.status === 'failed' ? (log.reason ?? 'no reason is known') : undefined
  if (!task || !submission || (log && log.date >= (task.ended ?? task.started))) return logged
  const where = `task ${task.job} on ${task.host}`
  if (task.code === undefined)
    return `${where} ended without a word: killed, out of memory (${submission.memoryMb} MB) or of time (${submission.minutes} min)`
  if (task.code === 130 || task.code > 128)
    return `${where} was cancelled or ran out of time (${submission.minutes} min)`
  if (task.code === 127 || task.code === 126) return `${where} could not start Lesionwise (code ${task.code})`
  return logged ?? (task.code === 0 ? undefined : `${where} ended with code ${task.code}`)
}
