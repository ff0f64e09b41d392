import { realpath } from 'node:fs/promises'
import { type Flag, InputError, UsageError } from '../errors.js'
import { setThreads } from '../kernels/index.js'
import { type Load, millilitresOf } from '../lesions/summary.js'
import type { Location } from '../lesions/types.js'
import type { Citation } from '../methods/define.js'
import { isPanel, loadPanel } from '../methods/panel.js'
import { loadMethod, methodList } from '../methods/registry.js'
import { coreCount } from '../platform/index.js'
import { brainMl } from '../report/content.js'
import { type CriteriaRegion, countByRegion } from '../report/criteria.js'
import type { Difference, EarlierResult, ReportInput } from '../report/input.js'
import { buildReport } from '../report/page.js'
import type { Language } from '../report/words/languages.js'
import { resample } from '../volume/resample.js'
import { type Modality, modalities } from '../volume/study.js'
import { type Image, sameGrid } from '../volume/volume.js'
import { alignmentOf } from './export-spaces.js'
import { readImage } from './inputs.js'
import { judgeOutput, writeWhole } from './output-file.js'
import { exists } from './output-folder.js'
import type { Provenance } from './provenance.js'
import { readResult, type StoredResult } from './read-result.js'
import { buildPdf } from './report-pdf.js'
import { ResultFolder } from './result-files.js'
import { givenMask, notesOf, packageVersion } from './segment.js'

export interface ReportOptions {
  /** Folder that `segment` wrote, or of one visit that `bids` wrote. */
  result: string
  /** The FLAIR of that run, for the pictures; default: the path in its provenance, if that was kept. */
  flair?: string
  /** The T1 of that run, to show how it fits the FLAIR; default: as for the FLAIR. */
  t1?: string
  /** Page to write. Default: report.html in the folder. */
  html?: string
  /** PDF to write. Default: report.pdf in the folder. */
  pdf?: string
  language?: Language
  /** Result of an earlier visit. */
  earlier?: string
  /** Dates of the two visits, as they are to be printed. */
  date?: string
  earlierDate?: string
  threads?: number
  signal?: AbortSignal
  /** What the reader should know of the new files, a sentence each. */
  onNote?(text: string): void
}

interface Figures {
  lesionCount: number
  lesionVolumeMl: number
  lesionVolumePercentOfBrain: number | null
  brainVolumeMl: number | null
  byLocation: Record<Location, Load>
}

/** What `--json` prints. */
export interface ReportResult extends Figures {
  schemaVersion: 1
  /** Absent where the page of the result was left as it was. */
  html?: string
  pdf: string
  language: Language
  /** False: the FLAIR was not at hand. */
  pictures: boolean
  /** Regions of the McDonald criteria: lesions with a long axis of at least 3 mm. */
  criteriaRegions: { region: CriteriaRegion; lesions: number; longestAxisMm: number | null }[]
  earlier?: Figures & { differences: readonly Difference[] }
  notes: string[]
}

/**
 * Writes page and PDF anew from a result: in another language, with the dates of the visits, compared with an earlier one.
 * The masks and figures stay as they are.
 *
 * @throws UsageError, InputError (no result, not its FLAIR), RunError; nothing is written then
 */
