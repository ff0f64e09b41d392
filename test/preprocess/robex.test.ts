import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { type RobexModel, robex } from '../../src/preprocess/brain/robex.js'
import { trainRobex } from '../../src/preprocess/brain/robex-train.js'
import { identity } from '../../src/volume/affine.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { phantomHead } from './phantom-heads.js'

const pose = { stretch: 0.08, degrees: 10, mm: 10 }
let model: RobexModel
let unseen: { image: Image; mask: Mask }[]

test.before(async () => {
  const heads: { image: Image; mask: Mask }[] = []
  for (let seed = 1; seed <= 12; seed++) heads.push(await phantomHead(seed, pose))
  model = await trainRobex(heads, { trees: 10, depth: 9, share: 0.1 })
  unseen = []
  for (let seed = 31; seed <= 34; seed++) unseen.push(await phantomHead(seed, pose))
})

const found = async (image: Image, refine = true) => (await robex([{ image, model }], image, identity, { refine })).mask

test('the brains of heads it has not learnt from, and less well without the last step', async () => {
  const [full, fitted] = [[] as number[], [] as number[]]
  for (const { image, mask } of unseen) {
    full.push(dice(await found(image), mask))
    fitted.push(dice(await found(image, false), mask))
  }
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const said = `${full.map((v) => v.toFixed(3))}; without refinement ${fitted.map((v) => v.toFixed(3))}`
  assert.ok(mean(full) >= 0.96, said)
  assert.ok(Math.min(...full) >= 0.93, said)
  assert.ok(mean(fitted) < mean(full) && mean(fitted) > 0.9, said)
})

test('a bright blob outside the skull changes little', async () => {
  const { image, mask } = unseen[0]
  const data = image.data.slice()
  const [nx, ny] = image.dims
  for (let k = 50; k < 58; k++)
    for (let j = 2; j < 10; j++) for (let i = 36; i < 44; i++) data[i + nx * (j + ny * k)] = 250
  const change = dice(await found({ ...image, data }), mask) - dice(await found(image), mask)
  assert.ok(Math.abs(change) < 0.01, `${change}`)
})
