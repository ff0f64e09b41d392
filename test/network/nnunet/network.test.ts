import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Graph, sizeOf } from '../../../src/network/graph/graph.js'
import { nnunetHeads } from '../../../src/network/networks/nnunet.js'
import {
  architectureLayers,
  type NnunetNetwork,
  parameterCount,
  planned,
} from '../../../src/network/nnunet/architecture.js'
import { importNnunet } from '../../../src/network/nnunet/import.js'
import { predictLogits } from '../../../src/network/nnunet/predict.js'

// A trained folder with nnU-Net's own logits: bench/peers/nnunet_models.py tiny. NNUNET_MODELS names a folder of more.
const tiny = new URL('../../golden/nnunet/tiny/', import.meta.url)
const more = process.env.NNUNET_MODELS
const folders = [tiny, ...(more ? ['flat', 'full', 'residual'].map((name) => new URL(`file://${more}/${name}/`)) : [])]

for (const folder of folders)
  test(`the network computes what nnU-Net's does: ${folder.pathname.split('/').at(-2)}`, async (t) => {
    const file = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)))
    const floats = (name: string) => new Float32Array(file(name).buffer)
    const model = importNnunet(
      {
        plans: file('plans.json'),
        dataset: file('dataset.json'),
        folds: new Map([['fold_0', file('fold_0/checkpoint_final.pth')]]),
      },
      'model',
    )
    const { patch_size: patch } = model.configuration
    const [nz, ny, nx] = patch.length === 2 ? [1, ...patch] : patch
    const count = nz * ny * nx
    const input = floats('input.bin')
    const channels = model.channels.map((_, i) => input.slice(i * count, (i + 1) * count))
    // One window as large as the image is the network alone.
    const logits = await predictLogits({ shape: [nz, ny, nx], channels }, model, { mirror: false })
    const expected = floats('logits.bin')
    assert.equal(logits.length * count, expected.length)
    let [largest, off] = [0, 0]
    for (const [i, value] of expected.entries()) {
      largest = Math.max(largest, Math.abs(value))
      off = Math.max(off, Math.abs(value - logits[Math.floor(i / count)][i % count]))
    }
    t.diagnostic(`off by ${(off / largest).toExponential(1)} of the largest logit`)
    assert.ok(off <= 1e-4 * largest, `off by ${off} where logits reach ${largest}`)
  })

const cube = [3, 3, 3]
const network = (features: number[], strides: number[][], inputChannels: number): NnunetNetwork => ({
  kind: 'plain',
  inputChannels,
  outputChannels: 2,
  features,
  kernels: features.map(() => cube),
  strides,
  blocks: features.map(() => 2),
  decoderConvolutions: features.slice(1).map(() => 2),
  ...planned,
})
const [ones, twos] = [
  [1, 1, 1],
  [2, 2, 2],
]
const large = network([32, 64, 128, 256, 320, 320], [ones, twos, twos, twos, twos, [2, 2, 1]], 4)
const small = network([8, 16, 32, 64], [ones, twos, twos, twos], 2)

test('the graph has the published number of weights, under the names of the checkpoints', () => {
  for (const [one, size, weights] of [
    [large, [128, 160, 112], 30_788_586],
    [small, [32, 32, 32], 351_486],
    [{ ...small, kind: 'residual' as const, blocks: [1, 3, 4, 6] }, [32, 32, 32], undefined],
  ] as const) {
    const graph = new Graph(true)
    const image = graph.input('image', [1, one.inputChannels, ...size])
    const heads = nnunetHeads(graph, image, one, { deepSupervision: true })
    assert.equal(graph.weightCount, parameterCount(one))
    if (weights) assert.equal(graph.weightCount, weights)
    const expected = architectureLayers(one).flatMap(({ parameters }) => parameters)
    const built = [...graph.parameters].map(([name, { value }]) => ({ name, shape: value.shape }))
    const sorted = (all: readonly { name: string }[]) => [...all].sort((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(sorted(built), sorted(expected))
    assert.equal(heads.length, one.features.length - 1)
    assert.deepEqual(heads[0].shape, [1, 2, ...size])
    assert.deepEqual(
      heads[1].shape.slice(2),
      size.map((n) => n / 2),
    )
  }
})

test('without deep supervision the coarser heads are left out', () => {
  const graph = new Graph(false)
  const heads = nnunetHeads(graph, graph.input('image', [1, 2, 32, 32, 32]), small)
  assert.equal(heads.length, 1)
  const coarse = architectureLayers(small)
    .filter(({ part, stage }) => part === 'head' && stage > 0)
    .flatMap(({ parameters }) => parameters)
  assert.equal(graph.weightCount, 351_486 - coarse.reduce((sum, { shape }) => sum + sizeOf(shape), 0))
})
