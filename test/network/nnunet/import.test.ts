import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { InputError } from '../../../src/errors.js'
import { architectureLayers, parameterCount } from '../../../src/network/nnunet/architecture.js'
import { configurationOf, networkOf } from '../../../src/network/nnunet/configuration.js'
import { importNnunet } from '../../../src/network/nnunet/import.js'
import type { NnunetPlans } from '../../../src/network/nnunet/plans.js'

// A trained folder as nnU-Net lays it down: bench/peers/nnunet_models.py tiny.
const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../golden/nnunet/tiny/${name}`, import.meta.url)))
const [plans, dataset] = [file('plans.json'), file('dataset.json')]
const checkpoint = file('fold_0/checkpoint_final.pth')
const folds = new Map([['fold_0', checkpoint]])
const json = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes))
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const changed = (change: (plans: NnunetPlans) => void) => {
  const copy = json(plans)
  change(copy)
  return bytesOf(copy)
}
const kwargsOf = (all: NnunetPlans) =>
  (all.configurations['3d_fullres'].architecture as { arch_kwargs: Record<string, unknown> }).arch_kwargs

test('a result folder is read: configuration, labels, network and weights', () => {
  const model = importNnunet({ plans, dataset, folds }, 'model')
  assert.equal(model.name, '3d_fullres')
  assert.equal(model.trainer, 'nnUNetTrainer')
  assert.deepEqual(model.channels, ['FLAIR'])
  assert.deepEqual(model.labels.values, [0, 1])
  assert.deepEqual(model.mirrorAxes, [0, 1, 2])
  assert.deepEqual(model.configuration.spacing, [3, 1, 1])
  assert.deepEqual(model.network, {
    kind: 'residual',
    inputChannels: 1,
    outputChannels: 2,
    features: [2, 4],
    kernels: [
      [1, 3, 3],
      [3, 3, 3],
    ],
    strides: [
      [1, 1, 1],
      [1, 2, 2],
    ],
    blocks: [1, 2],
    decoderConvolutions: [1],
    bias: true,
    epsilon: 1e-5,
    negativeSlope: 0.01,
    activationFirst: false,
  })
  const weights = model.folds.get('fold_0')!
  assert.deepEqual(
    [...weights.keys()],
    architectureLayers(model.network).flatMap(({ parameters }) => parameters.map(({ name }) => name)),
  )
  assert.equal(parameterCount(model.network), 1802)
  assert.equal(
    [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    1802,
  )
  assert.deepEqual(weights.get('encoder.stages.1.blocks.0.skip.1.conv.weight')!.shape, [4, 2, 1, 1, 1])
})

const refused = (folder: Partial<Parameters<typeof importNnunet>[0]>, pattern: RegExp) =>
  assert.throws(
    () => importNnunet({ plans, dataset, folds, ...folder }, 'model'),
    (error: Error) => error instanceof InputError && pattern.test(error.message) && !error.message.includes('\n'),
  )

test('what does not fit together is refused in one line', () => {
  refused({ folds: new Map() }, /no fold/)
  refused({ plans: new TextEncoder().encode('{') }, /plans\.json: is not JSON/)
  refused({ plans: bytesOf({}) }, /plans\.json: is not a plan of nnU-Net v2 \(dataset_name/)
  refused({ dataset: bytesOf({ ...json(dataset), labels: { lesion: 1 } }) }, /"background" is not 0/)
  refused({ dataset: bytesOf({ ...json(dataset), channel_names: { 0: 'a', 1: 'b' } }) }, /normalises 1 channels/)
  const features = changed((all) => (kwargsOf(all).features_per_stage = [2, 5]))
  refused(
    { plans: features },
    /weight "encoder\.stages\.1\.blocks\.0\.conv1\.conv\.weight" is 4 × 2 × 3 × 3 × 3.*5 × 2 × 3/,
  )
  refused(
    { plans: changed((all) => (kwargsOf(all).n_blocks_per_stage = [1, 3])) },
    /lacks the weight "encoder\.stages\.1\.blocks\.2/,
  )
  refused(
    { plans: changed((all) => (kwargsOf(all).n_blocks_per_stage = [1, 1])) },
    /has a weight "encoder\.stages\.1\.blocks\.1/,
  )
  refused({ plans: changed((all) => (kwargsOf(all).dropout_op = 'torch.nn.Dropout3d')) }, /dropout/)
  refused(
    { plans: changed((all) => (kwargsOf(all).norm_op = 'torch.nn.BatchNorm3d')) },
    /its norm is torch\.nn\.BatchNorm3d/,
  )
  const other = changed((all) => {
    ;(all.configurations['3d_fullres'].architecture as Record<string, unknown>).network_class_name = 'a.b.SwinUNETR'
  })
  refused({ plans: other }, /the network is a a\.b\.SwinUNETR/)
  const renamed = changed((all) => (all.configurations = { '2d': all.configurations['3d_fullres'] }))
  refused({ plans: renamed }, /has no configuration "3d_fullres"; choose among 2d/)
  const cut = new Map([['fold_0', checkpoint.subarray(0, 30_000)]])
  refused({ folds: cut }, /model\/fold_0: the zip archive is damaged or ends too early/)
})

test('a cascade inherits, and plans of before 2.4 describe the same network', () => {
  const all = json(plans) as NnunetPlans
  all.configurations.cascade = { inherits_from: '3d_fullres', previous_stage: '3d_lowres' }
  assert.equal(configurationOf(all, 'cascade', 'plans').previous_stage, '3d_lowres')
  assert.deepEqual(configurationOf(all, 'cascade', 'plans').patch_size, [4, 8, 8])
  all.configurations.loop = { inherits_from: 'loop' }
  assert.throws(() => configurationOf(all, 'loop', 'plans'), /"loop" inherits from itself/)

  const { architecture, ...rest } = all.configurations['3d_fullres']
  const kwargs = kwargsOf(all)
  all.configurations.old = {
    ...rest,
    UNet_class_name: 'ResidualEncoderUNet',
    UNet_base_num_features: 2,
    unet_max_num_features: 320,
    n_conv_per_stage_encoder: kwargs.n_blocks_per_stage,
    n_conv_per_stage_decoder: kwargs.n_conv_per_stage_decoder,
    pool_op_kernel_sizes: kwargs.strides,
    conv_kernel_sizes: kwargs.kernel_sizes,
    num_pool_per_axis: [0, 1, 1],
  }
  const network = (name: string) => networkOf(configurationOf(all, name, 'plans').architecture, 1, 2, 'plans')
  assert.deepEqual(network('old'), network('3d_fullres'))
})
