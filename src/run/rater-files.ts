import { type Flag, InputError } from '../errors.js'
import type { RaterMap } from '../evaluate/consensus/types.js'
import { type NiftiHeader, type NiftiImage, readNiftiValues } from '../formats/nifti.js'
import { orientation } from '../volume/affine.js'
import { inverseReorientation, reorient, towardsRas } from '../volume/orient.js'
import { resample } from '../volume/resample.js'
import { type Grid, type Image, type Mask, sameGrid, type Volume } from '../volume/volume.js'
import { hash, readBytes } from './inputs.js'
import { gridDifference, gridToleranceMm, isWhole, judgeMask, type MaskChoice } from './masks.js'

/** What the raters' files hold: lesion masks, label maps whose labels are kept apart, or probabilities of lesion. */
export type RaterKind = 'mask' | 'labels' | 'probability'

export interface RaterFiles {
  /** In the order of the files, on the first one's grid. */
  maps: RaterMap[]
  /** The first file's: what is written takes after it. */
  header: NiftiHeader
  flags: Flag[]
}

/**
 * Reads what several raters handed in and brings it onto the first one's grid. The same grid stored along other axes
 * is turned, exactly; another grid is refused unless `resampled`.
 *
 * @throws InputError naming the file that is no mask (or label map, or map of probabilities), or lies on another grid
 */
export async function readRaters(
  paths: readonly string[],
  { kind, choice, resampled }: { kind: RaterKind; choice: MaskChoice; resampled: boolean },
): Promise<RaterFiles> {
  const flags: Flag[] = []
  const maps: RaterMap[] = []
  const hashes = new Map<string, string>()
  let header: NiftiHeader | undefined
  for (const path of paths) {
    const bytes = await readBytes(path)
    const sha256 = hash(bytes)
    const twin = hashes.get(sha256)
    if (twin !== undefined)
      flags.push({
        code: 'same-file-twice',
        severity: 'warning',
        message: `${path} and ${twin} are the same file: it counts as two raters who agree.`,
      })
    hashes.set(sha256, path)
    const read = await readNiftiValues(bytes, path)
    flags.push(...read.flags.map((flag) => ({ ...flag, message: `${path}: ${flag.message}` })))
    header ??= read.header
    const map = readers[kind](read, path, choice)
    maps.push(maps.length === 0 ? map : await ontoFirst(map, path, maps[0], paths[0], resampled, flags))
    if (map.data.every((value: number) => value === 0))
      flags.push({ code: 'empty-mask', severity: 'warning', message: `${path} is empty: it says there is no lesion.` })
  }
  return { maps, header: header!, flags }
}

type Read = NiftiImage & { notFinite: number }

const readers: Record<RaterKind, (read: Read, path: string, choice: MaskChoice) => RaterMap> = {
  mask: judgeMask,
  labels: labelsOf,
  probability: probabilityOf,
}

function labelsOf(read: Read, path: string): Mask {
  refuseNotFinite(read, path, 'label map')
  const { dims, affine, data } = read.image
  const labels = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const label = Math.round(data[i])
    if (!(isWhole(data[i]) && label >= 0 && label <= 255))
      throw new InputError(
        path,
        `holds the value ${Number(data[i].toPrecision(4))}, and labels are whole numbers from 0 to 255`,
        'give a label map, or --soft for probabilities',
      )
    labels[i] = label
  }
  return { dims, affine, data: labels }
}

function probabilityOf(read: Read, path: string): Image {
  refuseNotFinite(read, path, 'map of probabilities')
  const odd = read.image.data.find((value) => !(value >= 0 && value <= 1))
  if (odd !== undefined)
    throw new InputError(
      path,
      `holds the value ${Number(odd.toPrecision(4))}, and probabilities lie between 0 and 1`,
      'scale the map to 0–1, or leave out --soft if this is a mask',
    )
  return read.image
}

function refuseNotFinite({ notFinite }: Read, path: string, what: string): void {
  if (notFinite > 0)
    throw new InputError(
      path,
      `${notFinite} voxels are NaN or infinite, and a ${what} says something of every voxel`,
      'write it again with 0 where there is no lesion',
    )
}

async function ontoFirst(
  map: Volume,
  path: string,
  first: Grid,
  firstPath: string,
  resampled: boolean,
  flags: Flag[],
): Promise<RaterMap> {
  const turned = reorient(reorient(map, towardsRas(map.affine)), inverseReorientation(towardsRas(first.affine)))
  if (sameGrid(first, turned, gridToleranceMm)) {
    if (orientation(map.affine) !== orientation(first.affine))
      flags.push({
        code: 'axes-turned',
        severity: 'info',
        message: `${path} is stored along other axes (${orientation(map.affine)}) than ${firstPath} (${orientation(first.affine)}); they were turned, no value changed.`,
      })
    return { ...(turned as RaterMap), affine: first.affine }
  }
  const difference = gridDifference(turned, first)
  if (!resampled)
    throw new InputError(
      path,
      `lies on another grid than ${firstPath} (${difference})`,
      'bring it onto that grid, or let --resample do it (nearest voxel)',
    )
  const { data } = await resample(turned, first, { method: 'nearest' })
  flags.push({
    code: 'resampled',
    severity: 'warning',
    message: `${path} was brought onto the grid of ${firstPath} by nearest voxel (${difference}).`,
  })
  const { dims, affine } = first
  return map.data instanceof Float32Array ? { dims, affine, data } : { dims, affine, data: Uint8Array.from(data) }
}
