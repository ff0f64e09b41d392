import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  architectureLayers,
  featureMapSize,
  type NnunetNetwork,
  parameterCount,
  receptiveField,
  stageSizes,
} from '../../../src/network/nnunet/architecture.js'
import type { NnunetDataset } from '../../../src/network/nnunet/dataset.js'
import type { Fingerprint } from '../../../src/network/nnunet/fingerprint.js'
import { plan } from '../../../src/network/nnunet/plan.js'
import type { PlannerName } from '../../../src/network/nnunet/planner.js'
import { type NnunetConfiguration, type NnunetPlans, plansSchema } from '../../../src/network/nnunet/plans.js'
import { topology } from '../../../src/network/nnunet/topology.js'
import { readGolden } from './made-up.js'

interface GoldenCase {
  name: string
  planner: PlannerName
  gigabytes?: number
  dataset: NnunetDataset
  /** One row stands for `cases` equal ones where that is given. */
  fingerprint: Fingerprint & { cases?: number }
  plan: NnunetPlans
}
const golden = readGolden<{ cases: GoldenCase[] }>('plans')

for (const { name, planner, gigabytes, dataset, fingerprint, plan: theirs } of golden.cases)
  test(`plan of ${name} by ${planner}${gigabytes ? ` for ${gigabytes} GB` : ''} is nnU-Net's`, () => {
    const cases = fingerprint.cases ?? fingerprint.spacings.length
    const ours = plan(fingerprint, { name, cases, dataset }, { planner, gigabytes })
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), theirs)
    assert.doesNotThrow(() => plansSchema.parse(theirs))
  })

test("pooling of the card's cases", () => {
  const fullres = (name: string) =>
    golden.cases.find((c) => c.name.endsWith(name))!.plan.configurations['3d_fullres'] as NnunetConfiguration
  const poolings = (name: string) => {
    const { spacing, patch_size } = fullres(name)
    return topology(spacing, patch_size).poolings
  }
  assert.deepEqual(fullres('Hippocampus').patch_size, [40, 56, 40])
  assert.deepEqual(poolings('Hippocampus'), [3, 3, 3])
  assert.equal(fullres('Hippocampus').batch_size, 9)
  assert.deepEqual(fullres('Isbi').patch_size, [128, 160, 112])
  assert.deepEqual(poolings('Isbi'), [5, 5, 4])
  assert.deepEqual(fullres('Slices').patch_size, [56, 224, 160])
  assert.deepEqual(poolings('Slices'), [3, 5, 5])
  assert.deepEqual(fullres('Phantom').patch_size, [32, 32, 32])
})

const isotropic = (features: number[], inputChannels: number, last = 2): NnunetNetwork => ({
  kind: 'plain',
  inputChannels,
  outputChannels: 2,
  features,
  kernels: features.map(() => [3, 3, 3]),
  strides: features.map((_, i) => (i === 0 ? [1, 1, 1] : i === features.length - 1 ? [2, 2, last] : [2, 2, 2])),
  blocks: features.map(() => 2),
  decoderConvolutions: features.slice(1).map(() => 2),
  bias: true,
  epsilon: 1e-5,
  negativeSlope: 0.01,
  activationFirst: false,
})
const isbi = isotropic([32, 64, 128, 256, 320, 320], 4, 1)
const residual: NnunetNetwork = {
  ...isbi,
  kind: 'residual',
  blocks: [1, 3, 4, 6, 6, 6],
  decoderConvolutions: [1, 1, 1, 1, 1],
}
const small = isotropic([8, 16, 32, 64], 2)

test("parameters, shapes and receptive field are those of the card's tables", () => {
  assert.equal(parameterCount(isbi), 30_788_586)
  assert.equal(parameterCount(small), 351_486)
  // Non-zero gradients of PyTorch on ones in place of weights span 287 or 319 and 271 or 287, by the output's place.
  assert.deepEqual(receptiveField(isbi), [319, 319, 287])
  assert.deepEqual(receptiveField(small), [79, 79, 79])
  assert.deepEqual(stageSizes(isbi, [128, 160, 112]), [
    [128, 160, 112],
    [64, 80, 56],
    [32, 40, 28],
    [16, 20, 14],
    [8, 10, 7],
    [4, 5, 7],
  ])
  // compute_conv_feature_map_size of dynamic-network-architectures 0.4.4, heads of deep supervision left out.
  assert.equal(featureMapSize(isbi, [128, 160, 112]), 492_997_120)
  assert.equal(featureMapSize(residual, [128, 160, 112]), 607_676_160)
  assert.equal(parameterCount(residual), 101_942_762)
  const sizes = Object.fromEntries(
    architectureLayers(isbi).map(({ name, parameters }) => [
      name,
      parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    ]),
  )
  assert.equal(sizes['encoder.stages.0.0.convs.0'], 3552)
  assert.equal(sizes['encoder.stages.5.0.convs.0'], 2_765_760)
  assert.equal(sizes['decoder.transpconvs.0'], 409_920)
  assert.equal(sizes['decoder.stages.0.convs.0'], 5_530_560)
  assert.equal(sizes['decoder.seg_layers.4'], 66)
})
