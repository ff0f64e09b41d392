// A process of its own that segments one visit of a data set and brings the files into the derivatives under their BIDS
// names, the mark of completion last. Prints one JSON value on how it went.
import { readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LesionwiseError } from '../errors.js'
import { type Visit, visitFolder, visitId } from '../formats/bids.js'
import { LockedError, silenceSeconds } from '../run/lock.js'
import type { SegmentOptions } from '../run/options.js'
import { type OutputFolder, openOutputFolder } from '../run/output-folder.js'
import { segment } from '../run/segment.js'
import { volumeMl } from '../volume/volume.js'
import { derivativeFiles, isOurs } from './bids-files.js'
import { completeVisit, identityDifference, type VisitIdentity } from './bids-status.js'

/** What the process is told, as JSON in its only argument. */
export interface VisitTask extends Visit {
  /** Folder of the raw data set … */
  root: string
  /** … and the images used, by contrast, below it. */
  images: Record<string, string>
  out: string
  identity: VisitIdentity
  options: Pick<SegmentOptions, 'work' | 'threads' | 'device' | 'keepPaths'>
}

/** What it answers. */
export interface VisitAnswer {
  /** True when another run had done it in the meantime. */
  before: boolean
  seconds: number
  peakMegabytes: number
  lesionCount: number
  notes: string[]
}

const parent = process.ppid
const stop = new AbortController()
// The run that started this one decides when it ends: Ctrl-C reaches both, and a killed run leaves nobody to answer to.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => stop.abort())
setInterval(() => {
  if (process.ppid !== parent) stop.abort()
}, 500).unref()

async function work(task: VisitTask): Promise<VisitAnswer> {
  const { out, identity } = task
  const inside = join(out, visitFolder(task))
  const folder = await openedInTime(inside, isOurs(task))
  // A name that the next run in the folder clears away if this one is killed.
  const temporary = join(inside, `.lesionwise-new-${process.pid}-segment`)
  try {
    const before = await completeVisit(out, task)
    if (before && identityDifference(before.identity, identity) === undefined)
      return { ...before, before: true, lesionCount: Number.NaN, notes: [] }
    const images = Object.fromEntries(Object.entries(task.images).map(([role, path]) => [role, join(task.root, path)]))
    const { summary, provenance, files, brain } = await segment({
      ...identity.settings,
      ...images,
      ...task.options,
      method: identity.method,
      params: identity.params,
      seed: identity.seed,
      visitLabel: visitId(task),
      out: temporary,
      signal: stop.signal,
    })
    stop.signal.throwIfAborted()
    const made = new Map<string, Uint8Array>()
    for (const name of files) made.set(name, await readFile(join(temporary, name)))
    const brainMl = Number(volumeMl(brain).toFixed(3))
    await folder.publish(derivativeFiles(made, task, { ...provenance, identity, sources: task.images, brainMl }))
    return {
      before: false,
      seconds: provenance.seconds,
      peakMegabytes: provenance.peakMegabytes,
      lesionCount: summary.lesionCount,
      notes: summary.flags.filter(({ severity }) => severity !== 'info').map(({ message }) => message),
    }
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {})
    await folder.release()
    // A subject's folder that holds nothing says nothing; one that holds something stays.
    if (task.session !== undefined) await rmdir(dirname(inside)).catch(() => {})
  }
}

/** The folder, once nobody else works in it: a killed run's last process may take a moment to notice. */
async function openedInTime(folder: string, isOwn: (name: string) => boolean): Promise<OutputFolder<string>> {
  for (let attempt = 0; ; attempt++) {
    stop.signal.throwIfAborted()
    try {
      return await openOutputFolder<string>(folder, isOwn)
    } catch (error) {
      // Beyond the silence that ends the lock of a job that was killed on another node.
      const patienceSeconds = error instanceof LockedError && error.elsewhere ? silenceSeconds + 20 : 20
      if (!(error instanceof LockedError) || attempt >= 2 * patienceSeconds) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

try {
  const answer = await work(JSON.parse(process.argv[2]) as VisitTask)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
} catch (error) {
  process.stderr.write(`lesionwise: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`)
  process.exitCode = error instanceof LesionwiseError ? error.exitCode : 1
}
