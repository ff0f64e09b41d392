import { InputError } from '../errors.js'
import { gunzip, gzip } from '../platform/index.js'
import { judgeDims, parseHeader } from './nifti-header.js'

/** How a value is stored: bytes, least and largest whole number (none for floats), and the way to write it. */
interface Stored {
  bytes: number
  range?: readonly [number, number]
  set(view: DataView, at: number, value: number, little: boolean): void
}

const stored: Record<number, Stored> = {
  2: { bytes: 1, range: [0, 255], set: (v, at, x) => v.setUint8(at, x) },
  4: { bytes: 2, range: [-32768, 32767], set: (v, at, x, le) => v.setInt16(at, x, le) },
  8: { bytes: 4, range: [-(2 ** 31), 2 ** 31 - 1], set: (v, at, x, le) => v.setInt32(at, x, le) },
  16: { bytes: 4, set: (v, at, x, le) => v.setFloat32(at, x, le) },
  64: { bytes: 8, set: (v, at, x, le) => v.setFloat64(at, x, le) },
  256: { bytes: 1, range: [-128, 127], set: (v, at, x) => v.setInt8(at, x) },
  512: { bytes: 2, range: [0, 65535], set: (v, at, x, le) => v.setUint16(at, x, le) },
  768: { bytes: 4, range: [0, 2 ** 32 - 1], set: (v, at, x, le) => v.setUint32(at, x, le) },
  1024: { bytes: 8, range: [-(2 ** 53), 2 ** 53], set: (v, at, x, le) => v.setBigInt64(at, BigInt(x), le) },
  1280: { bytes: 8, range: [0, 2 ** 53], set: (v, at, x, le) => v.setBigUint64(at, BigInt(x), le) },
}

/**
 * The same NIfTI file with other values in some voxels: grid, header, data type, byte order and every other voxel stay as
 * they are, bit for bit. Only what could name a person is emptied: text fields (descrip, aux_file, intent_name, db_name,
 * data_type) and header extensions.
 *
 * @param bytes a NIfTI-1 or NIfTI-2 file that `readNifti` takes, gzipped or not
 * @param voxels storage indices
 * @param values in the units of `readNifti`: after scl_slope and scl_inter; rounded, and held within what the type can say
 * @param options.compress whether the new file is gzipped
 * @throws InputError when it is not such a file
 */
export async function replaceVoxels(
  bytes: Uint8Array,
  source: string,
  voxels: ArrayLike<number>,
  values: ArrayLike<number>,
  { compress = true }: { compress?: boolean } = {},
): Promise<Uint8Array> {
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
  const out = packed ? await gunzip(bytes) : bytes.slice()
  const header = parseHeader(out, source)
  const [nx, ny, nz] = judgeDims(header, source)
  const type = stored[header.datatype]
  const offset = Math.max(header.voxOffset, header.version === 1 ? 352 : 544)
  if (!type || out.length < offset + nx * ny * nz * type.bytes)
    throw new InputError(source, 'holds no voxels that can be replaced', 'give a scalar NIfTI image')
  const scaled = Number.isFinite(header.slope) && header.slope !== 0
  const slope = scaled ? header.slope : 1
  const intercept = scaled && Number.isFinite(header.intercept) ? header.intercept : 0
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  for (let n = 0; n < voxels.length; n++) {
    const raw = (values[n] - intercept) / slope
    const value = type.range ? Math.min(type.range[1], Math.max(type.range[0], Math.round(raw))) : raw
    type.set(view, offset + voxels[n] * type.bytes, value, header.littleEndian)
  }
  // Names of patients and files hide here (CONTRACTS: text fields are cleared in what we write).
  const texts = header.version === 1 ? texts1 : texts2
  for (const [from, to] of [...texts, [header.version === 1 ? 348 : 540, offset]]) out.fill(0, from, to)
  return compress ? await gzip(out, 6) : out
}

/** data_type and db_name, descrip and aux_file, intent_name: first byte, and the one behind the last. */
const texts1 = [
  [4, 32],
  [148, 252],
  [328, 344],
]
/** descrip and aux_file, intent_name. */
const texts2 = [
  [240, 344],
  [508, 524],
]
