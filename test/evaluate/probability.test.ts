import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { calibration } from '../../src/evaluate/calibration.js'
import { discrimination, operatingPoints } from '../../src/evaluate/discrimination.js'
import { overlap } from '../../src/evaluate/overlap.js'
import { retentionCurve } from '../../src/evaluate/retention.js'
import { sorted } from '../../src/evaluate/scored-voxels.js'
import { seededRandom } from '../../src/random.js'
import { identity, scaling } from '../../src/volume/affine.js'
import { type Image, type Mask, maskWhere } from '../../src/volume/volume.js'

interface Golden {
  probabilities: {
    truth: number[]
    score: number[]
    brier: number
    rocAuc: number
    averagePrecision: number
    expectedError: number
    observed: number[]
    meanProbability: number[]
  }[]
  retention: {
    truth: number[]
    prediction: number[]
    uncertainty: number[]
    dice: number[]
    normalisedDice: number[]
    errorArea: number
    normalisedErrorArea: number
  }
}
const golden = JSON.parse(readFileSync(new URL('golden/metrics.json', import.meta.url), 'utf8')) as Golden

const mask = (values: number[]): Mask => ({
  dims: [values.length, 1, 1],
  affine: identity,
  data: Uint8Array.from(values),
})
const map = (values: number[]): Image => ({
  dims: [values.length, 1, 1],
  affine: identity,
  data: Float32Array.from(values),
})
const near = (ours: number, expected: number, what: string) =>
  assert.ok(Object.is(ours, expected) || Math.abs(ours - expected) < 1e-9, `${what}: ${ours}, not ${expected}`)

test('Brier score, calibration error, reliability curve, AUC and average precision as scikit-learn has them', () => {
  for (const { truth, score, ...expected } of golden.probabilities) {
    const c = calibration(mask(truth), map(score))
    near(c.brier, expected.brier, 'Brier')
    near(c.expectedError, expected.expectedError, 'expected calibration error')
    const bins = c.bins.filter(({ count }) => count > 0)
    assert.equal(bins.length, expected.observed.length)
    bins.forEach((bin, i) => {
      near(bin.observed, expected.observed[i], `observed in bin ${i}`)
      near(bin.meanProbability, expected.meanProbability[i], `mean probability of bin ${i}`)
    })
    near(c.maximumError, Math.max(...bins.map((b) => Math.abs(b.observed - b.meanProbability))), 'maximum error')
    const d = discrimination(mask(truth), map(score))
    near(d.rocAuc, expected.rocAuc, 'ROC AUC')
    near(d.averagePrecision, expected.averagePrecision, 'average precision')
  }
})

test('a map that is right is perfect, one that says nothing is chance, whatever the monotone scale of its scores', () => {
  const truth = mask([0, 0, 1, 1, 0])
  assert.deepEqual(calibration(truth, map([0, 0, 1, 1, 0])).brier, 0)
  assert.deepEqual(discrimination(truth, map([0, 0, 1, 1, 0])), {
    rocAuc: 1,
    averagePrecision: 1,
    positives: 2,
    negatives: 3,
  })
  const flat = discrimination(truth, map([0.4, 0.4, 0.4, 0.4, 0.4]))
  assert.deepEqual([flat.rocAuc, flat.averagePrecision], [0.5, 0.4])
  assert.equal(discrimination(truth, map([5, -1, 4, -2, -3])).rocAuc, 3 / 6, 'any finite score will do')
})

test('only voxels of the given mask count', () => {
  const truth = mask([0, 1, 0, 1])
  const within = mask([0, 1, 1, 0])
  const c = calibration(truth, map([1, 0.5, 0.5, 0]), { within, binCount: 2 })
  assert.equal(c.brier, 0.25)
  assert.deepEqual(
    c.bins.map(({ count }) => count),
    [2, 0],
    '0.5 belongs to the bin that ends there',
  )
  assert.ok(Number.isNaN(c.bins[1].observed))
  assert.equal(discrimination(truth, map([1, 0.6, 0.5, 0]), { within }).rocAuc, 1)
})

