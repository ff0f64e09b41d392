import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dice, overlap } from '../../src/evaluate/overlap.js'
import { raterAgreement } from '../../src/evaluate/raters.js'
import { scaling } from '../../src/volume/affine.js'
import { emptyMask, volumeMl } from '../../src/volume/volume.js'
import { fixed } from '../generators.js'
import { drawn, panels, truth } from './raters.js'

test('by hand: Dice, conformity, kappa, volumes', () => {
  const a = raterAgreement([drawn('1111......'), drawn('11........'), drawn('.111......')], { dilation: 0 })
  assert.deepEqual(
    a.dice.map((row) => row.map((d) => d.toFixed(3)).join(' ')),
    ['1.000 0.667 0.857', '0.667 1.000 0.400', '0.857 0.400 1.000'],
  )
  assert.ok(Math.abs(a.meanDice - (2 / 3 + 6 / 7 + 2 / 5) / 3) < 1e-12)
  assert.ok(Math.abs(a.generalisedConformity - (2 + 3 + 1) / (4 + 4 + 4)) < 1e-12)
  // Votes for lesion: 2 3 2 2 0 0 0 0 0 0; 9 of 30 statements are lesion.
  const observed = (3 * (1 / 3) + 7) / 10
  const chance = 0.3 ** 2 + 0.7 ** 2
  assert.ok(Math.abs(a.fleissKappa - (observed - chance) / (1 - chance)) < 1e-12)
  assert.equal(a.kappaVoxels, 10)
  assert.deepEqual(a.volumesMl, [0.004, 0.002, 0.003])
  assert.ok(Math.abs(a.volumeVariation - 1 / 3) < 1e-12)
  assert.equal(raterAgreement([drawn('1........'), drawn('.........')]).kappaVoxels, 3, 'grown by two voxels')
})

test("kappa is Fleiss' own example", () => {
  // Fleiss 1971, 14 raters, 10 subjects, 5 categories: 0.210.
  const votes = ['0 0 0 0 14', '0 2 6 4 2', '0 0 3 5 6', '0 3 9 2 0', '2 2 8 1 1', '7 7 0 0 0', '3 2 6 3 0']
    .concat(['2 5 3 2 2', '6 5 2 1 0', '0 2 2 3 7'])
    .map((row) => row.split(' ').flatMap((n, label) => new Array<string>(Number(n)).fill(label ? `${label}` : '.')))
  const raters = Array.from({ length: 14 }, (_, i) => drawn(votes.map((row) => row[i]).join('')))
  assert.ok(Math.abs(raterAgreement(raters, { dilation: 0 }).fleissKappa - 0.20993) < 1e-5)
})

test('of any masks: pairs are those of the measures by themselves, all alike is 1', () => {
  fc.assert(
    fc.property(panels(), (panel) => {
      const a = raterAgreement(panel)
      panel.forEach((one, i) =>
        panel.forEach((other, j) => {
          if (i !== j) assert.equal(a.dice[i][j], dice(one, other))
          if (i !== j) assert.equal(a.lesionF1[i][j], a.lesionF1[j][i])
        }),
      )
      assert.deepEqual(a.volumesMl, panel.map(volumeMl))
      const two = raterAgreement(panel.slice(0, 2))
      assert.equal(two.generalisedConformity, overlap(panel[0], panel[1]).jaccard)
      const alike = raterAgreement([panel[0], panel[0], panel[0]])
      for (const value of [alike.meanDice, alike.fleissKappa, alike.generalisedConformity])
        assert.ok(Number.isNaN(value) || Math.abs(value - 1) < 1e-12)
    }),
    fixed(80),
  )
})

test('lesion-wise F1 counts lesions of more than 3 mm³; nothing drawn is not defined', () => {
  const shifted = { ...truth, data: truth.data.map((_, i) => truth.data[i - 1] ?? 0) }
  const far = { ...truth, data: truth.data.map((_, i) => truth.data[(i + 3840) % truth.data.length]) }
  const a = raterAgreement([truth, shifted, far])
  assert.equal(a.lesionF1[0][1], 1)
  assert.ok(a.lesionF1[0][2] < 1)
  const none = emptyMask(truth)
  const nothing = raterAgreement([none, none])
  for (const value of [nothing.meanDice, nothing.meanLesionF1, nothing.fleissKappa, nothing.volumeVariation])
    assert.ok(Number.isNaN(value))
  assert.equal(raterAgreement([none, truth]).lesionF1[0][1], 0)
  assert.throws(() => raterAgreement([truth]), /at least two/)
  assert.throws(() => raterAgreement([truth, { ...truth, affine: scaling([2, 1, 1]) }]), /two grids/)
})
