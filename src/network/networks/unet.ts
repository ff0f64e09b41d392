import type { Graph, Value } from '../graph/graph.js'
import { recomputed } from '../graph/recompute.js'
import { heNormal, ones, zeros } from '../initialise.js'
import {
  convolution,
  cropCentre,
  dropout,
  instanceNormalised,
  join,
  leakyRelu,
  maxPool,
  relu,
  transposedConvolution,
} from '../operators/index.js'
import { batchNormalised } from './batch-norm.js'

/** Building blocks that carry weights, named `prefix.weight` and `prefix.bias` as in PyTorch. */

export interface ConvLayer {
  out: number
  kernel: readonly number[]
  stride?: readonly number[]
  padding?: 'same' | 'valid' | readonly number[]
  dilation?: readonly number[]
  groups?: number
  bias?: boolean
  slope?: number
}

export function convLayer(graph: Graph, name: string, x: Value, layer: ConvLayer): Value {
  const { out, kernel, groups = 1, bias = true, slope = 0, ...rest } = layer
  const perGroup = x.shape[1] / groups
  const fanIn = perGroup * kernel.reduce((a, b) => a * b, 1)
  const weight = graph.parameter(`${name}.weight`, [out, perGroup, ...kernel], heNormal(fanIn, slope))
  return convolution(graph, x, weight, { ...rest, groups, bias: bias ? biasOf(graph, name, out) : undefined })
}

const biasOf = (graph: Graph, name: string, channels: number): Value =>
  graph.parameter(`${name}.bias`, [channels], zeros, { decays: false })

export function upLayer(
  graph: Graph,
  name: string,
  x: Value,
  out: number,
  stride: readonly number[],
  bias = true,
): Value {
  const fan = x.shape[1] * stride.reduce((a, b) => a * b, 1)
  const weight = graph.parameter(`${name}.weight`, [x.shape[1], out, ...stride], heNormal(fan))
  return transposedConvolution(graph, x, weight, { stride, bias: bias ? biasOf(graph, name, out) : undefined })
}

export type Normalisation = 'batch' | 'instance' | 'none'

export function normLayer(graph: Graph, name: string, x: Value, kind: Normalisation): Value {
  if (kind === 'none') return x
  const channels = x.shape[1]
  const scale = graph.parameter(`${name}.weight`, [channels], ones, { decays: false })
  const shift = graph.parameter(`${name}.bias`, [channels], zeros, { decays: false })
  return kind === 'batch'
    ? batchNormalised(graph, name, x, { scale, shift })
    : instanceNormalised(graph, x, 1e-5, { scale, shift })
}

export interface UnetOptions {
  /** Channels of each level, from fine to coarse. */
  features: readonly number[]
  classes: number
  dimensions: 2 | 3
  normalisation?: Normalisation
  padding?: 'same' | 'valid'
  /** Slope of the leaky ReLU; 0 is a plain ReLU. */
  slope?: number
  /** Probability of dropout at the coarsest level. */
  dropout?: number
  /** Channels of the first convolution of a level, where they differ from the level's (3-D U-Net). */
  first?: (features: number, level: number) => number
  convBias?: boolean
  /** Inner values of each level are computed again on the way back instead of kept. */
  recompute?: boolean
}

/**
 * U-Net (Ronneberger, Fischer & Brox 2015; Çiçek et al. 2016 in 3-D): two convolutions a level, pooling by two, transposed
 * convolutions up, skips joined.
 * @param x `[batch, channels, …]`, each size a multiple of `2^(levels - 1)` with `same` padding
 * @returns logits `[batch, classes, …]`
 */
export function unet(graph: Graph, x: Value, options: UnetOptions): Value {
  const {
    features,
    classes,
    dimensions,
    normalisation = 'batch',
    padding = 'same',
    slope = 0,
    first = (f) => f,
  } = options
  const kernel = Array(dimensions).fill(3)
  const two = Array(dimensions).fill(2)
  const bias = options.convBias ?? normalisation === 'none'
  const activate = (v: Value) => (slope === 0 ? relu(graph, v) : leakyRelu(graph, v, slope))
  const convolutions = (name: string, v: Value, out: number, inner: number): Value =>
    [inner, out].reduce((y, width, i) => {
      const conv = convLayer(graph, `${name}.conv${i}`, y, { out: width, kernel, padding, bias, slope })
      return activate(normLayer(graph, `${name}.norm${i}`, conv, normalisation))
    }, v)
  const block = (name: string, v: Value, out: number, inner: number): Value =>
    options.recompute
      ? recomputed(graph, [v], ([again]) => convolutions(name, again, out, inner))
      : convolutions(name, v, out, inner)
  const skips: Value[] = []
  let y = x
  features.forEach((width, level) => {
    if (level > 0) y = maxPool(graph, y, 2)
    y = block(`encoder.${level}`, y, width, first(width, level))
    skips.push(y)
  })
  y = dropout(graph, y, options.dropout ?? 0)
  for (let level = features.length - 2; level >= 0; level--) {
    const width = features[level]
    y = upLayer(graph, `decoder.${level}.up`, y, options.first ? y.shape[1] : width, two)
    const skip = padding === 'valid' ? cropTo(graph, skips[level], y) : skips[level]
    y = block(`decoder.${level}`, join(graph, skip, y), width, width)
  }
  return convLayer(graph, 'head', y, { out: classes, kernel: Array(dimensions).fill(1), padding: 'valid' })
}

const cropTo = (graph: Graph, x: Value, like: Value): Value => cropCentre(graph, x, like.shape.slice(2))
