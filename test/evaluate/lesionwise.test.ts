import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { lesionF1 } from '../../src/evaluate/lesionwise.js'
import { dice, overlap } from '../../src/evaluate/overlap.js'
import { readNiftiMask } from '../../src/formats/nifti.js'
import { identity, scaling } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'
import { sharedData, skipWithout } from '../shared-data.js'

/** A mask of 40³ voxels of 1 mm with the given boxes `[i, j, k, ni, nj, nk]` filled. */
function boxes(...list: number[][]): Mask {
  const mask = emptyMask({ dims: [40, 40, 40], affine: identity })
  for (const [i, j, k, ni, nj, nk] of list)
    for (let c = k; c < k + nk; c++)
      for (let b = j; b < j + nj; b++) for (let a = i; a < i + ni; a++) mask.data[a + 40 * (b + 40 * c)] = 1
  return mask
}

// Each pair tries one clause of the rule; the numbers are those the official binary printed for this layout.
const reference = boxes([2, 2, 2, 10, 1, 1], [2, 10, 2, 5, 4, 1], [20, 20, 20, 4, 1, 1], [30, 2, 2, 3, 1, 1])
const candidate = boxes(
  [6, 2, 2, 10, 1, 1],
  [5, 13, 2, 4, 1, 1],
  [20, 20, 20, 4, 4, 4],
  [30, 2, 2, 3, 1, 1],
  [30, 30, 30, 5, 1, 1],
)

test('a lesion counts when it is overlapped by more than a tenth, and not by a blob that is mostly elsewhere', () => {
  const d = lesionF1(reference, candidate)
  assert.deepEqual([d.referenceLesions, d.candidateLesions], [3, 4], 'lesions of 3 mm³ are erased')
  assert.deepEqual([d.detected, d.confirmed], [1, 1])
  assert.ok(Math.abs(d.f1 - 0.285714) < 1e-6)
  const o = overlap(reference, candidate)
  assert.ok(Math.abs(o.dice - 0.243902) < 1e-6)
  assert.ok(Math.abs(o.jaccard - 0.138889) < 1e-6)
  assert.ok(Math.abs(o.relativeVolumeError - 132.4324) < 1e-4)
})

test('a mask compared with itself is perfect, empty masks give NaN or zero', () => {
  const same = lesionF1(reference, reference)
  assert.deepEqual([same.f1, same.sensitivity, same.precision], [1, 1, 1])
  assert.equal(dice(reference, reference), 1)
  const none = emptyMask(reference)
  assert.deepEqual(
    [lesionF1(reference, none).f1, lesionF1(reference, none).precision, lesionF1(none, reference).sensitivity],
    [0, 0, Number.NaN],
  )
  assert.equal(dice(none, none), Number.NaN)
})

test('the smallest lesion follows the volume of single-precision pixel sizes', () => {
  const grid = { dims: [40, 40, 40], affine: scaling([0.5, 0.5, 1.2]) } as const
  const ten = { ...boxes([2, 2, 2, 10, 1, 1]), ...grid }
  const nine = { ...boxes([2, 2, 2, 9, 1, 1]), ...grid }
  assert.equal(lesionF1(ten, ten).referenceLesions, 1)
  assert.equal(lesionF1(nine, nine).referenceLesions, 0)
})

test('masks on different grids are refused', () => {
  const other = { ...candidate, affine: scaling([2, 2, 2]) }
  assert.throws(() => lesionF1(reference, other), /two grids/)
})

test('the official scorer printed the same for 32 pairs', { skip: skipWithout('scorer-golden') }, async () => {
  const folder = sharedData('scorer-golden')!
  const golden = JSON.parse(readFileSync(`${folder}/values.json`, 'utf8')) as Record<string, number | string | null>[]
  for (const g of golden) {
    const [r, c] = await Promise.all(['reference', 'candidate'].map((role) => load(`${folder}/${g.id}_${role}.nii.gz`)))
    const d = lesionF1(r, c)
    const o = overlap(r, c)
    const ours: Record<string, number> = {
      Dice: o.dice,
      Jaccard: o.jaccard,
      Sensitivity: o.sensitivity,
      Specificity: o.specificity,
      PPV: o.precision,
      NPV: o.negativePredictiveValue,
      RelativeVolumeError: o.relativeVolumeError,
      PPVL: d.precision,
      SensL: d.sensitivity,
      F1_score: d.f1,
      NbTestedLesions: d.candidateLesions,
      VolTestedLesions: d.candidateMm3,
    }
    for (const [key, value] of Object.entries(ours)) {
      if (g[key] === undefined) continue
      const expected = g[key] === null ? Number.NaN : Number(g[key])
      assert.ok(
        Object.is(value, expected) || Math.abs(value - expected) < 2e-6,
        `${g.id} ${key}: ${value}, not ${expected}`,
      )
    }
  }
})

const load = (path: string): Promise<Mask> => readNiftiMask(readFileSync(path), path)
