import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import { add, multiply, sigmoid, subtract, tanh } from './arithmetic.js'
import { convolution } from './linear.js'
import { expand, join, reshape } from './shape.js'

/** Weights `[hidden, in + hidden, kernel…]` and `[hidden]` of one gate. */
export interface Gate {
  weight: Value
  bias: Value
}

export interface GruGates {
  update: Gate
  reset: Gate
  candidate: Gate
}

/**
 * Convolutional gated recurrent unit (Ballas et al. 2016), unrolled over the frames from a state of zeros:
 * `z = σ(Wz ∗ [x, h])`, `r = σ(Wr ∗ [x, h])`, `h ← (1 - z) h + z tanh(W ∗ [x, r h])`.
 * @param frames in order, `[batch, in, …]` each
 * @returns the state after each frame, `[batch, hidden, …]`
 * @throws ShapeError without frames
 */
export function convGru(graph: Graph, frames: readonly Value[], gates: GruGates): Value[] {
  if (frames.length === 0) throw new ShapeError('convGru', 'no frames')
  const hidden = gates.update.weight.shape[0]
  const [batch, , ...sizes] = frames[0].shape
  const gate = ({ weight, bias }: Gate, x: Value, h: Value): Value =>
    add(
      graph,
      convolution(graph, join(graph, x, h), weight, { padding: 'same' }),
      reshape(graph, bias, [hidden, ...sizes.map(() => 1)]),
    )
  let h = expand(graph, graph.constant(0), [batch, hidden, ...sizes])
  return frames.map((x) => {
    const z = sigmoid(graph, gate(gates.update, x, h))
    const r = sigmoid(graph, gate(gates.reset, x, h))
    const candidate = tanh(graph, gate(gates.candidate, x, multiply(graph, r, h)))
    h = add(graph, h, multiply(graph, z, subtract(graph, candidate, h)))
    return h
  })
}
