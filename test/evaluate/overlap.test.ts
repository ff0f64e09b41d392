import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overlap } from '../../src/evaluate/overlap.js'
import { scaling } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'

/** A mask of 5×5×4 = 100 voxels of 2×2×2.5 = 10 mm³, ones from voxel `start` up to `end`. */
function run(start: number, end: number): Mask {
  const mask = emptyMask({ dims: [5, 5, 4], affine: scaling([2, 2, 2.5]) })
  mask.data.fill(1, start, end)
  return mask
}

test('every voxel-wise measure of a case counted by hand', () => {
  // Reference 0–39, candidate 30–79: TP 10, FP 40, FN 30, TN 20.
  const o = overlap(run(0, 40), run(30, 80))
  assert.deepEqual(o, {
    truePositive: 10,
    falsePositive: 40,
    falseNegative: 30,
    trueNegative: 20,
    dice: 20 / 90,
    jaccard: 10 / 80,
    sensitivity: 10 / 40,
    precision: 10 / 50,
    falseDiscoveryRate: 40 / 50,
    specificity: 20 / 60,
    falsePositiveRate: 40 / 60,
    negativePredictiveValue: 20 / 50,
    relativeVolumeError: 25,
    absoluteVolumeError: 25,
    absoluteVolumeDifferenceMl: 0.1,
    referenceMl: 0.4,
    candidateMl: 0.5,
  })
  const reversed = overlap(run(30, 80), run(0, 40))
  assert.deepEqual([reversed.relativeVolumeError, reversed.absoluteVolumeError], [-20, 20])
})

test('the false positive rate stays within 0–1 where the misprinted formulas leave it', () => {
  const o = overlap(run(0, 10), run(5, 65))
  const printed = o.falsePositive / (o.truePositive + o.falseNegative)
  assert.equal(printed, 5.5, 'FP / (TP + FN)')
  assert.ok(1 - printed < 0, '1 − FP / (TP + FN)')
  assert.equal(o.falsePositiveRate, 55 / 90)
  assert.equal(o.falseDiscoveryRate, 1 - o.precision)
})

test('empty, full, disjoint and single-voxel masks', () => {
  const nan = Number.NaN
  const pick = (r: Mask, c: Mask) => {
    const o = overlap(r, c)
    return [
      o.dice,
      o.jaccard,
      o.sensitivity,
      o.precision,
      o.falseDiscoveryRate,
      o.specificity,
      o.falsePositiveRate,
      o.negativePredictiveValue,
      o.relativeVolumeError,
      o.absoluteVolumeError,
    ]
  }
  const [none, full, one, other] = [run(0, 0), run(0, 100), run(7, 8), run(8, 9)]
  assert.deepEqual(pick(none, none), [nan, nan, nan, nan, nan, 1, 0, 1, nan, nan])
  assert.deepEqual(pick(one, none), [0, 0, 0, nan, nan, 1, 0, 0.99, -100, 100])
  assert.deepEqual(pick(none, one), [0, 0, nan, 0, 1, 0.99, 1 / 100, 1, nan, nan])
  assert.deepEqual(pick(full, full), [1, 1, 1, 1, 0, nan, nan, nan, 0, 0])
  assert.deepEqual(pick(one, full), [2 / 101, 0.01, 1, 0.01, 0.99, 0, 1, nan, 9900, 9900])
  assert.deepEqual(pick(one, one), [1, 1, 1, 1, 0, 1, 0, 1, 0, 0])
  assert.deepEqual(pick(one, other), [0, 0, 0, 0, 1, 98 / 99, 1 / 99, 98 / 99, 0, 0])
  assert.throws(() => overlap(one, { ...one, affine: scaling([2, 2, 3]) }), /two grids/)
})
