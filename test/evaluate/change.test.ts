import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newLesionCase, newLesionSummary, volumeChange } from '../../src/evaluate/change.js'
import { animaEvolution, lesionEvolution } from '../../src/evaluate/evolution.js'
import type { Vec3 } from '../../src/volume/affine.js'
import { emptyMask } from '../../src/volume/volume.js'
import { boxes, close } from './box-masks.js'

const dims: Vec3 = [40, 20, 10]
const mask = (...list: number[][]) => boxes(dims, [1, 1, 1], ...list)
const none = emptyMask(mask())

test('new lesions by the rule of MSSEG-2, or by any other', () => {
  // A lesion of 3 mm³ does not exist for MSSEG-2; the second is met by one voxel of ten.
  const reference = mask([0, 0, 0, 3, 1, 1], [10, 0, 0, 10, 1, 1], [0, 10, 0, 2, 2, 2])
  const candidate = mask([0, 0, 0, 3, 1, 1], [19, 0, 0, 5, 1, 1], [0, 10, 0, 2, 2, 2])
  const strict = newLesionCase(reference, candidate)
  assert.deepEqual([strict.referenceLesions, strict.detected, strict.candidateLesions, strict.confirmed], [2, 1, 2, 1])
  assert.deepEqual([strict.referenceMl, strict.candidateMl], [0.021, 0.016])
  const loose = newLesionCase(reference, candidate, { connectivity: 26, rule: { by: 'overlap' } })
  assert.deepEqual([loose.referenceLesions, loose.detected, loose.candidateLesions, loose.lfpr], [3, 3, 3, 0])
})

test('patients are active or stable, lesions are pooled', () => {
  const one = mask([0, 0, 0, 2, 2, 2])
  const other = mask([20, 10, 5, 2, 2, 3])
  const both = mask([0, 0, 0, 2, 2, 2], [20, 10, 5, 2, 2, 3])
  const summary = newLesionSummary([
    newLesionCase(one, one),
    newLesionCase(both, one),
    // Called active for the wrong lesion: right about the patient, wrong about the lesion.
    newLesionCase(one, other),
    newLesionCase(one, none),
    newLesionCase(none, none),
    newLesionCase(none, both),
  ])
  const { lesions, activity } = summary
  assert.deepEqual(
    [lesions.referenceLesions, lesions.detected, lesions.candidateLesions, lesions.confirmed],
    [5, 2, 5, 2],
  )
  assert.deepEqual([lesions.ltpr, lesions.lfpr], [2 / 5, 3 / 5])
  assert.deepEqual(activity, {
    active: 4,
    stable: 2,
    sensitivity: 3 / 4,
    specificity: 1 / 2,
    precision: 3 / 4,
    accuracy: 4 / 6,
    balancedAccuracy: 5 / 8,
  })
  assert.equal(summary.falseLesionsPerStablePatient, 1)
  assert.ok(close(summary.falseMlPerStablePatient, 0.01))
  assert.ok(close(summary.meanVolumeDifferenceMl, (0 - 12 + 4 - 8 + 0 + 20) / 6000))
  assert.ok(close(summary.meanAbsoluteVolumeDifferenceMl, (0 + 12 + 4 + 8 + 0 + 20) / 6000))
  const stable = newLesionSummary([newLesionCase(none, none)])
  assert.deepEqual(
    [stable.activity.sensitivity, stable.activity.accuracy, stable.lesions.ltpr],
    [Number.NaN, 1, Number.NaN],
  )
})

test('volume change tells gain from loss', () => {
  const before = boxes(dims, [1, 1, 2], [0, 0, 0, 10, 1, 1])
  const after = boxes(dims, [1, 1, 2], [5, 0, 0, 20, 1, 1])
  const change = volumeChange(before, after)
  const expected = { beforeMl: 0.02, afterMl: 0.04, differenceMl: 0.02, percent: 100, gainedMl: 0.03, lostMl: 0.01 }
  for (const [key, value] of Object.entries(expected)) assert.ok(close(change[key as keyof typeof change], value), key)
  assert.equal(volumeChange(none, mask([0, 0, 0, 1, 1, 1])).percent, Number.NaN)
  assert.deepEqual(Object.values(volumeChange(before, before)).slice(2), [0, 0, 0, 0])
})

/** The labels along the row through (0, y, 0), as a string. */
const row = (labels: Uint8Array, y: number, from: number, to: number) =>
  [...labels.subarray(40 * y + from, 40 * y + to)].join('')

test('lesions since the first visit: same, new, growing', () => {
  const before = mask(
    [0, 0, 0, 20, 1, 1],
    [0, 4, 0, 20, 1, 1],
    [0, 6, 0, 10, 1, 1],
    [5, 12, 0, 20, 1, 1],
    [0, 14, 0, 5, 1, 1],
  )
  const after = mask(
    [0, 0, 0, 26, 1, 1], // 6 more: no more than the smallest size, the same
    [0, 2, 0, 7, 1, 1], // new
    [0, 4, 0, 27, 1, 1], // 7 more of 20: grown
    [0, 6, 0, 23, 1, 1], // 13 more of 10: new as a whole
    [0, 8, 0, 6, 1, 1], // new, but of exactly the smallest size: "the same"
    [0, 10, 0, 5, 1, 1], // too small to be there
    [4, 12, 0, 29, 1, 1], // 1 before and 8 behind: the smallest piece is no more than a twentieth of 20, the same
    [0, 14, 0, 9, 1, 1], // what was there was too small to be there: new
  )
  const evolution = lesionEvolution(before, after)
  assert.deepEqual([evolution.same, evolution.new, evolution.growing], [3, 3, 1])
  const { data } = evolution.labels
  assert.equal(row(data, 0, 0, 27), `${'1'.repeat(26)}0`)
  assert.equal(row(data, 2, 0, 8), '22222220')
  assert.equal(row(data, 4, 0, 28), `${'1'.repeat(20)}${'3'.repeat(7)}0`)
  assert.equal(row(data, 6, 0, 24), `${'2'.repeat(23)}0`)
  assert.equal(row(data, 8, 0, 7), '1111110')
  assert.equal(row(data, 10, 0, 6), '000000')
  assert.equal(row(data, 12, 3, 34), `0${'1'.repeat(29)}0`)
  assert.equal(row(data, 14, 0, 10), '2222222220')
})

test('lesion evolution: constants may differ; empty and other grids', () => {
  const before = mask([0, 0, 0, 20, 1, 1])
  const after = mask([0, 0, 0, 27, 1, 1])
  assert.equal(lesionEvolution(before, after, { ...animaEvolution, gamma: 0.3, gammaMm3: 5 }).new, 1)
  assert.equal(lesionEvolution(before, after, { ...animaEvolution, beta: 0.4 }).same, 1)
  assert.deepEqual([lesionEvolution(after, none).same, lesionEvolution(none, after).new], [0, 1])
  assert.throws(() => lesionEvolution(before, boxes([3, 3, 3], [1, 1, 1])), /two grids/)
})
