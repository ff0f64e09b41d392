import { z } from 'zod'
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

const load = z.object({
  count: z.int().min(0).describe('lesions'),
  volumeMl: z.number().min(0).describe('their volume, ml'),
})

/** `summary.json` as it is published: docs/schema/summary.schema.json is written from this. */
export const summarySchema = z
  .object({
    schemaVersion: z.literal(1),
    lesionCount: z.int().min(0).describe('lesions: connected components that are large enough'),
    lesionVolumeMl: z.number().min(0).describe('volume of all lesions, ml, on the grid of the FLAIR as given'),
    lesionVolumePercentOfBrain: z
      .number()
      .min(0)
      .nullable()
      .describe("lesion volume in per cent of the brain mask's; null where there is no brain mask"),
    byLocation: z
      .object({
        periventricular: load,
        juxtacortical: load.describe('juxtacortical and cortical'),
        infratentorial: load.describe('brainstem and cerebellum'),
        subcortical: load.describe('deep and subcortical white matter: all others'),
      })
      .describe('each lesion counts in one class'),
    flags: z
      .array(
        z.object({
          code: z.string().describe('stable name, e.g. thick-slices'),
          severity: z.enum(['info', 'warning', 'serious']),
          message: z.string().describe('one sentence for a reader'),
          values: z
            .record(z.string(), z.union([z.number(), z.string()]))
            .optional()
            .describe('the figures and names in that sentence, for other languages'),
        }),
      )
      .describe('doubts about the images and the run'),
    method: z
      .string()
      .describe('id of the method; "given" where a mask was given; ids separated by commas for several'),
    model: z.string().optional().describe('model of a network'),
    connectivity: z
      .union([z.literal(6), z.literal(18), z.literal(26)])
      .describe('which voxels touch: 6, 18 or 26 neighbours'),
    minimumSizeMm3: z.number().min(0).describe('smallest lesion counted, mm³'),
  })
  .describe(
    'Counts and volumes of one visit, as `lesionwise segment` writes them into summary.json. Research only.',
  ) satisfies z.ZodType<Summary>

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

/** A volume as the files hold it; null where there is none. */
export const millilitresOf = (ml: number | undefined): number | null => (ml === undefined ? null : rounded(ml))

const finite = (value: number | undefined): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : rounded(value)
