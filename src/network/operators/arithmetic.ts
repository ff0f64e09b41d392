import { type Graph, type Shape, ShapeError, sameShape, type Value } from '../graph/graph.js'
import { cast, expand, reduceSum, reshape } from './shape.js'

/** Elementwise operators and reductions. Two operands of different shapes are broadcast as in NumPy. */

export type Operand = Value | number

const value = (graph: Graph, x: Operand): Value => (typeof x === 'number' ? graph.constant(x) : x)

/** @throws ShapeError when the shapes cannot be broadcast */
export function broadcastShape(op: string, a: Value, b: Value): Shape {
  const rank = Math.max(a.shape.length, b.shape.length)
  return Array.from({ length: rank }, (_, i) => {
    const x = a.shape[i - rank + a.shape.length] ?? 1
    const y = b.shape[i - rank + b.shape.length] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(op, 'the shapes do not fit together', a, b)
    return Math.max(x, y)
  })
}

/** Sums a broadcast gradient back to the shape that was broadcast. */
function summedTo(graph: Graph, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient
  const extra = gradient.shape.length - shape.length
  const axes = gradient.shape
    .map((_, i) => i)
    .filter((i) => i < extra || (shape[i - extra] === 1 && gradient.shape[i] !== 1))
  return reshape(graph, sum(graph, gradient, axes), shape)
}

type BinaryGradient = (graph: Graph, g: Value, a: Value, b: Value, y: Value) => [Value | undefined, Value | undefined]

function binary(op: string, gradient: BinaryGradient) {
  return (graph: Graph, left: Operand, right: Operand): Value => {
    const a = value(graph, left)
    const b = value(graph, right)
    const y: Value = graph.step(op, [a, b], broadcastShape(op, a, b), {
      backward: (g, [up]) => {
        const [da, db] = gradient(g, up!, a, b, y)
        return [da && summedTo(g, da, a.shape), db && summedTo(g, db, b.shape)]
      },
    })
    return y
  }
}

export const add = binary('Add', (_, g) => [g, g])
export const subtract = binary('Sub', (graph, g) => [g, negate(graph, g)])
export const multiply = binary('Mul', (graph, g, a, b) => [multiply(graph, g, b), multiply(graph, g, a)])
export const divide = binary('Div', (graph, g, _, b, y) => {
  const share = divide(graph, g, b)
  return [share, negate(graph, multiply(graph, share, y))]
})
/** The larger of two; where they are equal the gradient goes to the first. */
export const maximum = binary('Max', (graph, g, a, b) => {
  const first = cast(graph, greaterOrEqual(graph, a, b), 'float32')
  return [multiply(graph, g, first), multiply(graph, g, subtract(graph, 1, first))]
})
export const minimum = (graph: Graph, a: Operand, b: Operand): Value =>
  negate(graph, maximum(graph, negate(graph, value(graph, a)), negate(graph, value(graph, b))))
/** Base to the power of a constant exponent. */
export const power = (graph: Graph, base: Value, exponent: number): Value =>
  graph.step('Pow', [base, graph.constant(exponent)], base.shape, {
    backward: (g, [up]) => [multiply(g, up!, multiply(g, power(g, base, exponent - 1), exponent)), undefined],
  })

function comparison(op: string) {
  return (graph: Graph, left: Operand, right: Operand): Value => {
    const a = value(graph, left)
    const b = value(graph, right)
    return graph.step(op, [a, b], broadcastShape(op, a, b), { type: 'bool' })
  }
}

/** Comparisons give truth values, through which nothing flows back; `cast` turns them into 0 and 1. */
export const greater = comparison('Greater')
export const greaterOrEqual = comparison('GreaterOrEqual')
export const less = comparison('Less')
export const equal = comparison('Equal')

/** Takes `yes` where the condition holds, else `no`. */
export function where(graph: Graph, condition: Value, yes: Operand, no: Operand): Value {
  const a = value(graph, yes)
  const b = value(graph, no)
  const both = { ...a, shape: broadcastShape('where', a, b) }
  return graph.step('Where', [condition, a, b], broadcastShape('where', both, condition), {
    type: a.type,
    backward: (g, [up]) => [
      undefined,
      summedTo(g, where(g, condition, up!, 0), a.shape),
      summedTo(g, where(g, condition, 0, up!), b.shape),
    ],
  })
}

