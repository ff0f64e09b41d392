import { type Graph, type Shape, ShapeError, sizeOf, type Value } from '../graph/graph.js'
import { reshape, transpose } from './shape.js'

/** Operators that pick values by position and put them back; positions are whole numbers (int64). */

/**
 * Sums `x` into zeros of the given shape, each value at its position in the flattened result.
 * @param positions of every value of `x`
 */
export function scatterSum(graph: Graph, x: Value, positions: Value, shape: Shape): Value {
  if (sizeOf(positions.shape) !== sizeOf(x.shape))
    throw new ShapeError('scatterSum', 'each value needs one position', x, positions)
  const size = sizeOf(shape)
  const zeros = graph.step('Expand', [graph.constant(0), graph.whole([size])], [size])
  const flat = graph.step(
    'ScatterElements',
    [zeros, reshape(graph, positions, [-1]), reshape(graph, x, [-1])],
    [size],
    {
      attributes: { axis: { int: 0 }, reduction: { text: 'add' } },
      backward: (g, [up]) => [undefined, undefined, gather(g, up!, reshape(g, positions, [-1]))],
    },
  )
  return reshape(graph, flat, shape)
}

/** Puts values back where `maxPoolWithIndices` found them, zeros elsewhere (Badrinarayanan et al. 2017). */
export const unpool = (graph: Graph, x: Value, indices: Value, shape: Shape): Value =>
  scatterSum(graph, x, indices, shape)

/** Entries of `x` along an axis, whose place the axes of `positions` take. */
export function gather(graph: Graph, x: Value, positions: Value, axis = 0): Value {
  const shape = [...x.shape.slice(0, axis), ...positions.shape, ...x.shape.slice(axis + 1)]
  return graph.step('Gather', [x, positions], shape, {
    attributes: { axis: { int: axis } },
    backward: (g, [up]) => {
      const before = x.shape.slice(0, axis)
      const wide = reshape(g, up!, [sizeOf(before), sizeOf(positions.shape), sizeOf(x.shape.slice(axis + 1))])
      const rows = reshape(g, transpose(g, wide, [1, 0, 2]), [wide.shape[1], -1])
      const summed = scatterRows(g, rows, reshape(g, positions, [-1]), x.shape[axis])
      const back = reshape(g, summed, [x.shape[axis], wide.shape[0], wide.shape[2]])
      return [reshape(g, transpose(g, back, [1, 0, 2]), x.shape), undefined]
    },
  })
}

/** Sums the rows of `[rows, width]` into `[count, width]`, each at its position. */
function scatterRows(graph: Graph, x: Value, positions: Value, count: number): Value {
  const [rows, width] = x.shape
  const filled = graph.step('Expand', [graph.constant(0), graph.whole([count, width])], [count, width])
  const each = graph.step('Expand', [reshape(graph, positions, [rows, 1]), graph.whole([rows, width])], [rows, width])
  return graph.step('ScatterElements', [filled, each, x], [count, width], {
    attributes: { axis: { int: 0 }, reduction: { text: 'add' } },
    backward: (g, [up]) => [undefined, undefined, gather(g, up!, positions)],
  })
}
