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
 * Reads a file with one linear transform (affine, matrix-offset, Euler, translation).
 * @throws InputError when it is something else, or holds several
 */
export function readItkAffine(text: string, source: string): Affine {
  const wrong = (seen: string) => new InputError(source, seen, 'give an ITK text file with one linear transform')
  if (!text.startsWith('#Insight Transform File')) throw wrong('this is not an ITK transform file')
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}:\\s*(.*)$`, 'gm'))].map((match) => match[1].trim())
  const types = values('Transform')
  if (types.length !== 1) throw wrong(`holds ${types.length} transforms`)
  const numbers = (line: string | undefined) => (line ? line.split(/\s+/).map(Number) : [])
  const p = numbers(values('Parameters')[0])
  const c = numbers(values('FixedParameters')[0])
  const centre = [c[0] ?? 0, c[1] ?? 0, c[2] ?? 0] as unknown as Vec3
  const type = types[0].replace(/_(double|float)_3_3$/, '')
  const expected = { AffineTransform: 12, MatrixOffsetTransformBase: 12, Euler3DTransform: 6, TranslationTransform: 3 }[
    type
  ]
  if (!expected) throw wrong(`holds a transform of type ${types[0]}`)
  if (p.length !== expected || !p.every(Number.isFinite))
    throw wrong(`has ${p.length} parameters where ${type} has ${expected}`)
  if (type === 'TranslationTransform') return lpsToRas([1, 0, 0, 0, 1, 0, 0, 0, 1], [p[0], p[1], p[2]])
  const matrix = type === 'Euler3DTransform' ? eulerMatrix(p, c[3] === 1) : p.slice(0, 9)
  const shift = type === 'Euler3DTransform' ? p.slice(3, 6) : p.slice(9, 12)
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
