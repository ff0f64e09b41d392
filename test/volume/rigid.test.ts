import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Affine, compose, identity, invert, translation } from '../../src/volume/affine.js'
import { partOf, rigidExp, rigidLog, type Twist } from '../../src/volume/rigid.js'
import { fixed, rotation } from '../generators.js'

const close = (a: Affine, b: Affine, within: number) =>
  assert.ok(
    a.every((value, i) => Math.abs(value - b[i]) < within),
    `${a.map((v, i) => (v - b[i]).toExponential(1)).join(' ')}`,
  )
test('the square root of a rigid map, applied twice, is the map (the card’s example)', () => {
  const map = compose(translation([3, -4, 2]), rotation(0, 0.05), rotation(1, -0.08), rotation(2, 0.1))
  const half = rigidExp(partOf(rigidLog(map), 0.5))
  close(compose(half, half), map, 1e-10)
  close(half.slice(0, 4), [0.997953, -0.049398, -0.040613, 1.47163], 1e-5)
})

const angle = fc.double({ min: -3, max: 3, noNaN: true })
const millimetres = fc.double({ min: -200, max: 200, noNaN: true })

test('exp undoes log for every rigid map, and the negative of a twist is the inverse', () => {
  fc.assert(
    fc.property(fc.tuple(angle, angle, angle, millimetres, millimetres, millimetres), ([a, b, c, x, y, z]) => {
      const map = compose(translation([x, y, z]), rotation(0, a), rotation(1, b), rotation(2, c))
      const trace = map[0] + map[5] + map[10]
      fc.pre(trace > -0.9999)
      close(rigidExp(rigidLog(map)), map, 1e-7)
      close(compose(rigidExp(partOf(rigidLog(map), -1)), map), identity, 1e-6)
    }),
    fixed(300),
  )
})

test('turns as small as rounding keep their size', () => {
  for (const size of [0, 1e-12, 1e-8, 1e-5, 1e-4, 2e-4]) {
    const twist: Twist = [size, -size, size / 2, 1, 2, 3]
    const back = rigidLog(rigidExp(twist))
    assert.ok(
      back.every((value, i) => Math.abs(value - twist[i]) < 1e-9),
      `${size}: ${back}`,
    )
  }
})

test('a map that scales, and half a turn, are refused', () => {
  assert.throws(() => rigidLog([2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]), /not rigid/)
  assert.throws(() => rigidLog(rotation(2, Math.PI)), /half a turn/)
  close(compose(invert(rotation(1, 1)), rotation(1, 1)), identity, 1e-12)
})
