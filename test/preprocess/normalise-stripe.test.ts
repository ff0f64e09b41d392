import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whiteStripe } from '../../src/preprocess/normalise.js'
import { smoothedMode } from '../../src/volume/histogram.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { phantomBrain, phantomImage, phantomLabels } from '../phantom.js'

const brain = phantomBrain()
const labels = phantomLabels()
const t1 = phantomImage({ contrast: 't1', noise: 4, seed: 1 })
const t2 = phantomImage({ contrast: 't2', noise: 4, seed: 1 })
const flair = phantomImage({ contrast: 'flair', noise: 4, seed: 2 })
const gained = (image: Image, gain: number, offset = 0): Image => ({
  ...image,
  data: image.data.map((v) => gain * v + offset),
})
const meanOf = ({ data }: Image, fits: (i: number) => boolean) => {
  let [sum, n] = [0, 0]
  for (let i = 0; i < data.length; i++)
    if (fits(i)) {
      sum += data[i]
      n++
    }
  return sum / n
}

test("T1's mode is the white matter's; inside the stripe the mean is 0 and the spread 1", () => {
  const { image, stripe, figures, said } = whiteStripe({ t1 }, brain).t1!
  assert.deepEqual(said, [])
  assert.ok(Math.abs(figures.mode - 110) < 1.5, `mode ${figures.mode}`)
  assert.ok(figures.quantile > 0.65 && figures.quantile < 0.75, `quantile ${figures.quantile}`)
  const within = (i: number) => stripe.data[i] !== 0
  const mean = meanOf(image, within)
  const squares = meanOf({ ...image, data: image.data.map((v) => (v - mean) ** 2) }, within)
  assert.ok(Math.abs(mean) < 1e-5 && Math.abs(Math.sqrt(squares) - 1) < 1e-4, `${mean} ± ${Math.sqrt(squares)}`)
  const whiteMatter: Mask = { ...labels, data: labels.data.map((v) => (v === 3 ? 1 : 0)) }
  assert.ok(Math.abs(smoothedMode(image, whiteMatter).mode) < 1)
  assert.ok(meanOf(t1, within) > 108 && figures.sd < 1, `sd ${figures.sd}`)
})

test('the largest peak is white matter on FLAIR and T2', () => {
  const found = whiteStripe({ flair, t2 }, brain)
  assert.ok(Math.abs(found.flair!.figures.mode - 75) < 2, `FLAIR ${found.flair!.figures.mode}`)
  assert.ok(Math.abs(found.t2!.figures.mode - 75) < 2, `T2 ${found.t2!.figures.mode}`)
})

test('gain and offset change no stripe, and normalised tissues agree', () => {
  const a = whiteStripe({ t1 }, brain).t1!
  const b = whiteStripe({ t1: gained(t1, 2.5, 40) }, brain).t1!
  const differ = a.stripe.data.reduce((n, v, i) => n + (v === b.stripe.data[i] ? 0 : 1), 0)
  assert.ok(differ < 0.001 * a.figures.voxels, `${differ} of ${a.figures.voxels}`)
  const c = whiteStripe({ t1: gained(phantomImage({ contrast: 't1', noise: 4, seed: 7 }), 3) }, brain).t1!
  for (const label of [1, 2]) {
    const [one, three] = [a, c].map(({ image }) =>
      meanOf(image, (i) => labels.data[i] === label && brain.data[i] !== 0),
    )
    assert.ok(Math.abs(three / one - 1) < 0.03, `label ${label}: ${one} and ${three}`)
  }
})

test('the hybrid stripe is what the two stripes share; the FLAIR stripe scales all but T1', () => {
  const own = whiteStripe({ t1, t2, flair }, brain)
  const hybrid = whiteStripe({ t1, t2, flair }, brain, { stripe: 'hybrid' })
  const { data } = hybrid.t2!.stripe
  assert.deepEqual(data, hybrid.t1!.stripe.data)
  assert.ok(data.some((v) => v !== 0))
  assert.ok(data.every((v, i) => v === (own.t1!.stripe.data[i] & own.t2!.stripe.data[i])))
  const byFlair = whiteStripe({ t1, t2, flair }, brain, { stripe: 'flair' })
  assert.deepEqual(byFlair.t2!.stripe.data, own.flair!.stripe.data)
  assert.deepEqual(byFlair.t1!.image.data, own.t1!.image.data)
  const alone = whiteStripe({ t2 }, brain, { stripe: 'flair' }).t2!
  assert.match(alone.said.join(' '), /own was used/)
  assert.deepEqual(alone.image.data, own.t2!.image.data)
})

test('a bright tail and a stripped surround are no peaks; without a stripe the brain is z-scored', () => {
  const head = { ...brain, data: new Uint8Array(brain.data.length).fill(1) }
  const stripped = { ...t1, data: t1.data.map((v, i) => (brain.data[i] === 0 ? 0 : v)) }
  const vessels = { ...stripped, data: stripped.data.map((v, i) => (v > 0 && i % 97 === 0 ? 300 + (i % 50) : v)) }
  const { figures } = whiteStripe({ t1: vessels }, head).t1!
  assert.ok(Math.abs(figures.mode - 110) < 1.5, `mode ${figures.mode}`)
  const two = { ...t1, data: t1.data.map((_, i) => (labels.data[i] === 3 ? 2 : 1)) }
  const { image, said } = whiteStripe({ t1: two }, brain).t1!
  assert.match(said.join(' '), /whole mask/)
  assert.ok(Math.abs(meanOf(image, (i) => brain.data[i] !== 0)) < 1e-5)
})
