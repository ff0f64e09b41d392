import type { Graph, Value } from '../graph/graph.js'
import {
  absolute,
  add,
  cast,
  exponential,
  greater,
  multiply,
  negate,
  reshape,
  sigmoid,
  stopGradient,
  subtract,
} from '../operators/index.js'
import { checked, type Loss, meanOf } from './common.js'
import { binaryCrossEntropy, binaryEntropyMap, probabilityCrossEntropy } from './cross-entropy.js'

/** Losses of networks that say how far their labels and outputs can be trusted. */

/** Probability that a voxel's label is wrong, between 0 and ½, of a head's output `s`: `σ(-eˢ)` (McKinley et al. 2020). */
export const flipProbability = (graph: Graph, s: Value): Value => sigmoid(graph, negate(graph, exponential(graph, s)))

/**
 * Label-flip loss (L9; McKinley et al. 2019): the labels, as far as they are believed, teach the segmentation, and its
 * disagreement with them teaches the flip probability.
 * @param flip probability that the label is wrong, of the logits' shape
 * @param loss of the segmentation against the softened labels
 */
export function labelFlip(
  graph: Graph,
  logits: Value,
  flip: Value,
  truth: Value,
  loss: Loss = binaryCrossEntropy,
): Value {
  checked('labelFlip', logits, truth)
  checked('labelFlip', flip, truth)
  const doubt = stopGradient(graph, flip)
  const wrong = multiply(graph, subtract(graph, 1, truth), doubt)
  const soft = add(graph, multiply(graph, truth, subtract(graph, 1, doubt)), wrong)
  const decision = cast(graph, greater(graph, stopGradient(graph, logits), 0), 'float32')
  const disagrees = absolute(graph, subtract(graph, decision, truth))
  return add(graph, loss(graph, logits, soft), probabilityCrossEntropy(graph, flip, disagrees))
}

/**
 * Binary cross-entropy of logits with normal noise of a learnt deviation (L10; Kendall & Gal 2017): the mean over samples.
 * @param logDeviation logarithm of the noise's deviation, of the logits' shape
 */
export function noisyLogits(graph: Graph, logits: Value, logDeviation: Value, truth: Value, samples = 10): Value {
  checked('noisyLogits', logits, truth)
  checked('noisyLogits', logDeviation, truth)
  const noise = graph.noise([samples, ...logits.shape], 'normal')
  const spread = multiply(graph, noise, exponential(graph, logDeviation))
  const target = reshape(graph, truth, [1, ...truth.shape])
  return meanOf(graph, binaryEntropyMap(graph, add(graph, logits, spread), target))
}
