import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { jsonOf } from '../formats/json.js'
import { writeWhole } from '../run/output-file.js'
import { openOutputFolder, unwritable } from '../run/output-folder.js'
import { ResultFolder } from '../run/result-files.js'
import { inputRoles, type Job, type JobRequest, job as known } from './jobs-api.js'

export type InputRole = (typeof inputRoles)[number]
type Status = Pick<
  Job,
  'state' | 'started' | 'finished' | 'interruptions' | 'reason' | 'progress' | 'summary' | 'results'
>

/** A job broken off so often by the server's own end is the likely cause of it. */
const mostInterruptions = 3
const inputName = /^(\w+)\.(nii|nii\.gz)$/

/**
 * Jobs on disk, a folder each: `request.json`, `inputs/`, `status.json` (written whole or not at all), `result/`. What is
 * there is all that a server that starts again needs to know.
 */
export class JobStore {
  private constructor(
    readonly folder: string,
    private readonly jobs: Map<string, Job>,
    private readonly unlock: () => Promise<void>,
  ) {}

  /**
   * Opens the folder for this server alone. A job that a killed server was at is queued again, unless its result is whole.
   *
   * @throws RunError when it cannot be written, or another server has it open
   */
  static async open(folder: string): Promise<JobStore> {
    const lock = await openOutputFolder<string>(folder, () => false)
    try {
      await mkdir(join(folder, 'jobs'), { recursive: true })
      const store = new JobStore(folder, new Map(), () => lock.release())
      for (const id of await readdir(join(folder, 'jobs'))) await store.read(id)
      return store
    } catch (cause) {
      await lock.release()
      throw cause
    }
  }

  async close(): Promise<void> {
    await this.unlock()
  }

