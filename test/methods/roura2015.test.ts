import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roura2015 } from '../../src/methods/unsupervised/roura2015.js'
import { emptyImage } from '../../src/volume/volume.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const study = await phantomStudy()
const paper = { preset: 'paper' }

test('the toolbox’s two passes: all in white matter found, the lesions with little of it around missed', async () => {
  const { mask, figures } = await runMethod(roura2015, study, paper)
  const { dice, shares, detected } = judge(mask)
  assert.ok(Math.abs(dice - 0.92) <= 0.03, `Dice ${dice}`)
  assert.deepEqual(detected, ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'])
  for (const name of detected) assert.ok(shares[name] > 0.95, `${name} ${shares[name]}`)
  // 104.8 without diffusion, which narrows the peak.
  assert.ok(Math.abs(figures!.threshold1 - 104.8) < 3, `threshold ${figures!.threshold1}`)
  assert.ok(figures!.threshold2 < figures!.threshold1)
})

test('the rules of defaults miss the same two', async () => {
  const { dice, detected } = judge((await runMethod(roura2015, study)).mask)
  assert.ok(dice > 0.89, `Dice ${dice}`)
  assert.deepEqual(detected, ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'])
})

test('the preset gives nothing, and says why, where there is no grey matter', async () => {
  const { mask, flags } = await runMethod(
    roura2015,
    { ...study, tissue: { ...study.tissue, gm: emptyImage(study.brain) } },
    paper,
  )
  assert.equal(judge(mask).voxels, 0)
  assert.deepEqual(
    flags!.map(({ code }) => code),
    ['flair-without-spread'],
  )
})

test('a brain without lesions stays without', async () => {
  const lesionFree = await runMethod(roura2015, await phantomStudy({ lesions: [] }), paper)
  assert.equal(judge(lesionFree.mask, []).voxels, 0)
})
