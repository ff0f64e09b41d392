import { type Flag, UsageError } from '../errors.js'
import { writeItkAffine } from '../formats/itk.js'
import { type SnapLabel, writeSnapLabels } from '../formats/itk-snap.js'
import { writeMgh } from '../formats/mgh.js'
import { readNiftiMask, readNiftiValues, writeNifti } from '../formats/nifti.js'
import { setThreads } from '../kernels/index.js'
import { statisticsTables } from '../lesions/statistics-tables.js'
import { locationColours, locations } from '../lesions/types.js'
import { coreCount } from '../platform/index.js'
import { mni152Grid } from '../preprocess/space.js'
import { invert } from '../volume/affine.js'
import { emptyMask, type Mask, volumeMl } from '../volume/volume.js'
import { bringMask } from './bring-mask.js'
import { atlasMapFor, freesurferGridFor } from './export-spaces.js'
import type { Progress } from './options.js'
import { openOutputFolder } from './output-folder.js'
import type { Provenance } from './provenance.js'
import { locationOf, ResultFolder } from './result-files.js'

export const exportFormats = ['itksnap', 'freesurfer', 'fsl', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

export interface ExportOptions {
  /** Folder that `segment` wrote. */
  result: string
  to: readonly ExportFormat[]
  out: string
  /** The FLAIR of that run: registers where the result does not say how its images lie to each other. */
  flair?: string
  /** T1 that FreeSurfer ran on, or its orig.mgz: whose grid is wanted. Also helps to find the way to MNI152. */
  t1?: string
  /** Of the person or scan, for the tables. */
  id?: string
  threads?: number
  seed?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** What `--json` prints, and export.json holds. */
export interface ExportResult {
  schemaVersion: 1
  formats: readonly ExportFormat[]
  files: string[]
  /** Lesions on the FLAIR's grid, and on those of other spaces (in ml of that space), ml. */
  lesionMl: number
  lesionMlThere: Partial<Record<ExportFormat, number>>
  /** Where the way to another space was taken from. */
  transforms: Partial<Record<ExportFormat, string>>
  flags: Flag[]
}

/** A result of `segment`, read. */
export interface SegmentedFolder {
  folder: string
  mask: Mask
  provenance: Provenance
}

/**
 * Brings a result of `segment` into the formats of other programs.
 *
 * @throws UsageError, InputError (not a result, an unusable image), RunError; nothing is written then
 */
export async function exportResult(options: ExportOptions): Promise<ExportResult> {
  setThreads(options.threads ?? coreCount())
  const to = [...new Set(options.to)]
  const odd = to.find((name) => !exportFormats.includes(name))
  if (odd !== undefined || to.length === 0)
    throw new UsageError(`--to takes ${exportFormats.join(', ')}${odd === undefined ? '' : `, not "${odd}"`}`)
  const segmented = await ResultFolder.open(options.result)
  const provenance = await segmented.provenance()
  const summary = await segmented.summary()
  const table = await segmented.table()
  const maskName = 'lesion_mask.nii.gz'
  const mask = await readNiftiMask(await segmented.bytes(maskName), segmented.path(maskName))
  const found: SegmentedFolder = { folder: options.result, mask, provenance }

  const flags: Flag[] = []
  const flag = (one: Flag) => {
    flags.push(one)
    options.onFlag?.(one)
  }
  const folder = await openOutputFolder<string>(options.out, (name) => to.some((format) => ours[format].test(name)))
  try {
    const files = new Map<string, Uint8Array | string>()
    const there: ExportResult['lesionMlThere'] = {}
    const transforms: ExportResult['transforms'] = {}
    for (const [i, format] of to.entries()) {
      options.signal?.throwIfAborted()
      options.onProgress?.({ stage: `Writing for ${titles[format]}`, fraction: i / to.length })
      if (format === 'itksnap') {
        const instances = await segmented.bytes('lesion_instances.nii.gz')
        for (const [name, content] of await snapFiles(instances, table.rows)) files.set(name, content)
      } else if (format === 'csv') {
        const tables = statisticsTables(table, summary, options.id)
        files.set('csv/lesions.csv', tables.lesions)
        files.set('csv/summary.csv', tables.summary)
        files.set('csv/data_dictionary.csv', tables.dictionary)
      } else if (format === 'freesurfer') {
        const { grid, map, from } = await freesurferGridFor(found, options, flag)
        const moved = await bringMask(mask, grid, 'FreeSurfer', map)
        for (const one of moved.flags) flag(one)
        files.set('freesurfer/lesion_mask.nii.gz', await writeNifti(moved.mask))
        files.set('freesurfer/lesion_mask.mgz', await writeMgh(moved.mask))
        there.freesurfer = millilitres(moved.mask)
        transforms.freesurfer = from
      } else {
        const { toAtlas, from } = await atlasMapFor(found, options, flag)
        const moved = await bringMask(mask, mni152Grid, 'MNI152', invert(toAtlas))
        for (const one of moved.flags) flag(one)
        files.set('fsl/lesion_mask_MNI152.nii.gz', await writeNifti(moved.mask, { like: inMni }))
        // Resamples the FLAIR onto MNI152: maps points of MNI152 to points of the FLAIR.
        files.set('fsl/from-FLAIR_to-MNI152_mode-image_xfm.txt', writeItkAffine(invert(toAtlas)))
        there.fsl = millilitres(moved.mask)
        transforms.fsl = from
      }
    }
    const result: ExportResult = {
      schemaVersion: 1,
      formats: to,
      files: [...files.keys()],
      lesionMl: millilitres(mask),
      lesionMlThere: there,
      transforms,
      flags,
    }
    files.set('export.json', `${JSON.stringify(result, null, 2)}\n`)
    options.signal?.throwIfAborted()
    await folder.publish(files)
    return result
  } finally {
    await folder.release()
  }
}

const titles: Record<ExportFormat, string> = {
  itksnap: 'ITK-SNAP',
  freesurfer: 'FreeSurfer',
  fsl: 'FSL',
  csv: 'R and Stata',
}

/** The names in the folder that are ours to replace. */
const ours: Record<ExportFormat, RegExp> = {
  itksnap: /^itksnap\/lesion_(instances|locations)\.(nii\.gz|txt)$/,
  freesurfer: /^freesurfer\/lesion_mask\.(nii\.gz|mgz)$/,
  fsl: /^fsl\/(lesion_mask_MNI152\.nii\.gz|from-FLAIR_to-MNI152_mode-image_xfm\.txt)$/,
  csv: /^csv\/(lesions|summary|data_dictionary)\.csv$/,
}

/** NIFTI_XFORM_MNI_152 */
const inMni = { version: 1, sformCode: 4, qformCode: 4, timeUnit: 0 } as const

const millilitres = (mask: Mask): number => Math.round(volumeMl(mask) * 1e4) / 1e4

/** Instances as they are, and the location classes 1–4, each with the description of its labels. */
async function snapFiles(
  instances: Uint8Array,
  rows: readonly Readonly<Record<string, string>>[],
): Promise<[string, Uint8Array | string][]> {
  const lesionLabels = rows.map((row): SnapLabel => {
    const index = Number(row.id)
    // Golden angle: neighbours in the list get colours far apart.
    return {
      index,
      colour: colourOf((index * 137.508) % 360),
      name: `Lesion ${row.id}: ${locationOf(row)}, ${row.volume_mm3} mm3`,
    }
  })
  const { image, header } = await readNiftiValues(instances, 'lesion_instances.nii.gz')
  const codes = new Map(rows.map((row) => [Number(row.id), locations.indexOf(locationOf(row)) + 1]))
  const classes = emptyMask(image)
  for (let i = 0; i < classes.data.length; i++)
    if (image.data[i] !== 0) classes.data[i] = codes.get(image.data[i]) ?? locations.indexOf('subcortical') + 1
  return [
    ['itksnap/lesion_instances.nii.gz', instances],
    ['itksnap/lesion_instances.txt', writeSnapLabels(lesionLabels)],
    ['itksnap/lesion_locations.nii.gz', await writeNifti(classes, { like: header })],
    [
      'itksnap/lesion_locations.txt',
      writeSnapLabels(locations.map((name, i) => ({ index: i + 1, colour: locationColours[name], name }))),
    ],
  ]
}

/** Full, bright colour of a hue in degrees. */
function colourOf(hue: number): [number, number, number] {
  const channel = (n: number) => {
    const k = (n + hue / 60) % 6
    return Math.round(255 * (1 - 0.85 * Math.max(0, Math.min(k, 4 - k, 1))))
  }
  return [channel(5), channel(3), channel(1)]
}
