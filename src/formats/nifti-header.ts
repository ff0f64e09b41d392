import { type Flag, InputError } from '../errors.js'
import { type Affine, compose, cornerDistance, scaling, type Vec3 } from '../volume/affine.js'

/** What a NIfTI-1 or NIfTI-2 header says, before anything is judged. Lengths are in mm. */
export interface RawHeader {
  version: 1 | 2
  littleEndian: boolean
  dim: number[]
  datatype: number
  bitsPerVoxel: number
  pixdim: number[]
  voxOffset: number
  slope: number
  intercept: number
  qformCode: number
  sformCode: number
  /** b, c, d and x, y, z of the qform. */
  quaternion: readonly number[]
  offset: readonly number[]
  /** Three rows of four. */
  srow: readonly number[]
  spaceUnit: number
  timeUnit: number
}

/** The header facts that are needed to write another volume onto the same grid. */
export interface NiftiHeader {
  version: 1 | 2
  sformCode: number
  qformCode: number
  timeUnit: number
}

/** @throws InputError when the bytes do not begin with a single-file NIfTI header */
export function parseHeader(bytes: Uint8Array, source: string): RawHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const notNifti = (seen: string) =>
    new InputError(
      source,
      `${seen}, so this is not a NIfTI image`,
      'give a .nii or .nii.gz file (dcm2niix makes one from DICOM)',
    )
  if (bytes.length === 0) throw notNifti('the file is empty')
  const size = (little: boolean) => (bytes.length >= 4 ? view.getInt32(0, little) : 0)
  const found = [true, false].flatMap((little) =>
    [348, 540].filter((n) => size(little) === n).map((n) => ({ little, n })),
  )[0]
  if (!found) {
    if (looksLikeText(bytes)) throw notNifti('the file holds text')
    if (String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM')
      throw new InputError(
        source,
        'this is a DICOM file',
        'convert the series to NIfTI first (for example with dcm2niix)',
      )
    throw notNifti('the header size is neither 348 nor 540')
  }
  const version = found.n === 348 ? 1 : 2
  if (bytes.length < found.n + 4) throw truncated(source, bytes.length, found.n + 4)
  const magic = String.fromCharCode(...bytes.subarray(version === 1 ? 344 : 4, (version === 1 ? 344 : 4) + 3))
  if (magic === 'ni1' || magic === 'ni2')
    throw new InputError(source, 'this is the header of a .hdr/.img pair', 'convert it to a single .nii.gz file')
  if (magic !== `n+${version}`) throw notNifti(`the magic is ${JSON.stringify(magic)}`)
  return version === 1 ? parseVersion1(view, found.little) : parseVersion2(view, found.little)
}

export const truncated = (source: string, have: number, need: number): InputError =>
  new InputError(
    source,
    `the file ends too early (${have} bytes, its header asks for ${need})`,
    'copy or download the file again',
  )

function parseVersion1(view: DataView, le: boolean): RawHeader {
  const floats = (at: number, n: number) => Array.from({ length: n }, (_, i) => view.getFloat32(at + 4 * i, le))
  return withUnits(view.getUint8(123), {
    version: 1,
    littleEndian: le,
    dim: Array.from({ length: 8 }, (_, i) => view.getInt16(40 + 2 * i, le)),
    datatype: view.getInt16(70, le),
    bitsPerVoxel: view.getInt16(72, le),
    pixdim: floats(76, 8),
    voxOffset: view.getFloat32(108, le),
    slope: view.getFloat32(112, le),
    intercept: view.getFloat32(116, le),
    qformCode: view.getInt16(252, le),
    sformCode: view.getInt16(254, le),
    quaternion: floats(256, 3),
    offset: floats(268, 3),
    srow: floats(280, 12),
  })
}

function parseVersion2(view: DataView, le: boolean): RawHeader {
  const doubles = (at: number, n: number) => Array.from({ length: n }, (_, i) => view.getFloat64(at + 8 * i, le))
  return withUnits(view.getInt32(500, le), {
    version: 2,
    littleEndian: le,
    dim: Array.from({ length: 8 }, (_, i) => Number(view.getBigInt64(16 + 8 * i, le))),
    datatype: view.getInt16(12, le),
    bitsPerVoxel: view.getInt16(14, le),
    pixdim: doubles(104, 8),
    voxOffset: Number(view.getBigInt64(168, le)),
    slope: view.getFloat64(176, le),
    intercept: view.getFloat64(184, le),
    qformCode: view.getInt32(344, le),
    sformCode: view.getInt32(348, le),
    quaternion: doubles(352, 3),
    offset: doubles(376, 3),
    srow: doubles(400, 12),
  })
}

/** Brings lengths to mm (xyzt_units: 1 metre, 2 mm, 3 micrometre; unknown is taken as mm, as every viewer does). */
function withUnits(code: number, header: Omit<RawHeader, 'spaceUnit' | 'timeUnit'>): RawHeader {
  const spaceUnit = code & 7
  const mm = spaceUnit === 1 ? 1000 : spaceUnit === 3 ? 0.001 : 1
  return {
    ...header,
    pixdim: header.pixdim.map((value, i) => (i >= 1 && i <= 3 ? value * mm : value)),
    offset: header.offset.map((value) => value * mm),
    srow: header.srow.map((value) => value * mm),
    spaceUnit,
    timeUnit: code & 0x38,
  }
}

