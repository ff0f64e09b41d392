import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Shape3 } from '../../../src/network/nnunet/crop.js'
import { labelsOf, type NnunetDataset } from '../../../src/network/nnunet/dataset.js'
import type { NnunetConfiguration, NnunetPlans, ResamplingRule } from '../../../src/network/nnunet/plans.js'
import { exportLogits, prepareImage } from '../../../src/network/nnunet/prepare.js'
import { resampleImage, resampleLabels } from '../../../src/network/nnunet/resample.js'
import { head, made, readGolden } from './made-up.js'

interface Resampled {
  shape: Shape3
  to: Shape3
  spacing: number[]
  target: number[]
  order: 1 | 3
  order_z: 0 | 1
  force: boolean | null
  labels: number
  out: string
}
interface GoldenCase {
  name: string
  shape: Shape3
  spacing: Shape3
  plans: NnunetPlans
  dataset: NnunetDataset
  preparedShape: number[]
  prepared: string
  labels: string
  probabilities: string
}
const golden = readGolden<{ resampled: Resampled[]; cases: GoldenCase[] }>('preprocess')
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const floats = (text: string) => new Float32Array(bytesOf(text).buffer)
function assertClose(ours: Float32Array, theirs: Float32Array, most: number, what: string) {
  assert.equal(ours.length, theirs.length, what)
  let worst = 0
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < ours.length; i++) {
    const gap = Math.abs(ours[i] - theirs[i])
    worst = gap > worst || Number.isNaN(gap) ? gap : worst
    low = Math.min(low, theirs[i])
    high = Math.max(high, theirs[i])
  }
  assert.ok(worst <= most * (high - low), `${what}: off by ${worst / (high - low)} of the range`)
}

test("resampling is nnU-Net's: spline orders, thick slices apart, labels", () => {
  for (const { shape, to, spacing, target, order, order_z, force, labels, out } of golden.resampled) {
    const what = `${shape} → ${to}`
    const data = made(shape[0] * shape[1] * shape[2], 7)
    const rule: ResamplingRule = { is_seg: labels > 0, order, order_z, force_separate_z: force }
    if (labels > 0) {
      const map = Int16Array.from(data, (value) => Math.fround(value * labels))
      const ours = resampleLabels(map, shape, to, spacing, target, rule)
      assert.deepEqual([...ours], [...bytesOf(out)], what)
    } else assertClose(resampleImage(data, shape, to, spacing, target, rule), floats(out), 1e-6, what)
  }
})

for (const { name, shape, spacing, plans, dataset, preparedShape, ...theirs } of golden.cases)
  test(`preprocessing and export of the case "${name}" are nnU-Net's`, () => {
    const configuration = plans.configurations.c as NnunetConfiguration
    const rules = { plans, configuration, labels: labelsOf(dataset, name) }
    const count = configuration.normalization_schemes.length
    const prepared = prepareImage({ shape, spacing, channels: head(shape, count) }, rules, name)
    assert.deepEqual(prepared.shape, preparedShape)
    const expected = floats(theirs.prepared)
    const size = expected.length / count
    for (const [i, data] of prepared.channels.entries())
      assertClose(data, expected.subarray(i * size, (i + 1) * size), 1e-6, `channel ${i}`)

    const noise = made(rules.labels.heads * size, 5).map((value) => 6 * value - 3)
    const logits = Array.from({ length: rules.labels.heads }, (_, i) => noise.slice(i * size, (i + 1) * size))
    const out = exportLogits(logits, prepared, rules, { probabilities: true })
    assert.deepEqual(out.labels, bytesOf(theirs.labels))
    const voxels = out.labels.length
    const probabilities = floats(theirs.probabilities)
    for (const [i, data] of out.probabilities!.entries())
      assertClose(data, probabilities.subarray(i * voxels, (i + 1) * voxels), 1e-6, `head ${i}`)
  })

test('a case with other channels than the training, or without content, is refused', () => {
  const { shape, spacing, plans, dataset } = golden.cases[0]
  const rules = { plans, configuration: plans.configurations.c as NnunetConfiguration, labels: labelsOf(dataset, 'x') }
  const [channel] = head(shape, 1)
  assert.throws(
    () => prepareImage({ shape, spacing, channels: [channel] }, rules, 'sub-01'),
    /sub-01: has 1 channels; give the 2 of the training/,
  )
  const empty = new Float32Array(channel.length)
  assert.throws(() => prepareImage({ shape, spacing, channels: [empty, empty] }, rules, 'sub-01'), /zero throughout/)
})
