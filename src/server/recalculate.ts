import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, runScript } from '../cohort/processes.js'
import { locationsAmong } from '../lesions/chosen-location.js'
import { maskName, type Version } from './corrections.js'
import { correctionsName, type OpenedCase } from './opened.js'
import type { RecalculationTask } from './recalculate-worker.js'

export type JobState = 'waiting' | 'running' | 'done' | { failed: string }

/**
 * Volumes, locations and report of corrected masks, made anew by `segment` of a given mask in a process of its own, one
 * at a time. Locations that the rater chose stand. The preparation of a case is kept until the server ends, so that the next correction takes seconds.
 */
export class Recalculation {
  private readonly states = new Map<string, JobState>()
  private last: Promise<unknown> = Promise.resolve()
  private work: string | undefined
  private readonly ending = new AbortController()

  /** The state of a version's job in this session; undefined when there was none. */
  state(one: OpenedCase, version: string): JobState | undefined {
    return this.states.get(`${one.id} ${version}`)
  }

  /** Queues a version. Without a FLAIR there is nothing to locate lesions in: the job fails with that reason. */
  start(one: OpenedCase, { id, marks }: Pick<Version, 'id' | 'marks'>): void {
    const key = `${one.id} ${id}`
    const { flair } = one.images
    if (flair === undefined) {
      this.states.set(key, { failed: 'the FLAIR is not known; give it with --flair' })
      return
    }
    this.states.set(key, 'waiting')
    this.last = this.last.then(async () => {
      if (this.ending.signal.aborted) return
      this.states.set(key, 'running')
      const folder = join(one.folder, correctionsName)
      try {
        this.work ??= await mkdtemp(join(tmpdir(), 'lesionwise-view-'))
        const { work } = this
        const task: RecalculationTask = {
          ...{ flair, t1: one.images.t1, lesionMask: join(folder, maskName(id)), out: join(folder, id), work },
          chosenLocations: locationsAmong(marks),
        }
        // Thousands of marks are too long for an argument.
        const path = join(work, 'task.json')
        await writeFile(path, JSON.stringify(task))
        const ended = await runScript('server/recalculate-worker.js', [path], { signal: this.ending.signal })
        this.states.set(key, ended.code === 0 ? 'done' : { failed: reasonOf(ended) })
      } catch (error) {
        this.states.set(key, { failed: (error as Error).message })
      }
    })
  }

  /** Waits for what runs and waits. */
  async settled(): Promise<void> {
    await this.last
  }

  async close(): Promise<void> {
    this.ending.abort(new Error('the server has ended'))
    await this.last.catch(() => {})
    if (this.work) await rm(this.work, { recursive: true, force: true })
  }
}
