import { gaussianRandom, seededRandom } from '../random.js'
import { Graph, type Noise, sizeOf, type Value } from './graph/graph.js'
import { hash, initialWeights, type Weights } from './initialise.js'
import { type Group, type Optimiser, update } from './optimisers.js'
import { type Feeds, openSession, type Session, type SessionOptions } from './runtime.js'

/** What is trained: builds the graph's outputs and loss from its inputs. */
export interface Objective {
  /** Shape of each input by name, batch first. */
  inputs: Readonly<Record<string, readonly number[]>>
  /** @returns the loss, one number, and whatever else shall be seen at each step */
  build(graph: Graph, inputs: Readonly<Record<string, Value>>): { loss: Value; watch?: Readonly<Record<string, Value>> }
}

export interface TrainingOptions extends SessionOptions {
  optimiser: Optimiser
  groups?: readonly Group[]
  seed: number
}

/** Weights and all that the optimiser carries: enough to go on with the same bits. */
export interface TrainingState {
  /** Batches seen. */
  step: number
  weights: Weights
  slots: Weights
}

export interface StepResult {
  loss: number
  /** Norm of all gradients before clipping. */
  norm: number
  watched: Record<string, Float32Array>
}

/** One ONNX model that computes loss, gradients and the update; weights go round between two sets of arrays. */
export class Trainer {
  readonly graph: Graph
  readonly #session: Session
  readonly #options: TrainingOptions
  readonly #inputs: Readonly<Record<string, readonly number[]>>
  /** Name of each carried array to its shape. */
  readonly #carried: ReadonlyMap<string, readonly number[]>
  readonly #weightNames: readonly string[]
  readonly #watched: readonly string[]
  #now: Map<string, Float32Array>
  #next: Map<string, Float32Array>
  #step: number

  private constructor(parts: {
    graph: Graph
    session: Session
    options: TrainingOptions
    inputs: Readonly<Record<string, readonly number[]>>
    carried: ReadonlyMap<string, readonly number[]>
    weightNames: readonly string[]
    watched: readonly string[]
    state: TrainingState
  }) {
    this.graph = parts.graph
    this.#session = parts.session
    this.#options = parts.options
    this.#inputs = parts.inputs
    this.#carried = parts.carried
    this.#weightNames = parts.weightNames
    this.#watched = parts.watched
    this.#now = new Map([...parts.state.weights, ...parts.state.slots].map(([name, values]) => [name, values.slice()]))
    this.#next = new Map([...this.#carried].map(([name, shape]) => [name, new Float32Array(sizeOf(shape))]))
    this.#step = parts.state.step
  }

  /** @param state to go on from; without it training starts from the seed */
  static async create(
    objective: Objective,
    options: TrainingOptions,
    state?: Partial<TrainingState>,
  ): Promise<Trainer> {
    const graph = new Graph(true)
    const inputs = Object.fromEntries(
      Object.entries(objective.inputs).map(([name, shape]) => [name, graph.input(name, shape)]),
    )
    const { loss, watch = {} } = objective.build(graph, inputs)
    const { next, slots, norm } = update(graph, loss, options.optimiser, options.groups)
    const carried = new Map<string, readonly number[]>()
    const outputs: Record<string, Value> = { loss, norm }
    const carry = (value: Value, after: Value) => {
      carried.set(value.name, value.shape)
      outputs[`next/${value.name}`] = after
    }
    for (const [name, { value }] of graph.parameters)
      carry(value, next.get(name) ?? graph.kept.get(graph.parameters.get(name)!) ?? value)
    for (const slot of slots) carry(slot.value, slot.next)
    for (const [name, value] of Object.entries(watch)) outputs[`watch/${name}`] = value
    const weights = new Map([...initialWeights(graph, options.seed), ...(state?.weights ?? [])])
    const start = new Map(
      slots.map(({ name, value, startsAt }) => [
        name,
        startsAt ? weights.get(startsAt)!.slice() : new Float32Array(sizeOf(value.shape)),
      ]),
    )
    const session = await openSession(graph.model(outputs), options)
    return new Trainer({
      graph,
      session,
      options,
      inputs: objective.inputs,
      carried,
      weightNames: [...graph.parameters.keys()],
      watched: Object.keys(watch),
      state: { step: state?.step ?? 0, weights, slots: new Map([...start, ...(state?.slots ?? [])]) },
    })
  }

  get step(): number {
    return this.#step
  }

  /** @param rate learning rate of this step */
  async train(batch: Readonly<Record<string, Float32Array>>, rate: number): Promise<StepResult> {
    const { optimiser, seed } = this.#options
    const feeds: Feeds = { rate: one(rate) }
    for (const [name, shape] of Object.entries(this.#inputs)) feeds[name] = { data: batch[name], shape }
    for (const [name, shape] of this.#carried) feeds[name] = { data: this.#now.get(name)!, shape }
    this.graph.noises.forEach((noise, i) => {
      feeds[noise.value.name] = { data: drawn(noise, seed, this.#step, i), shape: noise.value.shape }
    })
    const { accumulate = 1 } = optimiser
    if (accumulate > 1) feeds.apply = one((this.#step + 1) % accumulate === 0 ? 1 : 0)
    if (optimiser.kind === 'adam') {
      const [b1, b2] = optimiser.betas ?? [0.9, 0.999]
      const update = Math.floor(this.#step / accumulate) + 1
      feeds.correction1 = one(1 - b1 ** update)
      feeds.correction2 = one(1 - b2 ** update)
    }
    const into: Feeds = {}
    for (const [name, shape] of this.#carried) into[`next/${name}`] = { data: this.#next.get(name)!, shape }
    const results = await this.#session.run(feeds, into)
    ;[this.#now, this.#next] = [this.#next, this.#now]
    this.#step++
    const watched = Object.fromEntries(this.#watched.map((name) => [name, results[`watch/${name}`]]))
    return { loss: results.loss[0], norm: results.norm[0], watched }
  }

  /** A copy of the weights; with `average`, the optimiser's average of them where it keeps one. */
  weights({ average = false } = {}): Weights {
    return new Map(
      this.#weightNames.map((name) => [
        name,
        ((average ? this.#now.get(`average/${name}`) : undefined) ?? this.#now.get(name)!).slice(),
      ]),
    )
  }

  state(): TrainingState {
    const slots = [...this.#now].filter(([name]) => !this.#weightNames.includes(name))
    return {
      step: this.#step,
      weights: this.weights(),
      slots: new Map(slots.map(([name, values]) => [name, values.slice()])),
    }
  }

  async close(): Promise<void> {
    await this.#session.close()
  }
}

const one = (value: number) => ({ data: Float32Array.of(value), shape: [1] })

/** The same numbers for the same seed, step and layer. */
function drawn({ value, kind }: Noise, seed: number, step: number, index: number): Float32Array {
  const uniform = seededRandom(hash(`${seed}/${step}/${index}`))
  const next = kind === 'uniform' ? uniform : gaussianRandom(uniform)
  return new Float32Array(sizeOf(value.shape)).map(() => next())
}
