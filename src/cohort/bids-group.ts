import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, UsageError } from '../errors.js'
import { bareLabel, labelOf, visitFolder, visitId } from '../formats/bids.js'
import { readTsv } from '../formats/tsv.js'
import type { CohortInput, CohortVisit, GroupComparison } from '../report/cohort-input.js'
import { buildCohortPage } from '../report/cohort-page.js'
import { writeWhole } from '../run/output-file.js'
import { packageVersion } from '../run/segment.js'
import { chosen, type Dataset, readDataset, type Session } from './bids-dataset.js'
import { assertOf, isOurDataset } from './bids-derivatives.js'
import { identityDifference, readLog, storedVisit, type VisitProvenance } from './bids-status.js'
import { visitTimes } from './bids-times.js'
import { compareGroups, findOutliers } from './cohort-analysis.js'
import { cohortTable } from './cohort-table.js'

export interface GroupOptions {
  /** The raw data set: who there is, and what its tables tell of them. */
  bids: string
  /** The derivatives that the participant level wrote. */
  out: string
  participants?: readonly string[]
  sessions?: readonly string[]
  /** Column of participants.tsv. Default: `group`, where there is one. */
  groupBy?: string
  /** Columns of participants.tsv. Default: `age` and `sex`, those that are there. */
  covariates?: readonly string[]
  /** Only count; write nothing. */
  dryRun?: boolean
  onNote?(text: string): void
}

export interface GroupResult {
  schemaVersion: 1
  level: 'group'
  counts: { visits: number; subjects: number; done: number; failed: number; leftOut: number; notRun: number }
  outliers: CohortInput['outliers']
  comparison: GroupComparison
}

/**
 * Brings the results of all visits together: `cohort.tsv` with its dictionary `cohort.json`, and `cohort.html`. Runs nothing
 * again; visits without a result are listed with the reason.
 *
 * @throws InputError (no result is there), UsageError (a label or column that is not there), RunError (the folder cannot be
 *   written)
 */
export async function bidsGroup(options: GroupOptions): Promise<GroupResult> {
  const { bids, out, onNote } = options
  const data = await readDataset(bids)
  const sessions = chosen(data, { participants: options.participants, sessionLabels: options.sessions })
  if (!(await isOurDataset(out)))
    throw new InputError(out, 'holds no results of ours', 'run `lesionwise bids BIDS_DIR OUT_DIR participant` first')
  await assertOf(out, data)
  const people = await participantsOf(data)
  const groupColumn = columnOf(people, options.groupBy, 'group-by') ?? firstOf(people.columns, ['group'])
  const covariates = options.covariates
    ? options.covariates.map((name) => columnOf(people, name, 'covariates') as string)
    : ['age', 'sex'].filter((name) => people.columns.includes(name))
  const read = await Promise.all(sessions.map((session) => readVisit(out, session)))
  if (!read.some(({ visit }) => visit.status === 'done'))
    throw new InputError(out, 'no visit has a result', 'run `lesionwise bids BIDS_DIR OUT_DIR participant` first')

  const times = await visitTimes(data, sessions)
  const seen = new Map<string, number>()
  const visits = inOrderOfTime(sessions, times).map((i): CohortVisit => {
    const { visit } = read[i]
    const place = (seen.get(visit.subject) ?? 0) + 1
    seen.set(visit.subject, place)
    const row = people.rows.get(visit.subject) ?? {}
    return {
      ...visit,
      visit: place,
      months: times[i],
      ...(groupColumn !== undefined && row[groupColumn] !== undefined ? { group: row[groupColumn] } : {}),
      covariates: Object.fromEntries(
        covariates.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])),
      ),
    }
  })
  const outliers = findOutliers(visits)
  const comparison = compareGroups(visits, groupColumn ?? 'group', covariates)
  const provenances = read.flatMap(({ provenance }) => provenance ?? [])
  const mixed = mixedSettings(provenances)
  if (mixed.length > 0) onNote?.(`the visits were not all made alike (${mixed.join(', ')})`)
  const version = await packageVersion()
  const of = (status: CohortVisit['status']) => visits.filter((visit) => visit.status === status).length
  if (!options.dryRun) {
    const { table, dictionary } = cohortTable(visits, { groupColumn, covariates, outliers })
    const page = await buildCohortPage({
      software: { name: 'Lesionwise', version },
      date: new Date().toISOString().slice(0, 10),
      dataset: data.name,
      ...{ visits, outliers, comparison, problems: data.problems, mixed, methods: methodsOf(provenances) },
    })
    await writeWhole(
      new Map([
        [join(out, 'cohort.tsv'), table],
        [join(out, 'cohort.json'), dictionary],
        [join(out, 'cohort.html'), page],
      ]),
    )
  }
  return {
    schemaVersion: 1,
    level: 'group',
    counts: {
      visits: visits.length,
      subjects: new Set(visits.map(({ subject }) => subject)).size,
      ...{ done: of('done'), failed: of('failed'), leftOut: of('left out'), notRun: of('not run') },
    },
    outliers,
    comparison,
  }
}

