import { type Flag, InputError } from '../errors.js'
import { type NiftiImage, readNiftiValues } from '../formats/nifti.js'
import { cornerDistance, orientation, voxelSizes } from '../volume/affine.js'
import { resampleMask } from '../volume/resample.js'
import { countVoxels, type Grid, type Mask, sameGrid, type Volume } from '../volume/volume.js'
import { hash, readBytes } from './inputs.js'

/** What counts as lesion in a file that is not simply a mask. */
export interface MaskChoice {
  /** Voxels of a label map that have this value. */
  label?: number
  /** Voxels of a label map that have any value but zero. */
  anyLabel?: boolean
  /** Voxels of a probability map of at least this value. */
  threshold?: number
  /** Values that are kept as they stand beside lesions: labels that a protocol treats by itself. */
  keep?: readonly number[]
}

/** A lesion mask as it was given: 1 is lesion, 0 is not; `keep` values stay. */
export interface LesionMask {
  mask: Mask
  sha256: string
  flags: Flag[]
}

/**
 * Reads a lesion mask and refuses what only looks like one. An empty mask is one: the person has no lesions.
 *
 * @param name how flags name it: flags are kept with the results, where paths do not belong
 * @throws InputError for anything that is not a binary mask, unless `choice` says what is lesion in it
 */
export async function readLesionMask(path: string, name: string, choice: MaskChoice = {}): Promise<LesionMask> {
  const bytes = await readBytes(path)
  const read = await readNiftiValues(bytes, path)
  const mask = judgeMask(read, path, choice)
  const flags = read.flags.map((flag) => ({ ...flag, message: `${name}: ${flag.message}` }))
  const chosen = choice.label !== undefined || choice.threshold !== undefined
  if (chosen && countVoxels(mask) === 0 && countVoxels(read.image) > 0)
    flags.push({
      code: 'nothing-chosen',
      severity: 'warning',
      message: `${name}: the file is not empty, but no voxel ${choice.label === undefined ? `reaches the threshold ${choice.threshold}` : `has the label ${choice.label}`}; it is taken as free of lesions.`,
    })
  return { mask, sha256: hash(bytes), flags }
}

/** The mask that a file holds. @throws InputError as `readLesionMask` */
export function judgeMask(
  { image, notFinite }: NiftiImage & { notFinite: number },
  path: string,
  choice: MaskChoice,
): Mask {
  if (notFinite > 0)
    throw new InputError(
      path,
      `${notFinite} voxels are NaN or infinite, and a mask says of every voxel whether it is lesion`,
      'write the mask again with 0 where there is no lesion',
    )
  const { threshold, label, anyLabel, keep = [] } = choice
  if (threshold !== undefined) return maskOf(image, (value) => (value >= threshold ? 1 : 0))
  const values = valuesOf(image)
  const odd = values.filter((value) => !isWhole(value))
  if (odd.length > 0) throw notWhole(path, odd, values)
  if (label !== undefined) return maskOf(image, (value) => (Math.round(value) === label ? 1 : 0))
  if (anyLabel) return maskOf(image, (value) => (value === 0 ? 0 : 1))
  const lesions = values.filter((value) => value !== 0 && !keep.includes(value))
  if (lesions.length > 1)
    throw new InputError(
      path,
      `holds the values ${listOf(values)}, so it is a label map or an image, not a mask`,
      'say which value is lesion with --label N, or take all with --any-label',
    )
  if (lesions[0] < 0)
    throw new InputError(
      path,
      `holds the values ${listOf(values)}, and a mask has 0 and a positive value`,
      'say which value is lesion with --label N',
    )
  return maskOf(image, (value) => {
    const whole = Math.round(value)
    return keep.includes(whole) ? whole : whole === 0 ? 0 : 1
  })
}

