import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Graph, type Value } from '../../src/network/graph/graph.js'
import { initialWeights, type Weights } from '../../src/network/initialise.js'
import { multiplaneUnet } from '../../src/network/networks/multiplane.js'
import { unet } from '../../src/network/networks/unet.js'
import { unet2dPublished, unet3d, unet3dPublished } from '../../src/network/networks/unet3d.js'
import { valverde } from '../../src/network/networks/valverde.js'
import { openSession } from '../../src/network/runtime.js'
import { seededRandom } from '../../src/random.js'

type Build = (graph: Graph, image: Value) => Value

/** The graph of a network, and the shape of what each of its layers gives: a bias added, or the maximum of a pool. */
function built(build: Build, shape: readonly number[], training = false) {
  const graph = new Graph(training)
  const output = build(graph, graph.input('image', shape))
  const isBias = (value: Value): boolean =>
    /(?<!norm\d?)\.bias$/.test(value.name) || (value.source?.op === 'Reshape' && isBias(value.source.inputs[0]))
  const shapes = graph.operations
    .filter(({ op, inputs }) => op === 'MaxPool' || (/^(Add|Conv)$/.test(op) && inputs.some(isBias)))
    .map(({ outputs }) => outputs[0].shape.slice(1).join('×'))
  return { graph, output, shapes }
}

test('the published 2-D U-Net: layers, 31,030,658 weights, 572² to 388²', () => {
  const { graph, shapes, output } = built(unet2dPublished(), [1, 1, 572, 572])
  assert.equal(graph.weightCount, 31_030_658)
  assert.deepEqual(output.shape, [1, 2, 388, 388])
  assert.deepEqual(shapes, [
    ...['64×570×570', '64×568×568', '64×284×284', '128×282×282', '128×280×280', '128×140×140'],
    ...['256×138×138', '256×136×136', '256×68×68', '512×66×66', '512×64×64', '512×32×32', '1024×30×30', '1024×28×28'],
    ...['512×56×56', '512×54×54', '512×52×52', '256×104×104', '256×102×102', '256×100×100'],
    ...['128×200×200', '128×198×198', '128×196×196', '64×392×392', '64×390×390', '64×388×388', '2×388×388'],
  ])
})

test('the published 3-D U-Net: layers, 19,075,523 weights and the 19,069,955 that the paper counts', () => {
  const { graph, shapes, output } = built(unet3dPublished(), [1, 3, 132, 132, 116])
  assert.equal(graph.weightCount, 19_075_523)
  const norms = graph.trained.filter(({ value }) => value.name.includes('norm'))
  const upBiases = graph.trained.filter(({ value }) => value.name.endsWith('up.bias'))
  const count = (list: typeof norms) => list.reduce((sum, { value }) => sum + value.shape[0], 0)
  assert.equal(graph.weightCount - count(norms) - count(upBiases), 19_069_955)
  assert.deepEqual(output.shape, [1, 3, 44, 44, 28])
  assert.deepEqual(shapes, [
    ...['32×130×130×114', '64×128×128×112', '64×64×64×56', '64×62×62×54', '128×60×60×52', '128×30×30×26'],
    ...['128×28×28×24', '256×26×26×22', '256×13×13×11', '256×11×11×9', '512×9×9×7', '512×18×18×14'],
    ...['256×16×16×12', '256×14×14×10', '256×28×28×20', '128×26×26×18', '128×24×24×16', '128×48×48×32'],
    ...['64×46×46×30', '64×44×44×28', '3×44×44×28'],
  ])
})

test('the small 3-D U-Net: layers and 85,553 weights', () => {
  const { graph, shapes } = built(unet3d(), [1, 2, 32, 32, 32])
  assert.equal(graph.weightCount, 85_553)
  assert.deepEqual(shapes, [
    ...['8×32×32×32', '8×32×32×32', '8×16×16×16', '16×16×16×16', '16×16×16×16', '16×8×8×8', '32×8×8×8', '32×8×8×8'],
    ...['16×16×16×16', '16×16×16×16', '16×16×16×16', '8×32×32×32', '8×32×32×32', '8×32×32×32', '1×32×32×32'],
  ])
})

test('the cascade: 189,154 weights in 2017, 368,450 in its toolbox and 23,570 small, slopes aside', () => {
  const patch = [4, 2, 11, 11, 11]
  const first = built(valverde('first', { version: '2017' }), patch)
  assert.deepEqual(first.shapes, ['32×11×11×11', '32×5×5×5', '64×5×5×5', '64×2×2×2', '256', '2'])
  assert.equal(first.graph.weightCount, 189_154)
  const counts = (features: readonly number[]) => {
    const { graph } = built(valverde('first', { features }), patch)
    const slopes = graph.trained.filter(({ value }) => value.name.endsWith('.slope'))
    return [graph.weightCount, slopes.reduce((sum, { value }) => sum + value.shape[0], 0)]
  }
  const [toolbox, slopes] = counts([32, 64])
  assert.deepEqual([toolbox - slopes, slopes], [368_450, 2 * 32 + 2 * 64 + 256 + 128 + 64])
  const [small, few] = counts([8, 16])
  assert.equal(small - few, 23_570)
  assert.deepEqual(built(valverde('first'), patch).output.shape, [4, 2])
})

