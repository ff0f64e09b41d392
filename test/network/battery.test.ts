import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Graph, type Parameter, type Value } from '../../src/network/graph/graph.js'
import { initialWeights } from '../../src/network/initialise.js'
import { declared, networkKinds } from '../../src/network/kinds.js'
import { loadModel, weightsFile } from '../../src/network/model.js'
import { multiplaneUnet } from '../../src/network/networks/multiplane.js'
import { nnunet } from '../../src/network/networks/nnunet.js'
import { convLayer } from '../../src/network/networks/unet.js'
import { unet3d } from '../../src/network/networks/unet3d.js'
import { valverde } from '../../src/network/networks/valverde.js'
import { planned } from '../../src/network/nnunet/architecture.js'
import { leakyRelu } from '../../src/network/operators/index.js'
import { openSession } from '../../src/network/runtime.js'
import { slideWindows } from '../../src/network/sliding.js'
import { sha256 } from '../../src/platform/index.js'
import { seededRandom } from '../../src/random.js'
import { checkGradients, type Spec } from './gradient-check.js'
import { ballPhantom } from './training/phantoms.js'

const folder = mkdtempSync(join(tmpdir(), 'lesionwise-battery-'))
after(() => rmSync(folder, { recursive: true, force: true }))

type Build = (graph: Graph, image: Value) => Value
const cube = [3, 3, 3]
const nnunetSmall = {
  inputChannels: 2,
  outputChannels: 2,
  features: [4, 8],
  kernels: [cube, cube],
  strides: [
    [1, 1, 1],
    [2, 2, 2],
  ],
  blocks: [1, 1],
  decoderConvolutions: [1],
  ...planned,
}

/** Trained parameters of a network, by name. */
function trained(build: Build, shape: readonly number[]): Parameter[] {
  const graph = new Graph(true)
  build(graph, graph.input('image', shape))
  return [...graph.parameters.values()].filter((parameter) => parameter.trained)
}

for (const [name, build, shape] of [
  ['the multi-plane U-Net', multiplaneUnet([3, 4]), [2, 6, 8, 8]],
  ['the 3-D U-Net', unet3d([3, 4]), [2, 2, 4, 4, 8]],
  ['the cascade', valverde('first', { features: [3, 4] }), [3, 2, 11, 11, 11]],
  ['a plain nnU-Net', nnunet({ ...nnunetSmall, kind: 'plain' }), [1, 2, 4, 8, 8]],
  ['a residual nnU-Net', nnunet({ ...nnunetSmall, kind: 'residual' }), [1, 2, 4, 8, 8]],
] as const)
  test(`${name}: gradients of 30 weights a layer are those of finite differences`, async () => {
    const parameters = trained(build, shape)
    const specs: Record<string, Spec> = { image: { shape: [...shape], kind: 'real', low: -1, high: 1 } }
    for (const { value } of parameters) {
      // Scales of a norm lie around 1; a weight's spread falls with its fan-in, so that no layer saturates.
      const scale = value.shape.length === 1 && value.name.endsWith('.weight')
      const spread = 1 / Math.sqrt(value.shape.slice(1).reduce((a, b) => a * b, 1))
      specs[value.name] = scale
        ? { shape: [...value.shape], kind: 'real', low: 0.5, high: 1.5 }
        : { shape: [...value.shape], kind: 'real', low: -spread, high: spread }
    }
    const fed = (graph: Graph, inputs: Record<string, Value>) => {
      const own = graph.parameter.bind(graph)
      // The weights are fed, so that they can be changed one by one.
      graph.parameter = (key, ...rest) => inputs[key] ?? own(key, ...rest)
      return build(graph, inputs.image)
    }
    const { gradients } = await checkGradients(specs, fed, { entries: 0 })
    const largest = Math.max(...parameters.flatMap(({ value }) => Array.from(gradients[value.name], Math.abs)))
    const { sorted } = await checkGradients(specs, fed, { step: 3e-4, least: largest / 5 })
    // Where a ReLU or a maximum has its kink within the step, a difference means little: half of the entries must agree.
    for (const { value } of parameters) {
      const median = sorted[value.name][(sorted[value.name].length - 1) >> 1]
      assert.ok(median < 2e-2, `${value.name} is off by ${median}`)
    }
  })

