import { UsageError } from '../errors.js'
import { differentiate } from './graph/differentiate.js'
import type { Graph, Parameter, Value } from './graph/graph.js'
import { add, divide, greater, minimum, multiply, squareRoot, subtract, sum, where } from './operators/arithmetic.js'
import { reshape } from './operators/shape.js'

/** Rules that turn gradients into new weights, as part of the training graph. */

export interface Optimiser {
  kind: 'sgd' | 'adam' | 'rmsprop' | 'adadelta'
  /** Fraction of the last update kept (SGD and RMSprop); default 0. */
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
  /** Batches whose mean gradient makes one update; default 1. */
  accumulate?: number
}

/** A number per weight that the rule carries from step to step. */
export interface Slot {
  /** `momentum/…`, `second/…`, `average/…`, `gradient/…` and so on, followed by the parameter's name. */
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

/**
 * Multiplier of the learning rate for the parameters of a part of the network; 0 freezes them. Where groups overlap the last
 * one counts.
 */
export interface Group {
  /** Beginning of the names, up to a dot: `encoder.1` means `encoder.1.weight` and not `encoder.10.weight`. */
  prefix: string
  rate: number
}

const belongs = (name: string, prefix: string): boolean =>
  prefix === '' || name === prefix || name.startsWith(prefix.endsWith('.') ? prefix : `${prefix}.`)

/** @throws UsageError for a group without parameters, a setting that the rule does not have, or when nothing is left to train */
function check(
  graph: Graph,
  { kind, momentum = 0, nesterov = false, accumulate = 1 }: Optimiser,
  groups: readonly Group[],
) {
  const names = graph.trained.map((p) => p.value.name)
  for (const { prefix } of groups)
    if (!names.some((name) => belongs(name, prefix)))
      throw new UsageError(`No weight belongs to the group "${prefix}"; the first one is called "${names[0]}"`)
  if (momentum !== 0 && kind !== 'sgd' && kind !== 'rmsprop')
    throw new UsageError(`${kind} has no momentum of this kind; leave it out, or take sgd or rmsprop`)
  if (nesterov && momentum === 0) throw new UsageError('Nesterov needs a momentum above 0')
  if (!Number.isInteger(accumulate) || accumulate < 1)
    throw new UsageError(`An update gathers 1 or more whole batches, not ${accumulate}`)
}

/**
 * Appends gradients and the update to the graph. The learning rate is the graph's input `rate`, and Adam's corrections are
 * `correction1` and `correction2`, one number each. Where gradients are accumulated, `apply` is 1 in the run that updates and 0
 * in those before it.
 * @throws UsageError for a group without parameters, a setting that the rule does not have, or when nothing is left to train
 */
export function update(graph: Graph, loss: Value, optimiser: Optimiser, groups: readonly Group[] = []): Update {
  check(graph, optimiser, groups)
  const rateOf = (p: Parameter) => groups.filter((g) => belongs(p.value.name, g.prefix)).at(-1)?.rate ?? 1
  const moving = graph.trained.filter((p) => rateOf(p) !== 0)
  const found = differentiate(
    graph,
    loss,
    moving.map((p) => p.value),
  )
  const slots: Slot[] = []
  const slot = (kind: string, { value }: Parameter): Value => graph.input(`${kind}/${value.name}`, value.shape)
  const keep = (kind: string, { value: { name } }: Parameter, value: Value, next: Value, startsAt?: string) =>
    slots.push({ name: `${kind}/${name}`, value, next, startsAt })
  const { accumulate = 1, averageDecay } = optimiser
  const applies = accumulate > 1 ? greater(graph, graph.input('apply', [1]), 0) : undefined
  /** The new value in the run that updates, else the old one. */
  const settled = (next: Value, old: Value): Value => (applies ? where(graph, applies, next, old) : next)
  const pairs = moving.flatMap((parameter, i) => {
    const now = found[i]
    if (!now || !applies) return now ? [{ parameter, gradient: now }] : []
    const before = slot('gradient', parameter)
    const gradient = add(graph, before, multiply(graph, now, 1 / accumulate))
    keep('gradient', parameter, before, where(graph, applies, 0, gradient))
    return [{ parameter, gradient }]
  })
  if (pairs.length === 0) throw new UsageError('Nothing is left to train: every weight is frozen or without effect')
  const norm = squareRoot(
    graph,
    pairs.map(({ gradient }) => squareSum(graph, gradient)).reduce((a, b) => add(graph, a, b)),
  )
  const { clip } = optimiser
  const scale = clip === undefined ? undefined : minimum(graph, 1, divide(graph, clip, add(graph, norm, 1e-6)))
  const rate = graph.input('rate', [1])
  const rule = rules[optimiser.kind](graph, optimiser)
  const next = new Map<string, Value>()
  for (const { parameter, gradient } of pairs) {
    const { value, decays } = parameter
    const decay = decays ? (optimiser.weightDecay ?? 0) : 0
    const own = multiply(graph, rate, rateOf(parameter))
    let g = scale ? multiply(graph, gradient, scale) : gradient
    if (decay && !optimiser.decoupled) g = add(graph, g, multiply(graph, value, decay))
    const direction = rule(
      g,
      (kind) => slot(kind, parameter),
      (kind, old, after) => keep(kind, parameter, old, settled(after, old)),
    )
    let weights = value
    if (decay && optimiser.decoupled)
      weights = multiply(graph, weights, subtract(graph, 1, multiply(graph, own, decay)))
    weights = subtract(graph, weights, multiply(graph, direction, own))
    next.set(value.name, settled(weights, value))
    if (averageDecay !== undefined) {
      const average = slot('average', parameter)
      const after = blended(graph, average, weights, averageDecay)
      keep('average', parameter, average, settled(after, average), value.name)
    }
  }
  return { next, slots, norm }
}

const squareSum = (graph: Graph, x: Value): Value => reshape(graph, sum(graph, multiply(graph, x, x)), [1])

type Keep = (kind: string, slot: Value, next: Value) => void
/** @returns the direction to go against, to be multiplied by the rate */
type Rule = (gradient: Value, slot: (kind: string) => Value, keep: Keep) => Value

/** `memory · old + (1 - memory) · new` */
const blended = (graph: Graph, old: Value, next: Value, memory: number): Value =>
  add(graph, multiply(graph, old, memory), multiply(graph, next, 1 - memory))

/** Heavy-ball momentum as PyTorch writes it (Sutskever et al. 2013): `v = μ v + g`. */
function withMomentum(
  graph: Graph,
  { momentum = 0, nesterov = false }: Optimiser,
  ...[g, slot, keep]: Parameters<Rule>
) {
  if (momentum === 0) return g
  const speed = slot('momentum')
  const next = add(graph, multiply(graph, speed, momentum), g)
  keep('momentum', speed, next)
  return nesterov ? add(graph, g, multiply(graph, next, momentum)) : next
}

const rules: Record<Optimiser['kind'], (graph: Graph, optimiser: Optimiser) => Rule> = {
  sgd: (graph, optimiser) => (g, slot, keep) => withMomentum(graph, optimiser, g, slot, keep),
  /** Kingma & Ba 2015. */
  adam: (graph, { betas = [0.9, 0.999], epsilon = 1e-8 }) => {
    const first = graph.input('correction1', [1])
    const second = graph.input('correction2', [1])
    return (g, slot, keep) => {
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
  /** Tieleman & Hinton 2012; momentum acts on the scaled gradient. */
  rmsprop: (graph, optimiser) => {
    const { rho = 0.99, epsilon = 1e-8 } = optimiser
    return (g, slot, keep) => {
      const v = slot('second')
      const next = blended(graph, v, multiply(graph, g, g), rho)
      keep('second', v, next)
      const scaled = divide(graph, g, add(graph, squareRoot(graph, next), epsilon))
      return withMomentum(graph, optimiser, scaled, slot, keep)
    }
  },
  /** Zeiler 2012. */
  adadelta:
    (graph, { rho = 0.9, epsilon = 1e-6 }) =>
    (g, slot, keep) => {
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