function notWhole(path: string, odd: readonly number[], values: readonly number[]): InputError {
  const within = values.every((value) => value >= 0 && value <= 1)
  return within
    ? new InputError(
        path,
        `holds values between 0 and 1 (${listOf(odd)}), so it is a probability map, not a mask`,
        'give --threshold T (for example 0.5): voxels of at least T count as lesion',
      )
    : new InputError(
        path,
        `holds values that are not whole numbers (${listOf(odd)}), so it is an image, not a mask`,
        'give the mask, or --threshold T if voxels of at least T are lesion',
      )
}

/** A scale factor in the header can leave 1 as 0.9999999. */
export const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-4

/** The different values, whole ones rounded, in order; not more than tell what the image is. */
function valuesOf({ data }: Volume): number[] {
  const seen = new Set<number>()
  let last = Number.NaN
  for (let i = 0; i < data.length && seen.size <= 64; i++) {
    const value = data[i]
    if (value === last) continue
    last = value
    // Rounded first: interpolated air holds many values that are all but zero. "+ 0" turns −0 into 0.
    seen.add(isWhole(value) ? Math.round(value) + 0 : value)
  }
  return [...seen].sort((a, b) => a - b)
}

function listOf(values: readonly number[]): string {
  const shown = values.slice(0, 5).map((value) => String(Number(value.toPrecision(3))))
  if (values.length > 5) return `${shown.join(', ')}, …`
  return values.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} and ${shown[shown.length - 1]}`
}

function maskOf({ dims, affine, data: values }: Volume, choose: (value: number) => number): Mask {
  const data = new Uint8Array(values.length)
  for (let i = 0; i < data.length; i++) data[i] = choose(values[i])
  return { dims, affine, data }
}

/**
 * The mask on the reference's grid: as it is when it lies there, else by nearest neighbour where that is asked for.
 *
 * @param path the mask's file
 * @param name how the flag names it
 * @throws InputError saying where both lie, when they differ and `resample` is not set
 */
export async function ontoReference(
  mask: Mask,
  reference: Grid,
  { path, referencePath, name, resample }: { path: string; referencePath: string; name: string; resample: boolean },
): Promise<{ mask: Mask; flags: Flag[] }> {
  if (sameGrid(reference, mask, gridToleranceMm)) return { mask: { ...mask, affine: reference.affine }, flags: [] }
  const difference = gridDifference(mask, reference)
  if (!resample)
    throw new InputError(
      path,
      `lies on another grid than ${referencePath} (${difference})`,
      'bring it onto that grid, or let --resample do it (nearest neighbour)',
    )
  const moved = await resampleMask(mask, reference)
  const [before, after] = [countVoxels(mask), countVoxels(moved)]
  const lost = before > 0 && after === 0
  return {
    mask: moved,
    flags: [
      {
        code: lost ? 'resampled-to-nothing' : 'resampled',
        severity: lost ? 'serious' : 'warning',
        message: `${name} was brought onto the grid of the reference by nearest neighbour (${difference})${lost ? '; nothing of it is left there' : ''}.`,
      },
    ],
  }
}

/** How far corners of two grids may lie apart for them to be one, in mm: headers are rounded. As `evaluate/` has it. */
export const gridToleranceMm = 0.01

/** What differs between two grids, in a few words. */
export function gridDifference(mask: Grid, reference: Grid): string {
  const size = ({ dims }: Grid) => dims.join('×')
  if (size(mask) !== size(reference)) return `${size(mask)} voxels, there ${size(reference)}`
  const [a, b] = [orientation(mask.affine), orientation(reference.affine)]
  if (a !== b) return `its axes run ${a}, there ${b}`
  const mm = ({ affine }: Grid) =>
    voxelSizes(affine)
      .map((edge) => Number(edge.toFixed(4)))
      .join('×')
  const apart = cornerDistance(mask.affine, reference.affine, mask.dims)
  const sizes = mm(mask) === mm(reference) ? '' : `voxels of ${mm(mask)} mm, there ${mm(reference)}; `
  return `${sizes}corners up to ${Number(apart.toPrecision(3))} mm apart`
}
