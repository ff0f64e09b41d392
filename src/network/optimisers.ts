import { differentiate } from './graph/differentiate.js'
import type { Graph, Parameter, Value } from './graph/graph.js'
import { add, divide, maximum, minimum, multiply, squareRoot, subtract, sum } from './operators/arithmetic.js'

/** Rules that turn gradients into new weights, as part of the training graph. */

export interface Optimiser {
  kind: 'sgd' | 'adam' | 'rmsprop' | 'adadelta'
  /** Fraction of the last update kept (SGD); default 0. */
  momentum?: number
  nesterov?: boolean
  /** Adam's two memories; default [0.9, 0.999]. */
  betas?: readonly [number, number]
  /** Memory of RMSprop (default 0.99) and AdaDelta (default 0.9). */
  rho?: number
  epsilon?: number
  weightDecay?: number
  /** Decay acts on the weights themselves (AdamW, Loshchilov & Hutter 2019) instead of on the gradient. */
  decoupled?: boolean
  /** Gradients are scaled down to this norm, all together. */
  clip?: number
  /** Keeps an average of the weights: `average = decay · average + (1 - decay) · weights`. */
  averageDecay?: number
}

/** A number per weight that the rule carries from step to step. */
export interface Slot {
  /** `momentum/…`, `second/…`, `average/…` and so on, followed by the parameter's name. */
  name: string
  value: Value
  next: Value
  /** An average starts at the weights, everything else at zero. */
  startsAt?: string
}

export interface Update {
  /** New weights by parameter name. */
  next: Map<string, Value>
  slots: Slot[]
  /** Norm of all gradients before clipping. */
  norm: Value
}

/** Multiplier of the learning rate for parameters whose name starts with `prefix`; 0 freezes them. */
export interface Group {
  prefix: string
  rate: number
}

/**
 * Appends gradients and the update to the graph. The learning rate is the graph's input `rate`, and Adam's corrections are
 * `correction1` and `correction2`, one number each.
 */
export function update(graph: Graph, loss: Value, optimiser: Optimiser, groups: readonly Group[] = []): Update {
  const rateOf = (p: Parameter) => groups.filter((g) => p.value.name.startsWith(g.prefix)).at(-1)?.rate ?? 1
  const moving = graph.trained.filter((p) => rateOf(p) !== 0)
  const found = differentiate(
    graph,
    loss,
    moving.map((p) => p.value),
  )
  const pairs = moving.flatMap((parameter, i) => {
    const gradient = found[i]
    return gradient ? [{ parameter, gradient }] : []
  })
  const squares = pairs.map(({ gradient }) => sum(graph, multiply(graph, gradient, gradient)))
  const norm = squareRoot(
    graph,
    squares.map((s) => flat(graph, s)).reduce((a, b) => add(graph, a, b)),
  )
  const { clip } = optimiser
  const scale = clip === undefined ? undefined : minimum(graph, 1, divide(graph, clip, maximum(graph, norm, 1e-12)))
  const rate = graph.input('rate', [1])
  const rule = rules[optimiser.kind](graph, optimiser)
  const slots: Slot[] = []
  const next = new Map<string, Value>()
  for (const { parameter, gradient } of pairs) {
    const { value, decays } = parameter
    const decay = decays ? (optimiser.weightDecay ?? 0) : 0
    const own = multiply(graph, rate, rateOf(parameter))
    let g = scale ? multiply(graph, gradient, scale) : gradient
    if (decay && !optimiser.decoupled) g = add(graph, g, multiply(graph, value, decay))
    const slot = (kind: string): Value => graph.input(`${kind}/${value.name}`, value.shape)
    const direction = rule(value, g, slot, (kind, v, after) =>
      slots.push({ name: `${kind}/${value.name}`, value: v, next: after }),
    )
    let weights = value
    if (decay && optimiser.decoupled)
      weights = multiply(graph, weights, subtract(graph, 1, multiply(graph, own, decay)))
    weights = subtract(graph, weights, multiply(graph, direction, own))
    next.set(value.name, weights)
    if (optimiser.averageDecay !== undefined) {
      const average = slot('average')
      const d = optimiser.averageDecay
      const after = add(graph, multiply(graph, average, d), multiply(graph, weights, 1 - d))
      slots.push({ name: `average/${value.name}`, value: average, next: after, startsAt: value.name })
    }
  }
  return { next, slots, norm }
}

const flat = (graph: Graph, x: Value): Value => graph.step('Reshape', [x, graph.whole([1])], [1])

type Keep = (kind: string, slot: Value, next: Value) => void
/** @returns the direction to go against, to be multiplied by the rate */
type Rule = (weights: Value, gradient: Value, slot: (kind: string) => Value, keep: Keep) => Value

/** `memory · old + (1 - memory) · new` */
const blended = (graph: Graph, old: Value, next: Value, memory: number): Value =>
  add(graph, multiply(graph, old, memory), multiply(graph, next, 1 - memory))

const rules: Record<Optimiser['kind'], (graph: Graph, optimiser: Optimiser) => Rule> = {
  /** Heavy-ball momentum as PyTorch writes it (Sutskever et al. 2013): `v = μ v + g`. */
  sgd:
    (graph, { momentum = 0, nesterov = false }) =>
    (_, g, slot, keep) => {
      if (momentum === 0) return g
      const speed = slot('momentum')
      const next = add(graph, multiply(graph, speed, momentum), g)
      keep('momentum', speed, next)
      return nesterov ? add(graph, g, multiply(graph, next, momentum)) : next
    },
  /** Kingma & Ba 2015. */
  adam: (graph, { betas = [0.9, 0.999], epsilon = 1e-8 }) => {
    const first = graph.input('correction1', [1])
    const second = graph.input('correction2', [1])
    return (_, g, slot, keep) => {
      const m = slot('first')
      const v = slot('second')
      const m2 = blended(graph, m, g, betas[0])
      const v2 = blended(graph, v, multiply(graph, g, g), betas[1])
      keep('first', m, m2)
      keep('second', v, v2)
      const root = add(graph, squareRoot(graph, divide(graph, v2, second)), epsilon)
      return divide(graph, divide(graph, m2, first), root)
    }
  },
  /** Tieleman & Hinton 2012. */
  rmsprop:
    (graph, { rho = 0.99, epsilon = 1e-8 }) =>
    (_, g, slot, keep) => {
      const v = slot('second')
      const next = blended(graph, v, multiply(graph, g, g), rho)
      keep('second', v, next)
      return divide(graph, g, add(graph, squareRoot(graph, next), epsilon))
    },
  /** Zeiler 2012. */
  adadelta:
    (graph, { rho = 0.9, epsilon = 1e-6 }) =>
    (_, g, slot, keep) => {
      const v = slot('second')
      const moved = slot('moved')
      const next = blended(graph, v, multiply(graph, g, g), rho)
      const ratio = squareRoot(graph, divide(graph, add(graph, moved, epsilon), add(graph, next, epsilon)))
      const step = multiply(graph, g, ratio)
      keep('second', v, next)
      keep('moved', moved, blended(graph, moved, multiply(graph, step, step), rho))
      return step
    },
}
