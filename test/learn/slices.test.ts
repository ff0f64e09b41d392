import assert from 'node:assert/strict'
import { test } from 'node:test'
import { medianInSlices, openSlices, slicesOf } from '../../src/learn/slices.js'
import { seededRandom } from '../../src/random.js'
import { emptyMask, type Grid, type Image, maskWhere } from '../../src/volume/volume.js'

const grid = (dims: [number, number, number], [x, y, z]: number[]): Grid => ({
  dims,
  affine: [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1],
})
const noise = (on: Grid): Image => {
  const random = seededRandom(7)
  return { ...on, data: Float32Array.from({ length: on.dims[0] * on.dims[1] * on.dims[2] }, () => random()) }
}

test('slices lie across the thickest axis; of about equal sides, across the third', () => {
  assert.equal(slicesOf(grid([4, 5, 6], [1, 1, 1])).across, 2)
  assert.equal(slicesOf(grid([4, 5, 6], [1, 1, 0.9])).across, 2)
  const sagittal = slicesOf(grid([4, 5, 6], [3, 1, 1]))
  assert.deepEqual([sagittal.across, sagittal.count, ...sagittal.dims], [0, 4, 5, 6])
  assert.deepEqual(sagittal.strides, [4, 20, 1])
})

for (const size of [
  [1, 1, 3],
  [3, 1, 1.2],
  [1, 2, 2],
])
  test(`opening by a disc is the least, then the greatest, under it: voxels of ${size.join(' × ')} mm`, () => {
    const image = noise(grid([9, 11, 10], size))
    const { across } = slicesOf(image)
    const [nx, ny, nz] = image.dims
    const brute = (from: Float32Array, pick: (a: number, b: number) => number) =>
      from.map((own, at) => {
        const p = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
        let value = own
        for (let k = 0, to = 0; k < nz; k++)
          for (let j = 0; j < ny; j++)
            for (let i = 0; i < nx; i++, to++) {
              const d = [i, j, k].map((v, axis) => (v - p[axis]) * size[axis])
              if (d[across] === 0 && Math.hypot(...d) <= 3.3) value = pick(value, from[to])
            }
        return value
      })
    assert.deepEqual(openSlices(image, 3.3).data, brute(brute(image.data, Math.min), Math.max))
  })

test('what is narrower than the disc is cut down, what is wider stays', () => {
  const flat = grid([40, 40, 1], [1, 1, 1])
  const ball = (r: number) =>
    Float32Array.from({ length: 1600 }, (_, at) => (Math.hypot((at % 40) - 20, Math.floor(at / 40) - 20) <= r ? 1 : 0))
  assert.ok(openSlices({ ...flat, data: ball(3) }, 5).data.every((v) => v === 0))
  assert.equal(openSlices({ ...flat, data: ball(8) }, 5).data[20 + 40 * 20], 1)
})

test('the median is that of the neighbours in the slice and in the mask', () => {
  const image = noise(grid([6, 5, 3], [1, 1, 2]))
  const mask = maskWhere(image, (_, i) => i % 7 !== 0)
  const out = medianInSlices(image, mask, 1.5)
  for (let at = 0; at < image.data.length; at++) {
    const [x, y, z] = [at % 6, Math.floor(at / 6) % 5, Math.floor(at / 30)]
    const near = [...image.data.keys()].filter(
      (to) =>
        mask.data[to] !== 0 &&
        Math.floor(to / 30) === z &&
        Math.abs((to % 6) - x) <= 1 &&
        Math.abs((Math.floor(to / 6) % 5) - y) <= 1,
    )
    const sorted = near.map((to) => image.data[to]).sort((a, b) => a - b)
    const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
    assert.ok(Math.abs(out.data[at] - (mask.data[at] === 0 ? 0 : median)) < 1e-6)
  }
  assert.deepEqual(
    medianInSlices(image, mask, 0).data,
    image.data.map((v, i) => (mask.data[i] === 0 ? 0 : v)),
  )
  assert.ok(medianInSlices(image, emptyMask(image), 2).data.every((v) => v === 0))
})
