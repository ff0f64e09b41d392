import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import { mean, multiply } from './arithmetic.js'
import { type PerAxis, perAxis } from './layers.js'
import { convolution } from './linear.js'
import { reshape } from './shape.js'

/** Sums and means over windows. */

export interface Window {
  stride?: PerAxis
  /** Zeros on each side, which count as values. */
  padding?: PerAxis
}

/** Sum over a window around every voxel, one axis after the other. */
export function windowSum(graph: Graph, x: Value, kernel: PerAxis, { stride = 1, padding = 0 }: Window = {}): Value {
  const [batch, channels, ...sizes] = x.shape
  const rank = sizes.length
  const [k, s, p] = [perAxis(kernel, rank), perAxis(stride, rank), perAxis(padding, rank)]
  const images = reshape(graph, x, [batch * channels, 1, ...sizes])
  const summed = k.reduce((y, size, axis) => {
    const along = (value: number, others: number) => sizes.map((_, i) => (i === axis ? value : others))
    const weight = graph.constant(new Float32Array(size).fill(1), [1, 1, ...along(size, 1)])
    return convolution(graph, y, weight, { stride: along(s[axis], 1), padding: along(p[axis], 0) })
  }, images)
  return reshape(graph, summed, [batch, channels, ...summed.shape.slice(2)])
}

/** Mean of each window; windows do not overlap unless the stride is smaller than the kernel. */
export function averagePool(
  graph: Graph,
  x: Value,
  kernel: PerAxis,
  { stride = kernel, padding = 0 }: Window = {},
): Value {
  const sizes = x.shape.slice(2)
  const rank = sizes.length
  const k = perAxis(kernel, rank)
  const tiled = perAxis(stride, rank).every((step, i) => step === k[i] && sizes[i] % step === 0)
  if (!tiled || perAxis(padding, rank).some((side) => side > 0)) {
    if (k.some((size, i) => 2 * perAxis(padding, rank)[i] > size))
      throw new ShapeError('averagePool', 'more than half a window of padding', x)
    const volume = k.reduce((product, size) => product * size, 1)
    return multiply(graph, windowSum(graph, x, k, { stride, padding }), 1 / volume)
  }
  const split = sizes.flatMap((n, i) => [n / k[i], k[i]])
  const blocks = reshape(graph, x, [...x.shape.slice(0, 2), ...split])
  const within = sizes.map((_, i) => 3 + 2 * i)
  return reshape(graph, mean(graph, blocks, within), [...x.shape.slice(0, 2), ...sizes.map((n, i) => n / k[i])])
}
