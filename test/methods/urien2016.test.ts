import assert from 'node:assert/strict'
import { test } from 'node:test'
import { urien2016 } from '../../src/methods/unsupervised/urien2016.js'
import { labelComponents } from '../../src/volume/components.js'
import { countVoxels, type Mask } from '../../src/volume/volume.js'
import { phantomLesionMask } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

/** Part of the findings that touch no lesion. */
function falseFindings(mask: Mask): number {
  const truth = phantomLesionMask()
  const { labels, count } = labelComponents(mask, 26)
  const hit = new Set<number>()
  labels.data.forEach((label, i) => {
    if (label !== 0 && truth.data[i] !== 0) hit.add(label)
  })
  return count > 0 ? 1 - hit.size / count : 0
}

test('all lesions in white matter are found whole, with and without T1 and T2', async () => {
  for (const contrasts of [['flair', 't1', 't2'], ['flair', 't1'], ['flair']] as const) {
    const { mask, probability } = await runMethod(urien2016, await phantomStudy({ contrasts }))
    const { dice, detected, shares } = judge(mask)
    assert.ok(dice >= 0.9, `Dice ${dice} with ${contrasts}`)
    // The lesion in the grey shell has no white ring, and is brighter than its ring on T1.
    assert.equal(detected.length, 7, detected.join())
    for (const name of ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'] as const)
      assert.ok(shares[name] > 0.9, `${name} ${shares[name]}`)
    assert.equal(falseFindings(mask), 0)
    assert.ok(mask.data.every((v, i) => (v === 0 ? probability!.data[i] === 0 : probability!.data[i] >= 0.5)))
  }
})

test('a healthy brain has no lesions, nor has one with a bias field that is left in', async () => {
  for (const bias of [0, 0.1]) {
    const { mask } = await runMethod(urien2016, await phantomStudy({ lesions: [], bias }))
    assert.equal(countVoxels(mask), 0, `bias ${bias}`)
  }
})

test('noise that is not smoothed makes little difference', async () => {
  const { mask } = await runMethod(urien2016, await phantomStudy(), { smoothing: 0 })
  assert.ok(judge(mask).dice >= 0.85, `Dice ${judge(mask).dice}`)
  assert.ok(falseFindings(mask) <= 0.3)
})

test('a region that is brighter than its ring on T1, or darker on T2, is no lesion', async () => {
  const study = await phantomStudy({ contrasts: ['flair'] })
  const { flair } = study.images
  const inverted = { ...flair!, data: flair!.data.map((v) => 200 - v) }
  assert.ok(countVoxels((await runMethod(urien2016, { ...study, images: { flair, t1: inverted } })).mask) > 300)
  assert.equal(countVoxels((await runMethod(urien2016, { ...study, images: { flair, t1: flair! } })).mask), 0)
  assert.equal(countVoxels((await runMethod(urien2016, { ...study, images: { flair, t2: inverted } })).mask), 0)
})

test('what lies on the midline is left out', async () => {
  const study = await phantomStudy()
  // SC1 lies at x = 34 mm: an atlas shifted by as much puts the midline through it.
  const toAtlas = [1, 0, 0, -34, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  const { detected } = judge((await runMethod(urien2016, { ...study, toAtlas })).mask)
  assert.ok(!detected.includes('SC1') && detected.includes('SC2') && detected.includes('BH1'), detected.join())
})

test('sizes outside the limits are left out', async () => {
  const study = await phantomStudy()
  const { detected } = judge((await runMethod(urien2016, study, { smallest: 200, largest: 800 })).mask)
  // SC3 has 64 mm³, BH1 1088 mm³; a core of BH1 within the limits may be chosen.
  assert.ok(!detected.includes('SC3') && detected.includes('SC1'), detected.join())
})

test('a constant image is said to be one', async () => {
  const study = await phantomStudy({ contrasts: ['flair'] })
  const flair = { ...study.images.flair!, data: study.images.flair!.data.map(() => 50) }
  const { mask, flags } = await runMethod(urien2016, { ...study, images: { flair } })
  assert.equal(countVoxels(mask), 0)
  assert.deepEqual(
    flags!.map(({ code }) => code),
    ['flair-without-contrast'],
  )
})
