import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { InputError } from '../errors.js'
import { type NiftiHeader, readNifti, readNiftiValues, writeNifti } from '../formats/nifti.js'
import { inverseReorientation, type Reorientation, reorient, towardsRas } from '../volume/orient.js'
import { type Image, type Mask, maskWhere, sameGrid, voxelCount } from '../volume/volume.js'

/**
 * The page sees every volume of a case on the FLAIR's (or the mask's) own voxels with the axes turned towards RAS+, so
 * that what it draws has one meaning; what is saved is turned back and lies on the grid of the file, bit for bit.
 */
export interface CaseGrid {
  /** The grid of the files. */
  native: Mask
  header: NiftiHeader
  turned: Reorientation
}

export async function caseGrid(maskPath: string): Promise<CaseGrid> {
  const { image, header } = await readNiftiValues(await readFile(maskPath), maskPath)
  return { native: maskWhere(image, (value) => value >= 0.5), header, turned: towardsRas(image.affine) }
}

/** A mask of the case for the page: NIfTI, RAS. Not gzipped: on one machine, packing takes longer than sending. */
export async function maskForPage(mask: Mask, source: string, { native, turned }: CaseGrid): Promise<Uint8Array> {
  if (!sameGrid(mask, native, 0.1))
    throw new InputError(source, 'lies on another grid than the result', 'give the mask of this result')
  return await writeNifti(reorient({ ...mask, affine: native.affine }, turned), { plain: true })
}

/**
 * An image for the page: NIfTI, not gzipped, axes towards RAS. Whole numbers that fit are sent as int16: half as much to
 * send and to put on the graphics card.
 */
export async function imageForPage(image: Image): Promise<Uint8Array> {
  const turned: Image = reorient(image, towardsRas(image.affine))
  return await writeNifti(isShort(turned.data) ? { ...turned, data: Int16Array.from(turned.data) } : turned, {
    plain: true,
  })
}

/** An image file for the page. */
export const fileForPage = async (path: string): Promise<Uint8Array> =>
  await imageForPage((await readNifti(await readFile(path), path)).image)

function isShort(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++)
    if (!(data[i] >= -32768 && data[i] <= 32767) || Math.round(data[i]) !== data[i]) return false
  return true
}

/**
 * The mask that a page sent: gzipped bytes, one per voxel in RAS order, turned back onto the grid of the files.
 *
 * @returns undefined when it is no such thing: not gzip, or not one byte for each voxel
 */
export async function maskFromPage(sent: Uint8Array, { native, turned }: CaseGrid): Promise<Mask | undefined> {
  const n = voxelCount(native)
  // A bomb that unpacks to more than the mask has voxels is stopped there.
  const bytes = await unzip(sent, { maxOutputLength: n + 1 }).catch(() => undefined)
  if (bytes?.length !== n) return undefined
  const like = reorient(native, turned)
  const data = new Uint8Array(n)
  for (let i = 0; i < n; i++) data[i] = bytes[i] !== 0 ? 1 : 0
  return { ...reorient({ ...like, data }, inverseReorientation(turned)), affine: native.affine }
}

const unzip = promisify<Uint8Array, { maxOutputLength: number }, Uint8Array>(gunzip)
