import { variableName, writeCsv } from '../formats/csv.js'
import type { Summary } from './summary.js'
import { locations } from './types.js'

/** What a variable is: type `integer`, `number` or `text`, unit, meaning. */
type Meaning = readonly [type: string, unit: string, description: string]

/** Of the columns of lesions.tsv. */
const lesionMeanings: Readonly<Record<string, Meaning>> = {
  id: ['integer', '', 'number of the lesion, as in lesion_instances.nii.gz; 1 is the largest'],
  location: ['text', '', `class: ${locations.join(', ')}`],
  voxels: ['integer', 'voxels', 'voxels of the FLAIR'],
  volume_mm3: ['number', 'mm3', 'volume'],
  centroid_x_mm: ['number', 'mm', 'mean of the voxel centres, towards the right (RAS, FLAIR header)'],
  centroid_y_mm: ['number', 'mm', 'the same, towards the front'],
  centroid_z_mm: ['number', 'mm', 'the same, towards the head'],
  longest_axis_mm: ['number', 'mm', 'extent along the line through the two voxels farthest apart'],
  touches: ['text', '', 'every region it touches, separated by commas; the first is location'],
  ventricle_gap_mm: ['number', 'mm', 'gap to the lateral and third ventricles; 0 in contact'],
  cortex_gap_mm: ['number', 'mm', 'gap to the cortex; 0 in contact'],
  infratentorial_fraction: ['number', '0-1', 'share within brainstem and cerebellum'],
  cortical_fraction: ['number', '0-1', 'share within the cortex'],
}

/** CSV tables for R, Stata and others. */
export interface StatisticsTables {
  lesions: string
  summary: string
  dictionary: string
}

/**
 * The tables of a result: one row a lesion, one row for the scan, and what every variable is.
 *
 * @param table lesions.tsv: columns, and a record a row without what is missing
 * @param id of the person or scan, put first in both tables so that those of many can be stacked
 */
export function statisticsTables(
  table: { columns: readonly string[]; rows: readonly Readonly<Record<string, string>>[] },
  summary: Summary,
  id?: string,
): StatisticsTables {
  const scan: [string, string | number | undefined, Meaning][] = [
    ...(id === undefined ? [] : [['scan_id', id, idMeaning] as [string, string, Meaning]]),
    ['lesion_count', summary.lesionCount, ['integer', '', 'number of lesions']],
    ['lesion_volume_ml', summary.lesionVolumeMl, ['number', 'ml', 'volume of all lesions']],
    [
      'lesion_volume_pct_brain',
      summary.lesionVolumePercentOfBrain ?? undefined,
      ['number', '%', 'the same, of the volume of the brain mask'],
    ],
    ...locations.flatMap((location): [string, number, Meaning][] => [
      [`${location}_count`, summary.byLocation[location].count, ['integer', '', `number of ${location} lesions`]],
      [
        `${location}_volume_ml`,
        summary.byLocation[location].volumeMl,
        ['number', 'ml', `volume of ${location} lesions`],
      ],
    ]),
    ['method', summary.method, ['text', '', 'method that found them; given: the mask was given']],
    ['model', summary.model, ['text', '', 'model of a network']],
    ['connectivity', summary.connectivity, ['integer', '', 'neighbours by which voxels touch']],
    ['minimum_size_mm3', summary.minimumSizeMm3, ['number', 'mm3', 'smallest lesion kept']],
    [
      'flags',
      summary.flags.map(({ code }) => code).join(';'),
      ['text', '', 'codes of the doubts, separated by semicolons'],
    ],
  ]
  const names = table.columns.map((column) => (column === 'id' ? 'lesion_id' : variableName(column)))
  const first = id === undefined ? [] : ['scan_id']
  const cells = (row: Readonly<Record<string, string>>) => table.columns.map((column) => row[column])
  const meaning = (column: string): Meaning =>
    lesionMeanings[column] ??
    (column.startsWith('mean_')
      ? ['number', 'image units', `mean intensity of ${column.slice(5).toUpperCase()} within the lesion`]
      : ['text', '', ''])
  return {
    lesions: writeCsv(
      [...first, ...names],
      table.rows.map((row) => (id === undefined ? cells(row) : [id, ...cells(row)])),
    ),
    summary: writeCsv(
      scan.map(([name]) => name),
      [scan.map(([, value]) => value)],
    ),
    dictionary: writeCsv(
      ['file', 'variable', 'type', 'unit', 'description'],
      [
        ...first.map((name) => ['lesions.csv', name, ...idMeaning]),
        ...names.map((name, i) => ['lesions.csv', name, ...meaning(table.columns[i])]),
        ...scan.map(([name, , what]) => ['summary.csv', name, ...what]),
      ],
    ),
  }
}

const idMeaning: Meaning = ['text', '', 'the person or scan, as given with --id']
