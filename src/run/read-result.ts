import { stat } from 'node:fs/promises'
import { InputError } from '../errors.js'
import { readNifti, readNiftiMask, readNiftiValues } from '../formats/nifti.js'
import type { Summary } from '../lesions/summary.js'
import { type Lesion, type Location, locations } from '../lesions/types.js'
import type { Modality } from '../volume/study.js'
import { type Image, type Mask, sameGrid, type Volume } from '../volume/volume.js'
import type { Provenance } from './provenance.js'
import { ResultFolder } from './result-files.js'

/** A result of `segment`, or of `bids` for one visit, as its folder holds it. */
export interface StoredResult {
  folder: string
  summary: Summary
  provenance: Provenance
  lesions: Lesion[]
  labels: Volume<Int16Array>
  brain?: Mask
  probability?: Image
}

/** What `segment` calls its own when it is not to be mistaken for another folder. */
const again = 'give the folder of `lesionwise segment --out`'

/** @throws InputError when the folder is no complete result, or its files do not fit together */
export async function readResult(folder: string): Promise<StoredResult> {
  const about = await stat(folder).catch((cause) => {
    throw new InputError(folder, 'there is no such folder', again, { cause })
  })
  if (!about.isDirectory()) throw new InputError(folder, 'is a file, not a folder', again)
  // The mark of a complete result comes first: other folders are told at once.
  const files = await ResultFolder.open(folder)
  const provenance = await files.provenance()
  const summary = await files.summary()
  const ids = 'lesion_instances.nii.gz'
  const { image } = await readNiftiValues(await files.bytes(ids), files.path(ids))
  const labels = { ...image, data: Int16Array.from(image.data) }
  const lesions = lesionsOf((await files.table()).rows, labels, files.path('lesions.tsv'))
  if (lesions.length !== summary.lesionCount)
    throw new InputError(
      folder,
      `lesions.tsv has ${lesions.length} lesions, summary.json ${summary.lesionCount}`,
      'run `lesionwise segment` again',
    )
  const optional = async <T>(name: string, read: (bytes: Uint8Array, source: string) => Promise<T>) => {
    const bytes = await files.optional(name)
    return bytes && (await read(bytes, files.path(name)))
  }
  const brain = await optional('brain_mask.nii.gz', readNiftiMask)
  const probability = await optional(
    'lesion_probability.nii.gz',
    async (bytes, path) => (await readNifti(bytes, path)).image,
  )
  for (const [name, volume] of Object.entries({ brain_mask: brain, lesion_probability: probability }))
    if (volume && !sameGrid(volume, labels, 0.01))
      throw new InputError(
        files.path(`${name}.nii.gz`),
        'is on another grid than lesion_instances.nii.gz',
        'run `lesionwise segment` again',
      )
  const onGrid = <T extends Volume>(volume: T): T => ({ ...volume, dims: labels.dims, affine: labels.affine })
  return {
    ...{ folder, summary, provenance, lesions, labels },
    ...(brain ? { brain: onGrid(brain) } : {}),
    ...(probability ? { probability: onGrid(probability) } : {}),
  }
}

function lesionsOf(rows: readonly Readonly<Record<string, string>>[], { dims }: Volume, source: string): Lesion[] {
  return rows.map((row, n) => {
    const number = (name: string): number => {
      const value = Number(row[name])
      if (row[name] === undefined || !Number.isFinite(value))
        throw new InputError(source, `line ${n + 2} has no number in ${name}`, 'run `lesionwise segment` again')
      return value
    }
    const maybe = (name: string) => (row[name] === undefined ? undefined : number(name))
    const location = locations.find((one) => one === row.location) as Location | undefined
    const means = Object.keys(row).filter((name) => name.startsWith('mean_'))
    return {
      id: number('id'),
      voxels: number('voxels'),
      volumeMm3: number('volume_mm3'),
      centroid: [number('centroid_x_mm'), number('centroid_y_mm'), number('centroid_z_mm')],
      // The table does not hold it, and no report looks at it.
      box: { start: [0, 0, 0], dims },
      longestAxisMm: number('longest_axis_mm'),
      ...(location ? { location } : {}),
      ventricleGapMm: maybe('ventricle_gap_mm'),
      cortexGapMm: maybe('cortex_gap_mm'),
      intensities: Object.fromEntries(means.map((name) => [name.slice(5) as Modality, number(name)])),
    }
  })
}