/** The three counts of a single volume. @throws InputError for many frames, RGB-like vectors, one slice, or nonsense */
export function judgeDims({ dim }: Pick<RawHeader, 'dim'>, source: string): Vec3 {
  const n = dim[0]
  const sizes = dim.slice(1, 1 + Math.max(0, Math.min(7, n)))
  const shown = sizes.join('×')
  if (!(n >= 1 && n <= 7) || sizes.some((size) => !(size >= 1)))
    throw new InputError(source, `the header's image size makes no sense (${dim.join(' ')})`, 'export the image again')
  const frames = sizes.slice(3).reduce((product, size) => product * size, 1)
  if (frames > 1)
    throw new InputError(
      source,
      `has ${frames} frames (${shown}), and lesions are found in one volume`,
      'give a single 3-D volume',
    )
  const [nx, ny = 1, nz = 1] = sizes
  if (Math.min(nx, ny, nz) === 1)
    throw new InputError(
      source,
      `has one slice (${nx}×${ny}×${nz}), and lesions need a volume`,
      'give the whole 3-D or multi-slice series',
    )
  return [nx, ny, nz]
}

/** The voxel → RAS mm affine: sform if its code is positive, else qform, else pixel sizes. */
export function chooseAffine(header: RawHeader, dims: Vec3, source: string): { affine: Affine; flags: Flag[] } {
  const flags: Flag[] = []
  const sizes = header.pixdim.slice(1, 4).map(Math.abs)
  const sizesUsable = sizes.every((size) => Number.isFinite(size) && size > 0)
  const sform = header.sformCode > 0 ? usable([...header.srow, 0, 0, 0, 1]) : undefined
  const qform = header.qformCode > 0 && sizesUsable ? usable(quaternionAffine(header, sizes)) : undefined
  if (header.sformCode > 0 && !sform && !qform)
    throw new InputError(
      source,
      'the header does not say where the voxels lie (its sform is singular)',
      'export the image again',
    )
  if (sform && qform) {
    const apart = cornerDistance(sform, qform, dims)
    if (apart > 0.1)
      flags.push({
        code: 'sform-qform-conflict',
        severity: 'warning',
        message: `The header's sform and qform place the image ${apart.toFixed(1)} mm apart; the sform is used. Other programs may use the qform.`,
        values: { mm: Number(apart.toFixed(1)) },
      })
  }
  if (sform || qform) return { affine: (sform ?? qform)!, flags }
  if (!sizesUsable)
    throw new InputError(
      source,
      `the header's voxel sizes make no sense (${sizes.join(' × ')} mm)`,
      'export the image again',
    )
  flags.push({
    code: 'no-orientation',
    severity: 'serious',
    message: 'The header does not say how the image lies in space; it is taken as RAS. Left and right may be swapped.',
  })
  const centre = dims.map((n, axis) => -((n - 1) / 2) * sizes[axis])
  return {
    affine: [sizes[0], 0, 0, centre[0], 0, sizes[1], 0, centre[1], 0, 0, sizes[2], centre[2], 0, 0, 0, 1],
    flags,
  }
}

/** The affine when it spans space, else undefined. */
function usable(affine: Affine): Affine | undefined {
  const volume = Math.abs(
    affine[0] * (affine[5] * affine[10] - affine[6] * affine[9]) -
      affine[1] * (affine[4] * affine[10] - affine[6] * affine[8]) +
      affine[2] * (affine[4] * affine[9] - affine[5] * affine[8]),
  )
  return affine.every(Number.isFinite) && volume > 1e-9 ? affine : undefined
}

/** NIfTI-1 standard, method 2: rotation from the unit quaternion (a ≥ 0), third axis turned by qfac. */
function quaternionAffine({ quaternion: [b, c, d], offset, pixdim }: RawHeader, size: readonly number[]): Affine {
  const rest = 1 - (b * b + c * c + d * d)
  const scale = rest < 0 ? 1 / Math.hypot(b, c, d) : 1
  const [x, y, z] = [b * scale, c * scale, d * scale]
  const a = Math.sqrt(Math.max(0, rest))
  const qfac = pixdim[0] < 0 ? -1 : 1
  const rotation = [
    a * a + x * x - y * y - z * z,
    2 * (x * y - a * z),
    2 * (x * z + a * y),
    offset[0],
    2 * (x * y + a * z),
    a * a + y * y - x * x - z * z,
    2 * (y * z - a * x),
    offset[1],
    2 * (x * z - a * y),
    2 * (y * z + a * x),
    a * a + z * z - x * x - y * y,
    offset[2],
    0,
    0,
    0,
    1,
  ]
  return compose(rotation, scaling([size[0], size[1], size[2] * qfac]))
}

function looksLikeText(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 256)
  return start.every((byte) => (byte >= 32 && byte < 127) || byte >= 128 || byte === 9 || byte === 10 || byte === 13)
}
