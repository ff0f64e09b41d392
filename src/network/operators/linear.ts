import { type Graph, type Shape, ShapeError, sizeOf, type Value } from '../graph/graph.js'
import { add, sum } from './arithmetic.js'
import { concat, dilate, pad, reshape, slice, transpose } from './shape.js'

/** Products of matrices and convolutions. Weights are `[out, in / groups, kernel…]`, as everywhere in the field. */

/**
 * Product of the last two axes; leading axes are a batch.
 * @param options whether a matrix is taken transposed
 */
export function matmul(graph: Graph, a: Value, b: Value, { transA = false, transB = false } = {}): Value {
  const [m, k] = lastTwo(a, transA)
  const [k2, n] = lastTwo(b, transB)
  if (k !== k2) throw new ShapeError('matmul', 'the inner sizes differ', a, b)
  const batch = broadcastBatch(a, b)
  const attributes = { transA: { int: Number(transA) }, transB: { int: Number(transB) } }
  const plain = !transA && !transB
  return graph.step(plain ? 'MatMul' : 'FusedMatMul', [a, b], [...batch, m, n], {
    ...(plain ? {} : { domain: 'com.microsoft', attributes }),
    backward: (g, [up]) => {
      const da = transA ? matmul(g, b, up!, { transA: transB, transB: true }) : matmul(g, up!, b, { transB: !transB })
      const db = transB ? matmul(g, up!, a, { transA: true, transB: transA }) : matmul(g, a, up!, { transA: !transA })
      return [batchSummed(g, da, a.shape), batchSummed(g, db, b.shape)]
    },
  })
}

const lastTwo = (x: Value, turned: boolean): [number, number] => {
  const [rows, columns] = x.shape.slice(-2)
  return turned ? [columns, rows] : [rows, columns]
}

function broadcastBatch(a: Value, b: Value): number[] {
  const [x, y] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const rank = Math.max(x.length, y.length)
  return Array.from({ length: rank }, (_, i) => Math.max(x[i - rank + x.length] ?? 1, y[i - rank + y.length] ?? 1))
}

function batchSummed(graph: Graph, gradient: Value, shape: Shape): Value {
  const extra = gradient.shape.length - shape.length
  const axes = gradient.shape.map((_, i) => i).filter((i) => i < extra || shape[i - extra] !== gradient.shape[i])
  return reshape(graph, sum(graph, gradient, axes), shape)
}

export interface ConvolutionOptions {
  /** Per spatial axis; a single number for all. */
  stride?: number | readonly number[]
  dilation?: number | readonly number[]
  /** Zeros on each side; `same` keeps `ceil(size / stride)` with odd kernels, `valid` has none. */
  padding?: 'same' | 'valid' | readonly number[]
  groups?: number
  /** `[out]`, added to each voxel of a channel. */
  bias?: Value
}

interface Geometry {
  kernel: readonly number[]
  stride: readonly number[]
  dilation: readonly number[]
  before: readonly number[]
  after: readonly number[]
  groups: number
}

const each = (x: number | readonly number[] | undefined, rank: number): readonly number[] =>
  typeof x === 'object' ? x : Array.from({ length: rank }, () => x ?? 1)

function geometryOf(weight: Value, options: ConvolutionOptions): Geometry {
  const kernel = weight.shape.slice(2)
  const rank = kernel.length
  const dilation = each(options.dilation, rank)
  const { padding = 'same' } = options
  const sides =
    typeof padding === 'string'
      ? kernel.map((k, i) => (padding === 'valid' ? 0 : Math.floor(((k - 1) * dilation[i]) / 2)))
      : padding
  return {
    kernel,
    stride: each(options.stride, rank),
    dilation,
    before: sides,
    after: sides,
    groups: options.groups ?? 1,
  }
}

/**
 * Convolution (cross-correlation) of `[batch, in, …]` with `[out, in / groups, kernel…]`, in two or three dimensions.
 * @returns `[batch, out, …]`, each size `floor((n + 2 pad - dilation (kernel - 1) - 1) / stride) + 1`
 */
export function convolution(graph: Graph, x: Value, weight: Value, options: ConvolutionOptions = {}): Value {
  const geometry = geometryOf(weight, options)
  if (x.shape.length !== weight.shape.length || x.shape[1] !== weight.shape[1] * geometry.groups)
    throw new ShapeError('convolution', 'image and weights do not fit', x, weight)
  return convolve(graph, x, weight, geometry, options.bias)
}

