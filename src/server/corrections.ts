import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { RunError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import { type Location, locations } from '../lesions/types.js'
import { unwritable } from '../run/output-folder.js'
import { correctionsName } from './opened.js'

/** A rater's version of a result's mask: who drew it, when, on what, and what was done. */
export interface Version {
  /** `desc-<rater>_v<number>`; the first part of its files' names. */
  id: string
  rater: string
  /** From 1, for each rater. */
  number: number
  /** What it was drawn on: `base` for the result itself, or another version. */
  parent: string
  /** ISO 8601. */
  saved: string
  /** What was done, step by step, as the page names it. */
  steps: readonly string[]
  /** Lesions that the rater called false positives, and locations that the rater changed, by where they are (mm, RAS). */
  marks: readonly Mark[]
  note: string
  lesionCount: number
  lesionVolumeMl: number
  sha256: string
}

export interface Mark {
  kind: 'false-positive' | 'location'
  /** A voxel of the lesion, RAS mm. */
  at: readonly [number, number, number]
  /** The location that the rater chose. */
  location?: Location
}

/** What a page keeps of unsaved work. */
export interface Draft {
  rater: string
  /** The page that drew it: two tabs keep two drafts. */
  tab: string
  parent: string
  saved: string
  steps: readonly string[]
  marks: readonly Mark[]
}

export const mark = z.object({
  kind: z.enum(['false-positive', 'location']),
  at: z.tuple([z.number(), z.number(), z.number()]),
  location: z.enum(locations as readonly [Location, ...Location[]]).optional(),
}) satisfies z.ZodType<Mark>
const steps = z.array(z.string())
const version = z.object({
  ...{ id: z.string(), rater: z.string(), number: z.int().min(1), parent: z.string(), saved: z.string(), steps },
  marks: z.array(mark),
  ...{ note: z.string(), lesionCount: z.number(), lesionVolumeMl: z.number(), sha256: z.string() },
}) satisfies z.ZodType<Version>
const draft = z.object({
  ...{ rater: z.string(), tab: z.string(), parent: z.string(), saved: z.string(), steps },
  // Older drafts have none.
  marks: z.array(mark).default([]),
}) satisfies z.ZodType<Draft>

/** Somebody saved meanwhile: what was drawn is not lost, it is kept as a draft. */
export class ConflictError extends Error {
  constructor(readonly latest: Version) {
    super(`${latest.id} was saved meanwhile (${latest.saved})`)
  }
}

/** Names of raters are BIDS labels: they stand in the names of files. */
export const isRater = (name: string): boolean => /^[A-Za-z0-9]{1,32}$/.test(name)
const isTab = isRater

const versionPattern = /^desc-([A-Za-z0-9]{1,32})_v(\d{3,})\.json$/
export const maskName = (id: string): string => `${id}_label-lesion_mask.nii.gz`

/** The corrections of one result: versions that are never overwritten, and drafts. */
export class Corrections {
  readonly folder: string
  private last: Promise<unknown> = Promise.resolve()

  /** @param result folder of the result */
  constructor(result: string) {
    this.folder = join(result, correctionsName)
  }

  /** All versions, oldest first. A mask whose record is missing was cut off while it was saved: it is no version. */
  async versions(): Promise<Version[]> {
    const names = await readdir(this.folder).catch(() => [])
    const found: Version[] = []
    for (const name of names) {
      if (!versionPattern.test(name)) continue
      // Written whole or not at all: what does not hold together is not ours.
      const one = jsonOf(await readFile(join(this.folder, name)).catch(() => undefined), version)
      if (one && `${one.id}.json` === name) found.push(one)
    }
    return found.sort((a, b) => a.saved.localeCompare(b.saved) || a.number - b.number)
  }

  async mask(id: string): Promise<Uint8Array | undefined> {
    if (!versionPattern.test(`${id}.json`)) return undefined
    return await readFile(join(this.folder, maskName(id))).catch(() => undefined)
  }

  /**
   * Saves a new version beside all others. The mask is on the disk before the record that makes it one: a process killed
   * at any moment leaves the version whole or not at all.
   *
   * @throws ConflictError when the rater has a version that `parent` does not know of, unless `anyway`
   * @throws RunError when the folder cannot be written
   */
  async save(
    version: Omit<Version, 'id' | 'number' | 'saved'>,
    mask: Uint8Array,
    { anyway = false }: { anyway?: boolean } = {},
  ): Promise<Version> {
    return await this.inTurn(async () => {
      const own = (await this.versions()).filter(({ rater }) => rater === version.rater)
      const latest = own.at(-1)
      if (latest && latest.id !== version.parent && !anyway) throw new ConflictError(latest)
      try {
        await mkdir(this.folder, { recursive: true })
        for (let number = 1 + (await this.highest(version.rater)); ; number++) {
          const id = `desc-${version.rater}_v${String(number).padStart(3, '0')}`
          const complete: Version = { ...version, id, number, saved: new Date().toISOString() }
          // A link fails where a name is taken, by another server on the same folder: rename would overwrite it.
          if (!(await this.place(maskName(id), mask))) continue
          if (await this.place(`${id}.json`, `${JSON.stringify(complete, null, 1)}\n`)) return complete
        }
      } catch (cause) {
        throw await unwritable(this.folder, cause)
      }
    })
  }

  /** Keeps unsaved work; a later draft of the same tab takes its place. @throws RunError */
  async keepDraft(draft: Omit<Draft, 'saved'>, mask: Uint8Array): Promise<void> {
    if (!isRater(draft.rater) || !isTab(draft.tab)) throw new RunError(`${draft.rater}: not a name for files`)
    await this.inTurn(async () => {
      try {
        await mkdir(this.folder, { recursive: true })
        const name = draftName(draft)
        await writeSynced(join(this.folder, `${name}.nii.gz`), mask)
        await writeSynced(
          join(this.folder, `${name}.json`),
          JSON.stringify({ ...draft, saved: new Date().toISOString() } satisfies Draft),
        )
        // The rater may have told the page another name since.
        await this.removeDrafts(draft.tab, name)
      } catch (cause) {
        throw await unwritable(this.folder, cause)
      }
    })
  }

  /** Unsaved work of a rater, the newest first. */
  async drafts(rater?: string): Promise<Draft[]> {
    const names = await readdir(this.folder).catch(() => [])
    const found: Draft[] = []
    for (const name of names.filter((one) => /^\.draft-.*\.json$/.test(one))) {
      // Half a draft is none.
      const one = jsonOf(await readFile(join(this.folder, name)).catch(() => undefined), draft)
      if (one && `${draftName(one)}.json` === name && (rater === undefined || one.rater === rater)) found.push(one)
    }
    return found.sort((a, b) => b.saved.localeCompare(a.saved))
  }

  async draftMask(draft: Pick<Draft, 'rater' | 'tab'>): Promise<Uint8Array | undefined> {
    if (!isRater(draft.rater) || !isTab(draft.tab)) return undefined
    return await readFile(join(this.folder, `${draftName(draft)}.nii.gz`)).catch(() => undefined)
  }

  /** Takes away the unsaved work of a tab, whatever its rater was called meanwhile. */
  async dropDraft(tab: string): Promise<void> {
    await this.inTurn(async () => await this.removeDrafts(tab))
  }

  private async removeDrafts(tab: string, but?: string): Promise<void> {
    const names = await readdir(this.folder).catch(() => [])
    for (const name of names) {
      const [, stem, whose] = name.match(/^(\.draft-[A-Za-z0-9]+-([A-Za-z0-9]+))\.(?:json|nii\.gz)$/) ?? []
      if (whose === tab && stem !== but) await rm(join(this.folder, name), { force: true })
    }
  }

  /** The highest number that is taken, by a mask that was cut off too. */
  private async highest(rater: string): Promise<number> {
    const names = await readdir(this.folder).catch(() => [])
    const numbers = names.map((name) => {
      const [, who, number] = name.match(/^desc-([A-Za-z0-9]+)_v(\d+)[._]/) ?? []
      return who === rater ? Number(number) : 0
    })
    return Math.max(0, ...numbers)
  }

  /** Writes a file whole under a name that nobody has yet. @returns false when the name is taken */
  private async place(name: string, content: Uint8Array | string): Promise<boolean> {
    const temporary = join(this.folder, `.lesionwise-new-${randomUUID()}-${name}`)
    try {
      await flushed(temporary, content)
      await link(temporary, join(this.folder, name))
      await syncFolder(this.folder)
      return true
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw cause
    } finally {
      await rm(temporary, { force: true }).catch(() => {})
    }
  }

  /** One write at a time: numbers are given in turn. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work, work)
    this.last = result.catch(() => {})
    return result
  }
}

const draftName = ({ rater, tab }: Pick<Draft, 'rater' | 'tab'>): string => `.draft-${rater}-${tab}`

async function flushed(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Takes the place of an older file at once. */
async function writeSynced(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.new-${randomUUID()}`
  try {
    await flushed(temporary, content)
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } finally {
    await rm(temporary, { force: true }).catch(() => {})
  }
}

/** Names are on the disk too, where the system can say so. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}
