import { z } from 'zod'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { readTsv } from '../formats/tsv.js'
import { type Description, describe } from './statistics/describe.js'
import { kendallTau } from './statistics/ranks.js'

/** Mean and standard deviation over a challenge's test cases, as printed; the deviation is NaN where none is given. */
export interface Spread {
  mean: number
  sd: number
}

/** One method's line in a table of the survey, or a result of our own beside it. */
export interface SurveyRow {
  method: string
  /** The survey's reference, e.g. `[14]`; empty for our own. */
  cite: string
  kind: 'statistical' | 'deep'
  /** Year of publication as the method's name has it. */
  year?: number
  /** Handed in to the challenge itself, not published later. */
  challengeEntry: boolean
  score: number
  /** Lesion-wise true and false positive rates, 0 to 1. */
  ltpr: Spread
  lfpr: Spread
  dice?: Spread
  /** Numbers (from 1) of the survey's inconsistencies that name this line. */
  notes: number[]
  own: boolean
}

export interface SurveyTable {
  /** As the survey numbers it. */
  name: 'Table III' | 'Table IV'
  challenge: string
  hasDice: boolean
  rows: SurveyRow[]
}

export interface Survey {
  source: string
  tables: [SurveyTable, SurveyTable]
  inconsistencies: { id: string; certainty: string; note: string }[]
}

const share = z.number().min(0).max(1)
const spread = z.object({ mean: share, sd: z.number().min(0) })
const row = z.object({
  method: z.string().min(1),
  cite: z.string(),
  kind: z.enum(['statistical', 'deep']),
  challenge_entry: z.boolean(),
  score: z.number(),
  LTPR: spread,
  LFPR: spread,
  Dice: spread.optional(),
})
const table = z.object({ challenge: z.string().min(1), columns: z.array(z.string()), rows: z.array(row).min(1) })
const file = z.object({
  source: z.string(),
  tableIII: table,
  tableIV: table,
  inconsistencies: z.array(z.object({ id: z.string(), certainty: z.string(), note: z.string() })),
})

/**
 * Reads the results tables of the survey of Ma et al. (2022, IEEE JBHI) from their JSON form: Table III (MSSEG 2008)
 * and Table IV (ISBI 2015), and the list of what does not fit together in print. Nothing is corrected.
 * @throws InputError when the text is no JSON or not of this form; names the first place that is wrong
 */
export function readSurvey(text: string, source: string): Survey {
  const {
    source: printed,
    tableIII,
    tableIV,
    inconsistencies,
  } = readJson(text, file, {
    source,
    what: "the survey's tables",
    fix: 'give the JSON file with tableIII, tableIV and inconsistencies',
  })
  const tables = [
    { name: 'Table III', key: 'table3', ...tableIII },
    { name: 'Table IV', key: 'table4', ...tableIV },
  ] as const
  const [first, second] = tables.map(({ name, key, challenge, columns, rows }) => ({
    name,
    challenge,
    hasDice: columns.includes('Dice'),
    rows: rows.map(({ method, cite, kind, challenge_entry, score, LTPR, LFPR, Dice }) => ({
      method,
      cite,
      kind,
      year: yearOf(method),
      challengeEntry: challenge_entry,
      score,
      ltpr: LTPR,
      lfpr: LFPR,
      dice: Dice,
      notes: inconsistencies.flatMap(({ id, note }, n) => (id.startsWith(key) && names(note, method) ? [n + 1] : [])),
      own: false,
    })),
  }))
  return { source: printed, tables: [first, second], inconsistencies }
}

const yearOf = (method: string): number | undefined => {
  const year = /\b(?:19|20)\d\d\b/.exec(method)
  return year ? Number(year[0]) : undefined
}

/** Whether a note speaks of a method: by its first author and, where the note gives a year after the name, by that too. */
function names(note: string, method: string): boolean {
  const author = method.split(/[ ,]/)[0]
  const mentions = [...note.matchAll(new RegExp(`\\b${author}\\b(?: (\\d{4}))?`, 'g'))]
  return mentions.some(([, year]) => year === undefined || Number(year) === yearOf(method))
}

const columns = ['method', 'challenge', 'score', 'ltpr', 'lfpr', 'dice', 'year', 'kind']

