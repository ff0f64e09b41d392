import type { Survey, SurveyRow, SurveyTable } from '../evaluate/survey.js'
import { type Colouring, detectionPlane, type PlanePoint } from './detection-plane.js'

/** A figure of methods in the plane of lesion detection. */
export interface SurveyFigure {
  /** File name without ending. */
  name: string
  /** What it is called among others, e.g. `Figure 2`. */
  heading: string
  title: string
  caption: string
  /** A whole SVG file. */
  svg: string
}

// From the palette of Okabe & Ito, told apart by colour-blind readers.
const kindColour = { statistical: '#d55e00', deep: '#0072b2' }
const challengeColours = ['#007f66', '#a8488f']
const yearColours = ['#d0b43a', '#8fae4b', '#4fa271', '#268c8c', '#27708e', '#3b4f8a', '#46186a']
const grey = '#8a8a8a'

const reading =
  'Hollow: entered in the challenge itself; filled: published later. Dashed curves: equal harmonic mean of the two rates. †: named in the list of inconsistencies.'

/**
 * The survey's Figures 2 and 3 (a challenge each) and the same plane for both challenges together, by challenge, by
 * year and by kind of method: lesion-wise true positive rate against 1 − lesion-wise false positive rate. Rows without
 * one of the rates are in the tables only. The printed figures' layout is not in the data: theirs are the numbers.
 */
export async function surveyFigures(survey: Survey): Promise<SurveyFigure[]> {
  const both = survey.tables.map(({ challenge }) => challenge).join(' and ')
  const pooled = survey.tables.flatMap((table) => pointsOf(table, namesInBoth(survey)))
  const suffix = '(III), (IV): the table, where a name is in both.'
  const plans = [
    ...survey.tables.map((table, n) => ({
      name: `figure-${n + 2}`,
      heading: `Figure ${n + 2}: ${table.challenge}`,
      title: `Lesion detection in ${table.challenge}`,
      caption: `Figure ${n + 2} of the survey, drawn from its ${table.name}. ${reading}`,
      points: pointsOf(table),
      colouring: byKind,
    })),
    {
      name: 'by-challenge',
      heading: 'By challenge',
      title: 'Lesion detection by challenge',
      caption: `${both}. Scans, raters and the matching of lesions differ: compare within a challenge. ${reading} ${suffix}`,
      points: pooled,
      colouring: byChallenge(survey),
    },
    {
      name: 'by-year',
      heading: 'By year',
      title: 'Lesion detection by year of publication',
      caption: `${both}; grey: no year is printed. ${reading} ${suffix}`,
      points: pooled,
      colouring: byYear(survey),
    },
    {
      name: 'by-kind',
      heading: 'By kind of method',
      title: 'Lesion detection by kind of method',
      caption: `${both}. Crosses: means of the survey's methods of a kind in a challenge. ${reading} ${suffix}`,
      points: pooled,
      colouring: byKind,
      centres: survey.tables.flatMap(centresOf),
    },
  ]
  const figures: SurveyFigure[] = []
  for (const { name, heading, title, caption, ...plan } of plans)
    figures.push({ name, heading, title, caption, svg: await detectionPlane({ title, ...plan }) })
  return figures
}

/** `Zhang 2019` for `Zhang et al., 2019`; our own keep their whole name. */
export function shortName({ method, own, notes }: SurveyRow): string {
  const author = method
    .replace(/ et al\.?/, '')
    .replace(/ and [^,]+/, '')
    .replace(', ', ' ')
  return `${own ? method : author}${notes.length > 0 ? '†' : ''}`
}

const namesInBoth = ({ tables: [first, second] }: Survey): Set<string> =>
  new Set(first.rows.map(({ method }) => method).filter((name) => second.rows.some(({ method }) => method === name)))

const pointsOf = (table: SurveyTable, inBoth = new Set<string>()): PlanePoint[] =>
  table.rows
    .map((row) => ({
      row,
      challenge: table.challenge,
      label: shortName(row) + (inBoth.has(row.method) ? ` (${numeral(table)})` : ''),
      x: 1 - row.lfpr.mean,
      y: row.ltpr.mean,
    }))
    .filter(({ x, y }) => !Number.isNaN(x + y))

const numeral = ({ name }: SurveyTable): string => name.replace('Table ', '')

function centresOf(table: SurveyTable) {
  return (['statistical', 'deep'] as const).flatMap((kind) => {
    const points = pointsOf(table).filter(({ row }) => row.kind === kind && !row.own)
    const centre = (value: (p: PlanePoint) => number) => points.reduce((sum, p) => sum + value(p), 0) / points.length
    return points.length > 0
      ? [{ x: centre((p) => p.x), y: centre((p) => p.y), colour: kindColour[kind], label: `mean (${numeral(table)})` }]
      : []
  })
}

const byKind: Colouring = { colour: ({ row }) => kindColour[row.kind], kinds: kindColour }

const byChallenge = ({ tables }: Survey): Colouring => ({
  colour: ({ challenge }) => challengeColours[tables.findIndex((table) => table.challenge === challenge)],
  keys: tables.map(({ challenge }, n) => ({ label: challenge, colour: challengeColours[n] })),
})

function byYear({ tables }: Survey): Colouring {
  const dated = tables.flatMap(({ rows }) => rows.flatMap(({ year }) => year ?? []))
  const [from, to] = [Math.min(...dated), Math.max(...dated)]
  const place = (year: number) => ((year - from) / Math.max(1, to - from)) * (yearColours.length - 1)
  return {
    colour: ({ row }) => (row.year === undefined ? grey : between(place(row.year))),
    ramp: { from: String(from), to: String(to), colours: yearColours },
  }
}

/** A colour between two neighbours of the ramp. */
function between(place: number): string {
  const below = Math.min(Math.floor(place), yearColours.length - 2)
  const channel = (hex: string, c: number) => Number.parseInt(hex.slice(1 + 2 * c, 3 + 2 * c), 16)
  const blend = [0, 1, 2].map((c) => {
    const [a, b] = [channel(yearColours[below], c), channel(yearColours[below + 1], c)]
    return Math.round(a + (place - below) * (b - a))
  })
  return `#${blend.map((c) => c.toString(16).padStart(2, '0')).join('')}`
}
