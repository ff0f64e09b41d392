import { type Graph, ShapeError, sameShape, type Value } from '../graph/graph.js'
import { mean, reshape, slice, subtract, sum } from '../operators/index.js'

/** Losses on whole batches, each one number. `logits` and `truth` are `[batch, classes, …]`; truth is 0 … 1 per class. */
export type Loss = (graph: Graph, logits: Value, truth: Value) => Value

/** @throws ShapeError unless both have the same shape */
export function checked(name: string, a: Value, b: Value): void {
  if (!sameShape(a.shape, b.shape)) throw new ShapeError(name, 'prediction and truth differ in shape', a, b)
}

export const one = (graph: Graph, x: Value): Value => reshape(graph, x, [1])

export const meanOf = (graph: Graph, x: Value): Value => one(graph, mean(graph, x))

export const sumOf = (graph: Graph, x: Value): Value => one(graph, sum(graph, x))

export const allAxes = (x: Value): number[] => x.shape.map((_, i) => i)

/** The one logit of a two-class problem: itself, or the difference of two softmax logits, whose sigmoid is the softmax. */
export function lesionLogit(graph: Graph, logits: Value): Value {
  if (logits.shape[1] === 1) return logits
  if (logits.shape[1] !== 2) throw new ShapeError('lesionLogit', 'one or two classes are expected', logits)
  const of = (at: number) => slice(graph, logits, [{ axis: 1, start: at, end: at + 1 }])
  return subtract(graph, of(1), of(0))
}
