import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  flairTrimmedRegion,
  matchHistogram,
  normalise,
  normaliseMethods,
  percentileScale,
  trainNyul,
  zscore,
} from '../../src/preprocess/normalise.js'
import { percentiles } from '../../src/volume/histogram.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { phantomBrain, phantomImage, phantomLabels, phantomLesionMask } from '../phantom.js'

const brain = phantomBrain()
const labels = phantomLabels()
const lesions = phantomLesionMask()
const t1 = phantomImage({ contrast: 't1', noise: 4, seed: 1 })
const flair = phantomImage({ contrast: 'flair', noise: 4, seed: 2 })
const affineOf = (image: Image, gain: number, offset = 0): Image => ({
  ...image,
  data: image.data.map((v) => gain * v + offset),
})

/** Mean and sample standard deviation of the voxels that fit. */
function figuresOf({ data }: Image, fits: (i: number) => boolean): { mean: number; sd: number; n: number } {
  const values: number[] = []
  for (let i = 0; i < data.length; i++) if (fits(i)) values.push(data[i])
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1))
  return { mean, sd, n: values.length }
}
const inBrain = (i: number) => brain.data[i] !== 0
const whiteMatter = (i: number) => labels.data[i] === 3 && lesions.data[i] === 0

test('a z-scored brain has mean 0 and standard deviation 1, whatever gain and offset were', () => {
  const plain = zscore(t1, brain, { variant: 'basic' })
  const { mean, sd, n } = figuresOf(plain.image, inBrain)
  assert.ok(Math.abs(mean) < 1e-6 && Math.abs(sd - 1) < 1e-6, `${mean} ± ${sd}`)
  assert.equal(plain.figures.voxels, n)
  for (const variant of ['basic', 'robust'] as const) {
    const a = zscore(t1, brain, { variant }).image.data
    const b = zscore(affineOf(t1, 3.7, 11), brain, { variant }).image.data
    assert.ok(a.every((v, i) => Math.abs(v - b[i]) < 1e-4))
  }
  const { image, figures } = zscore(t1, brain, { variant: 'robust' })
  assert.ok(Math.abs(percentiles(image, [50], brain)[0]) < 1e-6)
  const deviations = { ...image, data: image.data.map(Math.abs) }
  assert.ok(Math.abs(percentiles(deviations, [50], brain)[0] - 1 / 1.4826) < 1e-5)
  assert.equal(figures.mean, percentiles(t1, [50], brain)[0])
})

test('the FLAIR-trimmed region leaves out rim and ventricles', () => {
  const region = flairTrimmedRegion(flair, brain)
  const ventricles = figuresOf(flair, (i) => labels.data[i] === 1 && inBrain(i))
  const kept = figuresOf(flair, (i) => labels.data[i] === 1 && region.data[i] !== 0)
  assert.ok(kept.n < 0.05 * ventricles.n, `${kept.n} of ${ventricles.n} fluid voxels are kept`)
  // an edge voxel of the mask is gone, and most of white matter is not
  const [nx] = brain.dims
  assert.ok(region.data.every((v, i) => v === 0 || (brain.data[i - 1] !== 0 && brain.data[i + nx] !== 0)))
  assert.ok(figuresOf(flair, (i) => whiteMatter(i) && region.data[i] !== 0).n > 0.8 * figuresOf(flair, whiteMatter).n)
  const { image, figures } = zscore(t1, brain, { variant: 'flair-trimmed', flair })
  const { mean, sd, n } = figuresOf(image, (i) => region.data[i] !== 0)
  assert.ok(Math.abs(mean) < 1e-6 && Math.abs(sd - 1) < 1e-6)
  assert.equal(figures.voxels, n)
})

test('30 ml of lesion shift white matter on the basic scale more than on the robust one', () => {
  // 8 mm³ a voxel: 3750 bright voxels in the white matter of one side
  const sick = { ...flair, data: flair.data.slice() }
  for (let i = 0, painted = 0; painted < 3750; i++)
    if (whiteMatter(i) && i % 80 < 36) {
      sick.data[i] = 150
      painted++
    }
  const shift = (variant: 'basic' | 'robust') => {
    const spared = (i: number) => whiteMatter(i) && sick.data[i] === flair.data[i]
    const [a, b] = [flair, sick].map((image) => figuresOf(zscore(image, brain, { variant }).image, spared).mean)
    return Math.abs(a - b)
  }
  assert.ok(shift('basic') > 1.2 * shift('robust'), `basic ${shift('basic')}, robust ${shift('robust')}`)
})

