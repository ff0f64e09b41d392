import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, runScript } from '../cohort/processes.js'
import { maskName } from './corrections.js'
import { correctionsName, type OpenedCase } from './opened.js'

export type JobState = 'waiting' | 'running' | 'done' | { failed: string }

/**
 * Volumes, locations and report of corrected masks, made anew by `segment --lesion-mask` in a process of its own, one at a
 * time. The preparation of a case is kept until the server ends, so that the next correction takes seconds.
 */
export class Recalculation {
  private readonly states = new Map<string, JobState>()
  private last: Promise<unknown> = Promise.resolve()
  private work: Promise<string> | undefined
  private readonly ending = new AbortController()

  /** The state of a version's job in this session; undefined when there was none. */
  state(one: OpenedCase, version: string): JobState | undefined {
    return this.states.get(`${one.id} ${version}`)
  }

  /** Queues a version. Without a FLAIR there is nothing to locate lesions in: the job fails with that reason. */
  start(one: OpenedCase, version: string): void {
    const key = `${one.id} ${version}`
    const { flair } = one.images
    if (flair === undefined) {
      this.states.set(key, { failed: 'the FLAIR is not known; give it with --flair' })
      return
    }
    this.states.set(key, 'waiting')
    this.last = this.last.then(async () => {
      if (this.ending.signal.aborted) return
      this.states.set(key, 'running')
      this.work ??= mkdtemp(join(tmpdir(), 'lesionwise-view-'))
      const folder = join(one.folder, correctionsName)
      const args = ['segment', '--quiet', '--flair', flair, '--lesion-mask', join(folder, maskName(version))]
      if (one.images.t1) args.push('--t1', one.images.t1)
      args.push('--out', join(folder, version), '--work', await this.work)
      try {
        const ended = await runScript('cli/main.js', args, { signal: this.ending.signal })
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
    if (this.work) await rm(await this.work, { recursive: true, force: true })
  }
}
