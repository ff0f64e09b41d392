import { InputError } from '../errors.js'
import { type Affine, apply, type Vec3 } from '../volume/affine.js'

/**
 * ITK text transforms, one a file. They map points of the fixed image to points of the moving one, in LPS mm; here maps
 * are RAS mm, so x and y change sign on the way in and out.
 */
export function writeItkAffine(map: Affine): string {
  const flip = [-1, -1, 1]
  const matrix = [0, 1, 2].flatMap((r) => [0, 1, 2].map((c) => map[4 * r + c] * flip[r] * flip[c]))
  const offset = [0, 1, 2].map((r) => map[4 * r + 3] * flip[r])
  return [
    '#Insight Transform File V1.0',
    '#Transform 0',
    'Transform: AffineTransform_double_3_3',
    `Parameters: ${[...matrix, ...offset].map(number).join(' ')}`,
    'FixedParameters: 0 0 0',
    '',
  ].join('\n')
}

/**
 * Reads a file with one linear transform (affine, matrix-offset, Euler, versor, similarity, translation).
 * @throws InputError when it is something else, or holds several
 */
export function readItkAffine(text: string, source: string): Affine {
  if (!text.startsWith('#Insight Transform File')) throw unusable(source, 'this is not an ITK transform file')
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}:\\s*(.*)$`, 'gm'))].map((match) => match[1].trim())
  const types = values('Transform')
  if (types.length !== 1) throw unusable(source, `holds ${types.length} transforms`)
  const numbers = (line: string | undefined) => (line ? line.split(/\s+/).map(Number) : [])
  return itkTransform(types[0], numbers(values('Parameters')[0]), numbers(values('FixedParameters')[0]), source)
}

const unusable = (source: string, seen: string) =>
  new InputError(source, seen, 'give an ITK text file with one linear transform')

/** Number of parameters of each kind of transform, and its matrix (rows of 3 × 3) and shift. */
const kinds: Record<string, { count: number; linear(p: readonly number[], zyx: boolean): [number[], number[]] }> = {
  AffineTransform: { count: 12, linear: (p) => [p.slice(0, 9), p.slice(9)] },
  MatrixOffsetTransformBase: { count: 12, linear: (p) => [p.slice(0, 9), p.slice(9)] },
  Euler3DTransform: { count: 6, linear: (p, zyx) => [eulerMatrix(p, zyx), p.slice(3)] },
  VersorRigid3DTransform: { count: 6, linear: (p) => [versorMatrix(p), p.slice(3)] },
  Similarity3DTransform: { count: 7, linear: (p) => [versorMatrix(p).map((v) => v * p[6]), p.slice(3, 6)] },
  TranslationTransform: { count: 3, linear: (p) => [[1, 0, 0, 0, 1, 0, 0, 0, 1], [...p]] },
}

/**
 * The map of one of ITK's linear transforms.
 *
 * @param type its name, e.g. `AffineTransform_double_3_3`
 * @param fixed its fixed parameters: the centre
 * @throws InputError for other types, or another number of parameters
 */
export function itkTransform(type: string, p: readonly number[], fixed: readonly number[], source: string): Affine {
  const name = type.replace(/_(double|float)_3_3$/, '')
  const kind = kinds[name]
  if (!kind) throw unusable(source, `holds a transform of type ${type}`)
  if (p.length !== kind.count || !p.every(Number.isFinite))
    throw unusable(source, `has ${p.length} parameters where ${name} has ${kind.count}`)
  const centre = [fixed[0] ?? 0, fixed[1] ?? 0, fixed[2] ?? 0] as unknown as Vec3
  const [matrix, shift] = kind.linear(p, fixed[3] === 1)
  // y = M (x − centre) + centre + shift
  const turned = apply(
    [...matrix.slice(0, 3), 0, ...matrix.slice(3, 6), 0, ...matrix.slice(6, 9), 0, 0, 0, 0, 1],
    centre,
  )
  return lpsToRas(
    matrix,
    shift.map((s, i) => s + centre[i] - turned[i]),
  )
}

/** The rotation of a unit quaternion given by its vector part. */
function versorMatrix([x, y, z]: readonly number[]): number[] {
  const w = Math.sqrt(Math.max(0, 1 - x * x - y * y - z * z))
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - z * w),
    2 * (x * z + y * w),
    2 * (x * y + z * w),
    1 - 2 * (x * x + z * z),
    2 * (y * z - x * w),
    2 * (x * z - y * w),
    2 * (y * z + x * w),
    1 - 2 * (x * x + y * y),
  ]
}

function lpsToRas(matrix: readonly number[], offset: readonly number[]): Affine {
  const flip = [-1, -1, 1]
  return [0, 1, 2]
    .flatMap((r) => [...[0, 1, 2].map((c) => matrix[3 * r + c] * flip[r] * flip[c]), offset[r] * flip[r]])
    .concat([0, 0, 0, 1])
}

/** ITK's Euler3DTransform: Rz · Rx · Ry, or Rz · Ry · Rx when `zyx`. */
function eulerMatrix([ax, ay, az]: readonly number[], zyx: boolean): number[] {
  const [cx, sx, cy, sy, cz, sz] = [ax, ay, az].flatMap((a) => [Math.cos(a), Math.sin(a)])
  const x = [1, 0, 0, 0, cx, -sx, 0, sx, cx]
  const y = [cy, 0, sy, 0, 1, 0, -sy, 0, cy]
  const z = [cz, -sz, 0, sz, cz, 0, 0, 0, 1]
  return zyx ? times(z, times(y, x)) : times(z, times(x, y))
}

const times = (a: readonly number[], b: readonly number[]): number[] =>
  [0, 1, 2].flatMap((r) => [0, 1, 2].map((c) => a[3 * r] * b[c] + a[3 * r + 1] * b[3 + c] + a[3 * r + 2] * b[6 + c]))

/** Enough digits to give the same double back, without a trail of zeros. */
const number = (value: number): string => (Object.is(value, -0) ? '0' : String(value))
