import { type Graph, type Shape, ShapeError, type Value } from '../graph/graph.js'
import {
  add,
  divide,
  errorFunction,
  exponential,
  greater,
  greaterOrEqual,
  largest,
  mean,
  multiply,
  negate,
  sigmoid,
  squareRoot,
  stopGradient,
  subtract,
  sum,
  where,
} from './arithmetic.js'
import { scatterSum } from './gather.js'
import { cast, reshape } from './shape.js'

/** Activations, normalisation, max pooling and dropout: operators without weights of their own. */

/** 1 where positive, else the slope; a product and a clip are several times as fast as a comparison and a choice. */
const steepness = (graph: Graph, y: Value, slope: number): Value =>
  graph.step('Clip', [multiply(graph, y, 1e30), graph.constant(slope), graph.constant(1)], y.shape)

export const relu = (graph: Graph, x: Value): Value => {
  const y: Value = graph.step('Relu', [x], x.shape, {
    backward: (g, [up]) => [multiply(g, up!, steepness(g, y, 0))],
  })
  return y
}

/** Negative values are multiplied by the slope. */
export const leakyRelu = (graph: Graph, x: Value, slope = 0.01): Value => {
  const y: Value = graph.step('LeakyRelu', [x], x.shape, {
    attributes: { alpha: { float: slope } },
    backward: (g, [up]) => [multiply(g, up!, steepness(g, y, slope))],
  })
  return y
}

/** A slope per channel that is learnt (He et al. 2015). @param slope `[channels]` */
export const prelu = (graph: Graph, x: Value, slope: Value): Value => {
  const perChannel = reshape(graph, slope, [slope.shape[0], ...x.shape.slice(2).map(() => 1)])
  return where(graph, greater(graph, x, 0), x, multiply(graph, x, perChannel))
}

export const elu = (graph: Graph, x: Value, alpha = 1): Value => {
  const positive = greater(graph, x, 0)
  // The exponential sees no large value, where it would overflow on the side that is not taken.
  const low = where(graph, positive, 0, x)
  return where(graph, positive, x, multiply(graph, subtract(graph, exponential(graph, low), 1), alpha))
}

/** x Φ(x) with the exact normal distribution (Hendrycks & Gimpel 2016). */
export const gelu = (graph: Graph, x: Value): Value =>
  multiply(graph, multiply(graph, x, 0.5), add(graph, errorFunction(graph, multiply(graph, x, Math.SQRT1_2)), 1))

export const silu = (graph: Graph, x: Value): Value => multiply(graph, x, sigmoid(graph, x))

/** log(1 + eˣ), without overflow. */
export const softplus = (graph: Graph, x: Value): Value =>
  graph.step('Softplus', [x], x.shape, { backward: (g, [up]) => [multiply(g, up!, sigmoid(g, x))] })

export function softmax(graph: Graph, x: Value, axis: number): Value {
  const y: Value = graph.step('Softmax', [x], x.shape, {
    attributes: { axis: { int: axis } },
    backward: (g, [up]) => {
      const weighted = multiply(g, up!, y)
      return [subtract(g, weighted, multiply(g, y, sum(g, weighted, [axis])))]
    },
  })
  return y
}

export function logSoftmax(graph: Graph, x: Value, axis: number): Value {
  const y: Value = graph.step('LogSoftmax', [x], x.shape, {
    attributes: { axis: { int: axis } },
    backward: (g, [up]) => [subtract(g, up!, multiply(g, exponential(g, y), sum(g, up!, [axis])))],
  })
  return y
}

export interface Moments {
  mean: Value
  variance: Value
}

export function moments(graph: Graph, x: Value, axes: readonly number[]): Moments {
  const centre = mean(graph, x, axes)
  const apart = subtract(graph, x, centre)
  return { mean: centre, variance: mean(graph, multiply(graph, apart, apart), axes) }
}