for (const [kind, features] of [
  ['multiplane-unet', [4, 8]],
  ['multislice-unet', [4, 8]],
  ['unet3d', [4, 8]],
  ['valverde2017', [4, 8]],
] as const)
  test(`${kind}: read back from its files, a model gives the same bits`, async () => {
    const graph = declared(kind, features)
    const weights = initialWeights(graph, 5)
    // So that the first network of the cascade is sure of some voxels.
    weights.get('first.out.bias')?.set([-5, 5])
    const bytes = weightsFile(graph, weights)
    const path = join(folder, kind)
    mkdirSync(path)
    writeFileSync(join(path, 'weights.safetensors'), bytes)
    const card = {
      format: 'lesionwise-model',
      formatVersion: 1,
      name: 'test',
      describe: 'test',
      network: { kind, features, channels: networkKinds[kind].channels },
      threshold: 0.5,
      certain: 0.5,
      weights: [{ file: 'weights.safetensors', sha256: await sha256(bytes), seed: 5 }],
      training: { data: '', licence: '', scans: 0, steps: 0, version: '0' },
      validation: [],
    }
    writeFileSync(join(path, 'model.json'), JSON.stringify(card))
    const { weights: read } = await loadModel(path, networkKinds[kind].method)
    const phantom = ballPhantom('scan', 1, [2, 2, 2])
    const scan = { ...phantom, channels: phantom.channels.slice(0, networkKinds[kind].channels.length) }
    const [before, now] = [
      await networkKinds[kind].predict(scan, { features: [...features], weights: [weights] }),
      await networkKinds[kind].predict(scan, { features: [...features], weights: read }),
    ]
    assert.ok(before.some((p) => p > 0))
    assert.deepEqual(Buffer.from(now.buffer).equals(Buffer.from(before.buffer)), true)
  })

test('windows of a network without norm give what the whole volume gives, away from its borders', async () => {
  const weights = new Map([
    ['a.weight', seeded(4 * 27)],
    ['b.weight', seeded(4 * 27, 2)],
  ])
  const build: Build = (graph, x) => {
    const inner = leakyRelu(graph, convLayer(graph, 'a', x, { out: 4, kernel: cube, bias: false }), 0.01)
    return convLayer(graph, 'b', inner, { out: 1, kernel: cube, bias: false })
  }
  const [nz, ny, nx] = [32, 40, 56]
  const image = seeded(nz * ny * nx, 3)
  const run = async (size: readonly number[]) => {
    const graph = new Graph(false)
    const output = build(graph, graph.input('image', [1, 1, ...size]))
    const session = await openSession(graph.model({ output }, weights))
    return async (data: Float32Array) => (await session.run({ image: { data, shape: [1, 1, ...size] } })).output
  }
  const whole = await (await run([nz, ny, nx]))(image)
  const sum = new Float32Array(image.length)
  await slideWindows(
    { shape: [nz, ny, nx], channels: [image] },
    { patch: [32, 32, 32], mirrorAxes: [] },
    await run([32, 32, 32]),
    [sum],
  )
  let largest = 0
  for (let k = 2; k < nz - 2; k++)
    for (let j = 2; j < ny - 2; j++)
      for (let i = 2; i < nx - 2; i++) {
        const at = (k * ny + j) * nx + i
        largest = Math.max(largest, Math.abs(sum[at] - whole[at]))
      }
  assert.ok(largest < 1e-4, `off by ${largest}`)
})

function seeded(count: number, seed = 1): Float32Array {
  const random = seededRandom(seed)
  return Float32Array.from({ length: count }, () => (random() - 0.5) * 0.2)
}
