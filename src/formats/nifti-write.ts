import { gzip } from '../platform/index.js'
import { type Affine, determinant, voxelSizes } from '../volume/affine.js'
import { type Volume, type VoxelArray, voxelCount } from '../volume/volume.js'
import type { NiftiHeader } from './nifti-header.js'

/**
 * The bytes of a .nii.gz file (of a .nii file, when `plain`). The type follows the array (uint8, int16, float32, …); sform and qform are both set and
 * equal (the qform is the closest rigid one when the affine is sheared); text fields are empty, so that nothing that
 * could name a person gets in. NIfTI-1, or NIfTI-2 when `like` is.
 *
 * @param options.like header of the input on whose grid this is: version, codes and time unit are kept
 * @param options.level gzip level, 1 fast … 9 small; default 6
 * @param options.plain no gzip
 * @param options.vectors `data` holds several such planes one behind the other: the components of vectors, as dimension 5
 */
export async function writeNifti(
  volume: Volume,
  {
    like,
    level = 6,
    plain = false,
    vectors = false,
  }: { like?: NiftiHeader; level?: number; plain?: boolean; vectors?: boolean } = {},
): Promise<Uint8Array> {
  const { data, affine } = volume
  const type = typeOf(data)
  const version = like?.version ?? 1
  const offset = version === 1 ? 352 : 544
  const components = vectors ? data.length / voxelCount(volume) : 1
  const bytes = new Uint8Array(offset + components * voxelCount(volume) * data.BYTES_PER_ELEMENT)
  const header = new DataView(bytes.buffer, 0, offset)
  const code = (like && (like.sformCode || like.qformCode)) || 1
  const units = 2 | (like?.timeUnit ?? 0)
  const [b, c, d, qfac] = quaternion(affine)
  const pixdim = [qfac, ...voxelSizes(affine), 1, 1, 1, 1]
  const dim = vectors ? [5, ...volume.dims, 1, components, 1, 1] : [3, ...volume.dims, 1, 1, 1, 1]
  if (version === 1) {
    header.setInt32(0, 348, true)
    dim.forEach((n, i) => header.setInt16(40 + 2 * i, n, true))
    if (vectors) header.setInt16(68, vectorIntent, true)
    header.setInt16(70, type.code, true)
    header.setInt16(72, 8 * data.BYTES_PER_ELEMENT, true)
    pixdim.forEach((size, i) => header.setFloat32(76 + 4 * i, size, true))
    header.setFloat32(108, offset, true)
    header.setFloat32(112, 1, true)
    header.setUint8(123, units)
    header.setInt16(252, code, true)
    header.setInt16(254, code, true)
    ;[b, c, d, affine[3], affine[7], affine[11]].forEach((value, i) => header.setFloat32(256 + 4 * i, value, true))
    affine.slice(0, 12).forEach((value, i) => header.setFloat32(280 + 4 * i, value, true))
    bytes.set(magic('n+1\0'), 344)
  } else {
    header.setInt32(0, 540, true)
    bytes.set([...magic('n+2\0'), 0x0d, 0x0a, 0x1a, 0x0a], 4)
    header.setInt16(12, type.code, true)
    header.setInt16(14, 8 * data.BYTES_PER_ELEMENT, true)
    dim.forEach((n, i) => header.setBigInt64(16 + 8 * i, BigInt(n), true))
    pixdim.forEach((size, i) => header.setFloat64(104 + 8 * i, size, true))
    header.setBigInt64(168, BigInt(offset), true)
    header.setFloat64(176, 1, true)
    header.setInt32(344, code, true)
    header.setInt32(348, code, true)
    ;[b, c, d, affine[3], affine[7], affine[11]].forEach((value, i) => header.setFloat64(352 + 8 * i, value, true))
    affine.slice(0, 12).forEach((value, i) => header.setFloat64(400 + 8 * i, value, true))
    header.setInt32(500, units, true)
    if (vectors) header.setInt32(504, vectorIntent, true)
  }
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
  return plain ? bytes : await gzip(bytes, level)
}

/** NIFTI_INTENT_VECTOR */
const vectorIntent = 1007

const magic = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))

function typeOf(data: VoxelArray): { code: number } {
  if (data instanceof Uint8Array) return { code: 2 }
  if (data instanceof Int16Array) return { code: 4 }
  if (data instanceof Int32Array) return { code: 8 }
  if (data instanceof Float32Array) return { code: 16 }
  if (data instanceof Float64Array) return { code: 64 }
  if (data instanceof Int8Array) return { code: 256 }
  if (data instanceof Uint16Array) return { code: 512 }
  return { code: 768 }
}

/** b, c, d of the unit quaternion of the closest rotation, and qfac: −1 where the axes are left-handed. */
function quaternion(affine: Affine): [number, number, number, number] {
  const qfac = determinant(affine) < 0 ? -1 : 1
  const size = voxelSizes(affine)
  const columns = [0, 1, 2].map((axis) =>
    [0, 1, 2].map((row) => (affine[4 * row + axis] / size[axis]) * (axis === 2 ? qfac : 1)),
  )
  const r = closestRotation(columns)
  const m = (row: number, column: number) => r[column][row]
  const trace = m(0, 0) + m(1, 1) + m(2, 2) + 1
  let q: number[]
  if (trace > 0.5) {
    const a = 0.5 * Math.sqrt(trace)
    q = [a, (m(2, 1) - m(1, 2)) / (4 * a), (m(0, 2) - m(2, 0)) / (4 * a), (m(1, 0) - m(0, 1)) / (4 * a)]
  } else {
    const x = 1 + m(0, 0) - m(1, 1) - m(2, 2)
    const y = 1 + m(1, 1) - m(0, 0) - m(2, 2)
    const z = 1 + m(2, 2) - m(0, 0) - m(1, 1)
    if (x >= y && x >= z) {
      const b = 0.5 * Math.sqrt(x)
      q = [(m(2, 1) - m(1, 2)) / (4 * b), b, (m(0, 1) + m(1, 0)) / (4 * b), (m(0, 2) + m(2, 0)) / (4 * b)]
    } else if (y >= z) {
      const c = 0.5 * Math.sqrt(y)
      q = [(m(0, 2) - m(2, 0)) / (4 * c), (m(0, 1) + m(1, 0)) / (4 * c), c, (m(1, 2) + m(2, 1)) / (4 * c)]
    } else {
      const d = 0.5 * Math.sqrt(z)
      q = [(m(1, 0) - m(0, 1)) / (4 * d), (m(0, 2) + m(2, 0)) / (4 * d), (m(1, 2) + m(2, 1)) / (4 * d), d]
    }
  }
  const sign = q[0] < 0 ? -1 : 1
  return [sign * q[1], sign * q[2], sign * q[3], qfac]
}

/** The nearest orthogonal matrix (polar decomposition by Newton's iteration, Higham 1986); columns in, columns out. */
function closestRotation(columns: number[][]): number[][] {
  let current = columns
  for (let step = 0; step < 20; step++) {
    const [u, v, w] = current
    const cofactors = [cross(v, w), cross(w, u), cross(u, v)]
    const det = u[0] * cofactors[0][0] + u[1] * cofactors[0][1] + u[2] * cofactors[0][2]
    // The inverse transpose of a matrix is its cofactor matrix over its determinant.
    current = current.map((column, i) => column.map((value, row) => 0.5 * (value + cofactors[i][row] / det)))
  }
  return current
}

const cross = (a: number[], b: number[]): number[] => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
