import type { Graph, Value } from '../graph/graph.js'
import { add, multiply } from './arithmetic.js'
import { softmax } from './layers.js'
import { matmul } from './linear.js'
import { reshape } from './shape.js'

/** A dense layer over the last axis. @param weight `[out, in]` @param bias `[out]` */
export function dense(graph: Graph, x: Value, weight: Value, bias?: Value): Value {
  const rows = reshape(graph, x, [-1, x.shape[x.shape.length - 1]])
  const y = matmul(graph, rows, weight, { transB: true })
  return reshape(graph, bias ? add(graph, y, bias) : y, [...x.shape.slice(0, -1), weight.shape[0]])
}

/** Scaled dot-product attention of `[batch, heads, length, width]` (Vaswani et al. 2017). @param bias added to the scores */
export function attention(graph: Graph, query: Value, key: Value, content: Value, bias?: Value): Value {
  const width = query.shape[query.shape.length - 1]
  const scores = multiply(graph, matmul(graph, query, key, { transB: true }), 1 / Math.sqrt(width))
  return matmul(graph, softmax(graph, bias ? add(graph, scores, bias) : scores, scores.shape.length - 1), content)
}
