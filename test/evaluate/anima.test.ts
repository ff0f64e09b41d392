import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { animaScores } from '../../src/evaluate/anima.js'
import { readNiftiMask } from '../../src/formats/nifti.js'
import { identity, scaling } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'
import { sharedData, skipWithout } from '../shared-data.js'

/** A mask of 40³ voxels of 1 mm with the given boxes `[i, j, k, ni, nj, nk]` filled. */
function boxes(...list: number[][]): Mask {
  const mask = emptyMask({ dims: [40, 40, 40], affine: identity })
  for (const [i, j, k, ni, nj, nk] of list)
    for (let c = k; c < k + nk; c++)
      for (let b = j; b < j + nj; b++) mask.data.fill(1, i + 40 * (b + 40 * c), i + ni + 40 * (b + 40 * c))
  return mask
}

const reference = boxes([2, 2, 2, 10, 1, 1], [2, 10, 2, 5, 4, 1], [20, 20, 20, 4, 1, 1], [30, 2, 2, 3, 1, 1])
const candidate = boxes(
  [6, 2, 2, 10, 1, 1],
  [5, 13, 2, 4, 1, 1],
  [20, 20, 20, 4, 4, 4],
  [30, 2, 2, 3, 1, 1],
  [30, 30, 30, 5, 1, 1],
)

/** Keys of the program's output, and ours. */
const keys: Record<string, string> = {
  Dice: 'dice',
  Jaccard: 'jaccard',
  Sensitivity: 'sensitivity',
  Specificity: 'specificity',
  PPV: 'ppv',
  NPV: 'npv',
  RelativeVolumeError: 'relativeVolumeError',
  HausdorffDistance: 'hausdorffDistance',
  ContourMeanDistance: 'contourMeanDistance',
  SurfaceDistance: 'surfaceDistance',
  PPVL: 'ppvL',
  SensL: 'sensL',
  F1_score: 'f1Score',
  NbTestedLesions: 'nbTestedLesions',
  VolTestedLesions: 'volTestedLesions',
}

test('the program printed these values for a layout that tries each clause of its rule', async () => {
  const { scores } = await animaScores(reference, candidate)
  const printed = {
    f1Score: 0.285714,
    sensL: 1 / 3,
    ppvL: 0.25,
    dice: 0.243902,
    jaccard: 0.138889,
    relativeVolumeError: 132.4324,
  }
  for (const [key, value] of Object.entries(printed))
    assert.ok(Math.abs(scores[key] - value) < 2e-6 + 2e-5 * value, `${key}: ${scores[key]}, not ${value}`)
  assert.ok(!('nbTestedLesions' in scores), 'exists only for an empty reference')
})

test('the surface distance keeps the smallest distance so far; the average stands under its own name', async () => {
  // A line of four voxels and one that starts where it does: distances 0 0 0 0 and 0 1 2 3 against 3 2 1 0 from the end.
  const line = boxes([10, 10, 10, 4, 1, 1])
  const [start, end] = [boxes([10, 10, 10, 1, 1, 1]), boxes([13, 10, 10, 1, 1, 1])]
  const fromStart = await animaScores(start, line)
  assert.equal(fromStart.scores.surfaceDistance, 0)
  assert.equal(fromStart.corrected?.assd, 6 / 5)
  const fromEnd = await animaScores(end, line)
  assert.equal(fromEnd.scores.surfaceDistance, 6 / 5, 'distances that only fall are right')
  assert.equal(fromEnd.scores.contourMeanDistance, 1.5)
  assert.equal(fromEnd.scores.hausdorffDistance, 3)
})

test('an empty candidate has no distances, an empty reference nothing but what was found in vain', async () => {
  const none = emptyMask(reference)
  const { scores } = await animaScores(reference, none)
  assert.deepEqual(scores, {
    dice: 0,
    jaccard: 0,
    sensitivity: 0,
    specificity: 1,
    ppv: Number.NaN,
    npv: 1 - 37 / 64000,
    relativeVolumeError: -100,
    hausdorffDistance: Number.NaN,
    contourMeanDistance: Number.NaN,
    surfaceDistance: Number.NaN,
    ppvL: 0,
    sensL: 0,
    f1Score: 0,
  })
  assert.deepEqual((await animaScores(none, candidate)).scores, { nbTestedLesions: 4, volTestedLesions: 83 })
  assert.deepEqual((await animaScores(none, none)).scores, { nbTestedLesions: 0, volTestedLesions: 0 })
})

test('the lowest value is background: 255 is a lesion, a mask of ones only is empty, and we say what it is', async () => {
  const loud = { ...candidate, data: candidate.data.map((v) => 255 * v) }
  assert.deepEqual(await animaScores(reference, loud), await animaScores(reference, candidate))
  const shifted = { ...candidate, data: candidate.data.map((v) => v + 1) }
  assert.deepEqual((await animaScores(reference, shifted)).scores, (await animaScores(reference, candidate)).scores)
  const full = { ...candidate, data: new Uint8Array(64000).fill(1) }
  const { scores, corrected } = await animaScores(reference, full)
  assert.equal(scores.dice, 0)
  assert.equal(corrected?.dice, 74 / 64037)
  assert.deepEqual((await animaScores(full, candidate)).scores, { nbTestedLesions: 4, volTestedLesions: 83 })
})

test('masks on different grids are refused', async () => {
  await assert.rejects(animaScores(reference, { ...candidate, affine: scaling([2, 2, 2]) }), /two grids/)
})

test('the program printed the same for 32 pairs, to 2e-6 and 2e-5 of the value', {
  skip: skipWithout('scorer-golden'),
}, async () => {
  const folder = sharedData('scorer-golden')!
  const golden = JSON.parse(readFileSync(`${folder}/values.json`, 'utf8')) as Record<string, number | string | null>[]
  assert.equal(golden.length, 32)
  for (const { id, voxelSizeMm, ...printed } of golden) {
    const { scores } = await animaScores(
      await load(`${folder}/${id}_reference.nii.gz`),
      await load(`${folder}/${id}_candidate.nii.gz`),
    )
    assert.deepEqual(
      Object.keys(scores).sort(),
      Object.keys(printed)
        .map((key) => keys[key])
        .sort(),
      `${id}: keys`,
    )
    for (const [key, value] of Object.entries(printed)) {
      const expected = value === null ? Number.NaN : Number(value)
      const ours = scores[keys[key]]
      const same = Object.is(ours, expected) || Math.abs(ours - expected) <= 2e-6 + 2e-5 * Math.abs(expected)
      assert.ok(same, `${id} ${key}: ${ours}, not ${expected}`)
    }
  }
})

const load = (path: string): Promise<Mask> => readNiftiMask(readFileSync(path), path)
