import type { Graph, Initial, Value } from '../graph/graph.js'
import { recomputed } from '../graph/recompute.js'
import { heNormal, ones, zeros } from '../initialise.js'
import { architectureLayers, type NetworkLayer, type NnunetNetwork } from '../nnunet/architecture.js'
import { product } from '../nnunet/rules.js'
import {
  add,
  averagePool,
  convolution,
  instanceNormalised,
  join,
  leakyRelu,
  relu,
  transposedConvolution,
} from '../operators/index.js'

/**
 * nnU-Net v2's plain and residual-encoder U-Nets (Isensee et al. 2021, 2024), parameters named as in its checkpoints.
 *
 * @param image `[batch, channels, (z,) y, x]`, each size divided by the product of the strides
 * @param deepSupervision also the coarser stages' heads; without, their weights are not part of the graph
 * @param recompute inner values of each stage are computed again on the way back instead of kept
 * @returns logits `[batch, outputs, …]` of each head, finest first
 */
export function nnunetHeads(
  graph: Graph,
  image: Value,
  network: NnunetNetwork,
  { deepSupervision = false, recompute = false } = {},
): Value[] {
  const apply = (layer: NetworkLayer, x: Value) => applied(graph, x, layer, network)
  const inOrder = (some: readonly NetworkLayer[], x: Value) => some.reduce((y, layer) => apply(layer, y), x)
  const part = (inputs: readonly Value[], build: (inputs: readonly Value[]) => Value): Value =>
    recompute ? recomputed(graph, inputs, build) : build(inputs)
  const layers = architectureLayers(network)
  const down = (stage: number) =>
    layers.filter((layer) => layer.stage === stage && (layer.part === 'encoder' || layer.part === 'shortcut'))
  const stem = layers.filter(({ part }) => part === 'stem')
  let y = inOrder(stem, image)
  const skips = network.features.map((_, stage) => {
    y = part([y], ([x]) => (network.kind === 'plain' ? inOrder(down(stage), x) : residualStage(x, down(stage))))
    return y
  })

  function residualStage(x: Value, stage: readonly NetworkLayer[]): Value {
    return stage
      .filter(({ part }) => part === 'encoder')
      .reduce((before, layer, i, convolutions) => {
        if (i % 2 === 1) return before
        const block = layer.name.slice(0, layer.name.lastIndexOf('.'))
        const shortcut = stage.find(({ part, name }) => part === 'shortcut' && name.startsWith(`${block}.`))
        const inner = apply(convolutions[i + 1], apply(layer, before))
        const pooled = product(layer.stride) > 1 ? averagePool(graph, before, layer.stride) : before
        return activated(graph, add(graph, inner, shortcut ? apply(shortcut, pooled) : pooled), network)
      }, x)
  }

  const heads: Value[] = []
  for (const layer of layers) {
    if (layer.part === 'up') {
      const convolutions = layers.filter(({ part: of, stage }) => of === 'decoder' && stage === layer.stage)
      y = part([y, skips[layer.stage]], ([below, skip]) =>
        inOrder(convolutions, join(graph, apply(layer, below), skip)),
      )
    } else if (layer.part === 'head' && (deepSupervision || layer.stage === 0)) heads.unshift(apply(layer, y))
  }
  return heads
}

/** The finest head's logits alone: what inference needs. */
export const nnunet =
  (network: NnunetNetwork) =>
  (graph: Graph, image: Value): Value =>
    nnunetHeads(graph, image, network)[0]

const activated = (graph: Graph, x: Value, { negativeSlope }: NnunetNetwork): Value =>
  negativeSlope === 0 ? relu(graph, x) : leakyRelu(graph, x, negativeSlope)

/** A layer with its norm and activation; nnU-Net starts weights by He's rule and decays all of them alike. */
function applied(graph: Graph, x: Value, layer: NetworkLayer, network: NnunetNetwork): Value {
  const { name, stride, norm, operation, parameters } = layer
  const prefix = norm ? `${name}.conv` : name
  const parameter = (of: string, initial: (shape: readonly number[]) => Initial): Value | undefined => {
    const found = parameters.find((one) => one.name === of)
    return found && graph.parameter(of, found.shape, initial(found.shape))
  }
  const weight = parameter(`${prefix}.weight`, (shape) => heNormal(product(shape.slice(1)), network.negativeSlope))!
  const bias = parameter(`${prefix}.bias`, () => zeros)
  const apply = operation === 'transposed' ? transposedConvolution : convolution
  const y = apply(graph, x, weight, { stride, bias })
  if (!norm) return y
  // A residual block starts as its shortcut.
  const factor = layer.part === 'encoder' && !layer.activation ? zeros : ones
  const scale = parameter(`${name}.norm.weight`, () => factor)!
  const shift = parameter(`${name}.norm.bias`, () => zeros)!
  const normed = (v: Value) => instanceNormalised(graph, v, network.epsilon, { scale, shift })
  if (!layer.activation) return normed(y)
  return network.activationFirst ? normed(activated(graph, y, network)) : activated(graph, normed(y), network)
}