/** Scale and shift per channel that follow a normalisation, `[channels]` each. */
export interface Affine {
  scale: Value
  shift: Value
}

/**
 * `(x - mean) / sqrt(variance + epsilon)` over the axes, then the scale and shift. Value and gradient take as few passes
 * over the image as they can; what is per channel is folded into one factor and one offset.
 */
export function normalised(graph: Graph, x: Value, axes: readonly number[], epsilon = 1e-5, after?: Affine): Value {
  const still = stopGradient(graph, x)
  const centre = mean(graph, still, axes)
  const apart = subtract(graph, still, centre)
  const count = axes.reduce((n, axis) => n * x.shape[axis], 1)
  const variance = multiply(graph, squareSum(graph, apart, axes, centre.shape), 1 / count)
  const inverse = divide(graph, 1, squareRoot(graph, add(graph, variance, epsilon)))
  const wide = [1, x.shape[1], ...x.shape.slice(2).map(() => 1)]
  const factor = after ? multiply(graph, inverse, reshape(graph, stopGradient(graph, after.scale), wide)) : inverse
  const scaled = multiply(graph, apart, factor)
  const y = after ? add(graph, scaled, reshape(graph, stopGradient(graph, after.shift), wide)) : scaled
  return graph.through([x, ...(after ? [after.scale, after.shift] : [])], y, (g, up) => {
    const upSum = sum(g, up, axes)
    const along = sum(g, multiply(g, up, apart), axes)
    const slope = negate(
      g,
      multiply(g, multiply(g, along, factor), multiply(g, multiply(g, inverse, inverse), 1 / count)),
    )
    const offset = negate(g, multiply(g, multiply(g, upSum, factor), 1 / count))
    const dx = add(g, add(g, multiply(g, up, factor), multiply(g, apart, slope)), offset)
    if (!after) return [dx]
    const others = upSum.shape.map((_, i) => i).filter((i) => i !== 1)
    const perChannel = (v: Value) => reshape(g, sum(g, v, others), [x.shape[1]])
    return [dx, perChannel(multiply(g, along, inverse)), perChannel(upSum)]
  })
}

const squareSum = (graph: Graph, x: Value, axes: readonly number[], shape: Shape): Value =>
  graph.step('ReduceSumSquare', [x, graph.whole(axes)], shape, { attributes: { keepdims: { int: 1 } } })

/** Per-channel scale and shift, `[channels]` each. */
export function affine(graph: Graph, x: Value, scale: Value, shift: Value): Value {
  const shape = [scale.shape[0], ...x.shape.slice(2).map(() => 1)]
  return add(graph, multiply(graph, x, reshape(graph, scale, shape)), reshape(graph, shift, shape))
}

/**
 * Statistics of each image and channel over space (Ulyanov et al. 2016). At inference one operator does it all; in training
 * its pieces are kept, as the way back needs them.
 */
export function instanceNormalised(graph: Graph, x: Value, epsilon = 1e-5, after?: Affine): Value {
  const axes = x.shape.map((_, i) => i).slice(2)
  if (graph.training) return normalised(graph, x, axes, epsilon, after)
  const even = (value: number) => graph.constant(new Float32Array(x.shape[1]).fill(value))
  const inputs = [x, after?.scale ?? even(1), after?.shift ?? even(0)]
  return graph.step('InstanceNormalization', inputs, x.shape, {
    attributes: { epsilon: { float: epsilon } },
    // Whoever asks an inference graph for gradients gets those of the pieces.
    backward: (g, [up]) => {
      const sources = after ? [x, after.scale, after.shift] : [x]
      const pieces = normalised(g, x, axes, epsilon, after)
      const found = pieces.source!.backward!(g, [up])
      return inputs.map((_, i) => (i < sources.length ? found[i + 1] : undefined))
    },
  })
}

