import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import {
  add,
  exponential,
  logarithm,
  logSoftmax,
  maximum,
  multiply,
  negate,
  power,
  reshape,
  sigmoid,
  softplus,
  subtract,
  sum,
} from '../operators/index.js'
import { checked, type Loss, meanOf } from './common.js'

/** Binary cross-entropy of each logit, stable for large ones: `softplus(x) - x y`. */
export const binaryEntropyMap = (graph: Graph, logits: Value, truth: Value): Value =>
  subtract(graph, softplus(graph, logits), multiply(graph, logits, truth))

/** Binary cross-entropy of logits (L1). */
export const binaryCrossEntropy: Loss = (graph, logits, truth) => {
  checked('binaryCrossEntropy', logits, truth)
  return meanOf(graph, binaryEntropyMap(graph, logits, truth))
}

/**
 * Binary cross-entropy with a weight per voxel: the mean of weight times entropy.
 * @param weights of the logits' shape, or broadcast to it
 */
export function weightedBinaryCrossEntropy(graph: Graph, logits: Value, truth: Value, weights: Value): Value {
  checked('weightedBinaryCrossEntropy', logits, truth)
  return meanOf(graph, multiply(graph, weights, binaryEntropyMap(graph, logits, truth)))
}

/** Cross-entropy over classes (L1), mean over voxels. */
export const crossEntropy: Loss = (graph, logits, truth) => {
  checked('crossEntropy', logits, truth)
  const perVoxel = sum(graph, multiply(graph, truth, logSoftmax(graph, logits, 1)), [1])
  return negate(graph, meanOf(graph, perVoxel))
}

/** Cross-entropy with a weight per class (L1): `-mean Σ_c w_c y_c log p_c`. */
export const classWeightedCrossEntropy =
  (weights: readonly number[]): Loss =>
  (graph, logits, truth) => {
    checked('classWeightedCrossEntropy', logits, truth)
    if (weights.length !== logits.shape[1])
      throw new ShapeError('classWeightedCrossEntropy', `${weights.length} weights for the classes`, logits)
    const shape = [weights.length, ...logits.shape.slice(2).map(() => 1)]
    const weighted = multiply(graph, truth, reshape(graph, graph.constant(weights), shape))
    const perVoxel = sum(graph, multiply(graph, weighted, logSoftmax(graph, logits, 1)), [1])
    return negate(graph, meanOf(graph, perVoxel))
  }

/** Focal loss of logits (L2; Lin et al. 2017). */
export const focal =
  (gamma = 2, alpha = 0.25): Loss =>
  (graph, logits, truth) => {
    checked('focal', logits, truth)
    const p = sigmoid(graph, logits)
    const away = add(
      graph,
      multiply(graph, p, subtract(graph, 1, truth)),
      multiply(graph, subtract(graph, 1, p), truth),
    )
    const balance = add(graph, multiply(graph, truth, alpha), multiply(graph, subtract(graph, 1, truth), 1 - alpha))
    const entropy = binaryEntropyMap(graph, logits, truth)
    return meanOf(graph, multiply(graph, multiply(graph, balance, power(graph, away, gamma)), entropy))
  }

/** Cross-entropy of given probabilities, kept away from 0 and 1. */
export const probabilityCrossEntropy: Loss = (graph, probability, truth) => {
  const low = 1e-7
  const log = (p: Value) => logarithm(graph, maximum(graph, p, low))
  const yes = multiply(graph, truth, log(probability))
  const no = multiply(graph, subtract(graph, 1, truth), log(subtract(graph, 1, probability)))
  return negate(graph, meanOf(graph, add(graph, yes, no)))
}

/** Mean entropy of the softmax over classes (L21), for voxels without labels (Grandvalet & Bengio 2005). */
export function entropy(graph: Graph, logits: Value): Value {
  const log = logSoftmax(graph, logits, 1)
  return negate(graph, meanOf(graph, sum(graph, multiply(graph, exponential(graph, log), log), [1])))
}

/** Mean entropy of the sigmoids of independent classes (L21). */
export function binaryEntropy(graph: Graph, logits: Value): Value {
  return meanOf(graph, binaryEntropyMap(graph, logits, sigmoid(graph, logits)))
}
