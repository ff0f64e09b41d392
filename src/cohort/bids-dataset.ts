import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, UsageError } from '../errors.js'
import {
  bareLabel,
  byVisit,
  isLabel,
  labelOf,
  parseBidsName,
  rawNameProblems,
  type Visit,
  visitId,
} from '../formats/bids.js'
import { readTsv } from '../formats/tsv.js'
import { contrastInName } from '../run/inputs.js'
import type { Modality } from '../volume/study.js'

/** One visit of one person, as the data set has it. Paths run below the data set's folder, with `/`. */
export interface Session extends Visit {
  /** `sub-01_ses-02`. */
  id: string
  images: Partial<Record<Modality, string>>
  /** What was decided about the images where several would do. */
  notes: string[]
  /** Why there is nothing to work on. */
  problem?: string
}

export interface Dataset {
  root: string
  name?: string
  sessions: Session[]
  /** What breaks the rules of BIDS; nothing of it stops a run. */
  problems: { file: string; problem: string }[]
}

/**
 * Finds the visits of a data set: `sub-*` folders with `ses-*` folders or without, images in `anat/` or beside it, by what
 * their names say. Names need not be valid: what breaks the rules is listed.
 *
 * @throws InputError when it is no folder or holds no `sub-*` folder
 */
export async function readDataset(root: string): Promise<Dataset> {
  const entries = await foldersIn(root, /^sub-./).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(
      root,
      cause.code === 'ENOENT' ? 'there is no such folder' : 'cannot be read as a folder',
      'give the folder of a BIDS data set',
      { cause },
    )
  })
  if (entries.length === 0)
    throw new InputError(
      root,
      `holds no folder sub-*${await instead(root)}`,
      'give the folder of a BIDS data set: sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz',
    )
  const data: Dataset = { root, sessions: [], problems: [] }
  await readDescription(data)
  for (const entry of entries) await readSubject(data, entry)
  await readParticipants(data)
  takeOutTwins(data)
  data.sessions.sort(byVisit)
  return data
}

/**
 * The sessions of the people and sessions asked for, all when none are named.
 *
 * @throws UsageError naming a label that is not there, and those that are
 */
export function chosen(
  { sessions }: Dataset,
  { participants = [], sessionLabels = [] }: { participants?: readonly string[]; sessionLabels?: readonly string[] },
): Session[] {
  const pick = (given: readonly string[], entity: 'sub' | 'ses', known: readonly string[], option: string) => {
    const labels = given.map((text) => bareLabel(text, entity))
    const unknown = labels.find((label) => !known.includes(label))
    if (unknown !== undefined)
      throw new UsageError(
        known.length === 0
          ? `--${option} ${unknown}: the data set has none`
          : `--${option} ${unknown}: there is no ${entity}-${unknown}; there ${known.length === 1 ? 'is' : 'are'} ${some(known)}`,
      )
    return labels
  }
  const subjects = pick(participants, 'sub', unique(sessions.map(({ subject }) => subject)), 'participant-label')
  const visits = pick(sessionLabels, 'ses', unique(sessions.flatMap(({ session }) => session ?? [])), 'session-label')
  return sessions.filter(
    ({ subject, session }) =>
      (subjects.length === 0 || subjects.includes(subject)) &&
      (visits.length === 0 || (session !== undefined && visits.includes(session))),
  )
}

const unique = (labels: readonly string[]): string[] => [...new Set(labels)]
const some = (labels: readonly string[]): string =>
  `${labels.slice(0, 12).join(', ')}${labels.length > 12 ? `, … (${labels.length})` : ''}`

async function foldersIn(folder: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (
      pattern.test(entry.name) &&
      (entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(folder, entry.name))))
    )
      found.push(entry.name)
  return found.sort()
}

const isFolder = (folder: string, name: string): Promise<boolean> =>
  stat(join(folder, name)).then(
    (about) => about.isDirectory(),
    () => false,
  )

/** Where the data set may lie instead. */
async function instead(root: string): Promise<string> {
  for (const name of await foldersIn(root, /^[^.]/))
    if ((await foldersIn(join(root, name), /^sub-./).catch(() => [])).length > 0) return `, but ${name}/ does`
  return ''
}

async function readDescription(data: Dataset): Promise<void> {
  const file = 'dataset_description.json'
  const text = await readFile(join(data.root, file), 'utf8').catch(() => undefined)
  if (text === undefined) {
    data.problems.push({ file, problem: 'is missing' })
    return
  }
  try {
    const { Name, BIDSVersion } = JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, unknown>
    if (typeof Name === 'string' && Name !== '') data.name = Name
    else data.problems.push({ file, problem: 'has no Name' })
    if (typeof BIDSVersion !== 'string') data.problems.push({ file, problem: 'has no BIDSVersion' })
  } catch {
    data.problems.push({ file, problem: 'is not JSON' })
  }
}

