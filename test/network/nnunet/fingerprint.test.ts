import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../../src/errors.js'
import type { Shape3 } from '../../../src/network/nnunet/crop.js'
import { caseFingerprint, datasetFingerprint } from '../../../src/network/nnunet/fingerprint.js'
import { drawBelow, mersenneTwister } from '../../../src/network/nnunet/mersenne.js'
import type { IntensityProperties } from '../../../src/network/nnunet/plans.js'
import { quantile, roundHalfEven } from '../../../src/network/nnunet/rules.js'
import { head, readGolden } from './made-up.js'

const { foreground } = readGolden<{
  foreground: { shapes: Shape3[]; samples: number; properties: IntensityProperties[] }
}>('preprocess')

test('the generator is MT19937', () => {
  const bits = mersenneTwister(5489)
  assert.deepEqual([bits(), bits(), bits()], [3499211612, 581869302, 3890346734])
  for (let i = 4; i < 10_000; i++) bits()
  // The 10 000th number, which the C++ standard gives as a check.
  assert.equal(bits(), 4123659995)
  assert.equal(drawBelow(1, bits)(), 0)
})

const fifth = (count: number) => Uint8Array.from({ length: count }, (_, i) => (i % 5 === 1 ? 1 : 0))

test("a data set's fingerprint: shapes of the crops, nnU-Net's own sample of the intensities", () => {
  const { shapes, samples, properties } = foreground
  const cases = shapes.map((shape, i) => {
    const image = { shape, spacing: [3, 1 + i, 1] as const, channels: head(shape, 2) }
    // The peer's cases are not cropped: a voxel in two corners, no foreground, keeps the whole.
    for (const channel of image.channels) {
      channel[channel.length - 1] = 1e-30
      channel[0] = 1e-30
    }
    const labels = fifth(shape[0] * shape[1] * shape[2])
    return { image, labels, name: `case ${i}` }
  })
  const found = cases.map(({ image, labels, name }) => caseFingerprint(image, labels, samples / shapes.length, name))
  const print = datasetFingerprint(found, 'set')
  assert.deepEqual(print.shapes_after_crop, shapes)
  assert.deepEqual(print.spacings, [
    [3, 1, 1],
    [3, 2, 1],
  ])
  assert.equal(print.median_relative_size_after_cropping, 1)
  for (const [i, theirs] of properties.entries()) {
    const ours = print.foreground_intensity_properties_per_channel[i]
    for (const [key, value] of Object.entries(theirs) as [keyof IntensityProperties, number][])
      assert.ok(Math.abs(Number(ours[key]) - value) <= 1e-7 * Math.abs(value), `${i} ${key}: ${ours[key]} and ${value}`)
  }
})

test('what has no foreground or does not fit is refused', () => {
  const image = { shape: [4, 5, 6] as const, spacing: [1, 1, 1] as const, channels: head([4, 5, 6], 1) }
  assert.throws(() => caseFingerprint(image, fifth(7), 10, 'sub-01'), /sub-01: has 7 labels for 120 voxels/)
  const empty = caseFingerprint(image, new Uint8Array(120), 10, 'sub-01')
  assert.throws(() => datasetFingerprint([empty], 'set'), /no case has foreground/)
  assert.throws(() => datasetFingerprint([], 'set'), InputError)
})

test("Python's rounding and NumPy's quantiles", () => {
  assert.deepEqual([0.5, 1.5, 2.5, 2.4999, 7.5001].map(roundHalfEven), [0, 2, 2, 2, 8])
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(quantile([1, 2, 3, 4, 5], 0.1), 1.4)
})
