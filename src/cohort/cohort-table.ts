import { type Cell, writeTsv } from '../formats/tsv.js'
import { locations } from '../lesions/types.js'
import type { CohortVisit, Outlier } from '../report/cohort-input.js'
import { json } from './bids-files.js'

interface ColumnOf {
  name: string
  about: { Description: string; Units?: string; Levels?: Record<string, string> }
  of(visit: CohortVisit): Cell
}

const rounded = (value: number, digits = 4): number => Number(value.toFixed(digits))

/** The columns of `cohort.tsv`; what the data set tells of a person comes last, under its own names. */
function columnsOf(
  groupColumn: string | undefined,
  covariates: readonly string[],
  outliers: readonly Outlier[],
): ColumnOf[] {
  const unusual = new Set(outliers.map(({ id }) => id))
  return [
    { name: 'participant_id', about: { Description: 'Label of the person.' }, of: ({ subject }) => `sub-${subject}` },
    {
      name: 'session_id',
      about: { Description: 'Label of the session; n/a where the data set has none.' },
      of: ({ session }) => (session === undefined ? undefined : `ses-${session}`),
    },
    {
      name: 'status',
      about: {
        Description: 'How the run of the visit ended.',
        Levels: {
          done: 'There is a result.',
          failed: 'It was run and failed.',
          'left out': 'There was nothing to run it on.',
          'not run': 'It was not run yet.',
        },
      },
      of: ({ status }) => status,
    },
    { name: 'reason', about: { Description: 'Why there is no result.' }, of: ({ reason }) => reason },
    {
      name: 'visit',
      about: { Description: 'Place among the visits of the person, from 1.' },
      of: ({ visit }) => visit,
    },
    {
      name: 'months',
      about: { Description: 'Time since the first visit of the person, where the data set tells it.', Units: 'month' },
      of: ({ months }) => rounded(months, 2),
    },
    { name: 'method', about: { Description: 'Method of segmentation.' }, of: ({ method }) => method },
    {
      name: 'lesion_count',
      about: { Description: 'Number of lesions (18-connected, of the smallest size asked for or more).' },
      of: ({ lesionCount }) => lesionCount,
    },
    {
      name: 'lesion_volume',
      about: { Description: 'Volume of all lesions.', Units: 'mL' },
      of: ({ lesionMl }) => rounded(lesionMl),
    },
    {
      name: 'lesion_percent_of_brain',
      about: { Description: 'Lesion volume over that of the brain mask.', Units: '%' },
      of: ({ percentOfBrain }) => rounded(percentOfBrain),
    },
    {
      name: 'brain_volume',
      about: { Description: 'Volume of the brain mask.', Units: 'mL' },
      of: ({ brainMl }) => rounded(brainMl, 1),
    },
    ...locations.flatMap((location): ColumnOf[] => [
      {
        name: `${location}_count`,
        about: { Description: `Lesions that lie ${location}.` },
        of: ({ byLocation }) => byLocation[location]?.count,
      },
      {
        name: `${location}_volume`,
        about: { Description: `Their volume.`, Units: 'mL' },
        of: ({ byLocation }) => byLocation[location]?.volumeMl,
      },
    ]),
    {
      name: 'doubts',
      about: {
        Description: 'Number of doubts that were noticed in the run; their words are in the report of the visit.',
      },
      of: ({ doubts, status }) => (status === 'done' ? doubts.length : undefined),
    },
    {
      name: 'unusual',
      about: {
        Description: 'Whether the visit is listed in cohort.html as one to look at.',
        Levels: { '0': 'No.', '1': 'Yes.' },
      },
      of: ({ id, status }) => (status === 'done' ? Number(unusual.has(id)) : undefined),
    },
    {
      name: 'duration',
      about: { Description: 'Time that the run took.', Units: 's' },
      of: ({ minutes }) => rounded(60 * minutes, 1),
    },
    {
      name: 'peak_memory',
      about: { Description: 'Most memory that the run took.', Units: 'MB' },
      of: ({ peakMegabytes }) => peakMegabytes,
    },
    ...(groupColumn === undefined
      ? []
      : [
          {
            name: groupColumn,
            about: { Description: 'Group of the person, from participants.tsv.' },
            of: ({ group }: CohortVisit) => group,
          },
        ]),
    ...covariates.map((name) => ({
      name,
      about: { Description: 'Of the person, from participants.tsv.' },
      of: (visit: CohortVisit) => visit.covariates[name],
    })),
  ]
}

/** `cohort.tsv`, a row a visit, and `cohort.json`, what its columns mean. */
export function cohortTable(
  visits: readonly CohortVisit[],
  {
    groupColumn,
    covariates,
    outliers,
  }: { groupColumn?: string; covariates: readonly string[]; outliers: readonly Outlier[] },
): { table: string; dictionary: string } {
  const columns = columnsOf(groupColumn, covariates, outliers)
  return {
    table: writeTsv(
      columns.map(({ name }) => name),
      visits.map((visit) => columns.map(({ of }) => of(visit))),
    ),
    dictionary: json(Object.fromEntries(columns.map(({ name, about }) => [name, about]))),
  }
}
