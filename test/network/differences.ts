import assert from 'node:assert/strict'
import { differentiate } from '../../src/network/graph/differentiate.js'
import { Graph, type Shape, sizeOf, type Value } from '../../src/network/graph/graph.js'
import { multiply, sum } from '../../src/network/operators/index.js'
import { type Feeds, openSession } from '../../src/network/runtime.js'
import { seededRandom } from '../../src/random.js'

/** What is differentiated: one value from arrays of these shapes. */
export interface Case {
  shapes: readonly Shape[]
  build(graph: Graph, inputs: readonly Value[]): Value
  /** Where the numbers lie; default -1 … 1. Kinks need a range without them. */
  range?: readonly [number, number]
  /** Numbers that no step may move across a kink: values this near to 0 are pushed away. */
  gap?: number
}

export const numbers = (
  shape: Shape,
  seed: number,
  [low, high]: readonly [number, number] = [-1, 1],
  gap = 0,
): Float32Array => {
  const random = seededRandom(seed)
  return new Float32Array(sizeOf(shape)).map(() => {
    const value = low + (high - low) * random()
    return Math.abs(value) < gap ? Math.sign(value || 1) * (Math.abs(value) + gap) : value
  })
}

/** Value and gradients of the sum of the output, each element weighed differently so that no error cancels. */
export async function evaluate({ shapes, build, range, gap }: Case, training = true) {
  const graph = new Graph(training)
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape))
  const y = build(graph, inputs)
  const weights = graph.constant(numbers(y.shape, 99, [0.5, 1.5]), y.shape)
  const loss = sum(graph, multiply(graph, y, weights))
  const gradients = differentiate(graph, loss, inputs)
  const outputs: Record<string, Value> = { y, loss }
  gradients.forEach((g, i) => {
    if (g) outputs[`g${i}`] = g
  })
  const values = shapes.map((shape, i) => numbers(shape, i + 1, range, gap))
  const feeds: Feeds = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { data: values[i], shape }]))
  const session = await openSession(graph.model(outputs), { threads: 1 })
  const run = async () => {
    const used = Object.fromEntries(
      Object.entries(feeds).filter(([name]) => graph.model(outputs).inputs.some((v) => v.name === name)),
    )
    return await session.run(used)
  }
  return { run, values, weights: numbers(y.shape, 99, [0.5, 1.5]), close: () => session.close() }
}

/**
 * Gradients against central differences of the 32-bit forward pass, summed in 64 bits: the error of a difference is then
 * that of rounding the outputs, far below the tolerance. Up to 30 entries of each input.
 */
export async function checkGradients(name: string, one: Case, tolerance = 2e-2): Promise<void> {
  const { run, values, weights, close } = await evaluate(one)
  const first = await run()
  const total = async () => (await run()).y.reduce((s, v, i) => s + v * weights[i], 0)
  const h = 1e-2
  for (const [k, array] of values.entries()) {
    const found = first[`g${k}`]
    assert.ok(found, `${name}: no gradient for input ${k}`)
    const scale = Math.max(
      1e-3,
      found.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
    )
    const every = Math.max(1, Math.floor(array.length / 30))
    for (let i = 0; i < array.length; i += every) {
      const old = array[i]
      array[i] = old + h
      const up = await total()
      array[i] = old - h
      const down = await total()
      array[i] = old
      const numeric = (up - down) / (2 * h)
      assert.ok(
        Math.abs(numeric - found[i]) <= tolerance * scale,
        `${name}: input ${k} at ${i}: ${found[i]} by differentiation, ${numeric} by differences`,
      )
    }
  }
  await close()
}
