import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.js'
import { bareLabel, labelOf } from '../formats/bids.js'
import { readTsv } from '../formats/tsv.js'
import type { Dataset, Session } from './bids-dataset.js'

const daysOfMonth = 365.25 / 12

/**
 * Months from the first visit of each person to each visit, from `sub-*_sessions.tsv`: `acq_time`, or a column `days`,
 * `weeks`, `months` or `years` (also `days_since_…`). NaN where the data set does not tell it; 0 for a single visit. Dates that
 * are none are added to the problems of the data set.
 */
export async function visitTimes(
  { root, problems }: Pick<Dataset, 'root' | 'problems'>,
  sessions: readonly Session[],
): Promise<number[]> {
  const tables = new Map<string, Map<string, number>>()
  for (const { subject } of sessions)
    if (!tables.has(subject)) tables.set(subject, await monthsOf(root, subject, problems))
  const first = new Map<string, number>()
  const at = sessions.map(({ subject, session }) => tables.get(subject)?.get(session ?? '') ?? Number.NaN)
  for (const [i, { subject }] of sessions.entries())
    if (!Number.isNaN(at[i])) first.set(subject, Math.min(first.get(subject) ?? Number.POSITIVE_INFINITY, at[i]))
  return sessions.map(({ subject }, i) =>
    sessions.filter((one) => one.subject === subject).length === 1 ? 0 : at[i] - (first.get(subject) ?? Number.NaN),
  )
}

async function monthsOf(root: string, subject: string, problems: Dataset['problems']): Promise<Map<string, number>> {
  const file = `sub-${subject}/sub-${subject}_sessions.tsv`
  const text = await readFile(join(root, file), 'utf8').catch(() => undefined)
  if (text === undefined) return new Map()
  try {
    const { columns, rows } = readTsv(text, file)
    const sessionOf = (row: Record<string, string>) => labelOf(bareLabel(row.session_id ?? '', 'ses')) ?? ''
    for (const row of rows)
      if (row.acq_time !== undefined && Number.isNaN(monthsOfDate(row.acq_time)))
        // Not the date itself: it may be a person's.
        problems.push({
          file,
          problem: `the acq_time of ses-${sessionOf(row)} is no date as BIDS writes it (YYYY-MM-DDThh:mm:ss)`,
        })
    // The first way that tells anything.
    for (const read of readersOf(columns)) {
      const months = new Map(rows.map((row) => [sessionOf(row), read(row)]))
      if ([...months.values()].some((value) => !Number.isNaN(value))) return months
    }
    return new Map()
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    return new Map()
  }
}

/** Months since 1970 of a date as BIDS writes it; NaN for anything else, also for a day that does not exist. */
function monthsOfDate(text: string): number {
  const [, ...parts] =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.exec(text) ?? []
  if (parts.length === 0) return Number.NaN
  const [year, month, day, hour = 0, minute = 0] = parts.map((part) => Number(part ?? 0))
  const date = new Date(0)
  // Not Date.UTC: it takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
    ? date.getTime() / 86400000 / daysOfMonth
    : Number.NaN
}

/** Ways to tell the time of a row, the best first. */
function readersOf(columns: readonly string[]): ((row: Record<string, string>) => number)[] {
  const months = { days: 1 / daysOfMonth, weeks: 7 / daysOfMonth, months: 1, years: 12 }
  return [
    ...(columns.includes('acq_time') ? [(row: Record<string, string>) => monthsOfDate(row.acq_time ?? '')] : []),
    ...Object.entries(months).flatMap(([unit, factor]) => {
      // Not years of education.
      const isTime = new RegExp(`^(${unit}|${unit}_(since|from|after)_.*|(time|visit|age|followup)_${unit})$`)
      const column = columns.find((name) => isTime.test(name))
      return column === undefined
        ? []
        : [(row: Record<string, string>) => (row[column] === undefined ? Number.NaN : factor * Number(row[column]))]
    }),
  ]
}
