import { add } from '../operators/arithmetic.js'
import { type Graph, type Operation, ShapeError, sizeOf, type Value } from './graph.js'

/**
 * Reverse-mode differentiation: appends to the graph what computes the gradient of `loss` with respect to each of `wanted`
 * (Linnainmaa 1970). Gradients are ordinary values of the graph and can be differentiated again.
 * @param loss one number, or any value where `upstream`, the gradient with respect to it, is known
 * @returns one gradient per wanted value, of its shape; undefined where the loss does not depend on it
 * @throws ShapeError when the loss is not a single number
 */
export function differentiate(
  graph: Graph,
  loss: Value,
  wanted: readonly Value[],
  upstream?: Value,
): (Value | undefined)[] {
  if (!upstream && sizeOf(loss.shape) !== 1) throw new ShapeError('differentiate', 'the loss must be one number', loss)
  const operations = [...graph.operations]
  const reached = dependents(operations, wanted)
  const gradients = new Map<Value, Value>()
  if (reached.has(loss)) gradients.set(loss, upstream ?? graph.constant(new Float32Array(1).fill(1), loss.shape))
  for (let at = operations.length - 1; at >= 0; at--) {
    const operation = operations[at]
    const above = operation.outputs.map((output) => gradients.get(output))
    if (!operation.backward || above.every((g) => g === undefined)) continue
    if (!operation.inputs.some((input) => reached.has(input))) continue
    operation.backward(graph, above).forEach((gradient, i) => {
      const input = operation.inputs[i]
      if (!gradient || !reached.has(input)) return
      const sum = gradients.get(input)
      gradients.set(input, sum ? add(graph, sum, gradient) : gradient)
    })
    // The gradient of an inner value is used up here; keeping it would hold every one alive at once.
    for (const output of operation.outputs) if (!wanted.includes(output)) gradients.delete(output)
  }
  return wanted.map((value) => gradients.get(value))
}

/** Values through which the loss can reach the wanted ones. */
function dependents(operations: readonly Operation[], wanted: readonly Value[]): Set<Value> {
  const reached = new Set<Value>(wanted)
  for (const operation of operations) {
    if (operation.backward && operation.inputs.some((input) => reached.has(input))) {
      for (const output of operation.outputs) reached.add(output)
    }
  }
  return reached
}
