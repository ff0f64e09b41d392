import { type Graph, ShapeError, sameShape, type Value } from '../graph/graph.js'
import {
  add,
  cast,
  divide,
  expand,
  exponential,
  greater,
  maximum,
  multiply,
  negate,
  scatterSum,
  sigmoid,
  slice,
  softplus,
  squareRoot,
  subtract,
  sum,
} from '../operators/index.js'
import { lesionLogit, meanOf, sumOf } from './common.js'
import { peakHeights, totalCount } from './counts.js'
import { binaryEntropyMap } from './cross-entropy.js'
import { softDice } from './overlap.js'

/**
 * Losses that give every lesion an equal say (L22). Labels are maps `[batch, 1, …]` made beforehand
 * (./component-maps.ts): 0 background, 1 … `most` components, `most + 1` lesion voxels that belong to none and are left out.
 */

export interface BlobOptions {
  /** Components per image at most; default 32. */
  most?: number
  criterion?: 'dice' | 'cross-entropy'
  /** Weights of the loss of the whole image and of that of its components. */
  main?: number
  blob?: number
  /** Masked voxels count as probability ½, as in the published code, instead of being left out. */
  faithful?: boolean
  epsilon?: number
}

/**
 * Blob loss (L22; Kofler et al. 2023): the criterion of each component with all others masked, the mean over components, next
 * to that of the whole image. Images without lesions have the latter alone.
 */
export function blobLoss(graph: Graph, logits: Value, labels: Value, options: BlobOptions = {}): Value {
  const { most = 32, criterion = 'dice', main = 2, blob = 1, faithful = false, epsilon = 1e-5 } = options
  const { p, truth, entropy } = binary(graph, logits, labels)
  const bySegment = segments(graph, labels, most)
  const volume = labels.shape.slice(2).reduce((a, b) => a * b, 1)
  const size = bySegment(expand(graph, graph.constant(1), labels.shape))
  const own = (values: Value) => slice(graph, values, [{ axis: 1, start: 1, end: most + 1 }])
  const background = (values: Value) => slice(graph, values, [{ axis: 1, start: 0, end: 1 }])
  const visible = (values: Value) => add(graph, background(values), own(values))
  const hidden = subtract(graph, volume, visible(size))
  const masked = (values: Value, each: number) =>
    faithful ? add(graph, visible(values), multiply(graph, hidden, each)) : visible(values)
  let perBlob: Value
  let whole: Value
  if (criterion === 'dice') {
    const found = bySegment(p)
    const above = add(graph, multiply(graph, own(found), 2), epsilon)
    const below = add(graph, add(graph, masked(found, 0.5), own(size)), epsilon)
    perBlob = subtract(graph, 1, divide(graph, above, below))
    whole = softDice(graph, p, truth, { epsilon })
  } else {
    perBlob = multiply(graph, masked(bySegment(entropy), Math.LN2), 1 / volume)
    whole = meanOf(graph, entropy)
  }
  const blobs = meanOfPresent(graph, perBlob, own(size))
  return add(graph, multiply(graph, whole, main), multiply(graph, blobs, blob))
}

export interface RegionOptions {
  most?: number
  /** Weights of the loss of the whole image and of that of its regions. */
  global?: number
  regions?: number
  epsilon?: number
}

/**
 * CC-DiceCE (L22; Bouteille et al. 2025): soft Dice plus cross-entropy in the region around each component that is nearer to it
 * than to any other, the mean over regions, next to that of the whole image.
 * @param regions `[batch, 1, …]`: label of the nearest component, 0 in images without any
 */
export function regionLoss(
  graph: Graph,
  logits: Value,
  labels: Value,
  regions: Value,
  { most = 32, global = 1, regions: local = 1, epsilon = 1e-5 }: RegionOptions = {},
): Value {
  const { p, truth, entropy } = binary(graph, logits, labels)
  const bySegment = segments(graph, regions, most)
  const own = (values: Value) => slice(graph, bySegment(values), [{ axis: 1, start: 1, end: most + 1 }])
  const size = own(expand(graph, graph.constant(1), regions.shape))
  const above = add(graph, multiply(graph, own(multiply(graph, p, truth)), 2), epsilon)
  const dice = divide(graph, above, add(graph, own(add(graph, p, truth)), epsilon))
  const perRegion = add(graph, subtract(graph, 1, dice), divide(graph, own(entropy), maximum(graph, size, 1)))
  const whole = add(graph, softDice(graph, p, truth, { epsilon }), meanOf(graph, entropy))
  const each = meanOfPresent(graph, perRegion, size)
  return add(graph, multiply(graph, whole, global), multiply(graph, each, local))
}

/**
 * One minus a soft lesion-wise F1 score, the mean over images (L22): a lesion is found to the degree
 * `1 - Π (1 - p)^(1 / √size)` over its voxels, a false alarm counts with its largest probability.
 * @param falsePeaks `[batch, …]`: where found components that touch no lesion are highest (`componentPeaks`), -1 for none
 */
export function lesionF1(
  graph: Graph,
  logits: Value,
  labels: Value,
  falsePeaks: Value,
  { most = 32, epsilon = 1e-5 }: { most?: number; epsilon?: number } = {},
): Value {
  const { x, p } = binary(graph, logits, labels)
  const bySegment = segments(graph, labels, most)
  const own = (values: Value) => slice(graph, bySegment(values), [{ axis: 1, start: 1, end: most + 1 }])
  const size = own(expand(graph, graph.constant(1), labels.shape))
  const misses = divide(graph, own(softplus(graph, x)), squareRoot(graph, maximum(graph, size, 1)))
  const found = totalCount(graph, subtract(graph, 1, exponential(graph, negate(graph, misses))))
  const lesions = totalCount(graph, cast(graph, greater(graph, size, 0), 'float32'))
  const { heights, present } = peakHeights(graph, p, falsePeaks)
  const alarms = totalCount(graph, multiply(graph, heights, present))
  const below = add(graph, add(graph, add(graph, found, alarms), lesions), epsilon)
  return meanOf(graph, subtract(graph, 1, divide(graph, add(graph, multiply(graph, found, 2), epsilon), below)))
}

function binary(graph: Graph, logits: Value, labels: Value) {
  const x = lesionLogit(graph, logits)
  if (!sameShape(x.shape, labels.shape))
    throw new ShapeError('lesion-wise loss', 'logits and labels differ in shape', logits, labels)
  const truth = cast(graph, greater(graph, labels, 0), 'float32')
  return { x, p: sigmoid(graph, x), truth, entropy: binaryEntropyMap(graph, x, truth) }
}

/** @returns the sums of a map over each label of each image, `[batch, most + 2]` */
function segments(graph: Graph, labels: Value, most: number): (values: Value) => Value {
  const [batch] = labels.shape
  const count = most + 2
  const starts = graph.constant(
    Array.from({ length: batch }, (_, i) => i * count),
    [batch, ...labels.shape.slice(1).map(() => 1)],
  )
  const positions = cast(graph, add(graph, labels, starts), 'int64')
  return (values) => scatterSum(graph, values, positions, [batch, count])
}

/** Mean over the components that exist, then over the images that have any; 0 when none has. */
function meanOfPresent(graph: Graph, losses: Value, sizes: Value): Value {
  const present = cast(graph, greater(graph, sizes, 0), 'float32')
  const count = sum(graph, present, [1])
  const perImage = divide(graph, sum(graph, multiply(graph, losses, present), [1]), maximum(graph, count, 1))
  const images = maximum(graph, sumOf(graph, cast(graph, greater(graph, count, 0), 'float32')), 1)
  return divide(graph, sumOf(graph, perImage), images)
}
