import { type Graph, sizeOf, type Value } from '../graph/graph.js'
import { matmul } from './linear.js'
import { reshape } from './shape.js'

/** `nearest` takes the sample at or before the place counted from the image's edge, `nearest-exact` the one whose cell holds the centre. */
export type Interpolation = 'nearest' | 'nearest-exact' | 'linear'

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
    if (mode !== 'linear') {
      const place = ((mode === 'nearest' ? i : i + 0.5) * from) / to
      matrix[i * from + Math.min(from - 1, Math.floor(place))] = 1
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