export async function reportResult(options: ReportOptions): Promise<ReportResult> {
  setThreads(options.threads ?? coreCount())
  const dates = datesOf(options)
  const language = options.language ?? 'en'
  const notes: string[] = []
  const note = (text: string) => {
    notes.push(text)
    options.onNote?.(text)
  }
  const stored = await readResult(options.result)
  const earlier = options.earlier === undefined ? undefined : await earlierOf(options.earlier, stored, options, note)
  const flair = await flairOf(stored, options.flair, note)
  const folder = await ResultFolder.open(options.result)
  const own = (name: string) => folder.path(name)
  const ownPage = own('report.html')
  const [page, pdf] = [options.html ?? ownPage, options.pdf ?? own('report.pdf')]
  const images = [flair?.path, options.t1].filter((path) => path !== undefined)
  const inputs = [...images, ...keptFiles.map(own)]
  await judgeOutput(page, '--html', inputs)
  await judgeOutput(pdf, '--pdf', inputs)
  if (page === pdf) throw new UsageError(`--html and --pdf are both ${pdf}; give two files`)
  // A page with pictures is worth more than one without in another language.
  const keep = !flair && options.html === undefined && (await exists(ownPage))
  if (keep) note('report.html stays as it was: without the FLAIR a new one would have no pictures')
  const t1 = flair && !keep ? await t1Of(stored, options.t1, flair.image, note) : undefined

  const input: ReportInput = {
    ...(await aboutMethod(stored.provenance)),
    ...(flair ? { flair: flair.image } : {}),
    ...t1,
    ...(folder.visitLabel === undefined ? {} : { visitLabel: folder.visitLabel }),
    labels: stored.labels,
    lesions: stored.lesions,
    summary: { ...stored.summary, flags: [...stored.summary.flags, ...(flair?.flags ?? [])] },
    brain: stored.brain,
    probability: stored.probability,
    contrasts: contrastsOf(stored.provenance),
    settings: settingsOf(stored.provenance),
    stages: stored.provenance.stages,
    seconds: stored.provenance.seconds,
    software: { name: 'Lesionwise', version: stored.provenance.software.version },
    reportVersion: await packageVersion(),
    date: stored.provenance.started.slice(0, 10),
    visitDate: dates.now,
    language,
    ...(earlier ? { earlier: { ...earlier.compared, visitDate: dates.before } } : {}),
  }
  options.signal?.throwIfAborted()
  const files = new Map<string, Uint8Array | string>()
  if (!keep) files.set(page, await buildReport(input))
  files.set(pdf, await buildPdf(input))
  options.signal?.throwIfAborted()
  await writeWhole(files)
  return {
    schemaVersion: 1,
    ...(keep ? {} : { html: page }),
    pdf,
    language,
    pictures: flair !== undefined,
    ...figuresOf(stored),
    criteriaRegions: countByRegion(stored.lesions).map((one) => ({
      ...one,
      longestAxisMm: Number.isNaN(one.longestAxisMm) ? null : one.longestAxisMm,
    })),
    ...(earlier ? { earlier: { ...figuresOf(earlier.stored), differences: earlier.compared.differences } } : {}),
    notes,
  }
}

/** Files of a result that a report must not overwrite. */
const keptFiles = [
  'lesion_mask.nii.gz',
  'lesion_instances.nii.gz',
  'lesion_probability.nii.gz',
  'brain_mask.nii.gz',
  'lesions.tsv',
  'summary.json',
  'provenance.json',
]

const figuresOf = ({ summary, brain }: StoredResult): Figures => ({
  lesionCount: summary.lesionCount,
  lesionVolumeMl: summary.lesionVolumeMl,
  lesionVolumePercentOfBrain: summary.lesionVolumePercentOfBrain,
  brainVolumeMl: millilitresOf(brainMl({ brain })),
  byLocation: summary.byLocation,
})

/** @throws UsageError for a date that cannot be printed, or dates the wrong way round */
function datesOf({ date, earlierDate, earlier }: ReportOptions): { now?: string; before?: string } {
  if (earlierDate !== undefined && earlier === undefined)
    throw new UsageError('--earlier-date needs the result of that visit; give it with --earlier FOLDER')
  for (const [option, text] of [
    ['--date', date],
    ['--earlier-date', earlierDate],
  ] as const)
    if (text !== undefined && !/^[^\p{C}]{1,24}$/u.test(text.trim()))
      throw new UsageError(`${option} "${text}" will not do; give up to 24 characters, e.g. 2026-05-04`)
  const [now, before] = [date?.trim(), earlierDate?.trim()]
  const day = /^\d{4}-\d\d-\d\d$/
  if (now && before && day.test(now) && day.test(before) && before >= now)
    throw new UsageError(
      `--earlier-date ${before} is not before --date ${now}; the earlier visit is the one to compare with`,
    )
  return { now, before }
}

async function earlierOf(
  folder: string,
  now: StoredResult,
  { result }: ReportOptions,
  note: (text: string) => void,
): Promise<{ stored: StoredResult; compared: EarlierResult }> {
  const stored = await readResult(folder)
  if ((await realpath(folder)) === (await realpath(result)))
    throw new UsageError(`--earlier ${folder} is the result itself; give that of an earlier visit`)
  const sha = ({ provenance }: StoredResult) => provenance.inputs.find(({ role }) => role === 'flair')?.sha256
  if (sha(stored) !== undefined && sha(stored) === sha(now))
    note(`both results are of the same FLAIR: ${folder} is no earlier visit`)
  return {
    stored,
    compared: { summary: stored.summary, brainMl: brainMl(stored), differences: differencesOf(stored, now) },
  }
}

/** In what two results were not made alike. */
function differencesOf(a: StoredResult, b: StoredResult): Difference[] {
  const told: Record<Difference, (one: StoredResult) => unknown> = {
    method: ({ provenance }) => provenance.method.id,
    params: ({ provenance }) => provenance.method.params,
    version: ({ provenance }) => provenance.software.version,
    connectivity: ({ summary }) => summary.connectivity,
    minimumSize: ({ summary, provenance }) => [summary.minimumSizeMm3, provenance.options.minimumVoxels],
    locationRule: ({ provenance }) => provenance.options.locationRule,
    contrasts: ({ provenance }) => contrastsOf(provenance),
    grid: ({ provenance, labels }) => [
      labels.dims,
      provenance.inputs.find(({ role }) => role === 'flair')?.voxelSizeMm,
    ],
  }
  const names = Object.keys(told) as Difference[]
  const differing = names.filter((name) => JSON.stringify(told[name](a)) !== JSON.stringify(told[name](b)))
  // Another method has other parameters: once is enough.
  return differing.includes('method') ? differing.filter((name) => name !== 'params') : differing
}

