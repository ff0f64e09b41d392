import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bricq2008 } from '../../src/methods/unsupervised/bricq2008.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const study = await phantomStudy({ contrasts: ['flair', 't1', 't2'], seed: 3 })
const { flair, t1 } = study.images

test('PH-1: Dice of at least 0.9, all but the two lesions at the cortex found', async () => {
  for (const images of [study.images, { flair }]) {
    const { mask, figures } = await runMethod(bricq2008, { ...study, images })
    const { dice, detected } = judge(mask)
    assert.ok(dice >= 0.9, `Dice ${dice}`)
    // Around the two lesions at the cortex the atlas has little white matter: they may be missed.
    assert.equal(detected.filter((name) => name !== 'JC1' && name !== 'IT1').length, 6)
    // White matter is painted as 75; grey matter as 95, which its rims pull towards their neighbours.
    assert.ok(Math.abs(figures!.whiteMean - 75) < 1 && Math.abs(figures!.greyMode - 95) < 4)
  }
})

test('PH-1: with white matter asked nowhere, the two lesions at the cortex are found too', async () => {
  const { mask, probability, figures, flags } = await runMethod(
    bricq2008,
    { ...study, images: { flair, t1 } },
    { white: 0 },
  )
  const { dice, detected } = judge(mask)
  assert.ok(dice >= 0.95 && detected.length === 8, `Dice ${dice}, ${detected}`)
  mask.data.forEach((v, i) => {
    if (v !== 0) assert.ok(probability!.data[i] > 0.5 && flair!.data[i] > figures!.threshold)
  })
  // T2 was not given, and it says so.
  assert.deepEqual(
    flags?.map(({ code }) => code),
    ['without-t2'],
  )
})

test('PH-1 with a bias field: still found', async () => {
  const biased = await phantomStudy({ contrasts: ['flair', 't1', 't2'], bias: 0.1 })
  const { dice } = judge((await runMethod(bricq2008, biased)).mask)
  assert.ok(dice >= 0.85, `Dice ${dice}`)
})

test('PH-1 without lesions: nothing', async () => {
  const healthy = await phantomStudy({ contrasts: ['flair', 't1'], lesions: [] })
  assert.equal(judge((await runMethod(bricq2008, healthy)).mask).voxels, 0)
})

test('a lesion at the border of the brain mask is dropped', async () => {
  // The mask ends in the middle of one lesion.
  const brain = { ...study.brain, data: study.brain.data.slice() }
  const [nx, ny] = brain.dims
  brain.data.fill(0, nx * ny * 50)
  const shareOf = async (border: number) =>
    judge((await runMethod(bricq2008, { ...study, images: { flair }, brain }, { border })).mask).shares.SC1
  assert.ok((await shareOf(1)) > 0.3)
  assert.equal(await shareOf(0.1), 0)
})
