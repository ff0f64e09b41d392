import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import { add, divide, matmul, multiply, reshape, subtract, sum } from '../operators/index.js'
import { sumOf } from './common.js'

/**
 * Joint distribution optimal transport (L20; Courty et al. 2017, Damodaran et al. 2018) under a given coupling:
 * `Σ_ij γ_ij (α ‖g_i - h_j‖² + β L_ij)`.
 * @param coupling γ, `[source, target]`, which the optimal transport has found; nothing flows back into it
 * @param source features `[source, …]`
 * @param target features `[target, …]`
 * @param labelCost L, `[source, target]`: the loss of the target's predictions against the source's labels
 */
export function jointTransport(
  graph: Graph,
  { coupling, source, target, labelCost }: { coupling: Value; source: Value; target: Value; labelCost: Value },
  { alpha = 1, beta = 1 } = {},
): Value {
  const [rows, columns] = coupling.shape
  const fits = (x: Value, count: number) => x.shape[0] === count
  if (!fits(source, rows) || !fits(target, columns) || !fits(labelCost, rows) || labelCost.shape[1] !== columns)
    throw new ShapeError('jointTransport', 'coupling, features and costs do not fit', coupling, source, target)
  const cost = multiply(graph, squaredDistances(graph, source, target), alpha)
  return sumOf(graph, multiply(graph, coupling, add(graph, cost, multiply(graph, labelCost, beta))))
}

/** `‖a_i - b_j‖²` of every pair, `[rows of a, rows of b]`. */
export function squaredDistances(graph: Graph, a: Value, b: Value): Value {
  const [x, y] = [reshape(graph, a, [a.shape[0], -1]), reshape(graph, b, [b.shape[0], -1])]
  const norm = (v: Value) => sum(graph, multiply(graph, v, v), [1])
  const both = add(graph, norm(x), reshape(graph, norm(y), [1, b.shape[0]]))
  return subtract(graph, both, multiply(graph, matmul(graph, x, y, { transB: true }), 2))
}

/** One minus the soft Dice of every source label with every target prediction, `[source, target]`. */
export function pairwiseDice(graph: Graph, labels: Value, predictions: Value, epsilon = 1e-5): Value {
  const [y, p] = [labels, predictions].map((v) => reshape(graph, v, [v.shape[0], -1]))
  const overlap = matmul(graph, y, p, { transB: true })
  const sizes = add(graph, sum(graph, y, [1]), reshape(graph, sum(graph, p, [1]), [1, p.shape[0]]))
  const dice = divide(graph, add(graph, multiply(graph, overlap, 2), epsilon), add(graph, sizes, epsilon))
  return subtract(graph, 1, dice)
}