test('no lesion, nothing but lesion, no voxel: NaN where a figure has no meaning', () => {
  const none = discrimination(mask([0, 0]), map([0.2, 0.7]))
  assert.deepEqual([none.rocAuc, none.averagePrecision], [Number.NaN, Number.NaN])
  const only = discrimination(mask([1, 1]), map([0.2, 0.7]))
  assert.deepEqual([only.rocAuc, only.averagePrecision], [Number.NaN, 1])
  const { bins, ...rest } = calibration(mask([0, 1]), map([0, 1]), { within: mask([0, 0]) })
  assert.ok(Object.values(rest).every(Number.isNaN) && bins.length === 10)
})

test('what is no probability is refused', () => {
  assert.throws(() => calibration(mask([0, 1]), map([0, 1.5])), /1\.5, where only values from 0 to 1/)
  assert.throws(() => calibration(mask([0, 1]), map([0, Number.NaN])), /NaN/)
  assert.throws(() => discrimination(mask([0, 1]), map([0, Number.POSITIVE_INFINITY])), /Infinity/)
  assert.throws(() => retentionCurve(mask([0, 1]), mask([0, 1]), map([0, Number.NaN])), /NaN/)
  assert.throws(() => calibration(mask([0, 1]), { ...map([0, 1]), affine: scaling([2, 2, 2]) }), /two grids/)
  assert.throws(() => calibration(mask([0, 1]), map([0, 1]), { binCount: 0 }), /0 is no number of bins/)
})

test('operating points are the overlap of the thresholded map', () => {
  const { truth, score } = golden.probabilities[0]
  for (const point of operatingPoints(mask(truth), map(score), [0, 0.25, 0.5, 0.99, 2])) {
    const o = overlap(
      mask(truth),
      maskWhere(map(score), (v) => v >= point.threshold),
    )
    assert.deepEqual(
      [point.dice, point.sensitivity, point.precision, point.falsePositiveRate],
      [o.dice, o.sensitivity, o.precision, o.falsePositiveRate],
    )
  }
})

test('retention curves as the code of the Shifts challenge has them', () => {
  const { truth, prediction, uncertainty, ...expected } = golden.retention
  const curve = retentionCurve(mask(truth), mask(prediction), map(uncertainty))
  assert.equal(curve.retained.length, 200)
  expected.dice.forEach((value, i) => near(curve.dice[20 * i], value, `Dice ${i}`))
  expected.normalisedDice.forEach((value, i) => near(curve.normalisedDice[20 * i], value, `nDSC ${i}`))
  near(curve.errorArea, expected.errorArea, 'area')
  near(curve.normalisedErrorArea, expected.normalisedErrorArea, 'R-AUC')
})

test('retention: uncertain errors are better than certain ones; ties do not depend on the order of voxels', () => {
  const truth = mask([1, 1, 1, 1, 0, 0, 0, 0])
  const prediction = mask([1, 1, 1, 0, 1, 0, 0, 0])
  const wrong = map([0, 0, 0, 1, 1, 0, 0, 0])
  const good = retentionCurve(truth, prediction, wrong, { retained: [0, 0.5, 0.75, 1] })
  assert.deepEqual(good.dice, [1, 1, 1, 6 / 8])
  const bad = retentionCurve(truth, prediction, map([1, 1, 1, 0, 0, 1, 1, 1]), { retained: [0, 0.25, 0.5, 1] })
  assert.deepEqual(bad.dice, [1, 6 / 8, 6 / 8, 6 / 8])
  assert.ok(good.errorArea < bad.errorArea)
  const flat = retentionCurve(truth, prediction, map(new Array(8).fill(3)), { retained: [0.5] })
  assert.deepEqual(flat.dice, [7 / 8], 'half of either error is kept')
  const none = retentionCurve(mask([0, 0]), mask([0, 0]), map([1, 2]))
  assert.ok(none.dice.every((value) => value === 1) && none.errorArea === 0)
})

test('the radix sort is the sort', () => {
  const random = seededRandom(3)
  const values = Float32Array.from({ length: 5000 }, (_, i) =>
    i % 3 === 0 ? Math.round(10 * random()) : (random() - 0.5) * 10 ** Math.floor(40 * random() - 20),
  )
  values.set([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e-45, -1e-45])
  assert.deepEqual(sorted(values), values.slice().sort())
  assert.equal(sorted(new Float32Array(0)).length, 0)
})
