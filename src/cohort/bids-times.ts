import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.js'
import { bareLabel, labelOf } from '../formats/bids.js'
import { readTsv } from '../formats/tsv.js'
import type { Session } from './bids-dataset.js'

const daysOfMonth = 365.25 / 12

/**
 * Months from the first visit of each person to each visit, from `sub-*_sessions.tsv`: `acq_time`, or a column `days`,
 * `weeks`, `months` or `years` (also `days_since_…`). NaN where the data set does not tell it; 0 for a single visit.
 */
export async function visitTimes(root: string, sessions: readonly Session[]): Promise<number[]> {
  const tables = new Map<string, Map<string, number>>()
  for (const { subject } of sessions) if (!tables.has(subject)) tables.set(subject, await monthsOf(root, subject))
  const first = new Map<string, number>()
  const at = sessions.map(({ subject, session }) => tables.get(subject)?.get(session ?? '') ?? Number.NaN)
  for (const [i, { subject }] of sessions.entries())
    if (!Number.isNaN(at[i])) first.set(subject, Math.min(first.get(subject) ?? Number.POSITIVE_INFINITY, at[i]))
  return sessions.map(({ subject }, i) =>
    sessions.filter((one) => one.subject === subject).length === 1 ? 0 : at[i] - (first.get(subject) ?? Number.NaN),
  )
}

async function monthsOf(root: string, subject: string): Promise<Map<string, number>> {
  const file = `sub-${subject}/sub-${subject}_sessions.tsv`
  const text = await readFile(join(root, file), 'utf8').catch(() => undefined)
  if (text === undefined) return new Map()
  try {
    const { columns, rows } = readTsv(text, file)
    const read = readerOf(columns)
    return new Map(rows.map((row) => [labelOf(bareLabel(row.session_id ?? '', 'ses')) ?? '', read(row)]))
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    return new Map()
  }
}

function readerOf(columns: readonly string[]): (row: Record<string, string>) => number {
  if (columns.includes('acq_time'))
    return (row) => (row.acq_time === undefined ? Number.NaN : Date.parse(row.acq_time) / 86400000 / daysOfMonth)
  const months = { days: 1 / daysOfMonth, weeks: 7 / daysOfMonth, months: 1, years: 12 }
  for (const [unit, factor] of Object.entries(months)) {
    const column = columns.find((name) => name === unit || name.startsWith(`${unit}_`) || name.endsWith(`_${unit}`))
    if (column !== undefined) return (row) => (row[column] === undefined ? Number.NaN : factor * Number(row[column]))
  }
  return () => Number.NaN
}
