import { readFile } from 'node:fs/promises'
import { type Flag, InputError, UsageError } from '../../errors.js'
import { guessContrast } from '../../formats/dicom/contrast.js'
import type { FramePlace } from '../../formats/dicom/header.js'
import { type Elements, inflated, readElements } from '../../formats/dicom/read.js'
import type { SourceFrame, SourceSeries } from '../../formats/dicom/segmentation.js'
import { type Affine, apply, invert, type Vec3 } from '../../volume/affine.js'
import type { Grid } from '../../volume/volume.js'
import { type Candidate, chooseSeries } from './choose.js'
import { convertStack } from './dcm2niix.js'
import { readDicomFolder } from './read-folder.js'

/** The series that a result belongs to, found in a folder. */
export interface FoundSource {
  id: string
  source: SourceSeries
  /** The result lies voxel by voxel on it. */
  sameGrid: boolean
  /** Its image as `import-dicom` converts it, not compressed. */
  nifti(signal?: AbortSignal): Promise<Uint8Array>
}

/**
 * Finds the series of a folder that a result lies on: the one whose pixels are the result's voxels; of several, the FLAIR.
 *
 * @param series the number of the series (as `import-dicom --dry-run` lists it), to override
 * @throws InputError when none fits; UsageError when `series` is not there
 */
export async function findSource(
  folder: string,
  grid: Grid,
  series: string | undefined,
  onFlag: (flag: Flag) => void,
  signal?: AbortSignal,
): Promise<FoundSource> {
  const { files } = await readDicomFolder(folder, { signal })
  const all = chooseSeries(files)
  const named = series === undefined ? undefined : all.find(({ id }) => id === series)
  if (series !== undefined && !named)
    throw new UsageError(`--series: there is no series ${series}; there are ${all.map(({ id }) => id).join(', ')}`)
  const fatal = named?.stack.problems.find((problem) => problem.fatal)
  if (named && fatal) throw new InputError(`series ${named.id}`, fatal.message, 'give the whole series')
  const usable = named ? [named] : all.filter(({ stack }) => !stack.problems.some((problem) => problem.fatal))
  const fits = usable.filter((one) => liesOn(one, grid))
  const isFlair = (one: Candidate) => guessContrast(one.stack).role === 'flair'
  const pool = fits.length > 0 || !named ? fits : [named]
  const one = pool.find((rival) => rival.chosen && isFlair(rival)) ?? pool.find(isFlair) ?? pool[0]
  // What lies elsewhere may be of somebody else: only who names the series says that it is not.
  if (!one)
    throw new InputError(
      folder,
      'holds no series that the result lies on voxel by voxel',
      `give the folder of the series that was segmented; where the result was brought onto another grid, name the series with --series (${all.map(({ id }) => id).join(', ') || 'there is none'})`,
    )
  const sameGrid = fits.includes(one)
  if (!sameGrid)
    onFlag({
      code: 'other-grid',
      severity: 'warning',
      message: `The result does not lie voxel by voxel on series ${one.id}: each pixel takes the value of the nearest voxel.`,
    })
  const source = await sourceOf(one)
  return {
    id: one.id,
    source,
    sameGrid,
    async nifti(stop) {
      const bytes: Uint8Array[] = []
      for (const { header, file } of one.stack.files)
        bytes.push(inflated(await readFile(file), header.transferSyntax, `series ${one.id}`))
      const made = await convertStack(bytes, `series ${one.id}`, { signal: stop })
      return (made.find(({ name }) => name.endsWith('_Tilt')) ?? made[0]).nifti
    },
  }
}

/** Voxel indices of a frame's first pixel, and the steps from column to column and from row to row. */
export function stepsOn(place: FramePlace, toVoxel: Affine): { first: Vec3; column: Vec3; row: Vec3 } {
  const at = (r: number, c: number): Vec3 => {
    const [x, y, z] = [0, 1, 2].map(
      (i) => place.position[i] + c * place.spacing[1] * place.row[i] + r * place.spacing[0] * place.column[i],
    )
    return apply(toVoxel, [-x, -y, z])
  }
  const first = at(0, 0)
  const minus = (a: Vec3): Vec3 => [a[0] - first[0], a[1] - first[1], a[2] - first[2]]
  return { first, column: minus(at(0, 1)), row: minus(at(1, 0)) }
}

/** Each pixel is one voxel of the grid, and each voxel a pixel. */
function liesOn({ stack }: Candidate, { dims, affine }: Grid): boolean {
  const { rows, columns } = stack.files[0].header
  if (rows * columns * stack.slices !== dims[0] * dims[1] * dims[2]) return false
  const toVoxel = invert(affine)
  const places = stack.files.flatMap(({ header }) => header.places)
  return places.every((place) => {
    const { first, column, row } = stepsOn(place, toVoxel)
    const last = first.map((x, i) => x + (columns - 1) * column[i] + (rows - 1) * row[i])
    return [first, last].every((corner) =>
      corner.every((x, i) => Math.abs(x - Math.round(x)) < 0.05 && x > -0.5 && x < dims[i] - 0.5),
    )
  })
}

async function sourceOf({ id, stack }: Candidate): Promise<SourceSeries> {
  const { header, file } = stack.files[0]
  const elements: Elements = readElements(await readFile(file), `series ${id}`).elements
  const frames: SourceFrame[] = stack.files.flatMap(({ header: one }) =>
    one.places.map((place, i) => ({
      sopClass: one.sopClass,
      instance: one.instance,
      frame: one.frames > 1 ? i + 1 : undefined,
      place,
    })),
  )
  if (!header.frameOfReference)
    throw new InputError(
      `series ${id}`,
      'its header has no frame of reference',
      'give the series as the scanner wrote it',
    )
  const step = stack.sliceStepMm ?? header.sliceThickness ?? 1
  return {
    elements,
    study: stack.study,
    series: stack.series,
    frameOfReference: header.frameOfReference,
    rows: header.rows,
    columns: header.columns,
    frames,
    sliceStepMm: Number(step.toFixed(6)),
    sliceThicknessMm: header.sliceThickness ?? Number(step.toFixed(6)),
  }
}
