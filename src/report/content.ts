import type { Flag } from '../errors.js'
import { type Location, locations } from '../lesions/types.js'
import { orientation, voxelSizes } from '../volume/affine.js'
import { volumeMl } from '../volume/volume.js'
import { countByRegion, criteriaAxisMm, criteriaReferences } from './criteria.js'
import type { ReportInput } from './input.js'
import { flagSentence } from './words/flags.js'
import { type Speech, speech } from './words/languages.js'
import { plain } from './words.js'

/**
 * The text and figures of a report, ready to print. The page and the PDF are both drawn from this, so that they cannot say
 * different things.
 */
export interface ReportContent {
  speech: Speech
  /** Short facts under the title. */
  facts: string[]
  stats: Stat[]
  byLocation: Table
  criteria: { table: Table; sentence: string; lead: string }
  earlier?: { table: Table; notes: string[] }
  flags: { severity: Flag['severity']; label: string; message: string; code: string }[]
  method: MethodContent
  software: string
}

export interface Stat {
  value: string
  unit: string
  note: string
}

export interface Table {
  head: string[]
  rows: Row[]
}

/** The first cell is text, the others are figures. */
export interface Row {
  cells: string[]
  /** Whose colour stands before the row. */
  location?: Location
  /** A sum, or a row apart from those above. */
  apart?: boolean
}

export interface MethodContent {
  title: string
  describe: string
  citation?: string
  /** Sentences for the Methods section of a paper. */
  paper: string
  settings: { name: string; note?: string; value: string }[]
  versions: string[]
  references: string[]
}

export function contentOf(input: ReportInput): ReportContent {
  const said = speech(input.language)
  return {
    speech: said,
    facts: factsOf(input, said),
    stats: statsOf(input, said),
    byLocation: byLocation(input, said),
    criteria: criteriaOf(input, said),
    ...(input.earlier ? { earlier: earlierOf(input, said) } : {}),
    flags: flagsOf(input.summary.flags, said),
    method: methodOf(input, said),
    software: `${input.software.name} ${input.reportVersion ?? input.software.version}`,
  }
}

/** Volume of the brain mask, ml; undefined without one, or with an empty one. */
export function brainMl({ brain }: Pick<ReportInput, 'brain'>): number | undefined {
  const ml = brain ? volumeMl(brain) : 0
  return ml > 0 ? ml : undefined
}

const imageNames = ({ contrasts }: ReportInput, { words, listed }: Speech): string =>
  listed(contrasts.map((contrast) => words.contrasts[contrast] ?? contrast))

function factsOf(input: ReportInput, said: Speech): string[] {
  const { words, figure } = said
  const { labels, method, date, visitDate, visitLabel } = input
  const size = voxelSizes(labels.affine).map((mm) => figure(mm, 2).replace(/[.,]?0+$/, ''))
  return [
    ...(visitLabel === undefined ? [] : [visitLabel]),
    ...(visitDate === undefined ? [] : [words.visit(visitDate)]),
    imageNames(input, said),
    words.voxels(labels.dims.join(' × '), size.join(' × ')),
    orientation(labels.affine),
    input.maskGiven ? words.maskGiven : method.id,
    ...(date === undefined ? [] : [words.analysed(date)]),
  ]
}

function statsOf(input: ReportInput, { words, figure }: Speech): Stat[] {
  const { summary, lesions } = input
  const { result } = words
  const percent = summary.lesionVolumePercentOfBrain
  const brain = brainMl(input)
  return [
    {
      value: figure(summary.lesionCount, 0),
      unit: result.lesions(summary.lesionCount),
      note: result.counted(
        figure(summary.minimumSizeMm3, decimalsOf(summary.minimumSizeMm3)),
        String(summary.connectivity),
      ),
    },
    {
      value: figure(summary.lesionVolumeMl),
      unit: result.inAll,
      note: lesions.length > 0 ? result.largest(figure(lesions[0].volumeMm3 / 1000)) : result.none,
    },
    ...(percent === null ? [] : [{ value: `${figure(percent, 2)} %`, unit: result.ofBrain, note: result.ofBrainNote }]),
    ...(brain === undefined ? [] : [{ value: figure(brain, 0), unit: result.brain, note: result.brainNote }]),
  ]
}

