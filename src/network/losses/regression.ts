import type { Graph, Value } from '../graph/graph.js'
import { absolute, add, divide, multiply, negate, slice, subtract, windowSum } from '../operators/index.js'
import { checked, meanOf } from './common.js'

/** Mean squared difference (L13); of a membership and a soft label it is L11. */
export function squaredError(graph: Graph, a: Value, b: Value): Value {
  checked('squaredError', a, b)
  const away = subtract(graph, a, b)
  return meanOf(graph, multiply(graph, away, away))
}

/** Mean absolute difference (L12). */
export function absoluteError(graph: Graph, a: Value, b: Value): Value {
  checked('absoluteError', a, b)
  return meanOf(graph, absolute(graph, subtract(graph, a, b)))
}

/**
 * Minus the mean squared local correlation in cubic windows (L14; Balakrishnan et al. 2019): `cov² / (var var + 1e-5)` with
 * sums, not means, over the window, and zeros beyond the border.
 * @param window side of the window, odd
 */
export function localCorrelation(graph: Graph, a: Value, b: Value, window = 9): Value {
  checked('localCorrelation', a, b)
  const count = window ** (a.shape.length - 2)
  const total = (x: Value) => windowSum(graph, x, window, { padding: (window - 1) / 2 })
  const [sumA, sumB] = [total(a), total(b)]
  const joint = (x: Value, y: Value, sumX: Value, sumY: Value) =>
    subtract(graph, total(multiply(graph, x, y)), multiply(graph, multiply(graph, sumX, sumY), 1 / count))
  const cross = joint(a, b, sumA, sumB)
  const variances = multiply(graph, joint(a, a, sumA, sumA), joint(b, b, sumB, sumB))
  return negate(graph, meanOf(graph, divide(graph, multiply(graph, cross, cross), add(graph, variances, 1e-5))))
}

/** Differences between neighbours along a spatial axis. */
export function forwardDifference(graph: Graph, x: Value, axis: number): Value {
  const size = x.shape[axis]
  const part = (start: number, end: number) => slice(graph, x, [{ axis, start, end }])
  return subtract(graph, part(1, size), part(0, size - 1))
}

/** Mean over spatial axes of the mean squared forward difference (L15). */
export function smoothness(graph: Graph, flow: Value): Value {
  const axes = flow.shape.map((_, i) => i).slice(2)
  const perAxis = axes.map((axis) => {
    const step = forwardDifference(graph, flow, axis)
    return meanOf(graph, multiply(graph, step, step))
  })
  const total = perAxis.reduce((a, b) => add(graph, a, b))
  return multiply(graph, total, 1 / axes.length)
}

/** Sum over spatial axes of the mean absolute forward difference (total variation; Rudin, Osher & Fatemi 1992). */
export function totalVariation(graph: Graph, x: Value): Value {
  const axes = x.shape.map((_, i) => i).slice(2)
  return axes
    .map((axis) => meanOf(graph, absolute(graph, forwardDifference(graph, x, axis))))
    .reduce((a, b) => add(graph, a, b))
}
