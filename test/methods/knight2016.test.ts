import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knight2016 } from '../../src/methods/unsupervised/knight2016.js'
import { maskWhere } from '../../src/volume/volume.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const study = await phantomStudy({ contrasts: ['flair'] })
/** The whole brain, FLAIR as it is, findings of two voxels and more: fraction and threshold by themselves. */
const plain = { white: 0, smoothing: 0, rules: false, smallest: 16 }

test('FLAIR alone, half lesion: every lesion, Dice of at least 0.95', async () => {
  const { mask, figures } = await runMethod(knight2016, study, plain)
  const { dice, detected } = judge(mask)
  assert.ok(dice >= 0.97, `Dice ${dice}`)
  assert.equal(detected.length, 8)
  // Brain at 75, pure lesion (the brightest thousandth) near 143: half of it at about 114.
  assert.ok(Math.abs(figures!.brainLevel - 75) < 1.5 && Math.abs(figures!.lesionLevel - 143) < 3)
  assert.ok(Math.abs(figures!.threshold - 114) < 3, `${figures!.threshold}`)
})

test('a fraction of 0.7 loses the rims of lesions; one of 0.3 takes the upper tail of grey matter along', async () => {
  const high = judge((await runMethod(knight2016, study, { ...plain, threshold: 0.7 })).mask)
  assert.ok(Math.abs(high.dice - 0.92) < 0.04, `Dice ${high.dice}`)
  // The prototype had 0.78. At 0.3 the level lies at 100, one deviation above grey matter (95), where each unit of
  // intensity moves Dice by 0.05: its exact place hangs on how the edge strengths are ranked.
  const low = judge((await runMethod(knight2016, study, { ...plain, threshold: 0.3 })).mask)
  assert.ok(low.dice > 0.6 && low.dice < 0.82, `Dice ${low.dice}`)
})

test('as it is by default: the lesions of white matter, and nothing else', async () => {
  const { mask, probability } = await runMethod(knight2016, study)
  const { dice, shares } = judge(mask)
  assert.ok(dice > 0.88, `Dice ${dice}`)
  for (const name of ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'] as const) assert.ok(shares[name] > 0.85, name)
  assert.ok(probability!.data.every((p, i) => p >= 0 && p <= 1 && (mask.data[i] === 0 || p >= 0.5)))
})

test('rules: what is dropped is counted by its reason', async () => {
  const whole = { ...plain, rules: true }
  const reasons = async (changes: Partial<typeof study>, params = {}) => {
    const { mask, figures } = await runMethod(knight2016, { ...study, ...changes }, { ...whole, ...params })
    return { found: judge(mask).detected, figures: figures! }
  }
  assert.equal((await reasons({})).found.length, 8)
  // SC3 has 8 voxels, 64 mm³.
  const large = await reasons({}, { smallest: 70 })
  assert.ok(large.figures.removedSmall === 1 && !large.found.includes('SC3'))
  // A brain that ends inside JC1's outer half.
  const cut = maskWhere(study.brain, (v, i) => v !== 0 && i % 80 < 66)
  const surface = await reasons({ brain: cut })
  assert.ok(surface.figures.removedSurface === 1 && !surface.found.includes('JC1'))
  // IT1 is of a pure lesion's brightness at its core and not at its rim: dropped where all is infratentorial.
  const everywhere = maskWhere(study.brain, (v) => v !== 0)
  const low = await reasons({ atlas: { ...study.atlas, infratentorial: everywhere } })
  assert.ok(low.figures.removedInfratentorial > 0)
  // A head that lies 15 mm to the left in the atlas has its right periventricular lesion in the midline.
  const midline = await reasons({ toAtlas: [1, 0, 0, -15, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
  assert.ok(midline.figures.removedMidline === 1 && !midline.found.includes('PV1'))
})

test('no lesions: an empty mask that says why', async () => {
  const healthy = await phantomStudy({ contrasts: ['flair'], lesions: [] })
  for (const params of [{}, plain]) {
    const { mask, flags } = await runMethod(knight2016, healthy, params)
    assert.equal(judge(mask, []).voxels, 0)
    assert.deepEqual(
      flags?.map(({ code }) => code),
      ['no-bright-lesions'],
    )
  }
})
