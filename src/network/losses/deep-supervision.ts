import { type Graph, ShapeError, type Value } from '../graph/graph.js'
import { add, multiply, resize } from '../operators/index.js'
import type { Loss } from './common.js'

/**
 * Weights of the outputs from fine to coarse (L24): 1, ½, ¼, …, the coarsest 0, scaled to the sum 1 (Isensee et al. 2021).
 * A single output has weight 1.
 */
export function levelWeights(levels: number): number[] {
  const weights = Array.from({ length: levels }, (_, k) => (k > 0 && k === levels - 1 ? 0 : 0.5 ** k))
  const total = weights.reduce((a, b) => a + b, 0)
  return weights.map((w) => w / total)
}

/**
 * Weighted sum of a loss over outputs of several resolutions (L24); the truth is thinned out to each of them.
 * @param outputs logits from fine to coarse
 * @param truth of the finest output's shape
 */
export function deepSupervision(
  graph: Graph,
  outputs: readonly Value[],
  truth: Value,
  loss: Loss,
  weights: readonly number[] = levelWeights(outputs.length),
): Value {
  if (outputs.length === 0 || weights.length !== outputs.length)
    throw new ShapeError('deepSupervision', `${weights.length} weights for ${outputs.length} outputs`)
  return outputs
    .flatMap((logits, k) => {
      if (weights[k] === 0) return []
      const own = resize(graph, truth, logits.shape.slice(2), 'nearest-exact')
      return [multiply(graph, loss(graph, logits, own), weights[k])]
    })
    .reduce((a, b) => add(graph, a, b))
}