const contrastsOf = ({ inputs }: Provenance): Modality[] =>
  modalities.filter((modality) => inputs.some(({ role }) => role === modality))

function settingsOf({ options }: Provenance): ReportInput['settings'] {
  const { minimumVoxels, locationRule, threshold } = options
  return {
    ...(typeof minimumVoxels === 'number' ? { minimumVoxels } : {}),
    ...(typeof locationRule === 'string' ? { locationRule } : {}),
    ...(typeof threshold === 'number' ? { probabilityCut: threshold } : {}),
  }
}

/** Who reads the report does not see what was said when it was written. */
const otherFlair: Flag = {
  code: 'other-flair',
  severity: 'warning',
  message: 'The pictures show another file than the FLAIR that was segmented: they may mislead.',
}

/** The FLAIR of the result; undefined when it is not given and not where it was. */
async function flairOf(
  { provenance, labels }: StoredResult,
  given: string | undefined,
  note: (text: string) => void,
): Promise<{ path: string; image: Image; flags: Flag[] } | undefined> {
  const about = provenance.inputs.find(({ role }) => role === 'flair')
  const path = given ?? about?.path
  if (path === undefined || (given === undefined && !(await exists(path)))) {
    note('no pictures: the FLAIR is not at hand; give it with --flair FILE')
    return undefined
  }
  const { image, sha256 } = await readImage(path, 'flair')
  if (!sameGrid(image, labels, 0.1))
    throw new InputError(
      path,
      `is not the FLAIR of this result: ${image.dims.join(' × ')} voxels where it has ${labels.dims.join(' × ')}, or elsewhere`,
      'give the image that `segment` was given',
    )
  const other = about?.sha256 !== undefined && about.sha256 !== sha256
  if (other)
    note(`${path} is on the grid of the result but is not the very file that was segmented: the pictures may mislead`)
  return { path, image: { ...image, dims: labels.dims, affine: labels.affine }, flags: other ? [otherFlair] : [] }
}

/** The T1 on the grid of the FLAIR, by the way that `segment` found; undefined where one of the two is not at hand. */
async function t1Of(
  { provenance }: StoredResult,
  given: string | undefined,
  flair: Image,
  note: (text: string) => void,
): Promise<Pick<ReportInput, 't1' | 'registrationTrust'> | undefined> {
  const about = provenance.inputs.find(({ role }) => role === 't1')
  if (!about) {
    if (given !== undefined) throw new UsageError(`--t1 ${given}: this result was made without a T1`)
    return undefined
  }
  const path = given ?? about.path
  if (path === undefined || (given === undefined && !(await exists(path)))) {
    note('how the T1 fits the FLAIR is not shown: the T1 is not at hand; give it with --t1 FILE')
    return undefined
  }
  const { image, sha256 } = await readImage(path, 't1')
  if (about.sha256 !== undefined && about.sha256 !== sha256)
    throw new InputError(path, 'is not the T1 of this result', 'give the file that `segment` was given')
  const found = alignmentOf(provenance, 't1')
  if (found === undefined) note('how the T1 fits the FLAIR is not shown: the result does not say how the two lie')
  return found && { t1: await resample(image, flair, { map: found.map }), registrationTrust: found.trust }
}

/** What the method is, as far as this version knows it. */
async function aboutMethod({
  method,
  inputs,
}: Provenance): Promise<Pick<ReportInput, 'method' | 'params' | 'paramNotes' | 'maskGiven'>> {
  const { id, params } = method
  if (id === givenMask.id) return { method: givenMask, params, maskGiven: true }
  const given = modalities.filter((modality) => inputs.some(({ role }) => role === modality))
  const citation: Citation | undefined = method.citation ? { text: method.citation } : undefined
  const unknown = { method: { id, title: id, describe: '', ...(citation ? { citation } : {}) }, params }
  if (isPanel(id)) {
    const panel = await loadPanel(id, given).catch(() => undefined)
    return panel ? { method: panel.entry, params, paramNotes: notesOf(panel.method) } : unknown
  }
  const entry = methodList.find((one) => one.id === id)
  if (!entry) return unknown
  return { method: entry, params, paramNotes: notesOf(await loadMethod(id)) }
}
