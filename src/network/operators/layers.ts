import { type Graph, type Shape, ShapeError, sizeOf, type Value } from '../graph/graph.js'
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
import { matmul } from './linear.js'
import { cast, concat, reshape, slice } from './shape.js'

/** Activations, normalisation, pooling, resizing, dropout and attention: operators without weights of their own. */

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

/** Statistics of each image and channel over space (Ulyanov et al. 2016). */
export const instanceNormalised = (graph: Graph, x: Value, epsilon = 1e-5, after?: Affine): Value =>
  normalised(graph, x, x.shape.map((_, i) => i).slice(2), epsilon, after)

/** Statistics of each image over groups of channels and space (Wu & He 2018). */
export function groupNormalised(graph: Graph, x: Value, groups: number, epsilon = 1e-5): Value {
  const [batch, channels] = x.shape
  if (channels % groups) throw new ShapeError('groupNormalised', `${groups} groups do not divide the channels`, x)
  return reshape(graph, normalised(graph, reshape(graph, x, [batch, groups, -1]), [2], epsilon), x.shape)
}

/** Statistics over the last axis (Ba et al. 2016). */
export const layerNormalised = (graph: Graph, x: Value, epsilon = 1e-5): Value =>
  normalised(graph, x, [x.shape.length - 1], epsilon)

export type PerAxis = number | readonly number[]

const perAxis = (value: PerAxis, rank: number): readonly number[] =>
  typeof value === 'number' ? Array(rank).fill(value) : value

export interface Pooled {
  values: Value
  /** Position of each largest value in the flattened input. */
  indices: Value
}

/** Largest value of each window; windows do not overlap unless the stride is smaller than the kernel. */
export function maxPoolWithIndices(
  graph: Graph,
  x: Value,
  kernel: PerAxis,
  { stride = kernel, padding = 0 }: { stride?: PerAxis; padding?: PerAxis } = {},
): Pooled {
  const rank = x.shape.length - 2
  const [k, s, p] = [perAxis(kernel, rank), perAxis(stride, rank), perAxis(padding, rank)]
  const size = x.shape.slice(2).map((n, i) => Math.floor((n + 2 * p[i] - k[i]) / s[i]) + 1)
  const shape = [...x.shape.slice(0, 2), ...size]
  const [values, indices] = graph.steps({
    op: 'MaxPool',
    inputs: [x],
    shapes: [shape, shape],
    types: ['float32', 'int64'],
    attributes: { kernel_shape: { ints: k }, strides: { ints: s }, pads: { ints: [...p, ...p] } },
    backward: (g, [up]) => [up && scatterAdd(g, up, indices, x.shape)],
  })
  return { values, indices }
}

export const maxPool = (
  graph: Graph,
  x: Value,
  kernel: PerAxis,
  options?: { stride?: PerAxis; padding?: PerAxis },
): Value => maxPoolWithIndices(graph, x, kernel, options).values

/** Puts values back where `maxPoolWithIndices` found them, zeros elsewhere (Badrinarayanan et al. 2017). */
export const unpool = (graph: Graph, x: Value, indices: Value, shape: readonly number[]): Value =>
  scatterAdd(graph, x, indices, shape)

function scatterAdd(graph: Graph, x: Value, indices: Value, shape: readonly number[]): Value {
  const size = sizeOf(shape)
  const zeros = graph.step('Expand', [graph.constant(0), graph.whole([size])], [size])
  const flat = graph.step('ScatterElements', [zeros, reshape(graph, indices, [-1]), reshape(graph, x, [-1])], [size], {
    attributes: { axis: { int: 0 }, reduction: { text: 'add' } },
    backward: (g, [up]) => [undefined, undefined, gatherFlat(g, up!, reshape(g, indices, [-1]))],
  })
  return reshape(graph, flat, shape)
}

const gatherFlat = (graph: Graph, x: Value, indices: Value): Value =>
  graph.step('Gather', [x, indices], indices.shape, {
    attributes: { axis: { int: 0 } },
    backward: (g, [up]) => [scatterAdd(g, up!, indices, x.shape), undefined],
  })

