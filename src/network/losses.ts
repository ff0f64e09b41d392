import { type Graph, ShapeError, sameShape, type Value } from './graph/graph.js'
import {
  add,
  divide,
  logarithm,
  logSoftmax,
  maximum,
  mean,
  multiply,
  negate,
  power,
  reshape,
  sigmoid,
  slice,
  softmax,
  softplus,
  subtract,
  sum,
} from './operators/index.js'

/** Losses on whole batches, each one number. `logits` and `truth` are `[batch, classes, …]`; truth is 0 … 1 per class. */

export type Loss = (graph: Graph, logits: Value, truth: Value) => Value

function checked(name: string, a: Value, b: Value): void {
  if (!sameShape(a.shape, b.shape)) throw new ShapeError(name, 'prediction and truth differ in shape', a, b)
}

const one = (graph: Graph, x: Value): Value => reshape(graph, x, [1])

/** Binary cross-entropy of logits (L1), stable for large ones: `softplus(x) - x y`. */
export const binaryCrossEntropy: Loss = (graph, logits, truth) => {
  checked('binaryCrossEntropy', logits, truth)
  return one(graph, mean(graph, subtract(graph, softplus(graph, logits), multiply(graph, logits, truth))))
}

/** Cross-entropy over classes (L1), mean over voxels. */
export const crossEntropy: Loss = (graph, logits, truth) => {
  checked('crossEntropy', logits, truth)
  const perVoxel = sum(graph, multiply(graph, truth, logSoftmax(graph, logits, 1)), [1])
  return one(graph, negate(graph, mean(graph, perVoxel)))
}

export interface DiceOptions {
  /** Sums over the batch as one image (nnU-Net's `batch_dice`) or per image. */
  batch?: boolean
  /** Sums of squares below the fraction (Milletari et al. 2016). */
  squared?: boolean
  epsilon?: number
}

/** `1 - (2 Σpy + ε) / (Σp + Σy + ε)` (L3), the mean over classes (and images unless `batch`). */
export function softDice(
  graph: Graph,
  probability: Value,
  truth: Value,
  { batch = true, squared = false, epsilon = 1e-5 }: DiceOptions = {},
): Value {
  checked('softDice', probability, truth)
  const axes = probability.shape.map((_, i) => i).filter((i) => i !== 1 && (batch || i !== 0))
  const size = (x: Value) => sum(graph, squared ? multiply(graph, x, x) : x, axes)
  const overlap = sum(graph, multiply(graph, probability, truth), axes)
  const above = add(graph, multiply(graph, overlap, 2), epsilon)
  const below = add(graph, add(graph, size(probability), size(truth)), epsilon)
  return one(graph, subtract(graph, 1, mean(graph, divide(graph, above, below))))
}

/** Soft Dice of the sigmoid of one or more independent classes, plus `weight` times the binary cross-entropy. */
export const diceAndBinaryCrossEntropy =
  (weight = 1, options?: DiceOptions): Loss =>
  (graph, logits, truth) =>
    add(
      graph,
      softDice(graph, sigmoid(graph, logits), truth, options),
      multiply(graph, binaryCrossEntropy(graph, logits, truth), weight),
    )

/** nnU-Net's loss (L4): cross-entropy minus the Dice of the foreground classes. */
export const diceAndCrossEntropy =
  (options?: DiceOptions): Loss =>
  (graph, logits, truth) => {
    const classes = logits.shape[1]
    const front = (x: Value) => slice(graph, x, [{ axis: 1, start: 1, end: classes }])
    const dice = softDice(graph, front(softmax(graph, logits, 1)), front(truth), options)
    return subtract(graph, add(graph, crossEntropy(graph, logits, truth), dice), 1)
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
    const entropy = subtract(graph, softplus(graph, logits), multiply(graph, logits, truth))
    return one(graph, mean(graph, multiply(graph, multiply(graph, balance, power(graph, away, gamma)), entropy)))
  }

/** Tversky loss of probabilities (L5; Salehi et al. 2017): `alpha` weighs false positives, `beta` false negatives. */
export function tversky(
  graph: Graph,
  probability: Value,
  truth: Value,
  alpha: number,
  beta: number,
  epsilon = 1e-5,
): Value {
  checked('tversky', probability, truth)
  const overlap = add(graph, sum(graph, multiply(graph, probability, truth)), epsilon)
  const extra = sum(graph, multiply(graph, probability, subtract(graph, 1, truth)))
  const missed = sum(graph, multiply(graph, subtract(graph, 1, probability), truth))
  const below = add(graph, overlap, add(graph, multiply(graph, extra, alpha), multiply(graph, missed, beta)))
  return one(graph, subtract(graph, 1, divide(graph, overlap, below)))
}

/** Cross-entropy of given probabilities, kept away from 0 and 1. */
export const probabilityCrossEntropy: Loss = (graph, probability, truth) => {
  const low = 1e-7
  const log = (p: Value) => logarithm(graph, maximum(graph, p, low))
  const yes = multiply(graph, truth, log(probability))
  const no = multiply(graph, subtract(graph, 1, truth), log(subtract(graph, 1, probability)))
  return one(graph, negate(graph, mean(graph, add(graph, yes, no))))
}
