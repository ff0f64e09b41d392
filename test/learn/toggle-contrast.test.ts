import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toggleContrast } from '../../src/learn/toggle-contrast.js'
import { seededRandom } from '../../src/random.js'
import type { Affine, Vec3 } from '../../src/volume/affine.js'
import type { Image } from '../../src/volume/volume.js'

const volume = (dims: Vec3, size: Vec3, value: (i: number, j: number, k: number) => number): Image => {
  const [nx, ny, nz] = dims
  const affine: Affine = [size[0], 0, 0, 0, 0, size[1], 0, 0, 0, 0, size[2], 0, 0, 0, 0, 1]
  const data = Float32Array.from({ length: nx * ny * nz }, (_, at) =>
    value(at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))),
  )
  return { dims, affine, data }
}

test('a constant stays, and a step stays', () => {
  const constant = volume([5, 4, 3], [1, 1, 1], () => 7)
  assert.deepEqual(toggleContrast(constant).data, constant.data)
  const step = volume([6, 4, 4], [1, 1, 1], (i) => (i < 3 ? 10 : 50))
  assert.deepEqual(toggleContrast(step).data, step.data)
})

test('a blurred edge becomes a step, and a second pass changes nothing', () => {
  const blurred = volume([8, 3, 3], [1, 1, 1], (i) => [0, 0, 0, 20, 80, 100, 100, 100][i])
  const once = toggleContrast(blurred)
  assert.deepEqual([...once.data.subarray(0, 8)], [0, 0, 0, 0, 100, 100, 100, 100])
  assert.deepEqual(toggleContrast(once).data, once.data)
})

test('the nearer of greatest and least of the six neighbours, as counted by hand', () => {
  const random = seededRandom(3)
  const values = Array.from({ length: 125 }, () => Math.round(100 * random()))
  const image = volume([5, 5, 5], [1, 1, 1], (i, j, k) => values[i + 5 * (j + 5 * k)])
  const out = toggleContrast(image)
  for (let at = 0; at < 125; at++) {
    const place = [at % 5, Math.floor(at / 5) % 5, Math.floor(at / 25)]
    const near = values.filter((_, to) => {
      const other = [to % 5, Math.floor(to / 5) % 5, Math.floor(to / 25)]
      return other.reduce((sum, v, axis) => sum + Math.abs(v - place[axis]), 0) <= 1
    })
    const [low, high] = [Math.min(...near), Math.max(...near)]
    assert.equal(out.data[at], high - values[at] <= values[at] - low ? high : low)
  }
})

test('thick slices are not compared with each other', () => {
  const slices = volume([3, 3, 4], [1, 1, 5], (_i, _j, k) => 10 * k * k)
  assert.deepEqual(toggleContrast(slices).data, slices.data)
})
