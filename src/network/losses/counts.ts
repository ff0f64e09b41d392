import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import {
  absolute,
  add,
  cast,
  divide,
  exponential,
  gather,
  greaterOrEqual,
  logarithm,
  logSumExp,
  maximum,
  multiply,
  negate,
  reshape,
  sigmoid,
  slice,
  softplus,
  squareRoot,
  subtract,
  sum,
} from '../operators/index.js'
import { meanOf } from './common.js'

/**
 * Losses that know only how many lesions an image has (L23). Counts are `[batch]`: wanted ones as the rater gave them, found
 * ones from a density (Lempitsky & Zisserman 2010), from the Euler characteristic, or from the peaks of components.
 */

/** Sum of each image of `[batch, …]`: the count that a density map holds. */
export const totalCount = (graph: Graph, density: Value): Value => {
  const axes = density.shape.map((_, i) => i).slice(1)
  return reshape(graph, sum(graph, density, axes), [density.shape[0]])
}

/** `mean |found - wanted| / (wanted + 1)` (L23a). */
export const countError = (graph: Graph, found: Value, wanted: Value): Value =>
  meanOf(graph, divide(graph, absolute(graph, subtract(graph, found, wanted)), add(graph, wanted, 1)))

/** Poisson likelihood `mean(found - wanted log(found + ε))` (L23a), smallest where both agree. */
export function poissonCount(graph: Graph, found: Value, wanted: Value, epsilon = 1e-5): Value {
  const log = logarithm(graph, add(graph, found, epsilon))
  return meanOf(graph, subtract(graph, found, multiply(graph, wanted, log)))
}

/** `mean (found - wanted)² / (wanted + 1)` (L23b). */
export function squaredCountError(graph: Graph, found: Value, wanted: Value): Value {
  const away = subtract(graph, found, wanted)
  return meanOf(graph, divide(graph, multiply(graph, away, away), add(graph, wanted, 1)))
}

/** How far the count lies outside `low … high`, the mean over images: raters split confluent lesions differently. */
export function countHinge(graph: Graph, found: Value, low: Value, high: Value): Value {
  const outside = maximum(graph, subtract(graph, low, found), subtract(graph, found, high))
  return meanOf(graph, maximum(graph, outside, 0))
}

/**
 * Euler characteristic of soft masks `[batch, 1, …]`: voxels minus neighbouring pairs plus squares minus cubes, each the
 * product of its voxels. For blobs without holes it is their number, touching by faces.
 * @returns `[batch]`
 */
export function eulerCharacteristic(graph: Graph, probability: Value): Value {
  let cells: { value: Value; sign: number }[] = [{ value: probability, sign: 1 }]
  for (let axis = 2; axis < probability.shape.length; axis++) {
    const size = probability.shape[axis]
    const part = (x: Value, start: number) => slice(graph, x, [{ axis, start, end: start + size - 1 }])
    if (size === 1) continue
    cells = cells.flatMap(({ value, sign }) => [
      { value, sign },
      { value: multiply(graph, part(value, 0), part(value, 1)), sign: -sign },
    ])
  }
  return cells
    .map(({ value, sign }) => (sign > 0 ? totalCount(graph, value) : negate(graph, totalCount(graph, value))))
    .reduce((a, b) => add(graph, a, b))
}

/**
 * Soft number of components `Σ σ(k (p - ½))` at their peaks, which an earlier pass has found.
 * @param peaks `[batch, most]`: position of each component's largest probability within its image, -1 for none
 * @returns `[batch]`
 */
export function peakCount(graph: Graph, probability: Value, peaks: Value, sharpness = 10): Value {
  const { heights, present } = peakHeights(graph, probability, peaks)
  const soft = sigmoid(graph, multiply(graph, subtract(graph, heights, 0.5), sharpness))
  return totalCount(graph, multiply(graph, soft, present))
}

/** Probabilities at peaks, and 1 where there is a peak, else 0; `[batch, most]` both. */
export function peakHeights(graph: Graph, probability: Value, peaks: Value): { heights: Value; present: Value } {
  const [batch, most] = peaks.shape
  if (probability.shape[0] !== batch)
    throw new ShapeError('peakHeights', 'one row of peaks per image', probability, peaks)
  const flat = reshape(graph, probability, [-1])
  const size = flat.shape[0] / batch
  const starts = graph.whole(
    Array.from({ length: batch }, (_, i) => i * size),
    [batch, 1],
  )
  const positions = add(graph, cast(graph, maximum(graph, peaks, 0), 'int64'), starts)
  const heights = gather(graph, flat, reshape(graph, positions, [batch * most]))
  const present = cast(graph, greaterOrEqual(graph, peaks, 0), 'float32')
  return { heights: reshape(graph, heights, [batch, most]), present }
}

/** Probability that any tile of `[batch, …]` holds a lesion, of the tiles' logits: `1 - Π(1 - p)`. @returns `[batch]` */
export const noisyOr = (graph: Graph, logits: Value): Value =>
  subtract(graph, 1, exponential(graph, negate(graph, totalCount(graph, softplus(graph, logits)))))

/** Soft maximum of each image's tiles: `log(mean e^(r x)) / r`. @returns `[batch]` */
export function softLargest(graph: Graph, scores: Value, r = 5): Value {
  const axes = scores.shape.map((_, i) => i).slice(1)
  const count = axes.reduce((n, axis) => n * scores.shape[axis], 1)
  const top = subtract(graph, logSumExp(graph, multiply(graph, scores, r), axes), Math.log(count))
  return reshape(graph, multiply(graph, top, 1 / r), [scores.shape[0]])
}

/** Variance of the number of lesions among independent tiles, `Σ p (1 - p)`: small when each is decided. @returns `[batch]` */
export const countVariance = (graph: Graph, probability: Value): Value =>
  totalCount(graph, multiply(graph, probability, subtract(graph, 1, probability)))

/** `mean √density`: smallest, for a given count, when the density is gathered in few places. */
export const concentration = (graph: Graph, density: Value): Value =>
  // The slope of the root is infinite at 0.
  meanOf(graph, squareRoot(graph, maximum(graph, density, 1e-12)))
