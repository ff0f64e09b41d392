import assert from 'node:assert/strict'
import { test } from 'node:test'
import { froc, pooledFroc, sensitivityAt } from '../../src/evaluate/froc.js'
import { scaling } from '../../src/volume/affine.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask } from '../../src/volume/volume.js'

const grid: Grid = { dims: [20, 8, 4], affine: scaling([1, 1, 2]) }

/** Puts `value` into `length` voxels along x from voxel (i, j, 1). */
function line<T extends Mask | Image>(volume: T, i: number, j: number, length: number, value: number): T {
  const at = i + 20 * (j + 8)
  volume.data.fill(value, at, at + length)
  return volume
}

const reference = line(line(line(emptyMask(grid), 1, 1, 4, 1), 1, 4, 3, 1), 15, 1, 1, 1)
/** Meets the first lesion at 0.9 and the second at 0.3; false ones of 0.8 (1 voxel) and 0.4 (3 voxels). */
const probability = line(line(line(line(emptyImage(grid), 4, 1, 3, 0.9), 1, 4, 3, 0.3), 18, 6, 1, 0.8), 10, 6, 3, 0.4)

test('detected lesions and false ones at each threshold', () => {
  const { referenceLesions, points } = froc(reference, probability, { thresholds: [0.2, 0.35, 0.5, 0.85, 0.95] })
  assert.equal(referenceLesions, 3)
  assert.deepEqual(
    points.map(({ detected, falsePositives }) => [detected, falsePositives]),
    [
      [2, 2],
      [1, 2],
      [1, 1],
      [1, 0],
      [0, 0],
    ],
  )
})

test('lesions below the smallest size are not counted, of either map', () => {
  const { referenceLesions, points } = froc(reference, probability, { thresholds: [0.2], minimumMm3: 6 })
  assert.equal(referenceLesions, 2, 'three voxels of 2 mm³ are 6 mm³')
  assert.deepEqual(points, [{ threshold: 0.2, detected: 2, falsePositives: 1 }])
})

test('lesions of neighbouring thresholds merge by the connectivity asked for', () => {
  const apart = line(line(emptyImage(grid), 5, 2, 2, 1), 7, 3, 2, 1)
  const count = (connectivity: 6 | 18 | 26) =>
    froc(emptyMask(grid), apart, { thresholds: [0.5], connectivity }).points[0].falsePositives
  assert.deepEqual([count(6), count(18), count(26)], [2, 1, 1])
})

test('curves pool over lesions and scans; sensitivity at a number of false positives is the best that keeps it', () => {
  const options = { thresholds: [0.2, 0.5, 0.85] }
  const empty = froc(emptyMask(grid), probability, options)
  assert.deepEqual(
    empty.points.map(({ falsePositives }) => falsePositives),
    [4, 2, 1],
  )
  const curve = pooledFroc([froc(reference, probability, options), empty])
  assert.deepEqual(curve, [
    { threshold: 0.2, sensitivity: 2 / 3, falsePositivesPerScan: 3 },
    { threshold: 0.5, sensitivity: 1 / 3, falsePositivesPerScan: 1.5 },
    { threshold: 0.85, sensitivity: 1 / 3, falsePositivesPerScan: 0.5 },
  ])
  assert.deepEqual(
    [0.25, 0.5, 2, 4].map((rate) => sensitivityAt(curve, rate)),
    [0, 1 / 3, 1 / 3, 2 / 3],
  )
  assert.ok(Number.isNaN(pooledFroc([empty])[0].sensitivity))
  assert.throws(() => pooledFroc([empty, froc(reference, probability)]), /different thresholds/)
})

test('nothing anywhere, thresholds of zero and other grids', () => {
  const nothing = froc(emptyMask(grid), emptyImage(grid))
  assert.equal(nothing.referenceLesions, 0)
  assert.ok(nothing.points.length === 19 && nothing.points.every((p) => p.falsePositives === 0))
  assert.throws(() => froc(reference, probability, { thresholds: [0] }), /every voxel a lesion/)
  assert.throws(() => froc(reference, { ...probability, affine: scaling([1, 1, 1]) }), /two grids/)
})
