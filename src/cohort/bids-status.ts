import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Visit, visitFolder } from '../formats/bids.js'
import type { Provenance } from '../run/options.js'
import { writeWhole } from '../run/output-file.js'
import { json, markName } from './bids-files.js'

/** All that a visit's result follows from: the same values give the same files. */
export interface VisitIdentity {
  version: string
  method: string
  params: Record<string, unknown>
  /** Settings of `segment` beside the method's parameters, those that were given. */
  settings: Record<string, unknown>
  /** sha256 of each image by its role. */
  images: Record<string, string>
  seed: number
}

/** What `provenance.json` of a visit holds. */
export interface VisitProvenance extends Provenance {
  identity: VisitIdentity
  /** The images by their paths below the raw data set. */
  sources: Record<string, string>
  files: { name: string; bytes: number }[]
  /** Volume of the brain mask. */
  brainMl?: number
}

/** How the run of a visit ended, as `logs/ID.json` keeps it. */
export interface VisitLog {
  id: string
  subject: string
  session?: string
  status: 'done' | 'failed' | 'left out'
  reason?: string
  exitCode?: number
  /** What was decided or doubted on the way. */
  notes: string[]
  method?: string
  seconds?: number
  peakMegabytes?: number
  date: string
}

/** The provenance of a visit that is complete, all its files there; else undefined. */
export async function completeVisit(out: string, visit: Visit): Promise<VisitProvenance | undefined> {
  const folder = join(out, visitFolder(visit))
  try {
    const provenance = JSON.parse(await readFile(join(folder, markName), 'utf8')) as VisitProvenance
    if (!provenance.identity || provenance.files.length === 0) return undefined
    for (const { name, bytes } of provenance.files)
      if ((await stat(join(folder, name))).size !== bytes) return undefined
    return provenance
  } catch {
    return undefined
  }
}

/** What differs between two identities, in words; undefined when nothing does. */
export function identityDifference(before: VisitIdentity, now: VisitIdentity): string | undefined {
  if (before.method !== now.method) return `method ${before.method}, now ${now.method}`
  return (
    settingsDifference(before.settings, now.settings) ??
    settingsDifference(before.params, now.params) ??
    (before.version !== now.version ? `version ${before.version}, now ${now.version}` : undefined) ??
    (before.seed !== now.seed ? `seed ${before.seed}, now ${now.seed}` : undefined) ??
    Object.keys({ ...before.images, ...now.images })
      .filter((role) => before.images[role] !== now.images[role])
      .map((role) =>
        before.images[role] === undefined
          ? `${role.toUpperCase()} is new`
          : now.images[role] === undefined
            ? `${role.toUpperCase()} is gone`
            : `another ${role.toUpperCase()}`,
      )[0]
  )
}

/** The first value that is another one, in words. */
function settingsDifference(before: Record<string, unknown>, now: Record<string, unknown>): string | undefined {
  const name = Object.keys({ ...before, ...now }).find(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]),
  )
  const said = (value: unknown) => (value === undefined ? 'its default' : JSON.stringify(value))
  return name === undefined ? undefined : `${name} = ${said(before[name])}, now ${said(now[name])}`
}

const logPath = (out: string, id: string): string => join(out, 'logs', `${id}.json`)

export async function writeLog(out: string, log: VisitLog): Promise<void> {
  await writeWhole(new Map([[logPath(out, log.id), json(log)]]))
}

export async function readLog(out: string, id: string): Promise<VisitLog | undefined> {
  try {
    return JSON.parse(await readFile(logPath(out, id), 'utf8')) as VisitLog
  } catch {
    return undefined
  }
}
