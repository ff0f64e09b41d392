import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { majority } from '../../src/evaluate/consensus/majority.js'
import { msseg2 } from '../../src/evaluate/consensus/msseg2.js'
import { simple } from '../../src/evaluate/consensus/simple.js'
import { type Consensus, consensus, consensusMethods } from '../../src/evaluate/consensus.js'
import { dice } from '../../src/evaluate/overlap.js'
import { scaling } from '../../src/volume/affine.js'
import { emptyMask, type Image, type Mask } from '../../src/volume/volume.js'
import { fixed } from '../generators.js'
import { drawn, grid, panels, rater, shown, truth } from './raters.js'

const soft = (mask: Mask, ...values: number[]): Image => ({ ...mask, data: Float32Array.from(values) })

test('majority: more than half, or half where ties go to the lesion', () => {
  const four = [drawn('1111.'), drawn('111..'), drawn('11...'), drawn('1....')]
  const strict = majority(four)
  assert.equal(shown(strict.labels), '11...')
  assert.equal(shown(majority(four, { tie: 'lesion' }).labels), '111..')
  assert.deepEqual([...strict.probability.data], [1, 0.75, 0.5, 0.25, 0])
  // Against 11...: the first rater draws both voxels and two more, the last one of them.
  assert.deepEqual(
    strict.raters.map(({ sensitivity, ppv }) => [sensitivity, ppv]),
    [
      [1, 2 / 4],
      [1, 2 / 3],
      [1, 1],
      [0.5, 1],
    ],
  )
  assert.equal(strict.raters[0].specificity, 1 / 3)
})

test('majority: the most frequent label; of those that tie the lowest, background first or last', () => {
  const three = [drawn('1223'), drawn('1232'), drawn('21..')]
  assert.equal(shown(majority(three).labels), '12..')
  const two = [drawn('12.3.'), drawn('21.3.')]
  assert.equal(shown(majority(two).labels), '11.3.')
  assert.equal(shown(majority([drawn('1.2'), drawn('.22')]).labels), '..2')
  assert.equal(shown(majority([drawn('1.2'), drawn('.22')], { tie: 'lesion' }).labels), '122')
})

test('majority of probabilities is where their mean exceeds one half; masks count as 0 and 1', () => {
  const a = drawn('....')
  const maps = [soft(a, 0.9, 0.2, 0.5, 0), soft(a, 0.4, 0.4, 0.5, 0), drawn('1...')]
  const both = majority(maps.slice(0, 2))
  assert.equal(shown(both.labels), '1...')
  assert.equal(shown(majority(maps.slice(0, 2), { tie: 'lesion' }).labels), '1.1.')
  for (const [i, p] of [0.65, 0.3, 0.5, 0].entries()) assert.ok(Math.abs(both.probability.data[i] - p) < 1e-6)
  assert.ok(Math.abs(majority(maps).probability.data[0] - 2.3 / 3) < 1e-6)
  assert.throws(() => majority([soft(a, 2, 0, 0, 0), a]), /between 0 and 1, and one is 2/)
  assert.throws(() => majority([soft(a, 0, Number.NaN, 0, 0), a]), /one is NaN/)
  assert.throws(() => majority([soft(a, 0, 0, 0, 0), drawn('2...')]), /cannot be mixed/)
})

test('MSSEG-2: lesions of three of four are kept, voxel by voxel where half of those who drew them agree', () => {
  const four = [
    drawn('111....11.1'), // lesion of four: 2 of 4 are half
    drawn('.11....1..1'), // second lesion, of three: 2 votes are needed
    drawn('..1....11..'), // third, of two: for review
    drawn('..11.......'),
  ]
  const c = msseg2(four)
  assert.equal(shown(c.labels), '.11....11..')
  assert.equal(shown(c.review), '..........1')
  assert.deepEqual(
    [...c.probability.data].map((p) => p.toFixed(2)).join(' '),
    '0.25 0.50 1.00 0.25 0.00 0.00 0.00 1.00 0.67 0.00 0.00',
  )
  assert.deepEqual(
    c.lesions.map(({ drawnBy, voxels, kept }) => [drawnBy.filter(Boolean).length, voxels, kept]),
    [
      [4, 4, true],
      [3, 2, true],
      [2, 1, false],
    ],
  )
  assert.equal(shown(msseg2(four, { doubtful: 'keep' }).labels), '.11....11.1')
  assert.equal(shown(msseg2(four, { doubtful: 'mark' }).labels), '.11....11.2')
  assert.equal(msseg2(four, { doubtful: 'mark' }).probability.data[10], 0)
  assert.equal(shown(msseg2(four, { quorum: 4 }).labels), '.11........')
  assert.deepEqual([c.raters[3].sensitivity, c.raters[3].ppv], [1 / 4, 1 / 2])
  assert.throws(() => msseg2(four, { quorum: 5 }), /quorum of 5 does not go with 4 raters/)
})

test('MSSEG-2: two experts make the union of a lesion that is kept; corners join lesions by connectivity', () => {
  const two = [drawn('11. ...'), drawn('... ..1')]
  assert.equal(shown(msseg2(two).labels), '11. ..1', 'drawn by both through the diagonal')
  assert.equal(shown(msseg2(two, { connectivity: 6 }).labels), '... ...')
})