test('percentiles go to 0 and 1, and lesions stay above', () => {
  const { image, figures } = percentileScale(flair, brain, { low: 2, high: 95 })
  const [low, high] = percentiles(image, [2, 95], brain)
  assert.ok(Math.abs(low) < 1e-6 && Math.abs(high - 1) < 1e-6)
  assert.equal(figures.high, percentiles(flair, [95], brain)[0])
  assert.ok(figuresOf(image, (i) => lesions.data[i] !== 0).mean > 1.2)
  assert.throws(() => percentileScale(flair, brain, { low: 5, high: 5 }), RangeError)
})

test('a matched histogram has the quantiles of its reference, by mask or above the mean', () => {
  const other = phantomImage({ contrast: 't1', noise: 4, seed: 9, lesions: [] })
  const bent = { ...other, data: other.data.map((v) => 40 + 900 * (v / 130) ** 1.3) }
  const { image } = matchHistogram(bent, t1, { source: brain, reference: brain })
  const at = [12.5, 25, 50, 75, 87.5]
  const [got, wanted] = [percentiles(image, at, brain), percentiles(t1, at, brain)]
  for (const [i, value] of got.entries()) assert.ok(Math.abs(value - wanted[i]) < 0.5, `${value}, not ${wanted[i]}`)
  const white = figuresOf(matchHistogram(bent, t1).image, whiteMatter).mean
  assert.ok(Math.abs(white - figuresOf(t1, whiteMatter).mean) < 1, `white matter ${white}`)
})

test('every method keeps the order of intensities and takes empty masks, constant images and holes', () => {
  const nothing: Mask = { ...brain, data: new Uint8Array(brain.data.length) }
  const constant: Image = { ...t1, data: new Float32Array(t1.data.length).fill(7) }
  const holes: Image = { ...t1, data: t1.data.map((v, i) => (i % 7 === 0 ? Number.NaN : v)) }
  const blank: Image = { ...t1, data: new Float32Array(t1.data.length).fill(Number.NaN) }
  const nyul = trainNyul([t1, phantomImage({ contrast: 't1', seed: 5 })], [brain, brain])
  const whole = brain.data.reduce((n, v) => n + v, 0)
  for (const method of normaliseMethods) {
    const apply = (image: Image, mask: Mask) =>
      normalise(image, 't1', mask, { method, nyul, reference: { image: t1, mask: brain } })
    const usual = apply(phantomImage({ contrast: 't1', seed: 3 }), brain)
    assert.deepEqual(usual.said, [], method)
    assert.ok(Object.values(usual.figures).every(Number.isFinite), method)
    const { data } = apply(t1, brain).image
    const order = Uint32Array.from({ length: 2000 }, (_, i) => i * 307).sort((a, b) => t1.data[a] - t1.data[b])
    assert.ok(
      order.every((at, i) => i === 0 || data[at] >= data[order[i - 1]]),
      method,
    )
    const withHoles = apply(holes, brain).image.data
    assert.ok(
      withHoles.every((v, i) => Number.isNaN(v) === (i % 7 === 0)),
      method,
    )
    assert.ok(apply(holes, brain).figures.voxels === undefined || apply(holes, brain).figures.voxels < whole, method)
    assert.match(apply(t1, nothing).said.join(' '), /no voxel/, method)
    assert.ok(apply(t1, nothing).image.data.every(Number.isFinite), method)
    const flat = apply(constant, brain)
    assert.match(flat.said.join(' '), /constant/, method)
    assert.ok(flat.image.data.every(Number.isFinite), method)
    assert.match(apply(blank, brain).said.join(' '), /no values/, method)
  }
  assert.throws(() => normalise(t1, 't1', brain, { method: 'nyul' }), RangeError)
  assert.throws(() => normalise(t1, 't1', brain, { method: 'match' }), RangeError)
  assert.throws(() => normalise({ ...t1, dims: [96, 80, 80] }, 't1', brain, { method: 'zscore' }), RangeError)
})
