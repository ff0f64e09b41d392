import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitTrimmedMixture } from '../../src/learn/trimmed-mixture.js'
import { catanese2015 } from '../../src/methods/unsupervised/catanese2015.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { countVoxels } from '../../src/volume/volume.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const contrasts = ['t1', 't2', 'flair'] as const
/** Noise of σ = 8, as where the figures of the cut come from. */
const noisy = await phantomStudy({ contrasts, noise: 8 })
const study = await phantomStudy({ contrasts })
/** The paper's brightness, little trimming, and no rule. */
const bare = {
  trim: 0.05,
  brightFrom: 1,
  brightTo: 2,
  least: -5,
  priorRate: 0,
  white: 0,
  whiteAround: 0,
  smallest: 0,
}
const near = (value: number, wanted: number, by: number, what: string) =>
  assert.ok(Math.abs(value - wanted) <= by, `${what}: ${value}, not ${wanted} ± ${by}`)

test('the cut, the rule of brightness and the rule of surroundings, one after the other', async () => {
  const cut = await runMethod(catanese2015, noisy, bare)
  near(cut.figures!.cutVoxels, 5772, 600, 'voxels of the cut')
  near(judge(cut.mask).dice, 0.15, 0.05, 'Dice of the cut')
  const bright = await runMethod(catanese2015, noisy, { ...bare, least: 2 })
  near(judge(bright.mask).dice, 0.19, 0.05, 'Dice of the bright part')
  const inside = judge(
    (await runMethod(catanese2015, noisy, { ...bare, least: 2, whiteAround: 0.4, smallest: 24 })).mask,
  )
  near(inside.dice, 0.9, 0.05, 'Dice in white matter')
  assert.deepEqual(inside.detected, ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'])
})

test('trimming more than there are outliers narrows the tissues, and rims are found', async () => {
  const levels = { brightFrom: 2, brightTo: 3, least: 3, whiteAround: 0.4, smallest: 24 }
  const { mask } = await runMethod(catanese2015, study, { ...bare, ...levels, trim: 0.2 })
  near(judge(mask).dice, 0.67, 0.05, 'Dice')
})

test('the defaults find what lies in white matter, with fewer contrasts too', async () => {
  for (const [given, least] of [
    [contrasts, 0.85],
    // Half a rim of partial volume is as bright as grey matter: less to tell it by.
    [['t1', 'flair'], 0.7],
    [['flair'], 0.7],
  ] as const) {
    const found = judge((await runMethod(catanese2015, await phantomStudy({ contrasts: given }))).mask)
    assert.ok(found.dice > least, `${given}: Dice ${found.dice}`)
    assert.deepEqual(found.detected, ['PV1', 'PV2', 'JC1', 'SC1', 'SC2', 'SC3', 'BH1'])
  }
  const healthy = await runMethod(catanese2015, await phantomStudy({ contrasts, lesions: [] }))
  assert.ok(countVoxels(healthy.mask) <= 10, `${countVoxels(healthy.mask)} voxels`)
})

test('without weight on the voxels nothing is cut; with all weight each is judged alone', async () => {
  assert.equal((await runMethod(catanese2015, noisy, { ...bare, alpha: 0 })).figures!.cutVoxels, 0)
  const { mask, probability } = await runMethod(catanese2015, noisy, { ...bare, alpha: 1e6 })
  // The probability is source / (source + sink).
  let [apart, decided] = [0, 0]
  probability!.data.forEach((p, i) => {
    if (Math.abs(p - 0.5) < 1e-3) return
    decided++
    if (p > 0.5 !== (mask.data[i] !== 0)) apart++
  })
  assert.ok(decided > 100_000 && apart === 0, `${apart} voxels differ`)
})

test('the trimmed mixture finds three tissues among ten per cent of uniform outliers', () => {
  const random = seededRandom(4)
  const normal = gaussianRandom(random)
  const means = [
    [40, 200],
    [110, 120],
    [180, 70],
  ]
  const n = 9000
  const kind = Array.from({ length: n }, (_, i) => (i % 10 === 0 ? -1 : i % 3))
  const channels = [0, 1].map((c) =>
    Float32Array.from(kind, (k) => (k < 0 ? 255 * random() : means[k][c] + 6 * normal())),
  )
  const initial = means.map((mean) => ({
    weight: 1 / 3,
    mean: mean.map((m) => m + 10),
    covariance: [400, 0, 0, 400],
  }))
  const { classes } = fitTrimmedMixture({ channels }, { initial, trim: 0.12 })
  classes.forEach(({ mean }, k) => {
    mean.forEach((m, c) => {
      near(m / means[k][c], 1, 0.01, `mean ${k} of channel ${c}`)
    })
  })
})
