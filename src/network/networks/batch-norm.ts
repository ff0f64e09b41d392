import type { Graph, Value } from '../graph/graph.js'
import { ones, zeros } from '../initialise.js'
import {
  type Affine,
  add,
  divide,
  moments,
  multiply,
  normalised,
  reshape,
  squareRoot,
  stopGradient,
  subtract,
} from '../operators/index.js'

/**
 * Batch normalisation (Ioffe & Szegedy 2015): statistics of the batch in training, running ones (momentum 0.1, unbiased
 * variance, as PyTorch) at inference.
 */
export function batchNormalised(
  graph: Graph,
  name: string,
  x: Value,
  after: Affine,
  { momentum = 0.1, epsilon = 1e-5 } = {},
): Value {
  const channels = x.shape[1]
  const axes = x.shape.map((_, i) => i).filter((i) => i !== 1)
  const wide = [1, channels, ...x.shape.slice(2).map(() => 1)]
  const own = { trained: false, decays: false }
  const runningMean = graph.parameter(`${name}.running_mean`, [channels], zeros, own)
  const runningVariance = graph.parameter(`${name}.running_var`, [channels], ones, own)
  if (!graph.training) {
    const inverse = divide(graph, 1, squareRoot(graph, add(graph, runningVariance, epsilon)))
    const factor = multiply(graph, inverse, after.scale)
    const offset = subtract(graph, after.shift, multiply(graph, runningMean, factor))
    return add(graph, multiply(graph, x, reshape(graph, factor, wide)), reshape(graph, offset, wide))
  }
  const { mean, variance } = moments(graph, stopGradient(graph, x), axes)
  const count = axes.reduce((n, axis) => n * x.shape[axis], 1)
  const blend = (old: Value, now: Value, factor: number) =>
    add(graph, multiply(graph, old, 1 - momentum), multiply(graph, reshape(graph, now, [channels]), momentum * factor))
  graph.keep(`${name}.running_mean`, blend(runningMean, mean, 1))
  graph.keep(`${name}.running_var`, blend(runningVariance, variance, count / Math.max(1, count - 1)))
  return normalised(graph, x, axes, epsilon, after)
}