/** Indices of the visits, person by person; those of one person by time where all of them have one, else by their labels. */
function inOrderOfTime(sessions: readonly Session[], times: readonly number[]): number[] {
  const ofPerson = new Map<string, number[]>()
  for (const [i, { subject }] of sessions.entries()) ofPerson.set(subject, [...(ofPerson.get(subject) ?? []), i])
  return [...ofPerson.values()].flatMap((own) =>
    own.some((i) => Number.isNaN(times[i])) ? own : own.sort((a, b) => times[a] - times[b] || a - b),
  )
}

const noFigures = {
  ...{ lesionCount: Number.NaN, lesionMl: Number.NaN, percentOfBrain: Number.NaN, brainMl: Number.NaN },
  ...{ byLocation: {}, doubts: [], months: Number.NaN, visit: 0, covariates: {} },
  ...{ minutes: Number.NaN, peakMegabytes: Number.NaN },
}

/** What is there of a visit: its result, or why there is none. */
async function readVisit(out: string, session: Session): Promise<{ visit: CohortVisit; provenance?: VisitProvenance }> {
  const { id, subject, session: label } = session
  const who = { id, subject, ...(label === undefined ? {} : { session: label }) }
  const log = await readLog(out, id)
  const stored = await storedVisit(out, session)
  if (stored.provenance) {
    const { provenance: complete, summary } = stored
    const folder = visitFolder(session)
    const { lesionCount, lesionVolumeMl, lesionVolumePercentOfBrain, byLocation, flags } = summary
    const percent = lesionVolumePercentOfBrain ?? Number.NaN
    return {
      provenance: complete,
      visit: {
        ...noFigures,
        ...who,
        status: 'done',
        method: complete.identity.method,
        lesionCount,
        lesionMl: lesionVolumeMl,
        percentOfBrain: percent,
        brainMl: complete.brainMl ?? (percent > 0 ? (100 * lesionVolumeMl) / percent : Number.NaN),
        byLocation,
        doubts: [
          ...flags.filter(({ severity }) => severity !== 'info').map(({ message }) => message),
          // One mistyped option must not take the whole cohort's results away.
          ...(log?.status === 'failed'
            ? [`A later run failed (${log.reason}): these figures are of the run before.`]
            : []),
        ],
        minutes: complete.seconds / 60,
        peakMegabytes: complete.peakMegabytes,
        report: `${folder}/${visitId(session)}_report.html`,
      },
    }
  }
  const { damage } = stored
  if (damage !== undefined)
    return { visit: { ...noFigures, ...who, status: 'failed', reason: `${damage}; run the participant level again` } }
  if (log?.status === 'failed' || log?.status === 'left out')
    return { visit: { ...noFigures, ...who, status: log.status, reason: log.reason } }
  if (session.problem !== undefined)
    return { visit: { ...noFigures, ...who, status: 'left out', reason: session.problem } }
  return { visit: { ...noFigures, ...who, status: 'not run', reason: 'the participant level has not come to it' } }
}

interface People {
  columns: readonly string[]
  rows: ReadonlyMap<string, Record<string, string>>
  /** Why the table cannot be read. */
  problem?: string
}

async function participantsOf({ root }: Dataset): Promise<People> {
  const text = await readFile(join(root, 'participants.tsv'), 'utf8').catch(() => undefined)
  if (text === undefined) return { columns: [], rows: new Map() }
  try {
    const { columns, rows } = readTsv(text, 'participants.tsv')
    return {
      columns: columns.filter((name) => name !== 'participant_id'),
      // Of a person who is named twice the first line counts, as the list of problems says.
      rows: new Map(rows.toReversed().map((row) => [labelOf(bareLabel(row.participant_id ?? '', 'sub')) ?? '', row])),
    }
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause
    return { columns: [], rows: new Map(), problem: cause.problem }
  }
}

function columnOf({ columns, problem }: People, name: string | undefined, option: string): string | undefined {
  if (name === undefined || columns.includes(name)) return name
  throw new UsageError(
    problem === undefined
      ? `--${option} ${name}: participants.tsv has no such column; it has ${columns.join(', ') || 'none beside participant_id'}`
      : `--${option} ${name}: participants.tsv cannot be read (${problem})`,
  )
}

const firstOf = (columns: readonly string[], names: readonly string[]): string | undefined =>
  names.find((name) => columns.includes(name))

/** What differs in settings among the visits, in words. Images differ by nature. */
function mixedSettings(provenances: readonly VisitProvenance[]): string[] {
  const [first, ...others] = provenances.map(({ identity }) => ({ ...identity, images: {} }))
  return [...new Set(others.flatMap((one) => identityDifference(first, one)?.replace(', now ', ' and ') ?? []))].slice(
    0,
    5,
  )
}

function methodsOf(provenances: readonly VisitProvenance[]): CohortInput['methods'] {
  const found = new Map<string, { id: string; citation?: string; n: number }>()
  for (const { method } of provenances) {
    const one = found.get(method.id) ?? { id: method.id, citation: method.citation, n: 0 }
    found.set(method.id, { ...one, n: one.n + 1 })
  }
  return [...found.values()]
}