/**
 * Adds results of our own to the tables: a TSV with the columns method, challenge (the name in the survey, or `msseg2008`,
 * `isbi2015`), score, ltpr, lfpr (0 to 1), dice, year, kind (`statistical` or `deep`); `n/a` where a figure is missing.
 * @throws InputError naming the line that will not do
 */
export function withResults(survey: Survey, text: string, source: string): Survey {
  const { columns: given, rows } = readTsv(text, source)
  const missing = columns.find((name) => !given.includes(name))
  if (missing !== undefined)
    throw new InputError(source, `there is no column "${missing}"`, `give a TSV with the columns ${columns.join(', ')}`)
  const added = survey.tables.map(() => [] as SurveyRow[])
  for (const [i, cells] of rows.entries()) {
    const line = `line ${i + 2}`
    const number = (name: string, [least, most]: readonly [number, number] = [0, 1]): number => {
      const value = cells[name] === undefined ? Number.NaN : Number(cells[name])
      if (cells[name] !== undefined && !(value >= least && value <= most))
        throw new InputError(
          source,
          `${line}: ${name} is "${cells[name]}"`,
          `give a number from ${least} to ${most}, or n/a`,
        )
      return value
    }
    const at = survey.tables.findIndex(({ challenge }) => sameChallenge(challenge, cells.challenge ?? ''))
    if (at < 0) {
      const known = survey.tables.map(({ challenge }) => challenge).join(' or ')
      throw new InputError(source, `${line}: the challenge "${cells.challenge ?? ''}" has no table`, `give ${known}`)
    }
    const { method, kind } = cells
    if (!method) throw new InputError(source, `${line}: the method has no name`, 'fill the column "method"')
    if (kind !== 'statistical' && kind !== 'deep')
      throw new InputError(source, `${line}: the kind is "${kind ?? ''}"`, 'give statistical or deep')
    if ([...survey.tables[at].rows, ...added[at]].some((row) => row.method === method))
      throw new InputError(
        source,
        `${line}: "${method}" is in this table already`,
        'give each result a name of its own',
      )
    const year = number('year', [1980, 2100])
    added[at].push({
      method,
      cite: '',
      kind,
      year: Number.isNaN(year) ? undefined : year,
      challengeEntry: false,
      score: number('score', [0, 100]),
      ltpr: { mean: number('ltpr'), sd: Number.NaN },
      lfpr: { mean: number('lfpr'), sd: Number.NaN },
      dice: survey.tables[at].hasDice ? { mean: number('dice'), sd: Number.NaN } : undefined,
      notes: [],
      own: true,
    })
  }
  const [first, second] = survey.tables.map((table, at) => ({ ...table, rows: [...table.rows, ...added[at]] }))
  return { ...survey, tables: [first, second] }
}

/** `msseg2008` for `MICCAI-MSSEG 2008`: letters and digits of one end the other. */
function sameChallenge(name: string, given: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  return plain(given) !== '' && (plain(name) === plain(given) || plain(name) === `miccai${plain(given)}`)
}

export interface KindSummary {
  kind: SurveyRow['kind']
  challenge: string
  score: Description
  ltpr: Description
  lfpr: Description
}

/** What the survey's methods of each kind reached in each challenge; our own results are left out. */
export const summariseKinds = ({ tables }: Survey): KindSummary[] =>
  tables.flatMap(({ challenge, rows }) =>
    (['statistical', 'deep'] as const).map((kind) => {
      const of = rows.filter((row) => row.kind === kind && !row.own)
      return {
        kind,
        challenge,
        score: describe(of.map(({ score }) => score)),
        ltpr: describe(of.map(({ ltpr }) => ltpr.mean)),
        lfpr: describe(of.map(({ lfpr }) => lfpr.mean)),
      }
    }),
  )

/** Kendall's τ-b between year and score in each table, over the survey's rows with a year. */
export const scoreByYear = ({ tables }: Survey): { challenge: string; tau: number; n: number }[] =>
  tables.map(({ challenge, rows }) => {
    const dated = rows.filter(({ year, own }) => year !== undefined && !own)
    return {
      challenge,
      tau: kendallTau(
        dated.map(({ year }) => year!),
        dated.map(({ score }) => score),
      ),
      n: dated.length,
    }
  })
