import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyNyul, type NyulScale, trainNyul } from '../../src/preprocess/normalise.js'
import { seededRandom } from '../../src/random.js'
import { percentiles } from '../../src/volume/histogram.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomBrain, phantomImage, phantomLabels } from '../phantom.js'

const brain = phantomBrain()
const labels = phantomLabels()
const random = seededRandom(3)
const five = [1, 2, 3, 4, 5].map((seed) => {
  const gain = 0.5 + 1.5 * random()
  const image = phantomImage({ contrast: 'flair', noise: 4, seed })
  return { ...image, data: image.data.map((v) => gain * v) }
})
const scale = trainNyul(
  five,
  five.map(() => brain),
)

test('a scale learned from one image takes its landmarks to the scale exactly', () => {
  const one = trainNyul([five[0]], [brain])
  assert.deepEqual([one.values[0], one.values[10], one.images], [1, 100, 1])
  const { image } = applyNyul(five[0], brain, one)
  for (const [i, value] of percentiles(image, one.percentages, brain).entries())
    assert.ok(Math.abs(value - one.values[i]) < 1e-5, `${value}, not ${one.values[i]}`)
  // any image's landmarks go to the scale, also those of a scale learned from others
  for (const [i, value] of percentiles(applyNyul(five[1], brain, scale).image, scale.percentages, brain).entries())
    assert.ok(Math.abs(value - scale.values[i]) < 1e-5)
})

test('the mapping is monotone beyond its ends too, and takes gain and offset out', () => {
  const { data } = applyNyul(five[0], brain, scale).image
  const order = Uint32Array.from(five[0].data.keys()).sort((a, b) => five[0].data[a] - five[0].data[b])
  assert.ok(order.every((at, i) => i === 0 || data[at] >= data[order[i - 1]]))
  assert.ok(Math.max(...data.subarray(300000, 400000)) > 100)
  const moved = { ...five[0], data: five[0].data.map((v) => 1.7 * v + 9) }
  const other = applyNyul(moved, brain, scale).image.data
  assert.ok(other.every((v, i) => Math.abs(v - data[i]) < 1e-3))
})

test('tissue means of images of different gain come together', () => {
  const spread = (images: Image[], label: number) => {
    const means = images.map(({ data }) => {
      let [sum, n] = [0, 0]
      for (let i = 0; i < data.length; i++)
        if (labels.data[i] === label && brain.data[i] !== 0) {
          sum += data[i]
          n++
        }
      return sum / n
    })
    const mean = means.reduce((a, b) => a + b) / means.length
    return Math.sqrt(means.reduce((sum, m) => sum + (m - mean) ** 2, 0) / (means.length - 1)) / mean
  }
  const after = five.map((image) => applyNyul(image, brain, scale).image)
  for (const label of [1, 2, 3]) {
    assert.ok(spread(five, label) > 0.3, `before: ${spread(five, label)}`)
    assert.ok(spread(after, label) < 0.02, `after: ${spread(after, label)}`)
  }
})

test('a saved scale gives the same bits', () => {
  const loaded = JSON.parse(JSON.stringify(scale)) as NyulScale
  assert.deepEqual(loaded, scale)
  assert.deepEqual(applyNyul(five[2], brain, loaded).image.data, applyNyul(five[2], brain, scale).image.data)
})

test('few grey levels share landmarks, the median form has three, and nonsense is refused', () => {
  const coarse = { ...five[0], data: five[0].data.map((v) => 40 * Math.round(v / 40)) }
  const { image } = applyNyul(coarse, brain, scale)
  assert.ok(image.data.every(Number.isFinite))
  assert.ok(new Set(image.data).size === new Set(coarse.data).size)
  assert.equal(
    trainNyul(
      five,
      five.map(() => brain),
      { percentages: [1, 50, 99] },
    ).values.length,
    3,
  )
  const constant = { ...five[0], data: new Float32Array(five[0].data.length).fill(4) }
  assert.equal(trainNyul([five[0], constant], [brain, brain]).images, 1)
  assert.throws(() => trainNyul([constant], [brain]), RangeError)
  assert.throws(() => trainNyul(five, [brain]), RangeError)
  assert.throws(() => trainNyul([five[0]], [brain], { percentages: [1, 1] }), RangeError)
})
