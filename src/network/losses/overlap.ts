import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import {
  add,
  cast,
  divide,
  equal,
  largest,
  maximum,
  mean,
  multiply,
  power,
  sigmoid,
  slice,
  softmax,
  subtract,
  sum,
  where,
} from '../operators/index.js'
import { allAxes, checked, type Loss, one } from './common.js'
import { binaryCrossEntropy, crossEntropy } from './cross-entropy.js'

export interface DiceOptions {
  /** Sums over the batch as one image (nnU-Net's `batch_dice`) or per image. */
  batch?: boolean
  /** Sums of squares below the fraction (Milletari et al. 2016). */
  squared?: boolean
  epsilon?: number
  /** A weight per voxel in every sum, of the prediction's shape or broadcast to it. */
  weights?: Value
}

/** `1 - (2 Σpy + ε) / (Σp + Σy + ε)` (L3), the mean over classes (and images unless `batch`). */
export function softDice(
  graph: Graph,
  probability: Value,
  truth: Value,
  { batch = true, squared = false, epsilon = 1e-5, weights }: DiceOptions = {},
): Value {
  checked('softDice', probability, truth)
  const axes = allAxes(probability).filter((i) => i !== 1 && (batch || i !== 0))
  const weighed = (x: Value) => sum(graph, weights ? multiply(graph, x, weights) : x, axes)
  const size = (x: Value) => weighed(squared ? multiply(graph, x, x) : x)
  const above = add(graph, multiply(graph, weighed(multiply(graph, probability, truth)), 2), epsilon)
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
    if (classes < 2) throw new ShapeError('diceAndCrossEntropy', 'a background and a foreground are needed', logits)
    const front = (x: Value) => slice(graph, x, [{ axis: 1, start: 1, end: classes }])
    const dice = softDice(graph, front(softmax(graph, logits, 1)), front(truth), options)
    return subtract(graph, add(graph, crossEntropy(graph, logits, truth), dice), 1)
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

/** Tversky loss that is one minus the soft F score: recall counts `beta` times as much as precision (Hashemi et al. 2019). */
export function fScoreLoss(graph: Graph, probability: Value, truth: Value, beta: number): Value {
  const square = beta * beta
  return tversky(graph, probability, truth, 1 / (1 + square), square / (1 + square))
}

/** `tversky^(1 / gamma)` (L6; Abraham & Khan 2019). */
export function focalTversky(
  graph: Graph,
  probability: Value,
  truth: Value,
  alpha: number,
  beta: number,
  gamma = 4 / 3,
): Value {
  // The slope of the root is infinite at a perfect prediction.
  return power(graph, maximum(graph, tversky(graph, probability, truth, alpha, beta), 1e-7), 1 / gamma)
}

/**
 * Generalised Dice of probabilities (L7; Sudre et al. 2017): classes weighted by `1 / (Σ y_c)²`. A class that is absent gets
 * the largest weight of the others.
 */
export function generalisedDice(graph: Graph, probability: Value, truth: Value): Value {
  checked('generalisedDice', probability, truth)
  const axes = allAxes(probability).filter((i) => i !== 1)
  const volume = sum(graph, truth, axes)
  const absent = equal(graph, volume, 0)
  const safe = add(graph, volume, cast(graph, absent, 'float32'))
  const finite = where(graph, absent, 0, divide(graph, 1, multiply(graph, safe, safe)))
  const weights = where(graph, absent, largest(graph, finite), finite)
  const weighed = (x: Value) => sum(graph, multiply(graph, weights, sum(graph, x, axes)))
  const above = multiply(graph, weighed(multiply(graph, probability, truth)), 2)
  const below = maximum(graph, weighed(add(graph, probability, truth)), 1e-12)
  return one(graph, subtract(graph, 1, divide(graph, above, below)))
}

/**
 * Squared error within lesions and outside, weighed `r : 1 - r` (L8; Brosch et al. 2016).
 * @param r weight of the sensitivity
 */
export function sensitivitySpecificity(graph: Graph, probability: Value, truth: Value, r = 0.05): Value {
  checked('sensitivitySpecificity', probability, truth)
  const away = subtract(graph, truth, probability)
  const square = multiply(graph, away, away)
  const within = (part: Value) =>
    divide(graph, sum(graph, multiply(graph, part, square)), maximum(graph, sum(graph, part), 1e-5))
  const inside = multiply(graph, within(truth), r)
  return one(graph, add(graph, inside, multiply(graph, within(subtract(graph, 1, truth)), 1 - r)))
}