/** Rows of `x` along its first axis by whole-number positions. */
export function gather(graph: Graph, x: Value, indices: Value): Value {
  const shape = [...indices.shape, ...x.shape.slice(1)]
  return graph.step('Gather', [x, indices], shape, {
    attributes: { axis: { int: 0 } },
    backward: (g, [up]) => {
      const count = sizeOf(indices.shape)
      const width = sizeOf(x.shape.slice(1))
      const rows = reshape(g, indices, [count, 1])
      const wide = g.step('Expand', [rows, g.whole([count, width])], [count, width])
      const zeros = g.step('Expand', [g.constant(0), g.whole([x.shape[0], width])], [x.shape[0], width])
      const scattered = g.step('ScatterElements', [zeros, wide, reshape(g, up!, [count, width])], [x.shape[0], width], {
        attributes: { axis: { int: 0 }, reduction: { text: 'add' } },
      })
      return [reshape(g, scattered, x.shape), undefined]
    },
  })
}

/** Mean of windows that do not overlap; sizes must be multiples of the kernel. */
export function averagePool(graph: Graph, x: Value, kernel: PerAxis): Value {
  const sizes = x.shape.slice(2)
  const k = perAxis(kernel, sizes.length)
  if (sizes.some((n, i) => n % k[i]))
    throw new ShapeError('averagePool', `windows of [${k.join(', ')}] do not fill the image`, x)
  const split = sizes.flatMap((n, i) => [n / k[i], k[i]])
  const blocks = reshape(graph, x, [...x.shape.slice(0, 2), ...split])
  const pooled = mean(
    graph,
    blocks,
    sizes.map((_, i) => 3 + 2 * i),
  )
  return reshape(graph, pooled, [...x.shape.slice(0, 2), ...sizes.map((n, i) => n / k[i])])
}

export type Interpolation = 'nearest' | 'linear'

/**
 * Resizes space, one product with a small matrix per axis.
 * @param alignCorners whether the first and last samples coincide, or (default) the edges of the images
 */
export function resize(
  graph: Graph,
  x: Value,
  sizes: readonly number[],
  mode: Interpolation = 'linear',
  alignCorners = false,
): Value {
  let y = x
  sizes.forEach((size, i) => {
    const axis = i + 2
    const from = y.shape[axis]
    if (from === size) return
    const before = y.shape.slice(0, axis)
    const after = y.shape.slice(axis + 1)
    const matrix = graph.constant(interpolationMatrix(from, size, mode, alignCorners), [size, from])
    const flat = reshape(graph, y, [sizeOf(before), from, sizeOf(after)])
    y = reshape(graph, matmul(graph, matrix, flat), [...before, size, ...after])
  })
  return y
}

function interpolationMatrix(from: number, to: number, mode: Interpolation, alignCorners: boolean): Float32Array {
  const matrix = new Float32Array(to * from)
  for (let i = 0; i < to; i++) {
    if (mode === 'nearest') {
      matrix[i * from + Math.min(from - 1, Math.floor((i * from) / to))] = 1
      continue
    }
    const place = alignCorners ? (to > 1 ? (i * (from - 1)) / (to - 1) : 0) : ((i + 0.5) * from) / to - 0.5
    const clipped = Math.min(Math.max(place, 0), from - 1)
    const low = Math.min(Math.floor(clipped), Math.max(0, from - 2))
    const share = clipped - low
    matrix[i * from + low] += 1 - share
    if (low + 1 < from) matrix[i * from + low + 1] += share
  }
  return matrix
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

/** Scaled dot-product attention of `[batch, heads, length, width]` (Vaswani et al. 2017). @param bias added to the scores */
export function attention(graph: Graph, query: Value, key: Value, content: Value, bias?: Value): Value {
  const width = query.shape[query.shape.length - 1]
  const scores = multiply(graph, matmul(graph, query, key, { transB: true }), 1 / Math.sqrt(width))
  return matmul(graph, softmax(graph, bias ? add(graph, scores, bias) : scores, scores.shape.length - 1), content)
}

/** Global mean of each channel, `[batch, channels, 1, …]`. */
export const globalAverage = (graph: Graph, x: Value): Value => mean(graph, x, x.shape.map((_, i) => i).slice(2))

export const globalLargest = (graph: Graph, x: Value): Value => largest(graph, x, x.shape.map((_, i) => i).slice(2))

/** The middle of an image, as much as `sizes` asks for (the skip of a network with valid convolutions). */
export const cropCentre = (graph: Graph, x: Value, sizes: readonly number[]): Value =>
  slice(
    graph,
    x,
    sizes.map((size, i) => {
      const start = Math.floor((x.shape[i + 2] - size) / 2)
      return { axis: i + 2, start, end: start + size }
    }),
  )

export const join = (graph: Graph, ...parts: Value[]): Value => concat(graph, parts, 1)