  /** Oldest first. */
  list(): Job[] {
    return [...this.jobs.values()].sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0))
  }

  get(id: string): Job | undefined {
    return this.jobs.get(id)
  }

  /** @throws RunError when the disk is full or may not be written to */
  async create(request: JobRequest): Promise<Job> {
    const job: Job = {
      ...{ id: randomBytes(12).toString('hex'), state: 'open', created: this.later() },
      ...{ request, inputs: [], interruptions: 0, results: [] },
    }
    await mkdir(this.inside(job.id, 'inputs'), { recursive: true }).catch(async (cause) => {
      throw await unwritable(this.folder, cause)
    })
    await this.writeRequest(job)
    await this.update(job, {})
    this.jobs.set(job.id, job)
    return job
  }

  /**
   * Takes an image as it comes.
   *
   * @returns false when it is larger than allowed; then, and when anything is thrown, what was there stays
   */
  async putInput(job: Job, role: InputRole, body: AsyncIterable<Uint8Array>, largest: number): Promise<boolean> {
    const temporary = this.inside(job.id, 'inputs', `.${role}-${randomBytes(4).toString('hex')}`)
    const sha256 = createHash('sha256')
    let [bytes, packed] = [0, false]
    try {
      const file = await open(temporary, 'wx')
      try {
        for await (const part of body) {
          if (bytes === 0) packed = part[0] === 0x1f
          bytes += part.length
          if (bytes > largest) return false
          sha256.update(part)
          await file.writeFile(part)
        }
      } finally {
        await file.close()
      }
      for (const name of [`${role}.nii`, `${role}.nii.gz`])
        await rm(this.inside(job.id, 'inputs', name), { force: true })
      await rename(temporary, this.inside(job.id, 'inputs', `${role}.nii${packed ? '.gz' : ''}`))
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).syscall === undefined ? cause : await unwritable(this.folder, cause)
    } finally {
      await rm(temporary, { force: true })
    }
    job.inputs = [...job.inputs.filter((one) => one.role !== role), { role, bytes, sha256: sha256.digest('hex') }]
    await this.writeRequest(job)
    return true
  }

  /** Paths of a job's images by role. */
  async images(job: Job): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const name of await readdir(this.inside(job.id, 'inputs'))) {
      const [, role] = inputName.exec(name) ?? []
      if ((inputRoles as readonly string[]).includes(role)) found[role] = this.inside(job.id, 'inputs', name)
    }
    return found
  }

  /** A folder for one attempt; `publish` makes it the result. */
  attempt(job: Job): string {
    return this.inside(job.id, `attempt-${randomBytes(4).toString('hex')}`)
  }

  /** Makes an attempt the result, and the job done. */
  async publish(job: Job, attempt: string): Promise<void> {
    await rename(attempt, this.inside(job.id, 'result'))
    await this.finishDone(job)
  }

  /** Leaves nothing of attempts that came to nothing. */
  async clear(job: Job): Promise<void> {
    for (const name of await readdir(this.inside(job.id)).catch(() => []))
      if (name.startsWith('attempt-')) await rm(this.inside(job.id, name), { recursive: true, force: true })
  }

  /** Changes a job, on disk first. */
  async update(job: Job, change: Partial<Status>): Promise<void> {
    const { state, started, finished, interruptions, reason, progress, summary, results } = { ...job, ...change }
    const status: Status = { state, started, finished, interruptions, reason, progress, summary, results }
    await writeWhole(new Map([[this.inside(job.id, 'status.json'), `${JSON.stringify(status, null, 1)}\n`]]))
    Object.assign(job, change)
  }

  /** The path of a result; undefined when the job is not done or has no such file. */
  resultPath(job: Job, name: string): string | undefined {
    return job.state === 'done' && basename(name) === name && job.results.some((file) => file.name === name)
      ? this.inside(job.id, 'result', name)
      : undefined
  }

  async remove(job: Job): Promise<void> {
    this.jobs.delete(job.id)
    await rm(this.inside(job.id), { recursive: true, force: true })
  }

  private inside(id: string, ...path: string[]): string {
    return join(this.folder, 'jobs', id, ...path)
  }

  /** Now, and later than every other job, so that the order of coming is kept. */
  private later(): string {
    const last = Math.max(0, ...[...this.jobs.values()].map(({ created }) => Date.parse(created)))
    return new Date(Math.max(Date.now(), last + 1)).toISOString()
  }

  private async writeRequest({ id, created, request, inputs }: Job): Promise<void> {
    const text = `${JSON.stringify({ created, request, inputs }, null, 1)}\n`
    await writeWhole(new Map([[this.inside(id, 'request.json'), text]]))
  }

  private async finishDone(job: Job): Promise<void> {
    const folder = this.inside(job.id, 'result')
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
    const results = await Promise.all(
      names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size })),
    )
    const { lesionCount, lesionVolumeMl } = await (await ResultFolder.open(folder)).summary()
    await this.update(job, {
      ...{ state: 'done', finished: new Date().toISOString(), progress: undefined, reason: undefined },
      ...{ results, summary: { lesionCount, lesionVolumeMl } },
    })
  }

  /** Takes up a job that an earlier server left. One whose files cannot be read stays where it is, unlisted. */
  private async read(id: string): Promise<void> {
    const json = async (name: string) =>
      jsonOf(await readFile(this.inside(id, name)).catch(() => undefined), z.looseObject({}))
    const { data: job } = known.safeParse({ ...(await json('request.json')), ...(await json('status.json')), id })
    if (!job) return
    this.jobs.set(id, job)
    await this.clear(job)
    if (job.state !== 'running') return
    const whole = await stat(this.inside(id, 'result', 'provenance.json')).catch(() => undefined)
    if (whole) await this.finishDone(job)
    else {
      const interruptions = job.interruptions + 1
      const given = { interruptions, progress: undefined }
      await this.update(
        job,
        interruptions < mostInterruptions
          ? { ...given, state: 'queued' }
          : {
              ...{ ...given, state: 'failed', finished: new Date().toISOString() },
              reason: `the server ended ${interruptions} times in the middle of it`,
            },
      )
    }
  }
}
