import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { InputError } from '../errors.js'
import { readTsv } from '../formats/tsv.js'
import { visitFrom } from '../run/inputs.js'
import { type Modality, modalities } from '../volume/study.js'

/** A scan with the lesions that experts drew on it. */
export interface Case {
  /** Unique in its list; also the name of its folders. */
  id: string
  /** Who or what the case shares errors with, usually the patient: cases of one group are not independent. */
  group: string
  /** Where it was scanned, if that is told. */
  centre?: string
  images: Partial<Record<Modality, string>>
  /** Reference masks, one of each rater. */
  masks: readonly string[]
  /** Why the images cannot be told, where that is known from the names alone. */
  problem?: InputError
}

export interface CaseList {
  cases: Case[]
  /** What was found but cannot be scored, with the reason in a few words. */
  leftOut: { id: string; reason: string }[]
}

/**
 * The labelled cases of a data set: a TSV with columns `id flair t1 t2 pd t1gd mask group` (any subset, paths relative to
 * the TSV; further raters as `mask2`, `mask3`, …), or a BIDS folder with lesion masks (`…label-lesion_mask.nii.gz`) under
 * `derivatives/` or in `masks`. Without `group` each case of a TSV stands alone; in BIDS the subject is the group. The
 * column `centre` (or `center`, `site`) of the TSV, in BIDS of `participants.tsv`, says where it was scanned.
 *
 * @throws InputError when it cannot be read, holds no case with a mask, or names a case twice
 */
export async function readCases(data: string, masks?: string): Promise<CaseList> {
  const about = await stat(data).catch((cause) => {
    throw new InputError(data, 'there is no such file or folder', 'give a BIDS folder or a TSV of cases', { cause })
  })
  const list = about.isDirectory() ? await fromBids(data, masks) : await fromTsv(data, masks)
  if (list.cases.length === 0) {
    const [first] = list.leftOut
    throw new InputError(
      data,
      first ? `no case can be scored (${first.id}: ${first.reason})` : 'holds no case',
      about.isDirectory()
        ? 'give a folder with sub-*/ images and derivatives/*/sub-*/…label-lesion_mask.nii.gz, or say --masks DIR'
        : 'give one line a case',
    )
  }
  assertNamesDiffer(list.cases, data)
  return list
}

async function fromTsv(path: string, masks?: string): Promise<CaseList> {
  const { columns, rows } = readTsv(await readFile(path, 'utf8'), path)
  const contrasts = modalities.filter((modality) => columns.includes(modality))
  const raters = columns.filter((name) => /^mask\d*$/.test(name))
  const seen = `its columns are ${columns.join(', ')}`
  if (contrasts.length === 0)
    throw new InputError(
      path,
      `has no column of images (${seen})`,
      `name one of ${modalities.join(', ')}, tab-separated`,
    )
  if (raters.length === 0 && masks === undefined)
    throw new InputError(
      path,
      `has no column "mask" (${seen})`,
      'add one with the reference masks, or give --masks DIR',
    )
  const found = masks === undefined ? [] : await lesionMasks(masks, false)
  const cases: Case[] = []
  const leftOut: CaseList['leftOut'] = []
  const beside = (name: string) => resolve(dirname(path), name)
  for (const [i, row] of rows.entries()) {
    const id = row.id ?? `case-${i + 1}`
    assertFolderName(id, path)
    const given = raters.flatMap((name) => row[name] ?? []).map(beside)
    const references =
      given.length > 0 ? given : found.filter((name) => namesCase(name, id)).map((name) => join(masks ?? '', name))
    if (references.length === 0) {
      leftOut.push({ id, reason: 'no reference mask' })
      continue
    }
    const images = Object.fromEntries(contrasts.flatMap((m) => (row[m] === undefined ? [] : [[m, beside(row[m])]])))
    cases.push({ id, group: row.group ?? id, ...centreOf(row), images, masks: references })
  }
  return { cases, leftOut }
}