/** Statistics of each image over groups of channels and space (Wu & He 2018). */
export function groupNormalised(graph: Graph, x: Value, groups: number, epsilon = 1e-5, after?: Affine): Value {
  const [batch, channels] = x.shape
  if (channels % groups) throw new ShapeError('groupNormalised', `${groups} groups do not divide the channels`, x)
  const plain = reshape(graph, normalised(graph, reshape(graph, x, [batch, groups, -1]), [2], epsilon), x.shape)
  return after ? affine(graph, plain, after.scale, after.shift) : plain
}

/** Statistics over the last axis (Ba et al. 2016). @param after of that axis's size */
export function layerNormalised(graph: Graph, x: Value, epsilon = 1e-5, after?: Affine): Value {
  const plain = normalised(graph, x, [x.shape.length - 1], epsilon)
  return after ? add(graph, multiply(graph, plain, after.scale), after.shift) : plain
}

export type PerAxis = number | readonly number[]

export const perAxis = (value: PerAxis, rank: number): readonly number[] =>
  typeof value === 'number' ? Array(rank).fill(value) : value

export interface Pooled {
  values: Value
  /** Position of each largest value in the flattened input. */
  indices: Value
}

function poolGeometry(
  x: Value,
  kernel: PerAxis,
  { stride = kernel, padding = 0 }: { stride?: PerAxis; padding?: PerAxis } = {},
) {
  const rank = x.shape.length - 2
  const [k, s, p] = [perAxis(kernel, rank), perAxis(stride, rank), perAxis(padding, rank)]
  const size = x.shape.slice(2).map((n, i) => Math.floor((n + 2 * p[i] - k[i]) / s[i]) + 1)
  return {
    shape: [...x.shape.slice(0, 2), ...size],
    attributes: { kernel_shape: { ints: k }, strides: { ints: s }, pads: { ints: [...p, ...p] } },
  }
}

/** Largest value of each window; windows do not overlap unless the stride is smaller than the kernel. */
export function maxPoolWithIndices(
  graph: Graph,
  x: Value,
  kernel: PerAxis,
  options?: { stride?: PerAxis; padding?: PerAxis },
): Pooled {
  const { attributes, shape } = poolGeometry(x, kernel, options)
  const [values, indices] = graph.steps({
    op: 'MaxPool',
    inputs: [x],
    shapes: [shape, shape],
    types: ['float32', 'int64'],
    attributes,
    backward: (g, [up]) => [up && scatterSum(g, up, indices, x.shape)],
  })
  return { values, indices }
}

/** As `maxPoolWithIndices`, without the indices: the runtime then has a faster way at inference. */
export function maxPool(
  graph: Graph,
  x: Value,
  kernel: PerAxis,
  options?: { stride?: PerAxis; padding?: PerAxis },
): Value {
  if (graph.training) return maxPoolWithIndices(graph, x, kernel, options).values
  const { attributes, shape } = poolGeometry(x, kernel, options)
  return graph.step('MaxPool', [x], shape, {
    attributes,
    backward: (g, [up]) => [up && scatterSum(g, up, maxPoolWithIndices(g, x, kernel, options).indices, x.shape)],
  })
}

/** Zeroes values with probability `rate` in training and scales the rest up (Srivastava et al. 2014); identity at inference. */
export function dropout(graph: Graph, x: Value, rate: number, { perChannel = false } = {}): Value {
  if (!graph.training || rate === 0) return x
  const coins = graph.noise(
    perChannel ? [...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)] : x.shape,
    'uniform',
  )
  const mask = multiply(graph, cast(graph, greaterOrEqual(graph, coins, rate), 'float32'), 1 / (1 - rate))
  return multiply(graph, x, mask)
}

/** Global mean of each channel, `[batch, channels, 1, …]`. */
export const globalAverage = (graph: Graph, x: Value): Value => mean(graph, x, x.shape.map((_, i) => i).slice(2))

export const globalLargest = (graph: Graph, x: Value): Value => largest(graph, x, x.shape.map((_, i) => i).slice(2))