test('SIMPLE leaves out who is far off, and weights the others by their Dice', () => {
  const good = [1, 2, 3, 4].map((seed) => rater(0.9, 0.99, seed))
  const bad = rater(0.3, 0.8, 5)
  const c = simple([...good, bad])
  assert.deepEqual(
    c.raters.map(({ kept }) => kept),
    [true, true, true, true, false],
  )
  assert.equal(c.raters[4].weight, 0)
  assert.ok(c.converged && c.iterations < 10)
  assert.ok(Math.abs(c.raters.reduce((sum, { weight }) => sum + weight!, 0) - 1) < 1e-12)
  assert.ok(dice(truth, c.labels) > dice(truth, majority([...good, bad]).labels))
  const allIn = simple(good)
  assert.ok(
    allIn.raters.every(({ kept }) => kept),
    'raters within the margin all stay',
  )
  const few = simple([good[0], good[1], bad])
  assert.ok(
    few.raters.every(({ kept }) => kept),
    'three stay whatever they are',
  )
})

test('SIMPLE by hand: weights are Dice with the vote', () => {
  // The vote is 11..; Dice 1, 1, 4/5, 2/3.
  const c = simple([drawn('11...'), drawn('11...'), drawn('111..'), drawn('1....')], { alpha: 9 })
  assert.equal(shown(c.labels), '11...')
  const all = 1 + 1 + 4 / 5 + 2 / 3
  const expected = [1 / all, 1 / all, 0.8 / all, 2 / 3 / all]
  c.raters.forEach(({ weight }, i) => assert.ok(Math.abs(weight! - expected[i]) < 1e-12))
  assert.ok(Math.abs(c.probability.data[2] - 0.8 / all) < 1e-6)
})

const same = (a: Mask, b: Mask) => assert.deepEqual([...a.data], [...b.data])

for (const method of consensusMethods) {
  test(`${method}: raters who all say the same have their mask`, () => {
    fc.assert(
      fc.property(panels(), ([mask]) => {
        const c = consensus(method, [mask, mask, mask])
        same(c.labels, mask)
        for (const { sensitivity } of c.raters)
          assert.ok(Number.isNaN(sensitivity) || sensitivity > 1 - 1e-9, `${sensitivity}`)
      }),
      fixed(60),
    )
  })

  test(`${method}: the order of the raters does not matter`, () => {
    fc.assert(
      fc.property(panels(), (panel) => {
        const [a, b] = [consensus(method, panel), consensus(method, [...panel].reverse())]
        same(a.labels, b.labels)
        close(a, b)
        a.raters.forEach((one, i) => near(one.sensitivity, b.raters[panel.length - 1 - i].sensitivity, 1e-6))
      }),
      fixed(60),
    )
  })

  test(`${method}: probabilities are probabilities, and what nobody drew is no lesion`, () => {
    fc.assert(
      fc.property(panels(), (panel) => {
        const { labels, probability } = consensus(method, panel)
        labels.data.forEach((label, i) => {
          const p = probability.data[i]
          assert.ok(p >= 0 && p <= 1)
          if (panel.every(({ data }) => data[i] === 0)) assert.equal(label, 0)
          if (label === 1) assert.ok(p >= 0.5 - 1e-6)
        })
      }),
      fixed(60),
    )
  })

  test(`${method}: empty masks, fewer than two raters, two grids`, () => {
    const none = emptyMask(grid)
    const c = consensus(method, [none, none])
    same(c.labels, none)
    assert.ok(c.probability.data.every((p) => p === 0))
    assert.ok(Number.isNaN(c.raters[0].sensitivity))
    assert.throws(() => consensus(method, [none]), /at least two raters, not 1/)
    assert.throws(() => consensus(method, [none, { ...none, affine: scaling([2, 2, 2]) }]), /two grids/)
    same(consensus(method, [truth, none, none, none]).labels, none)
  })
}

for (const method of ['majority', 'staple', 'lop-staple', 'simple'] as const)
  test(`${method}: other names for the labels make the same map under those names`, () => {
    const renamed = [0, 2, 3, 1]
    fc.assert(
      fc.property(panels(4), (panel) => {
        // Ties go to the lower label, which is another one after the renaming; SIMPLE begins with such votes.
        if (method === 'simple') fc.pre(panel[0].data.every((_, i) => !tied(panel, i)))
        const a = consensus(method, panel)
        const b = consensus(
          method,
          panel.map((mask) => ({ ...mask, data: mask.data.map((label) => renamed[label]) })),
        )
        close(a, b)
        a.labels.data.forEach((label, i) => {
          if (!tied(panel, i)) assert.equal(renamed[label], b.labels.data[i])
        })
      }),
      fixed(60),
    )
  })

/** Whether two labels have most votes in a voxel. */
const tied = (panel: readonly Mask[], at: number): boolean => {
  const votes = new Array<number>(4).fill(0)
  for (const { data } of panel) votes[data[at]]++
  return votes.filter((n) => n === Math.max(...votes)).length > 1
}

const near = (a: number, b: number, tolerance: number) =>
  assert.ok((Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= tolerance, `${a} is not ${b}`)

const close = (a: Consensus, b: Consensus) => a.probability.data.forEach((p, i) => near(p, b.probability.data[i], 1e-5))
