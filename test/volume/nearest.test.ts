import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/random.js'
import { scaling, type Vec3 } from '../../src/volume/affine.js'
import { boundingBox, unionBox } from '../../src/volume/crop.js'
import { distanceTo } from '../../src/volume/distance.js'
import { nearestDistance } from '../../src/volume/nearest.js'
import { emptyMask, type Mask, maskWhere, voxelCount } from '../../src/volume/volume.js'
import { forEachIn } from '../../src/volume/words.js'

const random = seededRandom(11)

/** A mask in which a share of the voxels is set, to values up to 255. */
function speckled(dims: Vec3, sizes: Vec3, share: number): Mask {
  const grid = { dims, affine: scaling(sizes) }
  return {
    ...grid,
    data: Uint8Array.from({ length: voxelCount(grid) }, () => (random() < share ? 1 + 255 * random() : 0)),
  }
}

test('distances of chosen voxels are those of the transform of the whole image, for any sizes and filling', async () => {
  for (const [dims, sizes, share] of [
    [[30, 20, 10], [1, 1, 1], 0.01],
    [[17, 23, 9], [0.5, 0.7, 6.5], 0.05],
    [[9, 31, 40], [2, 0.4, 0.3], 0.001],
    [[1, 1, 50], [1, 1, 1.2], 0.1],
    [[40, 1, 1], [0.8, 1, 1], 0.1],
    [[8, 8, 1], [1, 2, 3], 0.6],
  ] as [Vec3, Vec3, number][]) {
    const mask = speckled(dims, sizes, share)
    mask.data[Math.floor(random() * mask.data.length)] = 1
    const expected = (await distanceTo(mask)).data
    const all = Int32Array.from(expected.keys())
    const ours = nearestDistance(mask)(all)
    for (const at of all)
      assert.ok(
        Math.abs(ours[at] - expected[at]) < 1e-6 * (1 + expected[at]),
        `${dims}: ${ours[at]}, not ${expected[at]}`,
      )
  }
})

test('an empty mask is infinitely far; no voxel, no distance; one transform serves several calls', () => {
  const none = emptyMask({ dims: [4, 4, 4], affine: scaling([1, 1, 1]) })
  assert.deepEqual(nearestDistance(none)(Int32Array.of(0, 63)), Float64Array.of(Infinity, Infinity))
  const one = { ...none, data: new Uint8Array(64) }
  one.data[0] = 1
  const distance = nearestDistance(one)
  assert.deepEqual(distance(Int32Array.of(3, 0)), Float64Array.of(3, 0))
  assert.deepEqual(distance(Int32Array.of(63)), Float64Array.of(Math.sqrt(27)))
  assert.equal(distance(new Int32Array(0)).length, 0)
})

test('the box of two masks is the bounding box of their union', () => {
  for (let round = 0; round < 50; round++) {
    const dims = [5, 6, 7].map((n) => n + Math.floor(4 * random())) as unknown as Vec3
    const [a, b] = [0, 1].map(() => speckled(dims, [1, 1, 1], 0.01))
    assert.deepEqual(unionBox(a, b), boundingBox(maskWhere(a, (value, i) => value !== 0 || b.data[i] !== 0)))
  }
  const none = emptyMask({ dims: [4, 4, 4], affine: scaling([1, 1, 1]) })
  assert.equal(unionBox(none, none), null)
})

test('voxels are met in storage order, wherever the values begin and end in their buffer', () => {
  for (let start = 0; start < 5; start++)
    for (let length = 0; length < 40; length++) {
      const [a, b] = [0, 1].map(() =>
        Uint8Array.from({ length: 64 }, () => (random() < 0.2 ? 128 : 0)).subarray(start, start + length),
      )
      const met: number[] = []
      forEachIn(a, b, (at) => met.push(at))
      assert.deepEqual(
        met,
        [...a.keys()].filter((at) => a[at] !== 0 || b[at] !== 0),
      )
    }
})
