import { gaussianRandom, seededRandom } from '../random.js'
import { type Graph, type Initial, sizeOf } from './graph/graph.js'

/** Weights by their names. */
export type Weights = Map<string, Float32Array>

/** Normal with deviation `sqrt(2 / (1 + slope²) / fanIn)` (He et al. 2015). */
export const heNormal = (fanIn: number, slope = 0): Initial => ({
  kind: 'normal',
  deviation: Math.sqrt(2 / ((1 + slope * slope) * fanIn)),
})

/** Uniform within `sqrt(6 / (fanIn + fanOut))` (Glorot & Bengio 2010). */
export const glorotUniform = (fanIn: number, fanOut: number): Initial => ({
  kind: 'uniform',
  bound: Math.sqrt(6 / (fanIn + fanOut)),
})

export const zeros: Initial = { kind: 'constant', value: 0 }
export const ones: Initial = { kind: 'constant', value: 1 }

/** First values of every parameter of the graph: the same for the same seed, whatever the order of the layers. */
export function initialWeights(graph: Graph, seed: number): Weights {
  const weights: Weights = new Map()
  for (const [name, { value, initial }] of graph.parameters) {
    weights.set(name, drawn(initial, sizeOf(value.shape), seededRandom(seed ^ hash(name))))
  }
  return weights
}

function drawn(initial: Initial, count: number, uniform: () => number): Float32Array {
  if (initial.kind === 'values') return initial.values.slice()
  const values = new Float32Array(count)
  if (initial.kind === 'constant') return values.fill(initial.value)
  if (initial.kind === 'uniform') return values.map(() => (2 * uniform() - 1) * initial.bound)
  const normal = gaussianRandom(uniform)
  return values.map(() => normal() * initial.deviation)
}

/** FNV-1a */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return h >>> 0
}
