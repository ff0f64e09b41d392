import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readItkAffine } from '../../src/formats/itk.js'
import { readItkMat } from '../../src/formats/itk-mat.js'
import { type Affine, apply } from '../../src/volume/affine.js'

const file = (type: string, parameters: number[], fixed: number[]) =>
  `#Insight Transform File V1.0\n#Transform 0\nTransform: ${type}_double_3_3\nParameters: ${parameters.join(' ')}\nFixedParameters: ${fixed.join(' ')}\n`

/** Where a map takes a point, both in LPS mm as ITK has them. */
function taken(map: Affine, [x, y, z]: readonly [number, number, number]): number[] {
  const [a, b, c] = apply(map, [-x, -y, z])
  return [-a, -b, c]
}
const near = (a: number[], b: number[]) =>
  assert.ok(Math.hypot(...a.map((v, i) => v - b[i])) < 1e-9, `${a} instead of ${b}`)

test('a quarter turn about z at (10, 0, 0) and a shift, as each kind of transform writes it', () => {
  const quarter = Math.PI / 2
  const half = Math.SQRT1_2
  for (const [type, p, scale] of [
    ['Euler3DTransform', [0, 0, quarter, 1, 2, 3], 1],
    ['VersorRigid3DTransform', [0, 0, half, 1, 2, 3], 1],
    ['Similarity3DTransform', [0, 0, half, 1, 2, 3, 1.5], 1.5],
    ['AffineTransform', [0, -1, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3], 1],
    ['MatrixOffsetTransformBase', [0, -1, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3], 1],
  ] as const) {
    const map = readItkAffine(file(type, [...p], [10, 0, 0]), type)
    // (15, 2, 4) lies (5, 2, 4) from the centre, turned (−2, 5, 4).
    near(taken(map, [15, 2, 4]), [10 - 2 * scale + 1, 5 * scale + 2, 4 * scale + 3])
  }
  near(taken(readItkAffine(file('TranslationTransform', [1, 2, 3], []), 'shift'), [5, 5, 5]), [6, 7, 8])
})

test('turns about several axes: a versor about the diagonal, and both orders of Euler angles', () => {
  // A third of a turn about (1, 1, 1) takes x to y, y to z, z to x: quaternion ½(1, 1, 1, 1).
  near(
    taken(readItkAffine(file('VersorRigid3DTransform', [0.5, 0.5, 0.5, 0, 0, 0], [0, 0, 0]), 'v'), [1, 2, 3]),
    [3, 1, 2],
  )
  const quarter = Math.PI / 2
  const angles = [quarter, quarter, 0, 0, 0, 0]
  // Rz·Rx·Ry takes z to x and leaves it there; Rz·Ry·Rx takes z to −y, where y's turn leaves it.
  near(taken(readItkAffine(file('Euler3DTransform', angles, [0, 0, 0, 0]), 'e'), [0, 0, 1]), [1, 0, 0])
  near(taken(readItkAffine(file('Euler3DTransform', angles, [0, 0, 0, 1]), 'e'), [0, 0, 1]), [0, -1, 0])
})

/** A MATLAB level 4 matrix of one column. */
function matrix(name: string, values: number[], type = 0): Buffer {
  const head = Buffer.alloc(20)
  for (const [i, v] of [type, values.length, 1, 0, name.length + 1].entries()) head.writeInt32LE(v, 4 * i)
  const numbers = type === 0 ? new Float64Array(values) : new Float32Array(values)
  return Buffer.concat([head, Buffer.from(`${name}\0`, 'latin1'), Buffer.from(numbers.buffer)])
}

test("ANTs' .mat, in double and in single precision", () => {
  const parameters = [0, -1, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3]
  for (const type of [0, 10]) {
    const bytes = Buffer.concat([
      matrix('AffineTransform_double_3_3', parameters, type),
      matrix('fixed', [10, 0, 0], type),
    ])
    near(taken(readItkMat(bytes, '0GenericAffine.mat'), [15, 2, 4]), [9, 7, 7])
  }
})

test('other .mat files are refused, whatever they hold', () => {
  const good = Buffer.concat([matrix('AffineTransform_double_3_3', new Array(12).fill(1)), matrix('fixed', [0, 0, 0])])
  const cut = good.subarray(0, good.length - 60)
  const wrong = Buffer.from('MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on some day, and more')
  const other = matrix('DisplacementFieldTransform_double_3_3', [1, 2, 3])
  for (const bytes of [cut, wrong, other, Buffer.alloc(0), matrix('fixed', [0, 0, 0])])
    assert.throws(() => readItkMat(bytes, 'x.mat'), InputError)
})
