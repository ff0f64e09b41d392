import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { beast } from '../../src/preprocess/brain/beast.js'
import { phantomHead } from './phantom-heads.js'

const stretch = { stretch: 0.06 }
const library = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => phantomHead(seed, stretch)))

test('the brains of heads that are not in the library', async () => {
  for (const seed of [21, 22, 23]) {
    const head = await phantomHead(seed, stretch)
    const { mask, voted } = await beast(head.image, library, { selected: 3 })
    const overlap = dice(mask, head.mask)
    assert.ok(overlap >= 0.97, `head ${seed}: Dice ${overlap.toFixed(3)}`)
    assert.deepEqual(
      voted.map(({ mm }) => mm),
      [4, 2],
    )
    assert.ok(voted.every(({ voxels, without }) => without < 0.1 * voxels))
  }
})

test('a head that is in the library is found again', async () => {
  const { probability, mask } = await beast(library[0].image, [library[0]])
  assert.equal(dice(mask, library[0].mask), 1)
  assert.ok(probability.data.every((p) => Math.min(p, 1 - p) < 1e-3))
})

test('preselection saves work and changes little; a smaller alpha recomputes more', async () => {
  const head = await phantomHead(24, stretch)
  const few = library.slice(0, 2)
  const [usual, all, strict] = [
    await beast(head.image, few),
    await beast(head.image, few, { preselection: 0 }),
    await beast(head.image, few, { alpha: 0 }),
  ]
  assert.ok(Math.abs(dice(all.mask, head.mask) - dice(usual.mask, head.mask)) < 0.01)
  assert.ok(strict.voted[1].voxels > usual.voted[1].voxels)
  assert.ok(dice(strict.mask, head.mask) > dice(usual.mask, head.mask) - 0.002)
})

test('an empty library is refused', async () => {
  await assert.rejects(beast(library[0].image, []), RangeError)
})
