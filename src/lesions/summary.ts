import type { Flag } from '../errors.js'
import { countVoxels, type Mask, voxelVolume } from '../volume/volume.js'
import { type Lesion, type Location, locations } from './types.js'

export interface Load {
  count: number
  volumeMl: number
}

/** What `summary.json` holds. */
export interface Summary {
  schemaVersion: 1
  lesionCount: number
  lesionVolumeMl: number
  /** Lesion volume in per cent of the brain mask's; null where there is no brain mask. */
  lesionVolumePercentOfBrain: number | null
  byLocation: Record<Location, Load>
  flags: Flag[]
  method: string
  model?: string
  connectivity: 6 | 18 | 26
  minimumSizeMm3: number
}

export interface SummaryInput {
  lesions: readonly Lesion[]
  brain?: Mask
  flags: readonly Flag[]
  method: string
  model?: string
  connectivity: 6 | 18 | 26
  minimumSizeMm3: number
}

/** Counts and volumes of located lesions. A lesion without a location counts as subcortical. */
export function summarise({
  lesions,
  brain,
  flags,
  method,
  model,
  connectivity,
  minimumSizeMm3,
}: SummaryInput): Summary {
  const volumeMl = millilitres(lesions)
  const brainMl = brain ? (countVoxels(brain) * voxelVolume(brain)) / 1000 : 0
  return {
    schemaVersion: 1,
    lesionCount: lesions.length,
    lesionVolumeMl: rounded(volumeMl),
    lesionVolumePercentOfBrain: brainMl > 0 ? rounded((100 * volumeMl) / brainMl) : null,
    byLocation: Object.fromEntries(
      locations.map((location) => {
        const here = lesions.filter((lesion) => (lesion.location ?? 'subcortical') === location)
        return [location, { count: here.length, volumeMl: rounded(millilitres(here)) }]
      }),
    ) as Record<Location, Load>,
    flags: [...flags],
    method,
    ...(model === undefined ? {} : { model }),
    connectivity,
    minimumSizeMm3,
  }
}

/** The columns and rows of `lesions.tsv`; a value that was not measured is left empty (`n/a` in the file). */
export function lesionTable(lesions: readonly Lesion[]): {
  columns: string[]
  rows: (string | number | undefined)[][]
} {
  const modalities = [...new Set(lesions.flatMap(({ intensities }) => Object.keys(intensities ?? {})))]
  const columns = [
    'id',
    'location',
    'voxels',
    'volume_mm3',
    'centroid_x_mm',
    'centroid_y_mm',
    'centroid_z_mm',
    'longest_axis_mm',
    'touches',
    'ventricle_gap_mm',
    'cortex_gap_mm',
    'infratentorial_fraction',
    'cortical_fraction',
    ...modalities.map((modality) => `mean_${modality}`),
  ]
  const rows = lesions.map((lesion) => [
    lesion.id,
    lesion.location,
    lesion.voxels,
    rounded(lesion.volumeMm3),
    ...lesion.centroid.map(rounded),
    rounded(lesion.longestAxisMm),
    lesion.touches?.join(','),
    finite(lesion.ventricleGapMm),
    finite(lesion.cortexGapMm),
    finite(lesion.infratentorialFraction),
    finite(lesion.corticalFraction),
    ...modalities.map((modality) => finite(lesion.intensities?.[modality as keyof typeof lesion.intensities])),
  ])
  return { columns, rows }
}

/** Sum of the lesions' volumes, in ml. */
export const millilitres = (lesions: readonly Lesion[]): number =>
  lesions.reduce((sum, { volumeMm3 }) => sum + volumeMm3, 0) / 1000

/** Four decimals: a tenth of a mm³ in ml, and no digits that only the floating point knows. */
const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

const finite = (value: number | undefined): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : rounded(value)
