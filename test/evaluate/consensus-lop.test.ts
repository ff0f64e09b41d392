import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lopStaple } from '../../src/evaluate/consensus/lop-staple.js'
import { staple } from '../../src/evaluate/consensus/staple.js'
import { dice } from '../../src/evaluate/overlap.js'
import { countVoxels, type Image, type Mask } from '../../src/volume/volume.js'
import { drawn, rater, shown, truth } from './raters.js'

/**
 * The posterior of lesion of one rater by itself, who gives lesion the probability `said` and says it of the share
 * `often` of all voxels.
 */
function posterior(
  said: number,
  often: number,
  performance: readonly (readonly number[])[],
  frequency: readonly number[],
): number {
  const likelihood = (t: number) => ((1 - said) / (1 - often)) * performance[0][t] + (said / often) * performance[1][t]
  const [a, b] = [frequency[0] * likelihood(0), frequency[1] * likelihood(1)]
  return b / (a + b)
}

/** The weighted geometric mean of probabilities and of their opposites, scaled to sum to 1. */
function pooled(p: readonly number[], weights: readonly number[]): number {
  const mean = (values: readonly number[]) => Math.exp(values.reduce((s, v, i) => s + weights[i] * Math.log(v), 0))
  const [lesion, none] = [mean(p), mean(p.map((v) => 1 - v))]
  return lesion / (lesion + none)
}

const blurred = (mask: Mask): Image => ({ ...mask, data: Float32Array.from(mask.data, (v) => 0.1 + 0.8 * v) })

function assertPool(raters: (Mask | Image)[], c: ReturnType<typeof lopStaple>, weights: number[]) {
  let looked = 0
  const region = [...c.probability.data.keys()].filter((i) => c.probability.data[i] > 0)
  const often = raters.map(({ data }) => region.reduce((sum, i) => sum + data[i], 0) / region.length)
  for (const i of region) {
    const own = c.raters.map(({ performance }, j) => posterior(raters[j].data[i], often[j], performance!, c.frequency))
    assert.ok(Math.abs(c.probability.data[i] - pooled(own, weights)) < 1e-6)
    looked++
  }
  assert.ok(looked > 50)
}

test('the pool is the weighted geometric mean of what each rater thinks', () => {
  const raters = [rater(0.9, 0.99, 1), rater(0.8, 0.98, 2), rater(0.6, 0.95, 3)]
  const c = lopStaple(raters)
  const weights = c.raters.map(({ weight }) => weight!)
  assert.ok(Math.abs(weights.reduce((s, w) => s + w, 0) - 1) < 1e-12)
  assertPool(raters, c, weights)
  assertPool(raters, lopStaple(raters, { weights: [2, 1, 1] }), [0.5, 0.25, 0.25])
})

test('equal raters: the plain geometric mean', () => {
  // Alike by construction: each misses another voxel.
  const alike = lopStaple([drawn('11.1......'), drawn('1.11......'), drawn('.111......')])
  for (const { weight } of alike.raters) assert.ok(Math.abs(weight! - 1 / 3) < 1e-12)
  const made = [1, 2, 3, 4].map((seed) => rater(0.9, 0.99, seed))
  assertPool(made, lopStaple(made, { weights: 'equal' }), [0.25, 0.25, 0.25, 0.25])
  const estimated = lopStaple(made)
  for (const { weight } of estimated.raters) assert.ok(Math.abs(weight! - 0.25) < 0.02)
})

test('raters who all say the same are as sure as one of them', () => {
  const mask = rater(0.9, 0.99, 1)
  for (const count of [2, 3, 7]) {
    const c = lopStaple(new Array<Mask>(count).fill(mask))
    const at = mask.data.indexOf(1)
    const one = posterior(1, 0.5, c.raters[0].performance!, c.frequency)
    assert.ok(Math.abs(c.probability.data[at] - one) < 1e-6)
  }
})

test('a bad rater weighs less, one who guesses or says nothing next to nothing', () => {
  const good = [1, 2, 3].map((seed) => rater(0.9, 0.99, seed))
  const weights = [rater(0.6, 0.97, 4), rater(0.5, 0.5, 5), { ...truth, data: new Uint8Array(truth.data.length) }].map(
    (bad) => {
      const c = lopStaple([...good, bad])
      assert.ok(dice(truth, c.labels) > 0.8)
      for (const { weight } of c.raters.slice(0, 3)) assert.ok(weight! > c.raters[3].weight!)
      return c.raters[3].weight!
    },
  )
  assert.ok(weights[0] < 0.2 && weights[1] < 0.01 && weights[2] < 0.01, weights.join(' '))
})

test('as strong as all raters together the pool is STAPLE, in between it is in between', () => {
  const raters = [1, 2, 3, 4].map((seed) => rater(0.9, 0.99, seed))
  const product = lopStaple(raters, { weights: 'equal', strength: 4 })
  const reference = staple(raters)
  assert.deepEqual(product.labels.data, reference.labels.data)
  product.probability.data.forEach((p, i) => assert.ok(Math.abs(p - reference.probability.data[i]) < 0.02, `${i}`))
  const volume = (strength: number) => countVoxels(lopStaple(raters, { strength }).labels)
  assert.ok(volume(1) <= volume(2) && volume(2) <= volume(4) && volume(1) < volume(4))
  assert.throws(() => lopStaple(raters, { strength: -1 }), /strength of -1 raters/)
})

test('probabilistic maps are taken as they are', () => {
  const raters = [blurred(rater(0.9, 0.99, 1)), rater(0.9, 0.99, 2), blurred(rater(0.9, 0.99, 3))]
  const c = lopStaple(raters, { weights: 'equal' })
  assertPool(raters, c, [1 / 3, 1 / 3, 1 / 3])
  assert.ok(dice(truth, c.labels) > 0.85)
  // Maps of 0 and 1 are masks.
  const masks = [1, 2, 3].map((seed) => rater(0.8, 0.98, seed))
  const asMaps = masks.map((mask): Image => ({ ...mask, data: Float32Array.from(mask.data) }))
  const [a, b] = [lopStaple(masks), lopStaple(asMaps)]
  assert.deepEqual(a.labels.data, b.labels.data)
  a.raters.forEach(({ weight }, i) => assert.ok(Math.abs(weight! - b.raters[i].weight!) < 1e-9))
})

test('weights of every voxel: a rater counts where it is reliable', () => {
  const [left, right] = [drawn('11......'), drawn('......11')]
  const map = (...values: number[]): Image => ({ ...left, data: Float32Array.from(values) })
  const trustLeft = map(1, 1, 1, 1, 0, 0, 0, 0)
  const trustRight = map(0, 0, 0, 0, 1, 1, 1, 1)
  const options = { strength: 2, dilation: 0 }
  const c = lopStaple([left, right], { weights: [trustLeft, trustRight], ...options })
  assert.equal(shown(c.labels), '11....11')
  assert.equal(shown(lopStaple([left, right], { weights: [trustRight, trustLeft], ...options }).labels), '........')
  assert.deepEqual(
    c.raters.map(({ weight }) => weight),
    [0.5, 0.5],
  )
  assert.throws(() => lopStaple([left, right], { weights: [1] }), /2 raters and 1 weights/)
  assert.throws(() => lopStaple([left, right], { weights: [1, -1] }), /must not be negative/)
  assert.throws(() => lopStaple([left, right], { weights: [trustLeft, blurred(truth)] }), /one grid/)
})
