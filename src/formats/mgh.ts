import { InputError } from '../errors.js'
import { gunzip, gunzipStart, gzip } from '../platform/index.js'
import { type Affine, apply, type Vec3, voxelSizes } from '../volume/affine.js'
import type { Image, Volume, VoxelArray } from '../volume/volume.js'

/**
 * FreeSurfer's MGH format (.mgh; .mgz is the same, gzipped). All numbers are big-endian: version 1, width, height, depth,
 * frames, type, degrees of freedom (int32 each), goodRASFlag (int16), voxel sizes, direction cosines of the three voxel
 * axes, RAS mm of the voxel (width/2, height/2, depth/2) (float32 each), zeros up to byte 284, then the voxels.
 * Source: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
 */
const dataAt = 284

const kinds: Record<number, { bytes: number; get(view: DataView, at: number): number }> = {
  0: { bytes: 1, get: (v, at) => v.getUint8(at) },
  1: { bytes: 4, get: (v, at) => v.getInt32(at) },
  3: { bytes: 4, get: (v, at) => v.getFloat32(at) },
  4: { bytes: 2, get: (v, at) => v.getInt16(at) },
}

/**
 * Reads an MGH or MGZ file of one frame. Without a valid geometry FreeSurfer takes voxels of 1 mm with axes along L, I, A;
 * so does this.
 *
 * @returns float32 values; affine voxel → RAS mm
 * @throws InputError when it is something else, has several frames, or ends too early
 */
export async function readMgh(bytes: Uint8Array, source: string): Promise<Image> {
  const unusable = (seen: string, cause?: unknown) =>
    new InputError(source, seen, 'give an .mgh or .mgz file that FreeSurfer wrote', { cause })
  const damaged = (cause: unknown) => {
    throw unusable('the gzip data is damaged or ends too early', cause)
  }
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
  // The header first: a small file may hold gigabytes.
  const start = packed ? await gunzipStart(bytes, dataAt).catch(damaged) : bytes
  if (start.length < dataAt || new DataView(start.buffer, start.byteOffset).getInt32(0) !== 1)
    throw unusable('this is not an MGH file')
  const plain = packed ? await gunzip(bytes, unpackedSize(start, bytes.length)).catch(damaged) : bytes
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength)
  const dims = [4, 8, 12].map((at) => view.getInt32(at)) as unknown as Vec3
  const frames = view.getInt32(16)
  const kind = kinds[view.getInt32(20)]
  if (dims.some((n) => n < 1) || frames < 1) throw unusable('its header holds impossible sizes')
  if (frames > 1) throw unusable(`it holds ${frames} frames, not one volume`)
  if (!kind) throw unusable(`it holds an unknown data type (${view.getInt32(20)})`)
  const count = dims[0] * dims[1] * dims[2]
  if (plain.length < dataAt + count * kind.bytes)
    throw unusable(
      `the file ends too early (${plain.length} bytes, its header asks for ${dataAt + count * kind.bytes})`,
    )
  const good = view.getInt16(28) > 0
  const floats = Array.from({ length: 15 }, (_, i) => view.getFloat32(30 + 4 * i))
  const size = good ? floats.slice(0, 3) : [1, 1, 1]
  const cosines = good ? floats.slice(3, 12) : [-1, 0, 0, 0, 0, -1, 0, 1, 0]
  const data = new Float32Array(count)
  for (let i = 0; i < count; i++) data[i] = kind.get(view, dataAt + i * kind.bytes)
  return { dims, affine: affineOf(dims, size, cosines, good ? floats.slice(12) : [0, 0, 0]), data }
}

/** As the header tells, with room for the tags behind the voxels; no gzip is tighter than 1032 to 1. */
function unpackedSize(start: Uint8Array, packed: number): number {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  const count = [4, 8, 12, 16].reduce((product, at) => product * Math.max(1, view.getInt32(at)), 1)
  return Math.min(dataAt + 4 * count + 2 ** 20, 1032 * packed + 2 ** 16)
}

function affineOf(dims: Vec3, size: number[], cosines: number[], centre: number[]): Affine {
  const rows = [0, 1, 2].map((row) => {
    const steps = [0, 1, 2].map((axis) => cosines[3 * axis + row] * size[axis])
    return [...steps, centre[row] - steps.reduce((sum, step, axis) => sum + (step * dims[axis]) / 2, 0)]
  })
  return [...rows.flat(), 0, 0, 0, 1]
}

/** The bytes of an MGZ file; uint8, int16, int32 and float32 stay what they are. @param options.compress false: .mgh */
export async function writeMgh(
  { dims, affine, data }: Volume,
  { compress = true }: { compress?: boolean } = {},
): Promise<Uint8Array> {
  const { code, bytes } = typeOf(data)
  const out = new Uint8Array(dataAt + data.length * bytes)
  const view = new DataView(out.buffer)
  ;[1, ...dims, 1, code, 0].forEach((value, i) => view.setInt32(4 * i, value))
  view.setInt16(28, 1)
  const size = voxelSizes(affine)
  const cosines = [0, 1, 2].flatMap((axis) => [0, 1, 2].map((row) => affine[4 * row + axis] / size[axis] + 0))
  const centre = apply(affine, dims.map((n) => n / 2) as unknown as Vec3)
  ;[...size, ...cosines, ...centre].forEach((value, i) => view.setFloat32(30 + 4 * i, value))
  for (let i = 0; i < data.length; i++) {
    const at = dataAt + i * bytes
    if (code === 0) out[at] = data[i]
    else if (code === 4) view.setInt16(at, data[i])
    else if (code === 1) view.setInt32(at, data[i])
    else view.setFloat32(at, data[i])
  }
  return compress ? await gzip(out, 6) : out
}

/** @throws RangeError for types that the format does not have */
function typeOf(data: VoxelArray): { code: number; bytes: number } {
  if (data instanceof Uint8Array) return { code: 0, bytes: 1 }
  if (data instanceof Int32Array) return { code: 1, bytes: 4 }
  if (data instanceof Float32Array) return { code: 3, bytes: 4 }
  if (data instanceof Int16Array) return { code: 4, bytes: 2 }
  throw new RangeError('MGH files hold uint8, int16, int32 or float32.')
}
