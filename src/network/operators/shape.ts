import { type Graph, type Shape, ShapeError, sameShape, sizeOf, type Value } from '../graph/graph.js'
import type { ElementType } from '../graph/onnx.js'

/** Operators that move numbers without changing them. */

/** onnxruntime's numbers of element types. */
const typeCode: Partial<Record<ElementType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
}

const isReal = (type: ElementType): boolean => type.startsWith('float')

/** Another element type. The loss flows back from real to real numbers only. */
export const cast = (graph: Graph, x: Value, type: ElementType): Value =>
  x.type === type
    ? x
    : graph.step('Cast', [x], x.shape, {
        type,
        attributes: { to: { int: typeCode[type]! } },
        backward: isReal(x.type) && isReal(type) ? (g, [up]) => [cast(g, up!, x.type)] : undefined,
      })

/** @param shape as many elements as before; one size may be -1 for "the rest" */
export function reshape(graph: Graph, x: Value, shape: Shape): Value {
  const known = shape.filter((size) => size !== -1)
  const to = shape.map((size) => (size === -1 ? sizeOf(x.shape) / sizeOf(known) : size))
  if (sizeOf(to) !== sizeOf(x.shape) || !to.every(Number.isInteger))
    throw new ShapeError('reshape', `[${shape.join(', ')}] has another number of elements`, x)
  if (sameShape(to, x.shape)) return x
  return graph.step('Reshape', [x, graph.whole(to)], to, {
    backward: (g, [up]) => [reshape(g, up!, x.shape), undefined],
  })
}

/** @param order which old axis becomes each new one */
export function transpose(graph: Graph, x: Value, order: readonly number[]): Value {
  if (order.every((axis, i) => axis === i)) return x
  const inverse = order.map((_, i) => order.indexOf(i))
  return graph.step(
    'Transpose',
    [x],
    order.map((axis) => x.shape[axis]),
    {
      attributes: { perm: { ints: order } },
      backward: (g, [up]) => [transpose(g, up!, inverse)],
    },
  )
}

/** Repeats axes of size 1. */
export function expand(graph: Graph, x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x
  const rank = shape.length
  const axes = shape.map((_, i) => i).filter((i) => (x.shape[i - rank + x.shape.length] ?? 1) !== shape[i])
  return graph.step('Expand', [x, graph.whole(shape)], shape, {
    backward: (g, [up]) => [reshape(g, reduceSum(g, up!, axes), x.shape), undefined],
  })
}

/** Sum over axes, which stay with size 1: what undoes `expand` on the way back. @param axes not negative */
export function reduceSum(graph: Graph, x: Value, axes: readonly number[]): Value {
  const shape = x.shape.map((size, i) => (axes.includes(i) ? 1 : size))
  return graph.step('ReduceSum', [x, graph.whole(axes)], shape, {
    attributes: { keepdims: { int: 1 } },
    backward: (g, [up]) => [expand(g, up!, x.shape), undefined],
  })
}

export interface Cut {
  axis: number
  start: number
  /** First position not taken. */
  end: number
  step?: number
}

/** A box of the array, every `step`-th along an axis. */
export function slice(graph: Graph, x: Value, cuts: readonly Cut[]): Value {
  const real = cuts.filter(({ axis, start, end, step = 1 }) => start !== 0 || end !== x.shape[axis] || step !== 1)
  if (real.length === 0) return x
  const shape = [...x.shape]
  for (const { axis, start, end, step = 1 } of real) {
    if (start < 0 || end > x.shape[axis] || end <= start)
      throw new ShapeError('slice', `axis ${axis} has no ${start}…${end}`, x)
    shape[axis] = Math.ceil((end - start) / step)
  }
  const inputs = [
    x,
    graph.whole(real.map((c) => c.start)),
    graph.whole(real.map((c) => c.end)),
    graph.whole(real.map((c) => c.axis)),
    graph.whole(real.map((c) => c.step ?? 1)),
  ]
  return graph.step('Slice', inputs, shape, {
    backward: (g, [up]) => {
      const spread = dilate(
        g,
        up!,
        real.map(({ axis, step = 1 }) => ({ axis, step })),
      )
      const margins = real.map(({ axis, start }) => ({
        axis,
        before: start,
        after: x.shape[axis] - start - spread.shape[axis],
      }))
      return [pad(g, spread, margins)]
    },
  })
}