function convolve(graph: Graph, x: Value, weight: Value, geometry: Geometry, bias?: Value): Value {
  const { kernel, stride, dilation, before, after, groups } = geometry
  const [batch, channels, ...sizes] = x.shape
  const out = weight.shape[0]
  const shape = sizes.map(
    (n, i) => Math.floor((n + before[i] + after[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1,
  )
  const one = (values: readonly number[], of: number) => values.every((v) => v === of)
  // A kernel of one voxel is a plain product of matrices.
  if (one(kernel, 1) && one(stride, 1) && one(before, 0) && one(after, 0) && groups === 1) {
    const y = matmul(graph, reshape(graph, weight, [out, channels]), reshape(graph, x, [batch, channels, -1]))
    return shifted(graph, reshape(graph, y, [batch, out, ...shape]), bias)
  }
  return graph.step('Conv', [x, weight, ...(bias ? [bias] : [])], [batch, out, ...shape], {
    attributes: {
      kernel_shape: { ints: kernel },
      strides: { ints: stride },
      dilations: { ints: dilation },
      pads: { ints: [...before, ...after] },
      group: { int: groups },
    },
    backward: (g, [up]) => [
      inputGradient(g, up!, weight, geometry, sizes),
      weightGradient(g, up!, x, weight.shape, geometry),
      ...(bias ? [reshape(g, sum(g, up!, [0, ...sizes.map((_, i) => i + 2)]), [out])] : []),
    ],
  })
}

/** @param bias `[channels]` */
const shifted = (graph: Graph, x: Value, bias?: Value): Value =>
  bias ? add(graph, x, reshape(graph, bias, [x.shape[1], ...x.shape.slice(2).map(() => 1)])) : x

/** Gradient of a convolution's input: a convolution of the spread upstream gradient with flipped, transposed weights. */
function inputGradient(graph: Graph, up: Value, weight: Value, geometry: Geometry, sizes: readonly number[]): Value {
  const { kernel, stride, dilation, before, groups } = geometry
  const [out, perGroup] = weight.shape
  const spread = dilate(
    graph,
    up,
    stride.map((step, i) => ({ axis: i + 2, step })),
  )
  const flippedWeight = flipped(graph, weight, groups, out, perGroup, kernel)
  const reach = kernel.map((k, i) => (k - 1) * dilation[i])
  const start = reach.map((r, i) => r - before[i])
  const end = reach.map((r, i) => sizes[i] + r - start[i] - spread.shape[i + 2])
  const plan = { kernel, stride: kernel.map(() => 1), dilation, groups }
  // Conv has no negative padding: where the forward pass padded more than the kernel reaches, cut instead.
  const cut = spread.shape
    .slice(2)
    .map((n, i) => ({ axis: i + 2, start: Math.max(0, -start[i]), end: n - Math.max(0, -end[i]) }))
  return convolve(graph, slice(graph, spread, cut), flippedWeight, {
    ...plan,
    before: start.map((v) => Math.max(0, v)),
    after: end.map((v) => Math.max(0, v)),
  })
}

function flipped(
  graph: Graph,
  weight: Value,
  groups: number,
  out: number,
  perGroup: number,
  kernel: readonly number[],
): Value {
  const taps = sizeOf(kernel)
  const grouped = reshape(graph, weight, [groups, out / groups, perGroup, taps])
  const turned = reshape(graph, transpose(graph, grouped, [0, 2, 1, 3]), [groups * perGroup, out / groups, taps])
  if (taps === 1) return reshape(graph, turned, [groups * perGroup, out / groups, ...kernel])
  // Reversing the flattened kernel reverses every axis of it.
  const backwards = graph.whole(Array.from({ length: taps }, (_, i) => taps - 1 - i))
  const reversed = reverseLast(graph, turned, backwards)
  return reshape(graph, reversed, [groups * perGroup, out / groups, ...kernel])
}

function reverseLast(graph: Graph, x: Value, order: Value): Value {
  return graph.step('Gather', [x, order], x.shape, {
    attributes: { axis: { int: x.shape.length - 1 } },
    backward: (g, [up]) => [reverseLast(g, up!, order), undefined],
  })
}

/**
 * Gradient of a convolution's weights: for each tap, the sum over space of the upstream gradient times the shifted image.
 * With stride 1 the shifts along rows are made on the gradient's side, stacked as channels, so that few, large products
 * remain (measured 1.7 to 3 times as fast as unrolling the image, of which nine copies would be made).
 */
function weightGradient(graph: Graph, up: Value, x: Value, shape: Shape, geometry: Geometry): Value {
  const { kernel, before, after, stride } = geometry
  const deep = kernel.length === 3
  const padded = pad(
    graph,
    x,
    kernel.map((_, i) => ({ axis: i + 2, before: before[i], after: after[i] })),
  )
  const flatStride = stride.every((step) => step === 1)
  const rows = up.shape[up.shape.length - 2]
  const wide = flatStride && rows * up.shape[up.shape.length - 1] >= 256
  const parts = { image: folded(graph, padded, deep), up: folded(graph, up, deep) }
  return wide ? stackedGradient(graph, parts, shape, geometry) : unrolledGradient(graph, parts, shape, geometry)
}

/** `[batch, channels, (depth,) height, width]` → `[batch, depth, channels, height, width]`, depth 1 in two dimensions. */
function folded(graph: Graph, x: Value, deep: boolean): Value {
  if (deep) return transpose(graph, x, [0, 2, 1, 3, 4])
  const [batch, ...rest] = x.shape
  return reshape(graph, x, [batch, 1, ...rest])
}

interface Folded {
  image: Value
  up: Value
}

/** Kernel, stride and dilation by folded axis: depth, height, width. */
function byAxis({ kernel, stride, dilation }: Geometry): { k: number[]; s: number[]; d: number[] } {
  const three = (values: readonly number[], fill: number) => (values.length === 3 ? [...values] : [fill, ...values])
  return { k: three(kernel, 1), s: three(stride, 1), d: three(dilation, 1) }
}

function stackedGradient(graph: Graph, { image, up }: Folded, shape: Shape, geometry: Geometry): Value {
  const { k, d } = byAxis(geometry)
  const { groups } = geometry
  const [out, perGroup] = shape
  const [batch, depth, , rows, width] = up.shape
  const tall = image.shape[3]
  // Row r of the stack is `up` moved down by r · dilation rows among zeros: written one after the other, only the zeros between
  // them are needed, all of one length.
  const flat = reshape(graph, up, [batch, depth, groups, out / groups, rows * width])
  const between = tall - rows + d[1]
  const zeros = graph.constant(new Float32Array(batch * depth * out * between * width), [
    ...[batch, depth, groups, out / groups],
    between * width,
  ])
  const pieces = Array.from({ length: k[1] }, (_, h) => (h === 0 ? [flat] : [zeros, flat])).flat()
  const stacked = reshape(graph, concat(graph, pieces, 4), [batch, depth, groups, (k[1] * out) / groups, tall * width])
  const taps: Value[] = []
  for (let z = 0; z < k[0]; z++) {
    for (let w = 0; w < k[2]; w++) {
      const part = slice(graph, image, [
        { axis: 1, start: z * d[0], end: z * d[0] + depth },
        { axis: 4, start: w * d[2], end: w * d[2] + width },
      ])
      const columns = reshape(graph, part, [batch, depth, groups, perGroup, tall * width])
      const product = sum(graph, matmul(graph, stacked, columns, { transB: true }), [0, 1])
      taps.push(reshape(graph, product, [1, groups, out / groups, k[1], perGroup]))
    }
  }
  const all = reshape(graph, concat(graph, taps, 0), [k[0], k[2], groups, out / groups, k[1], perGroup])
  return reshape(graph, transpose(graph, all, [2, 3, 5, 0, 4, 1]), shape)
}

/** The general way: the image is unrolled over height and width (im2col), one batched product per tap of the depth. */
function unrolledGradient(graph: Graph, { image, up }: Folded, shape: Shape, geometry: Geometry): Value {
  const { k, s, d } = byAxis(geometry)
  const { groups } = geometry
  const [out, perGroup] = shape
  const [batch, depth, , rows, width] = up.shape
  const area = rows * width
  const cutAlong = (axis: number, of: number, tap: number, count: number) => {
    const start = tap * d[of]
    return { axis, start, end: start + (count - 1) * s[of] + 1, step: s[of] }
  }
  const columns: Value[] = []
  for (let h = 0; h < k[1]; h++) {
    for (let w = 0; w < k[2]; w++) {
      const part = slice(graph, image, [cutAlong(3, 1, h, rows), cutAlong(4, 2, w, width)])
      columns.push(reshape(graph, part, [batch, image.shape[1], groups, 1, perGroup, area]))
    }
  }
  const taps = k[1] * k[2]
  const unrolled = reshape(graph, concat(graph, columns, 3), [batch, image.shape[1], groups, taps * perGroup, area])
  const deepUp = reshape(graph, up, [batch, depth, groups, out / groups, area])
  const perTap = Array.from({ length: k[0] }, (_, z) => {
    const right = slice(graph, unrolled, [cutAlong(1, 0, z, depth)])
    const product = matmul(graph, deepUp, right, { transB: true })
    return reshape(graph, sum(graph, product, [0, 1]), [1, groups, out / groups, taps, perGroup])
  })
  return reshape(graph, transpose(graph, concat(graph, perTap, 0), [1, 2, 4, 0, 3]), shape)
}

/**
 * Transposed convolution of `[batch, in, …]` with `[in, out / groups, kernel…]`: each size becomes `(n - 1) stride + kernel - 2 pad`.
 * Kernel and stride alike (the usual upsampling) is one product of matrices.
 */
export function transposedConvolution(
  graph: Graph,
  x: Value,
  weight: Value,
  {
    stride,
    padding,
    groups = 1,
    bias,
  }: { stride?: number | readonly number[]; padding?: readonly number[]; groups?: number; bias?: Value } = {},
): Value {
  const kernel = weight.shape.slice(2)
  const steps = each(stride, kernel.length)
  const sides = padding ?? kernel.map(() => 0)
  if (x.shape[1] !== weight.shape[0])
    throw new ShapeError('transposedConvolution', 'image and weights do not fit', x, weight)
  const sizes = x.shape.slice(2)
  if (groups === 1 && kernel.every((k, i) => k === steps[i] && sides[i] === 0))
    return shifted(graph, graph.training ? upsampledByProduct(graph, x, weight) : upsampled(graph, x, weight), bias)
  const size = sizes.map((n, i) => (n - 1) * steps[i] + kernel[i] - 2 * sides[i])
  const geometry = { kernel, stride: steps, dilation: kernel.map(() => 1), before: sides, after: sides, groups }
  return shifted(graph, inputGradient(graph, x, weight, geometry, size), bias)
}

/** Kernel and stride alike: a product of matrices, then the pieces are put side by side. */
function upsampledByProduct(graph: Graph, x: Value, weight: Value): Value {
  const [batch, channels, ...sizes] = x.shape
  const [, out, ...kernel] = weight.shape
  const flat = reshape(graph, weight, [channels, -1])
  const y = matmul(graph, flat, reshape(graph, x, [batch, channels, -1]), { transA: true })
  const rank = kernel.length
  const order = [0, 1, ...kernel.flatMap((_, i) => [2 + rank + i, 2 + i])]
  const blocks = reshape(graph, y, [batch, out, ...kernel, ...sizes])
  return reshape(graph, transpose(graph, blocks, order), [batch, out, ...sizes.map((n, i) => n * kernel[i])])
}

/** The same at inference, by the runtime's own operator, which is made for two axes: a third is cut and joined again. */
function upsampled(graph: Graph, x: Value, weight: Value): Value {
  const [batch, channels, ...sizes] = x.shape
  const [, out, ...kernel] = weight.shape
  if (kernel.length === 2) {
    const geometry = { kernel, stride: kernel, dilation: [1, 1], before: [0, 0], after: [0, 0], groups: 1 }
    return graph.step('ConvTranspose', [x, weight], [batch, out, ...sizes.map((n, i) => n * kernel[i])], {
      attributes: { kernel_shape: { ints: kernel }, strides: { ints: kernel } },
      backward: (g, [up]) => [convolve(g, up!, weight, geometry), weightGradient(g, x, up!, weight.shape, geometry)],
    })
  }
  const [depth, rows, width] = sizes
  // Windows do not overlap, so that all slices are one tall image.
  const tall = reshape(graph, x, [batch, channels, depth * rows, width])
  const layers = Array.from({ length: kernel[0] }, (_, z) => {
    const taps = reshape(graph, slice(graph, weight, [{ axis: 2, start: z, end: z + 1 }]), [
      channels,
      out,
      ...kernel.slice(1),
    ])
    return reshape(graph, upsampled(graph, tall, taps), [batch, out, depth, 1, -1])
  })
  return reshape(graph, concat(graph, layers, 3), [batch, out, ...sizes.map((n, i) => n * kernel[i])])
}
