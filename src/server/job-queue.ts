import { reasonOf, runScript } from '../cohort/processes.js'
import { coreCount } from '../platform/index.js'
import type { JobStore } from './job-store.js'
import type { JobTask } from './job-worker.js'
import type { Job } from './jobs-api.js'

export interface QueueOptions {
  /** Jobs at a time. */
  atATime: number
  timeoutMinutes: number
  /** Jobs that ended so long ago are taken away. */
  keepDays: number
}

const dayMs = 24 * 3600_000
/** An open job that nobody starts is forgotten. */
const openDays = 1

/** Does the jobs of a store in the order of their coming, each in a process of its own. */
export class JobQueue {
  private readonly running = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  private readonly sweeper: NodeJS.Timeout
  private closing = false

  constructor(
    private readonly store: JobStore,
    private readonly options: QueueOptions,
    /** How a job gets a process of its own. */
    private readonly start: typeof runScript = runScript,
  ) {
    this.sweeper = setInterval(() => void this.sweep(), 3600_000).unref()
  }

  /** Begins what can begin. To be called when a job was queued. */
  next(): void {
    if (this.closing) return
    for (const job of this.waiting()) {
      if (this.running.size >= this.options.atATime) return
      const stop = new AbortController()
      const ended = this.work(job, stop.signal)
        .catch(() => {})
        .finally(() => {
          this.running.delete(job.id)
          this.next()
        })
      this.running.set(job.id, { stop, ended })
    }
  }

  /** How many are before a queued job. */
  ahead(job: Job): number {
    return this.running.size + this.waiting().findIndex(({ id }) => id === job.id)
  }

  /** Stops a job that runs, and waits until its process is gone. */
  async stop(job: Job): Promise<void> {
    const one = this.running.get(job.id)
    one?.stop.abort(new Error('the job was taken away'))
    await one?.ended
  }

  /** Takes away what has been kept long enough. */
  async sweep(now = Date.now()): Promise<void> {
    for (const job of this.store.list()) {
      const since = Date.parse(job.finished ?? job.created)
      const days = job.state === 'open' ? openDays : this.options.keepDays
      if (job.state !== 'queued' && job.state !== 'running' && now - since > days * dayMs) await this.store.remove(job)
    }
  }

  /** Stops all; what ran is queued, for the next server. */
  async close(): Promise<void> {
    this.closing = true
    clearInterval(this.sweeper)
    for (const { stop } of this.running.values()) stop.abort(new Error('the server ends'))
    await Promise.all([...this.running.values()].map(({ ended }) => ended))
  }

  private waiting(): Job[] {
    return this.store.list().filter(({ id, state }) => state === 'queued' && !this.running.has(id))
  }

  private async work(job: Job, signal: AbortSignal): Promise<void> {
    const { store, options } = this
    const fail = async (said: string) => {
      const reason = said.replaceAll(`${store.folder}/`, '')
      const failed = { state: 'failed', finished: new Date().toISOString(), progress: undefined, reason } as const
      // Where not even that can be written, the job has failed for this server, and the next one tries again.
      await store.update(job, failed).catch(() => Object.assign(job, failed))
    }
    try {
      await store.update(job, { state: 'running', started: new Date().toISOString() })
      const attempt = store.attempt(job)
      const task: JobTask = {
        images: await store.images(job),
        request: job.request,
        out: attempt,
        threads: Math.max(1, Math.floor(coreCount() / options.atATime)),
      }
      const timeoutSeconds = Math.round(60 * options.timeoutMinutes)
      const ended = await this.start('server/job-worker.js', [JSON.stringify(task)], {
        ...{ signal, timeoutSeconds },
        onLine(line) {
          job.progress = progressIn(line) ?? job.progress
        },
      })
      if (ended.code === 0 && !ended.timedOut) await store.publish(job, attempt)
      else await fail(reasonOf(ended, timeoutSeconds))
    } catch (error) {
      if (!signal.aborted) await fail((error as Error).message)
      else if (this.closing) await store.update(job, { state: 'queued', progress: undefined })
    } finally {
      await store.clear(job)
    }
  }
}

/** What a line of the worker tells; a library may print lines of its own. */
function progressIn(line: string): Job['progress'] {
  try {
    const { stage, fraction } = JSON.parse(line) as NonNullable<Job['progress']>
    return typeof stage === 'string' && fraction >= 0 && fraction <= 1 ? { stage, fraction } : undefined
  } catch {
    return undefined
  }
}