type UnaryGradient = (graph: Graph, g: Value, x: Value, y: Value) => Value

function unary(op: string, gradient: UnaryGradient) {
  return (graph: Graph, x: Value): Value => {
    const y: Value = graph.step(op, [x], x.shape, { backward: (g, [up]) => [gradient(g, up!, x, y)] })
    return y
  }
}

export const negate = unary('Neg', (graph, g) => negate(graph, g))
export const exponential = unary('Exp', (graph, g, _, y) => multiply(graph, g, y))
export const logarithm = unary('Log', (graph, g, x) => divide(graph, g, x))
export const squareRoot = unary('Sqrt', (graph, g, _, y) => divide(graph, multiply(graph, g, 0.5), y))
export const absolute = unary('Abs', (graph, g, x) => multiply(graph, g, graph.step('Sign', [x], x.shape)))
export const sigmoid = unary('Sigmoid', (graph, g, _, y) =>
  multiply(graph, g, multiply(graph, y, subtract(graph, 1, y))),
)
export const tanh = unary('Tanh', (graph, g, _, y) => multiply(graph, g, subtract(graph, 1, multiply(graph, y, y))))
export const errorFunction = unary('Erf', (graph, g, x) =>
  multiply(graph, g, multiply(graph, exponential(graph, negate(graph, multiply(graph, x, x))), 2 / Math.sqrt(Math.PI))),
)

function normalAxes(x: Value, axes: readonly number[]): number[] {
  return axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).sort((a, b) => a - b)
}

const keptShape = (x: Value, axes: readonly number[]): Shape => x.shape.map((size, i) => (axes.includes(i) ? 1 : size))

/** Sum over axes, which stay with size 1. */
export function sum(graph: Graph, x: Value, axes: readonly number[] = x.shape.map((_, i) => i)): Value {
  const over = normalAxes(x, axes)
  return over.length === 0 ? x : reduceSum(graph, x, over)
}

/** Mean over axes, which stay with size 1. */
export function mean(graph: Graph, x: Value, axes: readonly number[] = x.shape.map((_, i) => i)): Value {
  const over = normalAxes(x, axes)
  if (over.length === 0) return x
  const count = over.reduce((n, axis) => n * x.shape[axis], 1)
  return graph.step('ReduceMean', [x, graph.whole(over)], keptShape(x, over), {
    attributes: { keepdims: { int: 1 } },
    backward: (g, [up]) => [expand(g, multiply(g, up!, 1 / count), x.shape), undefined],
  })
}

/** Largest value over axes, which stay with size 1; equal largest ones share the gradient. */
export function largest(graph: Graph, x: Value, axes: readonly number[] = x.shape.map((_, i) => i)): Value {
  const over = normalAxes(x, axes)
  const y: Value = graph.step('ReduceMax', [x, graph.whole(over)], keptShape(x, over), {
    attributes: { keepdims: { int: 1 } },
    backward: (g, [up]) => {
      const hits = cast(g, equal(g, x, y), 'float32')
      return [multiply(g, hits, divide(g, up!, sum(g, hits, over))), undefined]
    },
  })
  return y
}

/** log Σ eˣ over axes, which stay with size 1; without overflow. */
export function logSumExp(graph: Graph, x: Value, axes: readonly number[] = x.shape.map((_, i) => i)): Value {
  // The gradient through the shift is zero.
  const top = stopGradient(graph, largest(graph, x, axes))
  return add(graph, top, logarithm(graph, sum(graph, exponential(graph, subtract(graph, x, top)), axes)))
}

/** Lets values through and stops the loss from flowing back. */
export const stopGradient = (graph: Graph, x: Value): Value => graph.step('Identity', [x], x.shape)

/** Identity forward; the gradient is multiplied by `-strength` on the way back (Ganin & Lempitsky 2015). */
export const reverseGradient = (graph: Graph, x: Value, strength: Operand): Value =>
  graph.step('Identity', [x], x.shape, {
    backward: (g, [up]) => [multiply(g, up!, typeof strength === 'number' ? -strength : negate(g, strength))],
  })
