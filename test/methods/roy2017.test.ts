import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roy2017 } from '../../src/methods/unsupervised/roy2017.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { keepTouching } from '../../src/volume/components.js'
import { maskWhere } from '../../src/volume/volume.js'
import { phantomLesionMask } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const classic = await phantomStudy({ contrasts: ['t1', 't2', 'pd'] })
const flair = await phantomStudy({ contrasts: ['flair', 't1'] })
/** Opening and threshold by themselves: no median, the whole brain, findings of any size. */
const plain = {
  background: 'opening',
  backgroundRadius: 8,
  median: 0,
  white: 0,
  grey: -10,
  smallest: 0,
  smallestArea: 0,
}

test('T1, T2 and PD: 0.58 at k = 2, and no collapse at k = 3, fluid being left out of the figures', async () => {
  const two = judge((await runMethod(roy2017, classic, { ...plain, k: 2 })).mask)
  assert.ok(Math.abs(two.dice - 0.58) < 0.04, `Dice ${two.dice}`)
  assert.ok(two.detected.length >= 7)
  const three = judge((await runMethod(roy2017, classic, { ...plain, k: 3 })).mask)
  assert.ok(three.dice > 0.75, `Dice ${three.dice}`)
})

test('FLAIR: every lesion at k = 2, 3 and 4, which is the cleaner the higher it is', async () => {
  // The prototype, whose background fell to the level of fluid beside it, had 0.14, 0.84 and 0.94.
  const scores = []
  for (const k of [2, 3, 4]) scores.push(judge((await runMethod(roy2017, flair, { ...plain, k })).mask))
  assert.ok(scores.every(({ detected }) => detected.length === 8))
  const [two, three, four] = scores.map(({ dice }) => dice)
  assert.ok(two > 0.1 && two < 0.35, `k = 2: ${two}`)
  assert.ok(Math.abs(three - 0.84) < 0.05, `k = 3: ${three}`)
  assert.ok(four >= 0.92, `k = 4: ${four}`)
})

test('as it is by default: the lesions of white matter', async () => {
  const { mask, figures } = await runMethod(roy2017, flair)
  const { dice, shares } = judge(mask)
  assert.ok(dice > 0.9, `Dice ${dice}`)
  for (const name of ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'] as const) assert.ok(shares[name] > 0.9, name)
  assert.ok(figures!.thresholdFlair > 8 && figures!.thresholdFlair < 30 && figures!.positiveSlices >= 10)
  assert.ok(judge((await runMethod(roy2017, classic)).mask).dice > 0.6)
})

test('SC1 is found in its place, within 2 mm', async () => {
  const { mask } = await runMethod(roy2017, flair)
  const one = keepTouching(mask, phantomLesionMask(['SC1']), 18)
  let n = 0
  const centre = [0, 0, 0]
  one.data.forEach((v, i) => {
    if (v === 0) return
    n++
    centre[0] += 2 * (i % 80) - 79
    centre[1] += 2 * (Math.floor(i / 80) % 96) - 95
    centre[2] += 2 * Math.floor(i / 7680) - 79
  })
  assert.ok(Math.hypot(centre[0] / n - 34, centre[1] / n + 20, centre[2] / n - 20) < 2)
})

test('no lesions: predicted negative, with FLAIR and without', async () => {
  for (const contrasts of [
    ['flair', 't1'],
    ['t1', 't2', 'pd'],
  ] as const) {
    const { mask, figures, flags } = await runMethod(roy2017, await phantomStudy({ contrasts, lesions: [] }))
    assert.equal(judge(mask, []).voxels, 0)
    assert.equal(figures!.positiveSlices, 0)
    assert.ok(flags!.some(({ code }) => code === 'predicted-negative'))
  }
  // Whatever size is asked of a finding.
  const { flags } = await runMethod(roy2017, await phantomStudy({ lesions: [] }), { smallest: 0, k: 10 })
  assert.ok(flags!.some(({ code }) => code === 'predicted-negative'))
})

test('a linear bias of a tenth changes Dice by less than 0.1', async () => {
  const biased = await phantomStudy({ contrasts: ['flair', 't1'], bias: 0.1 })
  const [even, uneven] = [await runMethod(roy2017, flair), await runMethod(roy2017, biased)]
  assert.ok(Math.abs(judge(even.mask).dice - judge(uneven.mask).dice) < 0.1)
})

test('threads, specks and what lies at the border of the brain are no lesions', async () => {
  // FLAIR of plain white matter with spots painted in: a ball, a thread in one slice, a voxel, and a ball at the border.
  const spot = (test: (x: number, y: number, z: number) => boolean) =>
    maskWhere(
      flair.brain,
      (v, i) => v !== 0 && test(2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79),
    )
  const ball = spot((x, y, z) => Math.hypot(x - 31, y - 1, z - 21) < 6)
  const spots = [
    ball,
    spot((x, y, z) => x > 20 && x < 40 && y === 25 && z === 31),
    spot((x, y, z) => x === -31 && y === 1 && z === 31),
    spot((x, y, z) => Math.hypot(x - 63, y - 1, z - 1) < 5),
  ]
  const normal = gaussianRandom(seededRandom(3))
  const data = Float32Array.from(flair.brain.data, (v) => (v === 0 ? 0 : 80 + 2 * normal()))
  for (const { data: painted } of spots) for (const [i, v] of painted.entries()) if (v !== 0) data[i] = 160
  const images = { flair: { ...flair.brain, data } }
  const { mask } = await runMethod(roy2017, { ...flair, images }, { white: 0, grey: -10, median: 0, k: 5 })
  assert.equal(mask.data.filter((v, i) => v !== ball.data[i]).length, 0)
})
