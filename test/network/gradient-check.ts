import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { differentiate } from '../../src/network/graph/differentiate.js'
import { Graph, sizeOf, type Value } from '../../src/network/graph/graph.js'
import { multiply, reshape, sum } from '../../src/network/operators/index.js'
import { type Feeds, openSession } from '../../src/network/runtime.js'
import { seededRandom } from '../../src/random.js'

/** What an input is made of; the same whole numbers as in bench/peers/golden_network.py. */
export type Spec = { shape: number[] } & (
  | { kind: 'real'; low: number; high: number }
  | { kind: 'binary' | 'classes' }
  | { kind: 'whole'; most: number }
  | { kind: 'given'; values: readonly number[] }
)

export interface GoldenCase {
  inputs: Record<string, Spec>
  output: number[]
  gradients: Record<string, number[]>
}

export interface Golden {
  cases: Record<string, GoldenCase>
  optimisers: Record<string, { w: number[]; b: number[] }>
}

export const golden: Golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../golden/network.json', import.meta.url)), 'utf8'),
)

export type Build = (graph: Graph, inputs: Record<string, Value>) => Value

const whole = (i: number, seed: number): number => (i * (37 + 2 * seed) + 11 * seed) % 101

/** @param seed place of the input, from 1 */
export function valuesOf(spec: Spec, seed: number): Float32Array {
  const size = sizeOf(spec.shape)
  const [batch, channels] = spec.shape
  const space = size / batch / channels
  return Float32Array.from({ length: size }, (_, i) => {
    if (spec.kind === 'real') return spec.low + (spec.high - spec.low) * (whole(i, seed) / 101)
    if (spec.kind === 'binary') return Number(whole(i, seed) % 3 === 0)
    if (spec.kind === 'whole') return whole(i, seed) % spec.most
    if (spec.kind === 'given') return spec.values[i]
    const voxel = Math.floor(i / (channels * space)) * space + (i % space)
    return Number(whole(voxel, seed) % channels === Math.floor(i / space) % channels)
  })
}

export interface Checked {
  output: Float32Array
  gradients: Record<string, Float32Array>
  /** Largest relative disagreement with central differences, by input. */
  errors: Record<string, number>
  /** That of each entry, smallest first. */
  sorted: Record<string, number[]>
}

/**
 * Runs a case once for its output and the gradients of its sum times fixed weights, then compares some entries of each
 * gradient with central differences. Disagreement is relative to the entry, or to a twentieth of the largest one, or of `least`,
 * where that is more: float32 leaves nothing finer.
 */