/** As many decimals as a setting was given with. */
const decimalsOf = (value: number): number => String(value).split('.')[1]?.length ?? 0

function byLocation({ summary }: ReportInput, { words, figure }: Speech): Table {
  const { result } = words
  const total = summary.lesionVolumeMl
  const share = (ml: number) => (total > 0 ? `${figure((100 * ml) / total, 0)} %` : '–')
  return {
    head: [result.location, result.count, result.volume, result.share],
    rows: [
      ...locations.map((location) => {
        const here = summary.byLocation[location]
        return {
          location,
          cells: [words.locations[location], figure(here.count, 0), figure(here.volumeMl, 2), share(here.volumeMl)],
        }
      }),
      { apart: true, cells: [result.total, figure(summary.lesionCount, 0), figure(total, 2), share(total)] },
    ],
  }
}

function criteriaOf({ lesions }: ReportInput, { words, figure }: Speech): ReportContent['criteria'] {
  const { criteria } = words
  const mm = figure(criteriaAxisMm, 0)
  const counts = countByRegion(lesions)
  const held = counts.filter((one) => one.lesions > 0)
  return {
    lead: criteria.lead(mm),
    table: {
      head: [criteria.region, criteria.count(mm), criteria.longest, criteria.holds],
      rows: [
        ...counts.map(({ region, lesions: n, longestAxisMm }) => ({
          location: region,
          cells: [words.locations[region], figure(n, 0), figure(longestAxisMm, 1), n > 0 ? words.yes : words.no],
        })),
        ...[criteria.spinalCord, criteria.opticNerve].map((name) => ({
          cells: [name, '–', '–', criteria.notImaged],
        })),
      ],
    },
    sentence: criteria.sentence(
      figure(held.length, 0),
      figure(counts.length, 0),
      held.map(({ region }) => words.locations[region].toLocaleLowerCase(words.locale)).join(', '),
    ),
  }
}

function earlierOf(input: ReportInput, { words, figure, signed, listed }: Speech): ReportContent['earlier'] {
  const { earlier } = words
  const then = input.earlier!
  const now = input.summary
  const counts = (name: string, a: number, b: number): string[] => [name, figure(a, 0), figure(b, 0), signed(b - a, 0)]
  // What is subtracted is what is printed: 0.13 less 0.12 is 0.01.
  const volumes = (a: number, b: number, decimals = 2): string[] => {
    const [x, y] = [a, b].map((ml) => Number(ml.toFixed(decimals)))
    const percent = x > 0 ? `${signed((100 * (y - x)) / x, 0)} %` : '–'
    return [figure(x, decimals), figure(y, decimals), signed(y - x, decimals), percent]
  }
  const row = (name: string, a: { count: number; volumeMl: number }, b: { count: number; volumeMl: number }) => [
    ...counts(name, a.count, b.count),
    ...volumes(a.volumeMl, b.volumeMl),
  ]
  const [a, b] = [then.brainMl, brainMl(input)]
  const [before, after] = [then.summary.lesionVolumePercentOfBrain, now.lesionVolumePercentOfBrain]
  const [old, recent] = [earlier.before(then.visitDate ?? ''), earlier.now(input.visitDate ?? '')]
  const blank = ['', '', '']
  return {
    table: {
      head: [
        words.result.location,
        `${earlier.lesions}: ${old}`,
        recent,
        earlier.change,
        `${earlier.volume}: ${old}`,
        recent,
        earlier.change,
        earlier.percent,
      ],
      rows: [
        ...locations.map((location) => ({
          location,
          cells: row(words.shortLocations[location], then.summary.byLocation[location], now.byLocation[location]),
        })),
        {
          apart: true,
          cells: row(
            words.result.total,
            { count: then.summary.lesionCount, volumeMl: then.summary.lesionVolumeMl },
            { count: now.lesionCount, volumeMl: now.lesionVolumeMl },
          ),
        },
        ...(before === null || after === null
          ? []
          : [{ cells: [earlier.percentOfBrain, ...blank, ...volumes(before, after)] }]),
        ...(a === undefined || b === undefined ? [] : [{ cells: [earlier.brain, ...blank, ...volumes(a, b, 0)] }]),
      ],
    },
    notes:
      then.differences.length === 0
        ? []
        : [earlier.differs(listed(then.differences.map((what) => earlier.differences[what])))],
  }
}

