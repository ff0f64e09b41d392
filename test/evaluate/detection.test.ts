import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyOverlapCounts, lesionDetection } from '../../src/evaluate/detection.js'
import { matchLesions } from '../../src/evaluate/matching.js'
import { panopticOf, panopticQuality } from '../../src/evaluate/panoptic.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'
import { fixed, masks } from '../generators.js'
import { boxes, close } from './box-masks.js'

// 12 × 10 × 10 and 5 × 4 × 1 and 1 voxel of 1 mm³; of the first 1000 are found, of the second nothing, the third is.
const reference = boxes([40, 30, 12], [1, 1, 1], [0, 0, 0, 12, 10, 10], [20, 0, 0, 5, 4, 1], [30, 0, 0, 1, 1, 1])
const candidate = boxes(
  [40, 30, 12],
  [1, 1, 1],
  [0, 0, 0, 10, 10, 10],
  [30, 0, 0, 3, 1, 1],
  [0, 20, 0, 2, 2, 2],
  [10, 20, 0, 1, 1, 1],
)

test('lesions are counted whole and by size', () => {
  const d = lesionDetection(reference, candidate)
  assert.deepEqual(
    [d.referenceLesions, d.detected, d.missed, d.candidateLesions, d.confirmed, d.falsePositives],
    [3, 2, 1, 4, 2, 2],
  )
  assert.deepEqual([d.ltpr, d.lfpr, d.precision], [2 / 3, 1 / 2, 1 / 2])
  assert.ok(close(d.f1, 4 / 7))
  assert.deepEqual(
    d.bins.map((b) => [b.fromMm3, b.toMm3, b.ltpr, b.lfpr, b.f1]),
    [
      [0, 10, 1, 2 / 3, 0.5],
      [10, 100, 0, Number.NaN, 0],
      [100, 1000, Number.NaN, Number.NaN, Number.NaN],
      [1000, Number.POSITIVE_INFINITY, 1, 0, 1],
    ],
  )
  assert.deepEqual(lesionDetection(reference, candidate, { binsMm3: [] }).bins.length, 1)
  assert.throws(() => lesionDetection(reference, candidate, { binsMm3: [10, 10] }), /ascend/)
})

test('the short count of any overlap is the long one', () => {
  fc.assert(
    fc.property(masks, masks, fc.constantFrom<6 | 18 | 26>(6, 18, 26), (a, b, connectivity) => {
      const other = { ...a, data: a.data.map((value, i) => (b.data[i % b.data.length] ? 1 - value : value)) }
      const { bins, splits, merges, ...counts } = lesionDetection(a, other, { connectivity })
      assert.deepEqual(anyOverlapCounts(a, other, connectivity), counts)
      assert.equal(
        bins.reduce((sum, bin) => sum + bin.referenceLesions, 0),
        counts.referenceLesions,
      )
      assert.equal(
        bins.reduce((sum, bin) => sum + bin.falsePositives, 0),
        counts.falsePositives,
      )
      // Changing the masks over changes sensitivity and precision over.
      const back = lesionDetection(other, a, { connectivity })
      assert.deepEqual([back.ltpr, back.precision], [counts.precision, counts.ltpr])
      assert.ok(close(back.f1, counts.f1))
    }),
    fixed(150),
  )
})

const full = (mask: Mask): Mask => ({ ...mask, data: new Uint8Array(mask.data.length).fill(1) })

test('what is undefined is NaN: empty, full and one-voxel masks', () => {
  const none = emptyMask(reference)
  const one = boxes([40, 30, 12], [1, 1, 1], [3, 3, 3, 1, 1, 1])
  const figures = (r: Mask, c: Mask) => {
    const { ltpr, lfpr, f1 } = lesionDetection(r, c)
    const { pq, sq, rq } = panopticQuality(r, c)
    return [ltpr, lfpr, f1, pq, sq, rq]
  }
  const { NaN: nan } = Number
  assert.deepEqual(figures(none, none), [nan, nan, nan, nan, nan, nan])
  assert.deepEqual(figures(none, one), [nan, 1, 0, 0, nan, 0])
  assert.deepEqual(figures(one, none), [0, nan, 0, 0, nan, 0])
  assert.deepEqual(figures(one, one), [1, 0, 1, 1, 1, 1])
  assert.deepEqual(figures(full(one), full(one)), [1, 0, 1, 1, 1, 1])
  assert.deepEqual(figures(one, full(one)), [1, 0, 1, 0, nan, 0])
})

test('panoptic quality is segmentation times recognition', () => {
  // IoU 1000/1200 and 1/3; one reference lesion missed, two false.
  const half = panopticQuality(reference, candidate)
  assert.deepEqual([half.truePositives, half.falsePositives, half.falseNegatives], [1, 3, 2])
  assert.ok(close(half.sq, 5 / 6) && close(half.rq, 1 / 3.5) && close(half.pq, half.sq * half.rq))
  const third = panopticQuality(reference, candidate, { iouAbove: 0.3 })
  assert.deepEqual([third.truePositives, third.falsePositives, third.falseNegatives], [2, 2, 1])
  assert.ok(close(third.pq, (5 / 6 + 1 / 3) / 3.5))
})

test('panoptic quality: perfect for a mask itself, symmetric, and only of one-to-one pairs', () => {
  fc.assert(
    fc.property(masks, masks, fc.double({ min: 0, max: 0.9, noNaN: true }), (a, b, iouAbove) => {
      const other = { ...a, data: a.data.map((value, i) => (b.data[i % b.data.length] ? 1 - value : value)) }
      const [there, back] = [panopticQuality(a, other, { iouAbove }), panopticQuality(other, a, { iouAbove })]
      assert.ok(close(there.pq, back.pq))
      const same = panopticQuality(a, a, { iouAbove })
      if (a.data.includes(1)) assert.deepEqual([same.pq, same.sq, same.rq], [1, 1, 1])
    }),
    fixed(100),
  )
  const split = boxes([9, 1, 1], [1, 1, 1], [0, 0, 0, 4, 1, 1], [5, 0, 0, 4, 1, 1])
  assert.throws(() => panopticOf(matchLesions(full(split), split)), /one-to-one/)
})
