import { add, multiply, stopGradient } from '../operators/arithmetic.js'
import { reshape, slice } from '../operators/shape.js'
import { differentiate } from './differentiate.js'
import type { Graph, Value } from './graph.js'

/**
 * A part of a network whose inner values are not kept for the way back but computed again there (Chen et al. 2016,
 * gradient checkpointing): memory falls to the part's inputs and output, and its forward pass is paid twice.
 *
 * @param build the part; its layers must be its own, not shared with other parts
 */
export function recomputed(graph: Graph, inputs: readonly Value[], build: (inputs: readonly Value[]) => Value): Value {
  if (!graph.training) return build(inputs)
  const known = new Set(graph.parameters.keys())
  const noisesBefore = graph.noises.length
  const result = build(inputs)
  const own = graph.trained.map(({ value }) => value).filter(({ name }) => !known.has(name))
  const noises = graph.noises.slice(noisesBefore)
  return graph.through([...inputs, ...own], result, (g, up) => {
    // Nothing, added to the inputs: so that the runtime neither takes the second pass for the first nor runs it early.
    const first = slice(g, reshape(g, up, [-1]), [{ axis: 0, start: 0, end: 1 }])
    const nothing = stopGradient(g, multiply(g, first, 0))
    const late = inputs.map((input) => add(g, input, nothing))
    const again = g.again(noises, () => build(late))
    return differentiate(g, again, [...late, ...own], up)
  })
}