/** The serious ones first. */
function flagsOf(flags: readonly Flag[], { language, words }: Speech): ReportContent['flags'] {
  const order = ['serious', 'warning', 'info'] as const
  return [...flags]
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
    .map((flag) => ({
      code: flag.code,
      severity: flag.severity,
      message: flagSentence(flag, language),
      label: words.quality.severities[flag.severity],
    }))
}

function methodOf(input: ReportInput, said: Speech): MethodContent {
  const { words, figure } = said
  const { method: used, summary, params = {}, paramNotes = {}, settings = {}, software, reportVersion } = input
  const phrases = words.method
  const citation = used.citation && `${used.citation.text}${used.citation.doi ? ` doi:${used.citation.doi}` : ''}`
  const smallest = figure(summary.minimumSizeMm3, decimalsOf(summary.minimumSizeMm3))
  const voxels = settings.minimumVoxels === undefined ? '' : figure(settings.minimumVoxels, 0)
  const madeBy = `${software.name} ${software.version}${software.runtime ? `, ${software.runtime}` : ''}`
  const other = reportVersion !== undefined && reportVersion !== software.version
  return {
    title: input.maskGiven ? phrases.given : `${used.title} (${used.id})`,
    describe: used.describe,
    ...(citation ? { citation } : {}),
    paper: paperOf(input, said),
    settings: [
      ...Object.entries(params).map(([name, value]) => ({
        name,
        ...(paramNotes[name] ? { note: paramNotes[name] } : {}),
        value: plain(value),
      })),
      ...(input.threshold === undefined ? [] : [{ name: phrases.threshold, value: figure(input.threshold) }]),
      { name: phrases.smallest, value: phrases.smallestValue(smallest, voxels) },
      { name: phrases.touching, value: phrases.neighbours(String(summary.connectivity)) },
      ...(settings.locationRule === undefined ? [] : [{ name: phrases.rule, value: settings.locationRule }]),
      ...(settings.probabilityCut === undefined
        ? []
        : [{ name: phrases.cut, value: figure(settings.probabilityCut, decimalsOf(settings.probabilityCut)) }]),
    ],
    versions: [phrases.segmentedBy(madeBy), ...(other ? [phrases.writtenBy(`${software.name} ${reportVersion}`)] : [])],
    references: [...(citation && !input.maskGiven ? [citation] : []), ...criteriaReferences],
  }
}

function paperOf(input: ReportInput, said: Speech): string {
  const { sentences } = said.words.method
  const { software, method, summary, settings = {} } = input
  const name = `${software.name} ${software.version}`
  const images = imageNames(input, said)
  const params = Object.entries(input.params ?? {}).map(([key, value]) => `${key} = ${plain(value)}`)
  const cited = method.citation ? ` (${method.citation.text})` : ''
  const first = input.maskGiven
    ? sentences.given(images, name)
    : sentences.segmented(images, name, `${method.id}${cited}`, params.join(', '))
  const smallest = said.figure(summary.minimumSizeMm3, decimalsOf(summary.minimumSizeMm3))
  return `${first} ${sentences.rules(String(summary.connectivity), smallest, settings.locationRule ?? '')}`
}