async function fromBids(root: string, masks?: string): Promise<CaseList> {
  const folderOfMasks = masks ?? join(root, 'derivatives')
  const found = await lesionMasks(folderOfMasks, masks === undefined)
  const cases: Case[] = []
  const leftOut: CaseList['leftOut'] = []
  const centres = await participantCentres(join(root, 'participants.tsv'))
  for (const { id, subject, folder } of await visitFolders(root)) {
    const references = found.filter((name) => namesCase(name, id)).map((name) => join(folderOfMasks, name))
    if (references.length === 0) {
      leftOut.push({ id, reason: 'no reference mask' })
      continue
    }
    const who = { id, group: subject, ...centres.get(subject) }
    try {
      cases.push({ ...who, images: await visitFrom(folder), masks: references })
    } catch (cause) {
      if (!(cause instanceof InputError)) throw cause
      cases.push({ ...who, images: {}, masks: references, problem: cause })
    }
  }
  return { cases, leftOut }
}

const centreOf = (row: Partial<Record<string, string>>): { centre?: string } => {
  const centre = row.centre ?? row.center ?? row.site
  return centre === undefined ? {} : { centre }
}

/** Centres by subject folder; none when there is no such file. */
async function participantCentres(path: string): Promise<Map<string, { centre?: string }>> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return new Map()
  return new Map(
    readTsv(text, path).rows.map((row) => {
      const id = row.participant_id ?? ''
      return [id.startsWith('sub-') ? id : `sub-${id}`, centreOf(row)]
    }),
  )
}

/** The subjects of a BIDS folder, session by session. */
async function visitFolders(root: string): Promise<{ id: string; subject: string; folder: string }[]> {
  const named = async (folder: string, pattern: RegExp) =>
    (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && pattern.test(entry.name))
      .map(({ name }) => name)
      .sort()
  const visits: { id: string; subject: string; folder: string }[] = []
  for (const subject of await named(root, /^sub-/)) {
    const sessions = await named(join(root, subject), /^ses-/)
    if (sessions.length === 0) visits.push({ id: subject, subject, folder: join(root, subject) })
    for (const session of sessions)
      visits.push({ id: `${subject}_${session}`, subject, folder: join(root, subject, session) })
  }
  return visits
}

/**
 * Lesion masks of a folder and all folders in it, as paths below it; none when there is no such folder. `derivatives`
 * hold masks of many things, so there the BIDS label counts; a folder of nothing but masks may spell them as it likes.
 */
async function lesionMasks(folder: string, strict: boolean): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true }).catch(() => []))
    .filter((name) => /\.nii(\.gz)?$/i.test(name))
    .sort()
  const labelled = names.filter((name) => /label-lesions?_.*mask\./i.test(basename(name)))
  return strict || labelled.length > 0 ? labelled : names
}

/** True when every part of the id (`sub-14_ses-1`) stands as a whole word in the path below the masks' folder. */
const namesCase = (path: string, id: string): boolean => {
  const words = path.replace(/\.nii(\.gz)?$/i, '').split(/[/\\_]/)
  return id.split('_').every((part) => words.includes(part))
}

function assertFolderName(id: string, source: string): void {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u.test(id))
    throw new InputError(
      source,
      `the id "${id}" cannot be the name of a folder`,
      'use letters, digits and . _ + - only, the first a letter or digit',
    )
}

function assertNamesDiffer(cases: readonly Case[], source: string): void {
  const seen = new Map<string, string>()
  for (const { id } of cases) {
    // Some disks take sub-A and sub-a for the same folder.
    const earlier = seen.get(id.toLowerCase())
    if (earlier !== undefined)
      throw new InputError(
        source,
        earlier === id ? `the id "${id}" is there twice` : `the ids "${earlier}" and "${id}" differ in case only`,
        'give each case an id of its own',
      )
    seen.set(id.toLowerCase(), id)
  }
}
