import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { type Atlas, loadAtlas } from '../../src/preprocess/atlas.js'
import { extract } from '../../src/preprocess/brain/auto.js'
import { findBrain } from '../../src/preprocess/brain.js'
import { type SimulatedStudy, simulateStudy } from '../../src/simulate/study.js'

let study: SimulatedStudy
let atlas: Atlas
before(async () => {
  atlas = await loadAtlas()
  study = await simulateStudy({ seed: 5, sliceMm: 4, pixelMm: 2 })
})

test('the methods agree on a simulated head, and their consensus is no worse than the surface', async () => {
  const { flair, toAtlas, brain } = study
  const { mask, agreement, stripped, said } = await extract({ flair }, atlas, toAtlas, { method: 'auto' })
  assert.equal(stripped, false)
  const alone = dice((await findBrain({ flair }, atlas, toAtlas)).mask, brain)
  const ours = dice(mask, brain)
  assert.ok(
    ours > alone - 0.002,
    `Dice ${ours.toFixed(4)}, of the surface alone ${alone.toFixed(4)}; ${said.join(' ')}`,
  )
  assert.ok(agreement > 0.85 && agreement < 1, `agreement ${agreement}`)
})

test('a stripped head is left as it is, and this is said', async () => {
  const { flair, toAtlas, brain } = study
  const cut = { ...flair, data: flair.data.map((v, i) => (brain.data[i] ? Math.max(1, v) : 0)) }
  const { mask, stripped, said } = await extract({ flair: cut }, atlas, toAtlas, { method: 'auto' })
  assert.equal(stripped, true)
  assert.match(said.join(), /removed before/)
  assert.deepEqual(mask, (await findBrain({ flair: cut }, atlas, toAtlas)).mask)
})

test('no image is refused', async () => {
  await assert.rejects(extract({}, atlas, study.toAtlas), RangeError)
})
