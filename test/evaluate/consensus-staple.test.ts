import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defaultPrior, maximise } from '../../src/evaluate/consensus/maximisation.js'
import { decisionPatterns } from '../../src/evaluate/consensus/patterns.js'
import { regionAround } from '../../src/evaluate/consensus/region.js'
import { staple } from '../../src/evaluate/consensus/staple.js'
import { readNiftiMask } from '../../src/formats/nifti.js'
import { identity } from '../../src/volume/affine.js'
import { countVoxels, emptyMask, type Mask } from '../../src/volume/volume.js'
import { sharedData, skipWithout } from '../shared-data.js'
import { drawn, rater, shown, truth } from './raters.js'

const load = (path: string): Promise<Mask> => readNiftiMask(readFileSync(path), path)

test('animaSTAPLE made the same labels and the same performances', { skip: skipWithout('scorer-golden') }, async () => {
  const folder = sharedData('scorer-golden')!
  const golden = JSON.parse(readFileSync(`${folder}/staple.json`, 'utf8')) as {
    id: string
    raters: number
    performance: number[][][]
  }[]
  assert.equal(golden.length, 6)
  for (const { id, raters, performance } of golden) {
    const masks = await Promise.all(
      Array.from({ length: raters }, (_, i) => load(`${folder}/${id}_rater-${i + 1}.nii.gz`)),
    )
    const c = staple(masks)
    const expected = await load(`${folder}/${id}_label.nii.gz`)
    assert.deepEqual(Buffer.compare(c.labels.data, expected.data), 0, id)
    performance.forEach((own, j) =>
      own.forEach((row, said) =>
        row.forEach((p, t) => {
          const ours = c.raters[j].performance![said][t]
          assert.ok(
            Math.abs(ours - p) < 1e-6,
            `${id} rater ${j + 1} says ${said} where ${t} is true: ${ours}, not ${p}`,
          )
        }),
      ),
    )
    // With maximum likelihood the figures of the soft consensus are the parameters.
    for (const { sensitivity, specificity, performance } of c.raters) {
      assert.ok(Math.abs(sensitivity - performance![1][1]) < 1e-9)
      assert.ok(Math.abs(specificity - performance![0][0]) < 1e-9)
    }
  }
})

interface Golden {
  cases: {
    raters: number
    drawn: number[]
    sensitivity: number[]
    specificity: number[]
    lesion: number
    sum: number
    sample: number[]
  }[]
}

/** The raters of bench/peers/staple.py: balls moved and resized, with voxels flipped by a congruential generator. */
function madeUpRaters(count: number): Mask[] {
  const shapes = [
    [0, 5, 97],
    [1, 5.5, 61],
    [-1, 4.5, 83],
    [0, 6.2, 29],
    [3, 3.8, 11],
  ]
  let state = 12345
  return shapes.slice(0, count).map(([dx, radius, rare]) => {
    const mask = emptyMask({ dims: [20, 18, 16], affine: identity })
    for (let k = 0, at = 0; k < 16; k++)
      for (let j = 0; j < 18; j++)
        for (let i = 0; i < 20; i++, at++) {
          state = (state * 48271) % 2147483647
          const inside = (i - 9 - dx) ** 2 + (j - 8) ** 2 + (k - 8) ** 2 <= radius * radius
          mask.data[at] = inside !== (state % rare === 0) ? 1 : 0
        }
    return mask
  })
}

// ITK begins with the mean of the masks and stops at steps of 1e-7: only where both end is compared.
test('over the whole image STAPLE is that of ITK', () => {
  const { cases } = JSON.parse(readFileSync(new URL('./staple-itk.json', import.meta.url), 'utf8')) as Golden
  for (const golden of cases) {
    const masks = madeUpRaters(golden.raters)
    assert.deepEqual(masks.map(countVoxels), golden.drawn, 'the same raters')
    const c = staple(masks, { dilation: 0, initial: 0.99999, tolerance: 1e-14, maximumIterations: 10000 })
    c.raters.forEach(({ sensitivity, specificity }, i) => {
      assert.ok(Math.abs(sensitivity - golden.sensitivity[i]) < 1e-6, `${sensitivity}, not ${golden.sensitivity[i]}`)
      assert.ok(Math.abs(specificity - golden.specificity[i]) < 1e-6, `${specificity}, not ${golden.specificity[i]}`)
    })
    assert.equal(countVoxels(c.labels), golden.lesion)
    const sum = c.probability.data.reduce((s, p) => s + p, 0)
    assert.ok(Math.abs(sum - golden.sum) < 1e-2, `${sum}, not ${golden.sum}`)
    const anybody = [...c.probability.data].filter((_, at) => masks.some(({ data }) => data[at] !== 0))
    golden.sample.forEach((p, n) => assert.ok(Math.abs(anybody[97 * n] - p) < 1e-5))
  }
})

test('one round by hand', () => {
  // 8 voxels; two raters draw 2 and 1 of them; frequency of lesion 3/16.
  const c = staple([drawn('11......'), drawn('1.......')], { dilation: 0, initial: 0.9, maximumIterations: 1 })
  const f = 3 / 16
  const both = (f * 0.81) / (f * 0.81 + (1 - f) * 0.01)
  const one = f // 0.9 · 0.1 either way
  const none = (f * 0.01) / (f * 0.01 + (1 - f) * 0.81)
  const lesion = both + one + 6 * none
  assert.ok(Math.abs(c.raters[0].performance![1][1] - (both + one) / lesion) < 1e-12)
  assert.ok(Math.abs(c.raters[1].performance![1][1] - both / lesion) < 1e-12)
  assert.ok(Math.abs(c.raters[0].performance![1][0] - (1 - both + 1 - one) / (8 - lesion)) < 1e-12)
  assert.deepEqual([c.iterations, c.converged, c.frequency[1]], [1, false, f])
  assert.ok(Math.abs(c.probability.data[1] - one) < 1e-6)
})

