import { type Flag, InputError } from '../errors.js'
import { gunzip, gunzipStart } from '../platform/index.js'
import { type Image, type Mask, maskWhere } from '../volume/volume.js'
import { chooseAffine, judgeDims, type NiftiHeader, parseHeader, type RawHeader, truncated } from './nifti-header.js'

export type { NiftiHeader } from './nifti-header.js'
export { writeNifti } from './nifti-write.js'

/** A NIfTI file in memory. */
export interface NiftiImage {
  /** float32, scl_slope and scl_inter applied; voxels that were not finite are 0. */
  image: Image
  header: NiftiHeader
  /** Doubts about geometry or values. */
  flags: Flag[]
}

/**
 * Reads a NIfTI-1 or NIfTI-2 file, gzipped or not (the bytes decide, not the name), of either byte order and any
 * numeric type. The affine is the sform's if its code is positive, else the qform's.
 *
 * @param source how errors name the file
 * @throws InputError when it is not a usable single volume: not NIfTI, truncated, RGB, complex, many frames, one slice,
 *   constant, or more than half of its voxels not finite
 */
export async function readNifti(bytes: Uint8Array, source: string): Promise<NiftiImage> {
  const { image, header, flags, notFinite } = await decode(bytes, source)
  return { image, header, flags: [...flags, ...judgeContent(image, notFinite, source)] }
}

/**
 * Judges an image that did not come from a file as one that did; voxels that are not finite become 0.
 * @throws InputError as `readNifti`
 */
export function judgeImage(image: Image, source: string): { image: Image; flags: Flag[] } {
  judgeDims({ dim: [3, ...image.dims, 1, 1, 1, 1] }, source)
  let notFinite = 0
  for (const value of image.data) if (!Number.isFinite(value)) notFinite++
  const clean =
    notFinite === 0 ? image : { ...image, data: image.data.map((value) => (Number.isFinite(value) ? value : 0)) }
  return { image: clean, flags: judgeContent(clean, notFinite, source) }
}

function judgeContent(image: Image, notFinite: number, source: string): Flag[] {
  const flags: Flag[] = []
  const n = image.data.length
  if (notFinite > n / 2)
    throw new InputError(
      source,
      `${percent(notFinite / n)} of the voxels are NaN or infinite`,
      'export the image again',
    )
  if (notFinite > 0)
    flags.push({
      code: 'non-finite-voxels',
      severity: 'warning',
      message: `${notFinite} voxels (${percent(notFinite / n)}) are NaN or infinite; they are treated as outside the field of view.`,
      values: { count: notFinite, percent: Number(((100 * notFinite) / n).toPrecision(2)) },
    })
  const first = image.data[0]
  if (image.data.every((value) => value === first))
    throw new InputError(
      source,
      first === 0 ? 'all voxels are zero' : `all voxels have the same value (${first})`,
      'give an image with content',
    )
  return flags
}

/** Reads a mask: voxels of at least 0.5 are inside. An empty mask is a mask. @throws InputError as `readNifti`, but for content */
export async function readNiftiMask(bytes: Uint8Array, source: string): Promise<Mask> {
  const { image } = await decode(bytes, source)
  return maskWhere(image, (value) => value >= 0.5)
}

/**
 * Reads an image without judging what it holds: masks may be empty, and who takes them decides on values that are not
 * finite (they are 0 in `image`, `notFinite` counts them).
 *
 * @throws InputError as `readNifti`, but for content
 */
export const readNiftiValues = (bytes: Uint8Array, source: string): Promise<NiftiImage & { notFinite: number }> =>
  decode(bytes, source)

/** Reads the vectors of a file whose dimension 5 counts components: planes one behind the other. @throws InputError */
export async function readNiftiVectors(
  bytes: Uint8Array,
  source: string,
): Promise<Image & { readonly components: number }> {
  const { plain, header } = await unpack(bytes, source)
  const [rank, nx, ny, nz, frames, components] = header.dim
  const dims = judgeDims({ ...header, dim: [3, nx, ny, nz, 1, 1, 1, 1] }, source)
  const count = rank >= 5 && frames === 1 && components >= 1 ? components : 1
  const { affine } = chooseAffine(header, dims, source)
  const { data } = decodeVoxels(plain, header, dims[0] * dims[1] * dims[2] * count, source)
  return { dims, affine, data, components: count }
}

async function decode(bytes: Uint8Array, source: string): Promise<NiftiImage & { notFinite: number }> {
  const { plain, header } = await unpack(bytes, source)
  const dims = judgeDims(header, source)
  const { affine, flags } = chooseAffine(header, dims, source)
  const { data, notFinite } = decodeVoxels(plain, header, dims[0] * dims[1] * dims[2], source)
  const { version, sformCode, qformCode, timeUnit } = header
  return { image: { dims, affine, data }, header: { version, sformCode, qformCode, timeUnit }, flags, notFinite }
}

