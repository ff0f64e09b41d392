// One measurement of bench/network.ts in a process of its own, so that its peak of memory is its own: reads a job as JSON
// from the command line and prints seconds and peak.
import { Graph, type Value } from '../src/network/graph/graph.js'
import { initialWeights } from '../src/network/initialise.js'
import { diceAndBinaryCrossEntropy } from '../src/network/losses.js'
import { nnunetHeads } from '../src/network/networks/nnunet.js'
import { unet } from '../src/network/networks/unet.js'
import { planned } from '../src/network/nnunet/architecture.js'
import { openSession } from '../src/network/runtime.js'
import { slideWindows } from '../src/network/sliding.js'
import { Trainer } from '../src/network/trainer.js'
import { seededRandom } from '../src/random.js'
import type { TimedNetwork } from './network-shapes.js'

const { network, mode, runs } = JSON.parse(process.argv[2]) as {
  network: TimedNetwork
  mode: 'train' | 'recompute' | 'infer'
  runs: number
}
const { channels, patch, batch, image, features } = network
const random = seededRandom(1)
const filled = (count: number) => Float32Array.from({ length: count }, () => random() - 0.5)
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

function build(graph: Graph, x: Value): Value {
  const dimensions = patch.length as 2 | 3
  if (network.kind === 'unet')
    return unet(graph, x, {
      features,
      classes: 1,
      dimensions,
      normalisation: network.normalisation,
      convBias: true,
      slope: 0.01,
      recompute: mode === 'recompute',
    })
  const each = (n: number) => Array<number>(dimensions).fill(n)
  const described = {
    kind: 'plain',
    inputChannels: channels,
    outputChannels: 1,
    features,
    kernels: features.map(() => each(3)),
    strides: features.map((_, i) => each(i === 0 ? 1 : 2)),
    blocks: features.map(() => 2),
    decoderConvolutions: features.slice(1).map(() => 2),
    ...planned,
  } as const
  return nnunetHeads(graph, x, described, { recompute: mode === 'recompute' })[0]
}

const seconds: number[] = []
let weights = 0
if (mode !== 'infer') {
  const loss = diceAndBinaryCrossEntropy()
  const trainer = await Trainer.create(
    {
      inputs: { image: [batch, channels, ...patch], truth: [batch, 1, ...patch] },
      build: (graph, { image: x, truth }) => ({ loss: loss(graph, build(graph, x), truth) }),
    },
    { optimiser: { kind: 'adam' }, seed: 1, threads: 2 },
  )
  weights = trainer.graph.weightCount
  const data = {
    image: filled(batch * channels * size(patch)),
    truth: filled(batch * size(patch)).map((v) => (v > 0.45 ? 1 : 0)),
  }
  for (let i = -1; i < runs; i++) {
    const start = performance.now()
    await trainer.train(data, 1e-3)
    if (i >= 0) seconds.push((performance.now() - start) / 1000)
  }
} else {
  const graph = new Graph(false)
  const shape = [1, channels, ...patch]
  const logits = build(graph, graph.input('image', shape))
  weights = graph.weightCount
  const session = await openSession(graph.model({ logits }, initialWeights(graph, 1)), { threads: 2 })
  const volumes = Array.from({ length: channels }, () => filled(size(image)))
  const sum = new Float32Array(size(image))
  const into = { logits: { data: new Float32Array(size(patch)), shape: logits.shape } }
  for (let i = -1; i < runs; i++) {
    const start = performance.now()
    await slideWindows(
      { shape: image as unknown as [number, number, number], channels: volumes },
      { patch, mirrorAxes: [] },
      async (window) => (await session.run({ image: { data: window, shape } }, into)).logits,
      [sum],
    )
    if (i >= 0) seconds.push((performance.now() - start) / 1000)
  }
}
console.log(JSON.stringify({ seconds, weights, megabytes: process.resourceUsage().maxRSS / 1024 }))
process.exit(0)
