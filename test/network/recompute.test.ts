import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Graph, Value } from '../../src/network/graph/graph.js'
import { diceAndBinaryCrossEntropy } from '../../src/network/losses.js'
import { nnunetHeads } from '../../src/network/networks/nnunet.js'
import { unet } from '../../src/network/networks/unet.js'
import { planned } from '../../src/network/nnunet/architecture.js'
import type { Objective } from '../../src/network/trainer.js'
import { Trainer } from '../../src/network/trainer.js'
import { seededRandom } from '../../src/random.js'

const shape = [2, 2, 16, 16]
const random = seededRandom(3)
const batch = {
  image: Float32Array.from({ length: 2 * 2 * 256 }, () => random() - 0.5),
  truth: Float32Array.from({ length: 2 * 256 }, () => (random() < 0.3 ? 1 : 0)),
}

const network = {
  kind: 'residual',
  inputChannels: 2,
  outputChannels: 1,
  features: [4, 8],
  kernels: [
    [3, 3],
    [3, 3],
  ],
  strides: [
    [1, 1],
    [2, 2],
  ],
  blocks: [1, 2],
  decoderConvolutions: [1],
  ...planned,
} as const
const networks = {
  'a U-Net with batch norms and dropout': (graph: Graph, image: Value, recompute: boolean) =>
    unet(graph, image, { features: [4, 8, 8], classes: 1, dimensions: 2, dropout: 0.3, recompute }),
  'an nnU-Net': (graph: Graph, image: Value, recompute: boolean) =>
    nnunetHeads(graph, image, network, { recompute })[0],
}

/** The weights after three steps, statistics of the batch norms with them, and how many convolutions a step takes. */
async function trained(network: keyof typeof networks, recompute: boolean) {
  const objective: Objective = {
    inputs: { image: shape, truth: [2, 1, 16, 16] },
    build: (graph, { image, truth }) => ({
      loss: diceAndBinaryCrossEntropy()(graph, networks[network](graph, image, recompute), truth),
    }),
  }
  const trainer = await Trainer.create(objective, {
    // Not Adam: it makes whole steps of the rounding errors of a bias that a norm follows.
    optimiser: { kind: 'sgd', momentum: 0.9 },
    seed: 1,
    threads: 1,
  })
  try {
    for (let step = 0; step < 3; step++) await trainer.train(batch, 0.01)
    const convolutions = trainer.graph.operations.filter(({ op }) => op === 'Conv').length
    return { weights: trainer.weights(), convolutions }
  } finally {
    await trainer.close()
  }
}

for (const network of Object.keys(networks) as (keyof typeof networks)[])
  test(`${network}: what is computed again on the way back leaves weights and statistics as they are`, async () => {
    const [kept, again] = [await trained(network, false), await trained(network, true)]
    assert.ok(again.convolutions > kept.convolutions)
    assert.deepEqual([...again.weights.keys()], [...kept.weights.keys()])
    for (const [name, values] of kept.weights) {
      const off = values.reduce((most, v, i) => Math.max(most, Math.abs(v - again.weights.get(name)![i])), 0)
      assert.ok(off < 1e-5, `${name} is off by ${off}`)
    }
  })