/** Puts `step - 1` zeros between neighbours along each axis. */
export function dilate(graph: Graph, x: Value, steps: readonly { axis: number; step: number }[]): Value {
  const real = steps.filter(({ axis, step }) => step > 1 && x.shape[axis] > 1)
  if (real.length === 0) return x
  const split: number[] = []
  const margins: Margin[] = []
  const joined = [...x.shape]
  x.shape.forEach((size, axis) => {
    split.push(size)
    const step = real.find((s) => s.axis === axis)?.step
    if (!step) return
    margins.push({ axis: split.length, before: 0, after: step - 1 })
    split.push(1)
    joined[axis] = size * step
  })
  const wide = reshape(graph, pad(graph, reshape(graph, x, split), margins), joined)
  return slice(
    graph,
    wide,
    real.map(({ axis, step }) => ({ axis, start: 0, end: joined[axis] - step + 1 })),
  )
}

export interface Margin {
  axis: number
  before: number
  after: number
}

/** Zeros (or another constant) around the array. */
export function pad(graph: Graph, x: Value, margins: readonly Margin[], fill = 0): Value {
  const real = margins.filter(({ before, after }) => before !== 0 || after !== 0)
  if (real.length === 0) return x
  const before = x.shape.map((_, axis) => real.find((m) => m.axis === axis)?.before ?? 0)
  const after = x.shape.map((_, axis) => real.find((m) => m.axis === axis)?.after ?? 0)
  return graph.step(
    'Pad',
    [x, graph.whole([...before, ...after]), graph.constant(fill)],
    x.shape.map((size, i) => size + before[i] + after[i]),
    {
      backward: (g, [up]) => [
        slice(
          g,
          up!,
          real.map((m) => ({ axis: m.axis, start: m.before, end: m.before + x.shape[m.axis] })),
        ),
      ],
    },
  )
}

export function concat(graph: Graph, parts: readonly Value[], axis: number): Value {
  if (parts.length === 1) return parts[0]
  const rest = (v: Value) => v.shape.filter((_, i) => i !== axis)
  if (!parts.every((part) => sameShape(rest(part), rest(parts[0]))))
    throw new ShapeError('concat', `only axis ${axis} may differ`, ...parts)
  const total = parts.reduce((n, part) => n + part.shape[axis], 0)
  return graph.step(
    'Concat',
    parts,
    parts[0].shape.map((size, i) => (i === axis ? total : size)),
    {
      attributes: { axis: { int: axis } },
      backward: (g, [up]) => {
        let start = 0
        return parts.map((part) => {
          const cut = { axis, start, end: start + part.shape[axis] }
          start = cut.end
          return slice(g, up!, [cut])
        })
      },
    },
  )
}

export const join = (graph: Graph, ...parts: Value[]): Value => concat(graph, parts, 1)

/** Repeats the outermost values outwards. */
export function replicatePad(graph: Graph, x: Value, margins: readonly Margin[]): Value {
  return margins.reduce((y, { axis, before, after }) => {
    const size = y.shape[axis]
    const repeated = (at: number, count: number) =>
      expand(
        graph,
        slice(graph, y, [{ axis, start: at, end: at + 1 }]),
        y.shape.map((n, i) => (i === axis ? count : n)),
      )
    return concat(
      graph,
      [...(before ? [repeated(0, before)] : []), y, ...(after ? [repeated(size - 1, after)] : [])],
      axis,
    )
  }, x)
}

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