async function readSubject(data: Dataset, entry: string): Promise<void> {
  const label = entry.slice(4)
  const subject = labelOf(label)
  if (subject === undefined || !isLabel(label))
    data.problems.push({ file: `${entry}/`, problem: 'has a label that BIDS does not allow: letters and digits only' })
  if (subject === undefined) return
  const sessions = await foldersIn(join(data.root, entry), /^ses-./)
  const inside = (await foldersIn(join(data.root, entry), /^anat$/)).length > 0
  if (sessions.length > 0 && inside)
    data.problems.push({ file: `${entry}/anat/`, problem: 'stands beside sessions: taken as a visit without a name' })
  for (const name of sessions) {
    const bare = name.slice(4)
    const session = labelOf(bare)
    if (!isLabel(bare))
      data.problems.push({ file: `${entry}/${name}/`, problem: 'has a label that BIDS does not allow' })
    if (session !== undefined) data.sessions.push(await readVisit(data, { subject, session }, `${entry}/${name}`))
  }
  if (sessions.length === 0 || inside) data.sessions.push(await readVisit(data, { subject }, entry))
  await readSessionsTable(data, entry, subject)
}

async function readVisit(data: Dataset, visit: Visit, folder: string): Promise<Session> {
  const session: Session = { ...visit, id: visitId(visit), images: {}, notes: [] }
  const anat = (await foldersIn(join(data.root, folder), /^anat$/)).length > 0
  const inside = anat ? `${folder}/anat` : folder
  const found = new Map<Modality, string[]>()
  for (const name of (await readdir(join(data.root, inside))).sort()) {
    const modality = contrastInName(name)
    if (!modality) continue
    for (const problem of rawNameProblems(name, visit)) data.problems.push({ file: `${inside}/${name}`, problem })
    found.set(modality, [...(found.get(modality) ?? []), name])
  }
  if (!anat && found.size > 0) data.problems.push({ file: `${folder}/`, problem: 'has its images outside anat/' })
  for (const [modality, names] of found) {
    const [first] = names.sort(byFitness)
    session.images[modality] = `${inside}/${first}`
    if (names.length > 1)
      session.notes.push(`${names.length} ${modality.toUpperCase()} images (${names.join(', ')}): ${first} was taken`)
  }
  if (!session.images.flair)
    session.problem =
      found.size === 0
        ? 'there is no FLAIR and no other image'
        : `there is no FLAIR, only ${[...found.keys()].map((name) => name.toUpperCase()).join(', ')}`
  return session
}

/** The best of several images of one contrast first: 3-D, then the fewest entities, then the last run (it was repeated for a reason). */
function byFitness(a: string, b: string): number {
  const about = (name: string) => {
    const { entities = {} } = parseBidsName(name) ?? {}
    const known = Object.entries(entities)
    return {
      flat: /3d/i.test(entities.acq ?? '') ? 0 : /2d/i.test(entities.acq ?? '') ? 2 : 1,
      entities: known.filter(([key]) => key !== 'run').length,
      run: Number(entities.run ?? 0),
    }
  }
  const [one, other] = [about(a), about(b)]
  return one.flat - other.flat || one.entities - other.entities || other.run - one.run || (a < b ? -1 : 1)
}

/** Sessions that the subject's table names and that have no folder. */
async function readSessionsTable(data: Dataset, entry: string, subject: string): Promise<void> {
  const file = `${entry}/${entry}_sessions.tsv`
  const rows = await tableRows(data, file)
  for (const row of rows ?? []) {
    const session = labelOf(bareLabel(row.session_id ?? '', 'ses'))
    if (session === undefined) continue
    if (data.sessions.some((one) => one.subject === subject && one.session === session)) continue
    const visit = { subject, session }
    data.problems.push({ file, problem: `names ses-${session}, which has no folder` })
    const problem = `is in ${entry}_sessions.tsv, but there is no such folder`
    data.sessions.push({ ...visit, id: visitId(visit), images: {}, notes: [], problem })
  }
}

/** People that the table names and that have no folder, and the other way round. */
async function readParticipants(data: Dataset): Promise<void> {
  const file = 'participants.tsv'
  const rows = await tableRows(data, file)
  if (!rows) return
  if (rows.length > 0 && !('participant_id' in rows[0])) {
    data.problems.push({ file, problem: 'has no column participant_id, so that nobody is found in it' })
    return
  }
  const named = rows.flatMap((row) => labelOf(bareLabel(row.participant_id ?? '', 'sub')) ?? [])
  const listed = new Set(named)
  for (const subject of listed)
    if (named.filter((one) => one === subject).length > 1)
      data.problems.push({ file, problem: `names sub-${subject} more than once: the first line counts` })
  const there = new Set(data.sessions.map(({ subject }) => subject))
  for (const subject of listed)
    if (!there.has(subject)) {
      data.problems.push({ file, problem: `names sub-${subject}, which has no folder` })
      const problem = 'is in participants.tsv, but there is no such folder'
      data.sessions.push({ subject, id: visitId({ subject }), images: {}, notes: [], problem })
    }
  for (const subject of there)
    if (!listed.has(subject)) data.problems.push({ file, problem: `does not name sub-${subject}` })
}

/** A table's rows; undefined when there is none that can be read, which is listed unless it is simply not there. */
async function tableRows(data: Dataset, file: string): Promise<Record<string, string>[] | undefined> {
  const text = await readFile(join(data.root, file), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return readTsv(text, file).rows
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    data.problems.push({ file, problem: cause.problem })
    return undefined
  }
}

/** Labels that differ only in what BIDS does not allow, or in case, would share one folder: the first keeps it. */
function takeOutTwins({ sessions }: Dataset): void {
  const seen = new Set<string>()
  for (const one of sessions) {
    if (seen.has(one.id.toLowerCase())) {
      one.problem = `another visit has the same name (${one.id}) but for case or signs that BIDS does not allow`
      one.id = `${one.id}_`
    }
    seen.add(one.id.toLowerCase())
  }
}