async function outputs(
  build: Build,
  shape: readonly number[],
  image: Float32Array,
  weights?: (graph: Graph) => Weights,
) {
  const { graph, output } = built(build, shape)
  const session = await openSession(graph.model({ output }, weights?.(graph) ?? initialWeights(graph, 1)))
  const result = (await session.run({ image: { data: image, shape } })).output
  await session.close()
  return { values: result, shape: output.shape }
}

/**
 * Which inputs along a line an output depends on, with positive weights and no norm: raising one voxel above an even image
 * then raises every output that sees it, through any maximum.
 */
async function fieldAlong(features: readonly number[], dimensions: 2 | 3, length: number): Promise<[number, number]> {
  const across = 2 ** features.length
  const shape = [length, 1, ...Array<number>(dimensions - 1).fill(across), length]
  const row = across ** (dimensions - 1) * length
  const line = (across / 2) * (dimensions === 3 ? across + 1 : 1) * length
  const image = new Float32Array(length * row).fill(1)
  for (let b = 0; b < length; b++) image[b * row + line + b] = 1e6
  const positive = (graph: Graph): Weights =>
    new Map(
      [...graph.parameters].map(([name, { value }]) => {
        const size = value.shape.reduce((a, c) => a * c, 1)
        return [name, new Float32Array(size).fill(name.endsWith('bias') ? 0 : value.shape.length > 1 ? 0.125 : 1)]
      }),
    )
  const build: Build = (graph, x) => unet(graph, x, { features, classes: 1, dimensions, normalisation: 'none' })
  const { values } = await outputs(build, shape, image, positive)
  const widths: number[] = []
  for (let o = length / 2 - 16; o < length / 2 + 16; o++) {
    // A bump far away leaves what an even image gives.
    const even = values[line + o]
    let seen = 0
    for (let b = 0; b < length; b++) if (Math.abs(values[b * row + line + o] - even) > 1e-6 * Math.abs(even)) seen++
    widths.push(seen)
  }
  return [Math.min(...widths), Math.max(...widths)]
}

test('receptive fields, the narrowest and the widest: they hang on where the pools fall', async () => {
  assert.deepEqual(await fieldAlong([1, 1, 1], 3, 96), [44, 44])
  // The usual formula, without phases, gives the mean: 96 of the 3-D U-Net and 196 of the 2-D one.
  assert.deepEqual(await fieldAlong([1, 1, 1, 1], 3, 176), [92, 100])
  assert.deepEqual(await fieldAlong([1, 1, 1, 1, 1], 2, 352), [188, 204])
})

const noise = (count: number, seed = 1) => {
  const random = seededRandom(seed)
  return Float32Array.from({ length: count }, () => random() - 0.5)
}
const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0)

for (const [name, build, shape] of [
  ['the multi-plane U-Net', multiplaneUnet([4, 8, 8]), [2, 6, 16, 16]],
  ['the 3-D U-Net', unet3d([4, 8]), [2, 2, 8, 8, 8]],
  ['the cascade', valverde('first', { features: [4, 8] }), [2, 2, 11, 11, 11]],
] as const)
  test(`${name} at inference: one sample's output does not depend on the others of its batch`, async () => {
    const half = shape.slice(1).reduce((a, b) => a * b, 1)
    const [one, two, three] = [1, 2, 3].map((seed) => noise(half, seed))
    const together = await outputs(build, shape, Float32Array.of(...one, ...two))
    const others = await outputs(build, shape, Float32Array.of(...one, ...three))
    const out = together.values.length / 2
    assert.ok(largest(together.values.subarray(0, out), others.values.subarray(0, out)) < 1e-6)
    assert.ok(largest(together.values.subarray(out), others.values.subarray(out)) > 1e-4)
  })

test('dropout and batch normalisation differ between training and inference', () => {
  const training = built(valverde('first', { features: [4, 8] }), [2, 2, 11, 11, 11], true)
  const inference = built(valverde('first', { features: [4, 8] }), [2, 2, 11, 11, 11])
  assert.equal(training.graph.noises.length, 3)
  assert.equal(inference.graph.noises.length, 0)
  // Four batch norms keep a mean and a variance each.
  assert.equal(training.graph.kept.size, 8)
  assert.equal(inference.graph.kept.size, 0)
})
