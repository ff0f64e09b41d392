import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitMixture } from '../../src/learn/mixture.js'
import { souplet2008 } from '../../src/methods/unsupervised/souplet2008.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const contrasts = ['flair', 't1', 't2'] as const
const study = await phantomStudy({ contrasts })
/** Nothing but the threshold. */
const bare = { smoothing: 0, enhance: false, white: 0, whiteAround: 0, border: 1, smallest: 0 }
const near = (value: number, wanted: number, by: number, what: string) =>
  assert.ok(Math.abs(value - wanted) <= by, `${what}: ${value}, not ${wanted} ± ${by}`)

test('the threshold alone, at the levels of 1, 2 and 3 σ of all grey matter', async () => {
  // Those levels, 99.3, 107.8 and 116.2, are those of all voxels of the grey label, whose partial volume gives σ = 8.5.
  // The classes between two tissues take that away: here σ is near the noise, and the same levels are at larger k.
  const { figures } = await runMethod(souplet2008, study, bare)
  near(figures!.greyMean, 93, 1, 'mean of grey matter')
  near(figures!.greySigma, 4.5, 0.5, 'σ of grey matter')
  for (const [level, dice] of [
    [99.3, 0.3],
    [107.8, 0.99],
    [116.2, 1],
  ]) {
    const k = (level - figures!.greyMean) / figures!.greySigma
    const { mask } = await runMethod(souplet2008, study, { ...bare, k })
    near(judge(mask).dice, dice, 0.02, `Dice at ${level}`)
  }
})

test('the defaults find what lies in white matter, and the rules drop the grey', async () => {
  const found = judge((await runMethod(souplet2008, study)).mask)
  assert.ok(found.dice > 0.89, `Dice ${found.dice}`)
  // The infratentorial one is grey all around.
  assert.deepEqual(found.detected, ['PV1', 'PV2', 'JC1', 'SC1', 'SC2', 'SC3', 'BH1'])
  const loose = judge((await runMethod(souplet2008, study, bare)).mask)
  assert.ok(loose.dice < 0.7, `Dice without rules ${loose.dice}`)
})

test('without T2 and without T1 the FLAIR does their work, and the flags say so', async () => {
  for (const [given, codes] of [
    [['flair', 't1'], ['flair-for-t2']],
    [['flair'], ['without-t1', 'flair-for-t2']],
  ] as const) {
    const { mask, flags } = await runMethod(souplet2008, await phantomStudy({ contrasts: given }))
    assert.ok(judge(mask).dice > 0.85, `${given}: Dice ${judge(mask).dice}`)
    assert.deepEqual(
      flags!.map(({ code }) => code),
      codes,
    )
  }
})

test('classes between tissues keep grey matter pure', () => {
  const inside = (data: Float32Array) => data.filter((_, i) => study.brain.data[i] !== 0 && i % 3 === 0)
  const channels = [study.images.t1!, study.images.t2!].map(({ data }) => inside(data))
  const prior = [study.atlas.csf, study.atlas.gm, study.atlas.wm].map(({ data }) => inside(data).map((p) => p + 0.05))
  const grey = (between: [number, number][]) => fitMixture({ channels, prior }, { between }).classes[1].mean
  const pure = grey([
    [0, 1],
    [1, 2],
  ])
  near(pure[0], 70, 1, 'T1')
  near(pure[1], 100, 1.5, 'T2')
  const mixed = grey([[1, 2]])
  assert.ok(mixed[1] >= 102, `T2 without a class between fluid and grey matter: ${mixed[1]}`)
})

test('twice the noise raises the threshold', async () => {
  // Lesions stay: even the smallest is 40 above grey matter, 5 σ of the doubled noise.
  const noisy = await phantomStudy({ contrasts, noise: 8 })
  const [calm, loud] = [await runMethod(souplet2008, study, bare), await runMethod(souplet2008, noisy, bare)]
  assert.ok(loud.figures!.threshold > calm.figures!.threshold + 5)
  assert.ok(judge(loud.mask).dice < judge(calm.mask).dice - 0.1)
})

test('a healthy brain has next to nothing; a constant FLAIR is said to be one', async () => {
  const { mask } = await runMethod(souplet2008, await phantomStudy({ contrasts, lesions: [] }))
  assert.ok(judge(mask).voxels <= 10, `${judge(mask).voxels} voxels`)
  const flat = { ...study.images.flair!, data: study.images.flair!.data.map(() => 80) }
  const none = await runMethod(souplet2008, { ...study, images: { ...study.images, flair: flat } })
  assert.equal(judge(none.mask).voxels, 0)
  assert.equal(none.flags!.at(-1)!.code, 'flair-without-spread')
})
