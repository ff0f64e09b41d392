import { readFile, realpath, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { type Flag, InputError, UsageError } from '../errors.js'
import { bidsName, bidsVersion, type Visit, visitFolder, visitId } from '../formats/bids.js'
import { shiftedDate, withoutIdentity } from '../formats/dicom/identity.js'
import { inflated } from '../formats/dicom/read.js'
import { replaceVoxels } from '../formats/nifti-patch.js'
import { readTsv, writeTsv } from '../formats/tsv.js'
import type { Modality } from '../volume/study.js'
import { defaced, type VisitImage } from './deface.js'
import { type Candidate, chooseSeries, readMap } from './dicom/choose.js'
import { convertStack } from './dicom/dcm2niix.js'
import { fetchStudies, findStudies } from './dicom/dicomweb.js'
import { type KeyMap, newUid, openKeyMap, stageKeyMap } from './dicom/key-map.js'
import { type ImportedVisit, personKey, strangersUnderOneNumber, visitsOf } from './dicom/persons.js'
import { readDicomFolder } from './dicom/read-folder.js'
import type { Progress } from './options.js'
import { exists, openOutputFolder } from './output-folder.js'

export interface ImportDicomOptions {
  /** Folder of DICOM files, with folders below it, of any number of series, studies and persons; or `fromPacs`. */
  folder?: string
  /** DICOMweb address of a PACS, and which study to bring from it: its StudyInstanceUID, or all MR of a PatientID. */
  fromPacs?: string
  study?: string
  patientId?: string
  /** BIDS folder to write, new or with other subjects. Not needed with `dryRun`. */
  out?: string
  /** `5=flair`, `2/5.1=pd`, `7=skip`. */
  map?: readonly string[]
  /** Label of the person (only one may be in the folder); default: sub-001 and on. */
  subject?: string
  /** Label of the session (only one study may be in the folder); default: none for one study, ses-01 and on for more. */
  session?: string
  /** Cut the faces off; a visit where that is not sure stops the import. Default false. */
  deface?: boolean
  /** Only say what would be taken. */
  dryRun?: boolean
  /** File that leads back from labels to persons; read if it is there, so that later studies get the same label. */
  keepMap?: string
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** One volume in what `--json` prints. */
export interface ImportedSeries {
  id: string
  subject: string
  session?: string
  role?: Modality
  chosen: boolean
  images: number
  why: string
  problems: { code: string; message: string }[]
  /** Below the BIDS folder; only for what was written. */
  file?: string
}

/** What `--json` prints. Holds nothing of a header that could name a person. */
export interface ImportDicomResult {
  schemaVersion: 1
  out?: string
  dryRun: boolean
  files: { dicom: number; others: number; damaged: number }
  series: ImportedSeries[]
  flags: Flag[]
}

const suffixes: Record<Modality, [suffix: string, entities: Record<string, string>]> = {
  flair: ['FLAIR', {}],
  t1: ['T1w', {}],
  t2: ['T2w', {}],
  pd: ['PDw', {}],
  t1gd: ['T1w', { ce: 'gadolinium' }],
}

/**
 * Brings a folder of DICOM files into BIDS: picks the FLAIR, T1, T2, PD and T1 with contrast agent of each study by
 * header and name, converts them with dcm2niix, and leaves out who it was: names, numbers, dates (shifted by the same
 * number of days for one person) and UIDs (hashed with a salt).
 *
 * @throws UsageError, InputError (no DICOM, no usable series, a mapped series that is unsound), RunError; nothing is
 * written then
 */
export async function importDicom(options: ImportDicomOptions): Promise<ImportDicomResult> {
  const { folder, fromPacs } = options
  if ((folder === undefined) === (fromPacs === undefined))
    throw new UsageError('give either a folder of DICOM files or --from-pacs')
  if (folder !== undefined) return await importFolder(folder, options)
  await judgeArguments(options)
  const brought = await bringFromPacs(fromPacs as string, options)
  try {
    return await importFolder(brought, options)
  } finally {
    await rm(brought, { recursive: true, force: true })
  }
}

async function judgeArguments({ out, dryRun, keepMap, map = [] }: ImportDicomOptions): Promise<void> {
  if (out === undefined && !dryRun) throw new UsageError('--out is needed: the BIDS folder to write')
  if (keepMap && out && (await within(out, keepMap)))
    throw new UsageError(
      '--keep-map leads back to persons and must not lie in the data set; give a place outside --out',
    )
  readMap(map)
}

/** The whole of what was asked for, in a folder of its own. @throws as `fetchStudy` */
async function bringFromPacs(where: string, { study, patientId, signal, onProgress }: ImportDicomOptions) {
  if ((study === undefined) === (patientId === undefined))
    throw new UsageError('--from-pacs needs either --study UID or --patient-id ID')
  const studies = study !== undefined ? [study] : await findStudies(where, patientId as string, { signal })
  if (studies.length === 0)
    throw new InputError(
      `PACS at ${new URL(where).host}`,
      'holds no MR study of this person',
      'check the number, or give --study',
    )
  return await fetchStudies(where, studies, {
    signal,
    onProgress: (done, of) => onProgress?.({ stage: 'Fetching from the PACS', fraction: done / of }),
  })
}

async function importFolder(folder: string, options: ImportDicomOptions): Promise<ImportDicomResult> {
  const { out, signal, onProgress, deface } = options
  await judgeArguments(options)
  const wanted = readMap(options.map ?? [])
  const keys = await openKeyMap(options.keepMap)
  const found = await readDicomFolder(folder, { signal, onProgress })
  const candidates = chooseSeries(found.files, wanted)
  const flags: Flag[] = []
  const flag = (code: string, severity: Flag['severity'], message: string) => {
    flags.push({ code, severity, message })
    options.onFlag?.({ code, severity, message })
  }
  if (found.damaged > 0)
    flag('damaged-dicom', 'warning', `${found.damaged} DICOM files could not be read and are left out.`)
  const visits = await visitsOf(candidates, options, keys)
  for (const study of visits.keys())
    if (new Set(candidates.filter(({ stack }) => stack.study === study).map(personKey)).size > 1)
      flag(
        'two-persons',
        'serious',
        'A study holds images under different patient numbers: they may be of different people.',
      )
  const strange = strangersUnderOneNumber(candidates)
  if (strange)
    flag(
      'one-number-two-persons',
      'serious',
      `Studies taken for sub-${(visits.get(strange.stack.study) as Visit).subject} have one patient number, and another name, birth date or sex: they may be of different people; import each from a folder of its own, with --subject.`,
    )
  for (const one of candidates)
    for (const { code, message, fatal } of one.stack.problems)
      if (code === 'burned-in' || (one.chosen && !fatal && code !== 'multi-frame'))
        flag(code, 'warning', `Series ${one.id}: ${message}.`)
      else if (fatal && one.guess.role && ['missing-slices', 'truncated'].includes(code))
        flag(
          code,
          'serious',
          `Series ${one.id} looks like a ${one.guess.role.toUpperCase()} and is not used: ${message}.`,
        )
  const listed = candidates.map((one): ImportedSeries => {
    const visit = visits.get(one.stack.study) as Visit
    return {
      id: one.id,
      subject: visit.subject,
      session: visit.session,
      role: one.role,
      chosen: one.chosen,
      images: one.stack.slices,
      why: one.why,
      problems: one.stack.problems.map(({ code, message }) => ({ code, message })),
    }
  })
  const result: ImportDicomResult = {
    schemaVersion: 1,
    out,
    dryRun: options.dryRun === true,
    files: { dicom: found.files.length, others: found.others, damaged: found.damaged },
    series: listed,
    flags,
  }
  const chosen = candidates.filter((one) => one.chosen)
  for (const one of chosen) {
    const fatal = one.stack.problems.find((problem) => problem.fatal && !bowsToMap.has(problem.code))
    if (fatal) throw new InputError(`series ${one.id}`, fatal.message, 'send the whole series again, or map another')
  }
  if (options.dryRun || out === undefined) return result
  if (chosen.length === 0)
    throw new InputError(
      folder,
      `none of its ${candidates.length} series is a FLAIR, T1, T2 or PD that can be used`,
      'look with --dry-run, and name series with --map SERIES=ROLE',
    )
  const output = await openOutputFolder<string>(out, () => false)
  try {
    const files = new Map<string, Uint8Array | string>()
    const scans = new Map<string, [string, string][]>()
    const written = new Map<string, (VisitImage & { name: string })[]>()
    for (const [i, one] of chosen.entries()) {
      signal?.throwIfAborted()
      onProgress?.({ stage: `Converting series ${one.id}`, fraction: i / chosen.length })
      const visit = visits.get(one.stack.study) as Visit
      const [suffix, entities] = suffixes[one.role as Modality]
      const stem = `${visitFolder(visit)}/anat/${bidsName({ sub: visit.subject, ses: visit.session, ...entities }, suffix, '')}`
      const { nifti, sidecar } = await converted(one, keys, signal)
      files.set(`${stem}.nii.gz`, nifti)
      files.set(`${stem}.json`, `${JSON.stringify({ ...sidecar, ...(deface ? cutOff : {}) }, null, 2)}\n`)
      const images = written.get(visitId(visit)) ?? []
      written.set(visitId(visit), [...images, { name: `${stem}.nii.gz`, modality: one.role as Modality, nifti }])
      const entry = listed[candidates.indexOf(one)]
      entry.file = `${stem}.nii.gz`
      const { header } = one.stack.files[0]
      const day = shiftedDate(header.studyDate, (visits.get(one.stack.study) as ImportedVisit).dayShift)
      const list = `${visitFolder(visit)}/${visitId(visit)}_scans.tsv`
      scans.set(list, [
        ...(scans.get(list) ?? []),
        [entry.file.slice(visitFolder(visit).length + 1), day ? `${day}T00:00:00` : 'n/a'],
      ])
    }
    if (deface)
      for (const [id, images] of written) {
        const without = await defaced(images, id, { signal, onProgress })
        for (const [n, { name }] of images.entries()) files.set(name, without[n])
      }
    for (const [name, rows] of scans) files.set(name, writeTsv(['filename', 'acq_time'], rows))
    for (const [name, content] of await dataSetFiles(out, [...visits.values()])) files.set(name, content)
    for (const name of files.keys())
      if (name.startsWith('sub-') && (await exists(join(out, name))))
        throw new UsageError(`${out} holds ${name} already; give another --subject, --session or --out`)
    flag(
      'faces',
      'info',
      deface
        ? 'Faces were cut off along a plane below the brain: look at each image before you share it.'
        : 'Faces are not removed: whoever holds the images can make a face visible. --deface cuts them off.',
    )
    signal?.throwIfAborted()
    const map = options.keepMap === undefined ? undefined : await stageKeyMap(options.keepMap, keys)
    try {
      await output.publish(files)
      await map?.keep()
    } finally {
      await map?.drop()
    }
  } finally {
    await output.release()
  }
  return result
}

/** What the sidecar of an image without a face says. */
const cutOff = { LesionwiseDefaced: 'plane below the brain (Schimke, Kuehler & Hale 2011)' }

/** Guesses that `--map` may overrule; the other fatal problems are facts. */
const bowsToMap = new Set(['localizer', 'few-slices', 'burned-in', 'derived'])

/** Where a path leads, with links followed as far as it is there. */
async function leadsTo(path: string): Promise<string> {
  const whole = resolve(path)
  const parent = dirname(whole)
  return await realpath(whole).catch(async () =>
    parent === whole ? whole : join(await leadsTo(parent), basename(whole)),
  )
}

async function within(folder: string, path: string): Promise<boolean> {
  const way = relative(await leadsTo(folder), await leadsTo(path))
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

async function converted(one: Candidate, keys: KeyMap, signal: AbortSignal | undefined) {
  const source = `series ${one.id}`
  const bytes: Uint8Array[] = []
  for (const { header, file } of one.stack.files)
    bytes.push(inflated(await readFile(file), header.transferSyntax, source))
  const made = await convertStack(bytes, source, { signal })
  // dcm2niix writes what it had to correct beside the original: the corrected image is the sound one.
  const tilted = made.filter(({ name }) => name.endsWith('_Tilt'))
  const plain = made.filter(({ name }) => !/_(Tilt|Eq)(_\d+)?$/.test(name))
  const images = tilted.length > 0 ? tilted : plain
  const { echoTime } = one.stack.files[0].header
  const near = ({ sidecar }: (typeof made)[number]) =>
    Math.abs(Number(sidecar.EchoTime ?? 0) * 1000 - (echoTime ?? 0)) < 0.5
  const image = images.length === 1 ? images[0] : images.filter(near).length === 1 ? images.filter(near)[0] : undefined
  if (!image)
    throw new InputError(
      source,
      `dcm2niix made ${made.length} images of it, not one`,
      'split the series, or map another',
    )
  const nifti = await replaceVoxels(image.nifti, source, [], [])
  const sidecar: Record<string, unknown> = {
    ...withoutIdentity(image.sidecar),
    SeriesInstanceUID: await newUid(keys, one.stack.series),
    StudyInstanceUID: await newUid(keys, one.stack.study),
    ...(one.role === 't1gd' ? { ContrastBolusIngredient: 'GADOLINIUM' } : {}),
    LesionwiseContrast: { role: one.role, why: one.why },
  }
  return { nifti, sidecar }
}

/** participants.tsv with the new subjects, and dataset_description.json where there is none. */
async function dataSetFiles(out: string, visits: readonly Visit[]): Promise<[string, string][]> {
  const files: [string, string][] = []
  const path = join(out, 'participants.tsv')
  const before = await readFile(path, 'utf8').catch(() => undefined)
  const ids = [...new Set(visits.map(({ subject }) => `sub-${subject}`))]
  if (before === undefined)
    files.push([
      'participants.tsv',
      writeTsv(
        ['participant_id'],
        ids.map((id) => [id]),
      ),
    ])
  else {
    const table = readTsv(before, path)
    const known = table.rows.map((row) => row.participant_id)
    const fresh = ids.filter((id) => !known.includes(id))
    const rows = [
      ...table.rows.map((row) => table.columns.map((column) => row[column])),
      ...fresh.map((id) => table.columns.map((column) => (column === 'participant_id' ? id : 'n/a'))),
    ]
    if (fresh.length > 0) files.push(['participants.tsv', writeTsv(table.columns, rows)])
  }
  if (!(await exists(join(out, 'dataset_description.json'))))
    files.push([
      'dataset_description.json',
      `${JSON.stringify(
        {
          Name: 'Imported from DICOM',
          BIDSVersion: bidsVersion,
          DatasetType: 'raw',
          GeneratedBy: [{ Name: 'lesionwise import-dicom' }],
        },
        null,
        2,
      )}\n`,
    ])
  return files
}