export async function checkGradients(
  inputs: Record<string, Spec>,
  build: Build,
  { step = 1e-2, entries = 30, least = 1e-3 } = {},
): Promise<Checked> {
  const graph = new Graph(true)
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, graph.input(name, shape)] as const),
  )
  const output = build(graph, values)
  const wanted = Object.entries(inputs).flatMap(([name, { kind }]) => (kind === 'real' ? [name] : []))
  const weights = valuesOf({ shape: [sizeOf(output.shape)], kind: 'real', low: -1, high: 1 }, 50)
  const weighed = multiply(graph, reshape(graph, output, [-1]), graph.constant(weights))
  const gradients = differentiate(
    graph,
    sum(graph, weighed),
    wanted.map((name) => values[name]),
  )
  const found = wanted.flatMap((name, i) => (gradients[i] ? [[`gradient/${name}`, gradients[i]] as const] : []))
  const model = graph.model({ output, ...Object.fromEntries(found) })
  const session = await openSession(model, { threads: 1 })
  const feeds: Feeds = {}
  Object.entries(inputs).forEach(([name, spec], i) => {
    feeds[name] = { data: valuesOf(spec, i + 1), shape: spec.shape }
  })
  graph.noises.forEach(({ value, kind }, i) => {
    const [low, high] = kind === 'uniform' ? [0, 1] : [-2, 2]
    const shape = [...value.shape]
    feeds[value.name] = { data: valuesOf({ shape, kind: 'real', low, high }, 90 + i), shape }
  })
  // The runtime refuses what the model does not read.
  for (const name of Object.keys(feeds)) if (!model.inputs.some((input) => input.name === name)) delete feeds[name]
  const first = await session.run(feeds)
  const total = async () => (await session.run(feeds)).output.reduce((n, y, i) => n + y * weights[i], 0)
  const result: Checked = { output: first.output, gradients: {}, errors: {}, sorted: {} }
  for (const name of wanted) {
    const size = sizeOf(inputs[name].shape)
    const gradient = first[`gradient/${name}`] ?? new Float32Array(size)
    result.gradients[name] = gradient
    result.errors[name] = 0
    result.sorted[name] = []
    if (!feeds[name]) continue
    const { data } = feeds[name]
    const floor = Math.max(least, ...gradient.map(Math.abs)) / 20
    for (const at of chosen(size, entries)) {
      const here = data[at]
      data[at] = here + step
      const [above, up] = [await total(), data[at]]
      data[at] = here - step
      const slope = (above - (await total())) / (up - data[at])
      data[at] = here
      const error = Math.abs(slope - gradient[at]) / Math.max(floor, Math.abs(slope), Math.abs(gradient[at]))
      result.sorted[name].push(error)
    }
    result.sorted[name].sort((a, b) => a - b)
    result.errors[name] = result.sorted[name].at(-1) ?? 0
  }
  await session.close()
  return result
}

/** Random places, the same ones every time. */
function chosen(size: number, count: number): number[] {
  const random = seededRandom(size)
  const places = Array.from({ length: size }, (_, i) => i)
  for (let i = 0; i < Math.min(count, size); i++) {
    const j = i + Math.floor(random() * (size - i))
    ;[places[i], places[j]] = [places[j], places[i]]
  }
  return places.slice(0, count)
}

/** Largest difference relative to the largest wanted value (or 1e-3 where all are smaller). */
export function difference(found: ArrayLike<number>, wanted: readonly number[]): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY
  const scale = Math.max(1e-3, ...wanted.map(Math.abs))
  return wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(found[i] - value) / scale), 0)
}

/** Fails unless a case's value and gradients are PyTorch's within 1e-4, and the gradients those of differences within 2e-2. */
export async function assertGolden(name: string, build: Build, { differences = true } = {}): Promise<void> {
  const { inputs, output, gradients } = golden.cases[name]
  const found = await checkGradients(inputs, build)
  if (differences)
    for (const [input, error] of Object.entries(found.errors))
      assert.ok(error < 2e-2, `gradient of ${input} is off by ${error} from finite differences`)
  const off = difference(found.output, output)
  assert.ok(off < 1e-4, `value is off by ${off} from PyTorch`)
  for (const [input, wanted] of Object.entries(gradients)) {
    const error = difference(found.gradients[input], wanted)
    assert.ok(error < 1e-4, `gradient of ${input} is off by ${error} from PyTorch`)
  }
}

/** The gradient with respect to the first input that has one, as an output of its own, to be differentiated again. */
export const gradientOf =
  (build: Build): Build =>
  (graph, inputs) => {
    const output = build(graph, inputs)
    const weights = graph.constant(valuesOf({ shape: [sizeOf(output.shape)], kind: 'real', low: -1, high: 1 }, 40))
    const loss = sum(graph, multiply(graph, reshape(graph, output, [-1]), weights))
    return differentiate(graph, loss, Object.values(inputs)).find((gradient) => gradient !== undefined)!
  }

/** The value of a graph for given arrays. */
export async function evaluated(
  build: Build,
  arrays: Record<string, { values: readonly number[]; shape: number[] }>,
): Promise<number[]> {
  const specs = Object.entries(arrays).map(([name, array]) => [name, { kind: 'given', ...array }] as const)
  const { output } = await checkGradients(Object.fromEntries(specs) as Record<string, Spec>, build)
  return [...output]
}