test('STAPLE finds how good made-up raters are, and what they looked at', () => {
  const skills = [
    [0.95, 0.99],
    [0.9, 0.98],
    [0.8, 0.995],
    [0.7, 0.9],
  ]
  const c = staple(
    skills.map(([p, q], i) => rater(p, q, i + 1)),
    { dilation: 0 },
  )
  skills.forEach(([p, q], i) => {
    assert.ok(Math.abs(c.raters[i].sensitivity - p) < 0.05)
    assert.ok(Math.abs(c.raters[i].specificity - q) < 0.01)
  })
  let wrong = 0
  truth.data.forEach((t, i) => {
    if (t !== c.labels.data[i]) wrong++
  })
  assert.ok(wrong < 0.06 * countVoxels(truth), `${wrong} voxels`)
})

test('three labels: columns of performances sum to 1, and a label that is missing does no harm', () => {
  const masks = [drawn('1122.3..'), drawn('1122.3..'), drawn('1222.3..')]
  for (const kind of ['none', 'full'] as const) {
    const c = staple(masks, { prior: { kind } })
    assert.equal(shown(c.labels), '1122.3..')
    for (const { performance } of c.raters)
      for (let t = 0; t < 4; t++) {
        const sum = performance!.reduce((s, row) => s + row[t], 0)
        assert.ok(Math.abs(sum - 1) < (kind === 'none' ? 1e-12 : 0.01), `${kind}: ${sum}`)
      }
  }
  const gap = staple([drawn('11..3'), drawn('11..3')])
  assert.equal(shown(gap.labels), '11..3')
  assert.ok(gap.probability.data.every((p) => p >= 0 && p <= 1))
})

test('many raters: products do not vanish', () => {
  const c = staple(Array.from({ length: 220 }, (_, i) => rater(0.6, 0.6, i + 1)))
  assert.ok(c.probability.data.every((p) => p >= 0 && p <= 1))
  let wrong = 0
  truth.data.forEach((t, i) => {
    if (t !== c.labels.data[i]) wrong++
  })
  assert.ok(wrong < 20, `${wrong} voxels`)
})

test('diagonal MAP: the mode under a Beta prior, wrong labels in proportion', () => {
  // 6 right and 3 + 1 wrong of 10; w = 0.5, alpha 5, beta 1.5.
  const theta = Float64Array.from([0.99, 0.005, 0.005, 0.005, 0.99, 0.005, 0.005, 0.005, 0.99])
  const counts = Float64Array.from([6, 3, 1, 0, 8, 0, 1, 1, 1])
  maximise(theta, counts, 3, { ...defaultPrior, kind: 'diagonal' })
  const right = (6 + 0.5 * 4) / (10 + 0.5 * 4.5)
  assert.ok(Math.abs(theta[0] - right) < 1e-12)
  assert.ok(Math.abs(theta[1] - 0.75 * (1 - right)) < 1e-12)
  assert.ok(Math.abs(theta[2] - 0.25 * (1 - right)) < 1e-12)
  assert.deepEqual([theta[3], theta[5]], [0, 0], 'never wrong')
})

test('full MAP: no small step away from it is more probable', () => {
  const prior = { ...defaultPrior, kind: 'full' as const, weight: 2 }
  const theta = Float64Array.from([0.8, 0.1, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1, 0.8])
  const counts = Float64Array.from([60, 30, 10, 5, 80, 15, 3, 3, 94])
  for (let again = 0; again < 20; again++) maximise(theta, counts, 3, prior)
  const column = [...theta.subarray(0, 3)]
  const sum = column.reduce((s, p) => s + p, 0)
  assert.ok(Math.abs(sum - 1) < 1e-6, `${sum}`)
  const score = (p: readonly number[]) =>
    p.reduce((s, value, said) => {
      const [alpha, beta] = said === 0 ? [prior.alpha, prior.beta] : [prior.offAlpha, prior.offBeta]
      const n = counts[said]
      return s + n * Math.log(value) + prior.weight * ((alpha - 1) * Math.log(value) + (beta - 1) * Math.log(1 - value))
    }, 0)
  for (const [from, to] of [
    [0, 1],
    [1, 0],
    [1, 2],
    [2, 0],
  ]) {
    const other = [...column]
    other[from] -= 1e-3
    other[to] += 1e-3
    assert.ok(score(other) < score(column))
  }
})

test('full MAP of two labels is a diagonal one with both priors', () => {
  const [full, diagonal] = [0, 1].map(() => Float64Array.from([0.99, 0.01, 0.01, 0.99]))
  const counts = Float64Array.from([90, 10, 4, 16])
  maximise(full, counts, 2, { ...defaultPrior, kind: 'full' })
  maximise(diagonal, counts, 2, { ...defaultPrior, kind: 'diagonal', alpha: 9, beta: 2 })
  assert.deepEqual(full, diagonal)
})

test('the region is the union grown by a ball of 81 voxels, cut at the border', () => {
  const mask = emptyMask({ dims: [9, 9, 9], affine: identity })
  mask.data[4 + 9 * (4 + 9 * 4)] = 1
  assert.equal(regionAround(mask, 2).voxels, 81)
  assert.equal(regionAround(mask, 0).voxels, 729)
  mask.data[0] = 1
  // In the corner only offsets of no negative coordinate are left.
  assert.equal(regionAround(mask, 2).voxels, 81 + 20)
  const { counts, voxels, said } = decisionPatterns([mask, { ...mask, data: new Uint8Array(729) }], 2)
  assert.deepEqual([[...counts], voxels.length, [...said]], [[99, 2], 2, [0, 0, 1, 0]])
})