/** The file without gzip, and its header. Only as much is unpacked as the header asks for: a small file may hold gigabytes. */
async function unpack(bytes: Uint8Array, source: string): Promise<{ plain: Uint8Array; header: RawHeader }> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { plain: bytes, header: parseHeader(bytes, source) }
  const orDamaged = (cause: unknown) => {
    throw new InputError(source, 'the gzip data is damaged or ends too early', 'copy or download the file again', {
      cause,
    })
  }
  const header = parseHeader(await gunzipStart(bytes, largestHeader).catch(orDamaged), source)
  const [rank, ...sizes] = header.dim
  const count = sizes.slice(0, Math.max(0, rank)).reduce((product, n) => product * Math.max(1, n), 1)
  const need = Math.max(0, header.voxOffset) + count * (datatypes[header.datatype]?.bytes ?? 16) + largestHeader
  // No gzip is tighter than 1032 to 1: what asks for more is not there.
  const there = Math.min(need, 1032 * bytes.length + largestHeader, largestFile)
  const plain = await gunzip(bytes, there).catch((cause) => {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' || cause instanceof RangeError)
      throw new InputError(source, 'holds more data than its header tells', 'export the image again', { cause })
    return orDamaged(cause)
  })
  return { plain, header }
}

/** NIfTI-2 with its extension flag, and room for what some programs put behind the voxels. */
const largestHeader = 2 ** 16
/** The largest unpacked file, bytes. */
const largestFile = 2 ** 32 - 1

/** Name, bytes and reader of each numeric datatype code. */
const datatypes: Record<
  number,
  {
    bytes: number
    get(view: DataView, at: number, le: boolean): number
    array?: { new (b: ArrayBufferLike, o: number, n: number): ArrayLike<number> }
  }
> = {
  2: { bytes: 1, get: (v, at) => v.getUint8(at), array: Uint8Array },
  4: { bytes: 2, get: (v, at, le) => v.getInt16(at, le), array: Int16Array },
  8: { bytes: 4, get: (v, at, le) => v.getInt32(at, le), array: Int32Array },
  16: { bytes: 4, get: (v, at, le) => v.getFloat32(at, le), array: Float32Array },
  64: { bytes: 8, get: (v, at, le) => v.getFloat64(at, le), array: Float64Array },
  256: { bytes: 1, get: (v, at) => v.getInt8(at), array: Int8Array },
  512: { bytes: 2, get: (v, at, le) => v.getUint16(at, le), array: Uint16Array },
  768: { bytes: 4, get: (v, at, le) => v.getUint32(at, le), array: Uint32Array },
  1024: { bytes: 8, get: (v, at, le) => Number(v.getBigInt64(at, le)) },
  1280: { bytes: 8, get: (v, at, le) => Number(v.getBigUint64(at, le)) },
}
const refused: Record<number, string> = {
  1: 'one bit a voxel',
  32: 'complex numbers',
  128: 'RGB colours',
  1536: '128-bit floats',
  1792: 'complex numbers',
  2048: 'complex numbers',
  2304: 'RGBA colours',
}

function decodeVoxels(
  bytes: Uint8Array,
  header: RawHeader,
  n: number,
  source: string,
): { data: Float32Array; notFinite: number } {
  const type = datatypes[header.datatype]
  if (!type)
    throw new InputError(
      source,
      `holds ${refused[header.datatype] ?? `an unknown datatype (${header.datatype})`}, and lesions are found in intensities`,
      'give the scanner’s grey-level image',
    )
  const offset = Math.max(header.voxOffset, header.version === 1 ? 352 : 544)
  const need = offset + n * type.bytes
  if (!Number.isFinite(offset) || bytes.length < need) throw truncated(source, bytes.length, need)
  const scaled = Number.isFinite(header.slope) && header.slope !== 0
  const slope = scaled ? header.slope : 1
  const intercept = scaled && Number.isFinite(header.intercept) ? header.intercept : 0
  const data = new Float32Array(n)
  const start = bytes.byteOffset + offset
  const native =
    header.littleEndian && type.array && start % type.bytes === 0 ? new type.array(bytes.buffer, start, n) : undefined
  if (native) for (let i = 0; i < n; i++) data[i] = native[i] * slope + intercept
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, n * type.bytes)
    for (let i = 0; i < n; i++) data[i] = type.get(view, i * type.bytes, header.littleEndian) * slope + intercept
  }
  let notFinite = 0
  for (let i = 0; i < n; i++)
    if (!Number.isFinite(data[i])) {
      data[i] = 0
      notFinite++
    }
  return { data, notFinite }
}

const percent = (fraction: number): string => `${(100 * fraction).toPrecision(2)} %`
