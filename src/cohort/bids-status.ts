import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Visit, visitFolder } from '../formats/bids.js'
import { jsonOf } from '../formats/json.js'
import type { Summary } from '../lesions/summary.js'
import { writeWhole } from '../run/output-file.js'
import { type Provenance, provenanceSchema } from '../run/provenance.js'
import { ResultFolder } from '../run/result-files.js'
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

const visitProvenance = provenanceSchema.extend({
  identity: z.object({
    version: z.string(),
    method: z.string(),
    params: z.record(z.string(), z.unknown()),
    settings: z.record(z.string(), z.unknown()),
    images: z.record(z.string(), z.string()),
    seed: z.number(),
  }),
  sources: z.record(z.string(), z.string()),
  files: z.array(z.object({ name: z.string(), bytes: z.number() })).min(1),
  brainMl: z.number().optional(),
}) satisfies z.ZodType<VisitProvenance>

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

export const visitLog = z.object({
  id: z.string(),
  subject: z.string(),
  session: z.string().optional(),
  status: z.enum(['done', 'failed', 'left out']),
  reason: z.string().optional(),
  exitCode: z.number().optional(),
  notes: z.array(z.string()),
  method: z.string().optional(),
  seconds: z.number().optional(),
  peakMegabytes: z.number().optional(),
  date: z.string(),
}) satisfies z.ZodType<VisitLog>

/** The provenance of a visit that is complete, all its files there and as they were written; else undefined. */
export async function completeVisit(out: string, visit: Visit): Promise<VisitProvenance | undefined> {
  const { provenance } = await storedVisit(out, visit)
  return provenance
}

/** What is stored of a visit: provenance and summary where it is complete, what is damaged where it was, nothing where it never was. */
export async function storedVisit(
  out: string,
  visit: Visit,
): Promise<
  { provenance: VisitProvenance; summary: Summary; damage?: undefined } | { provenance?: undefined; damage?: string }
> {
  const folder = join(out, visitFolder(visit))
  const mark = await readFile(join(folder, markName)).catch(() => undefined)
  if (mark === undefined) return {}
  const provenance = jsonOf(mark, visitProvenance)
  if (!provenance) return { damage: `its ${markName} is damaged` }
  for (const { name, bytes } of provenance.files) {
    const size = await stat(join(folder, name)).then(
      (file) => file.size,
      () => undefined,
    )
    if (size !== bytes) return { damage: `its ${name} is ${size === undefined ? 'missing' : 'damaged'}` }
  }
  const summary = await (await ResultFolder.open(folder)).summary().catch((error: Error) => error)
  return summary instanceof Error ? { damage: 'its summary is damaged' } : { provenance, summary }
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
  return jsonOf(await readFile(logPath(out, id)).catch(() => undefined), visitLog)
}
