import type { Attribute, ElementType, OnnxModel, OnnxTensor } from './onnx.js'

/**
 * A static computation graph: values with known shapes, joined by operators. The same graph is run forward, differentiated
 * (./differentiate.ts) and written as ONNX (./onnx.ts). Values are row-major; images are `[batch, channels, (depth,) height, width]`.
 */

export type Shape = readonly number[]

/** An array somewhere in the graph. */
export interface Value {
  readonly name: string
  readonly shape: Shape
  readonly type: ElementType
  /** What computes it; absent for inputs, parameters and constants. */
  readonly source?: Operation
}

/** Gradients of the loss with respect to an operation's inputs, from those with respect to its outputs. */
export type Backward = (graph: Graph, upstream: readonly (Value | undefined)[]) => readonly (Value | undefined)[]

export interface Operation {
  readonly op: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly domain: string
  /** Absent: the loss does not flow back through it. */
  readonly backward?: Backward
}

/** Where a parameter starts; `fanIn` and `fanOut` count the connections of one unit. */
export type Initial =
  | { kind: 'constant'; value: number }
  | { kind: 'normal'; deviation: number }
  | { kind: 'uniform'; bound: number }
  | { kind: 'values'; values: Float32Array }

/** Weights that training changes (`trained`), or statistics that a layer keeps for itself, such as those of batch normalisation. */
export interface Parameter {
  readonly value: Value
  readonly initial: Initial
  readonly trained: boolean
  /** Weight decay acts on weights and, as usual, not on biases and normalisation. */
  readonly decays: boolean
}

/** Random numbers drawn anew for every run, by the seed and the step: dropout's coins, Monte-Carlo samples. */
export interface Noise {
  readonly value: Value
  readonly kind: 'uniform' | 'normal'
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1)

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i])

const text = (shape: Shape): string => `[${shape.join(', ')}]`

export class ShapeError extends Error {
  constructor(op: string, reason: string, ...inputs: readonly Value[]) {
    super(`${op}: ${reason}${inputs.length ? ` (got ${inputs.map((v) => text(v.shape)).join(', ')})` : ''}`)
    this.name = 'ShapeError'
  }
}

export interface Step {
  op: string
  inputs: readonly Value[]
  /** Shape of each output. */
  shapes: readonly Shape[]
  attributes?: Readonly<Record<string, Attribute>>
  domain?: string
  types?: readonly ElementType[]
  backward?: Backward
}

export class Graph {
  readonly operations: Operation[] = []
  readonly inputs: Value[] = []
  readonly noises: Noise[] = []
  readonly parameters = new Map<string, Parameter>()
  /** New values of parameters that a layer keeps by itself. */
  readonly kept = new Map<Parameter, Value>()
  readonly constants = new Map<string, OnnxTensor>()
  #repeated?: Noise[]
  readonly #constantValues = new Map<string, Value>()
  #count = 0

  /** @param training whether layers behave as in training (dropout, statistics of the batch) or as at inference */
  constructor(readonly training = false) {}

  /** @param name as the caller will feed it */
  input(name: string, shape: Shape, type: ElementType = 'float32'): Value {
    if (this.inputs.some((value) => value.name === name)) throw new ShapeError(name, 'the graph has this input already')
    const value = { name, shape, type }
    this.inputs.push(value)
    return value
  }

  noise(shape: Shape, kind: Noise['kind']): Value {
    const before = this.#repeated?.shift()
    if (before) return before.value
    const value = { name: `noise${this.noises.length}`, shape, type: 'float32' as const }
    this.noises.push({ value, kind })
    return value
  }

  /** A parameter by its name; asking again for the same name shares it. */
  parameter(
    name: string,
    shape: Shape,
    initial: Initial,
    { trained = true, decays = true }: { trained?: boolean; decays?: boolean } = {},
  ): Value {
    const there = this.parameters.get(name)
    if (there) {
      if (!sameShape(there.value.shape, shape))
        throw new ShapeError(name, `shared with shape ${text(shape)}`, there.value)
      return there.value
    }
    const value = { name, shape, type: 'float32' as const }
    this.parameters.set(name, { value, initial, trained, decays })
    return value
  }

  /** What a parameter becomes after this run, where a layer and not the optimiser decides. */
  keep(name: string, next: Value): void {
    if (this.#repeated) return
    const parameter = this.parameters.get(name)
    if (!parameter) throw new ShapeError(name, 'no such parameter')
    this.kept.set(parameter, next)
  }

  /** Builds a part that is there already once more, with the noises of the first time; what it keeps is kept already. */
  again(noises: readonly Noise[], build: () => Value): Value {
    this.#repeated = [...noises]
    try {
      return build()
    } finally {
      this.#repeated = undefined
    }
  }

  constant(values: number | readonly number[] | Float32Array, shape?: Shape): Value {
    const list = typeof values === 'number' ? [values] : values
    const bytes = new Uint8Array(Float32Array.from(list).buffer)
    return this.#constant({ type: 'float32', shape: shape ?? (typeof values === 'number' ? [] : [list.length]), bytes })
  }

  /** Whole numbers: axes, sizes, positions. */
  whole(values: readonly number[], shape: Shape = [values.length]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, (v) => BigInt(v)).buffer)
    return this.#constant({ type: 'int64', shape, bytes })
  }

  #constant(tensor: OnnxTensor): Value {
    const small = tensor.bytes.length <= 256
    const key = small ? `${tensor.type}${text(tensor.shape)}${Array.from(tensor.bytes).join()}` : ''
    const there = small ? this.#constantValues.get(key) : undefined
    if (there) return there
    const value = { name: `c${this.constants.size}`, shape: tensor.shape, type: tensor.type }
    this.constants.set(value.name, tensor)
    if (small) this.#constantValues.set(key, value)
    return value
  }

  /** Adds an operation with several outputs. */
  steps(step: Step): readonly Value[] {
    const { op, inputs, shapes, attributes = {}, domain = '', types, backward } = step
    for (const shape of shapes) {
      if (shape.some((size) => !Number.isInteger(size) || size < 1))
        throw new ShapeError(op, `nothing is left: ${text(shape)}`, ...inputs)
    }
    const outputs: Value[] = []
    const operation: Operation = { op, inputs, outputs, attributes, domain, backward }
    shapes.forEach((shape, i) => {
      outputs.push({ name: `v${this.#count++}`, shape, type: types?.[i] ?? inputs[0].type, source: operation })
    })
    this.operations.push(operation)
    return outputs
  }

  /** Adds an operation with one output. */
  step(
    op: string,
    inputs: readonly Value[],
    shape: Shape,
    rest: Omit<Step, 'op' | 'inputs' | 'shapes' | 'types'> & { type?: ElementType } = {},
  ): Value {
    const { type, ...others } = rest
    return this.steps({ op, inputs, shapes: [shape], types: type ? [type] : undefined, ...others })[0]
  }

  /**
   * `result`, with gradients of its own with respect to `sources` instead of those through the pieces that compute it
   * (which must stand on stopped copies of the sources). Such gradients are exact once; they are not differentiated again.
   */
  through(
    sources: readonly Value[],
    result: Value,
    gradients: (graph: Graph, upstream: Value) => readonly (Value | undefined)[],
  ): Value {
    return this.step('Identity', [result, ...sources], result.shape, {
      backward: (graph, [up]) => [undefined, ...gradients(graph, up!)],
    })
  }

  /** Trained values in the order they were made. */
  get trained(): Parameter[] {
    return [...this.parameters.values()].filter((parameter) => parameter.trained)
  }

  /** Number of trained weights. */
  get weightCount(): number {
    return this.trained.reduce((sum, parameter) => sum + sizeOf(parameter.value.shape), 0)
  }

  /**
   * The graph as a model, reduced to what the outputs need.
   * @param fixed values of parameters to write into the model as constants; the others become inputs
   */
  model(outputs: Readonly<Record<string, Value>>, fixed?: ReadonlyMap<string, Float32Array>): OnnxModel {
    const needed = this.#needed(Object.values(outputs))
    const constants = new Map([...this.constants].filter(([name]) => needed.names.has(name)))
    const inputs: Value[] = [...this.inputs, ...this.noises.map((noise) => noise.value)]
    for (const { value } of this.parameters.values()) {
      if (!needed.names.has(value.name)) continue
      const values = fixed?.get(value.name)
      if (!fixed) inputs.push(value)
      else if (!values) throw new ShapeError(value.name, 'the weights lack this parameter')
      else if (values.length !== sizeOf(value.shape))
        throw new ShapeError(value.name, `the weights hold ${values.length} numbers`, value)
      else
        constants.set(value.name, {
          type: 'float32',
          shape: value.shape,
          bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
        })
    }
    const nodes = this.operations
      .filter((operation) => needed.operations.has(operation))
      .map(({ op, inputs: from, outputs: to, attributes, domain }) => ({
        op,
        // The further inputs of `through` are for the way back only.
        inputs: (op === 'Identity' ? from.slice(0, 1) : from).map((v) => v.name),
        outputs: to.map((v) => v.name),
        attributes,
        domain,
      }))
    const renamed = Object.entries(outputs).map(([name, value]) => ({ name, value }))
    // An output has a name of its own, so that one value may be handed out twice or be an input as well.
    const copies = renamed.map(({ name, value }) => ({ op: 'Identity', inputs: [value.name], outputs: [name] }))
    return {
      nodes: [...nodes, ...copies],
      inputs: inputs.filter((value) => needed.names.has(value.name)),
      outputs: renamed.map(({ name, value }) => ({ name, shape: value.shape, type: value.type })),
      constants,
    }
  }

  #needed(outputs: readonly Value[]): { operations: Set<Operation>; names: Set<string> } {
    const operations = new Set<Operation>()
    const names = new Set<string>()
    const stack = [...outputs]
    while (stack.length) {
      const value = stack.pop()!
      if (names.has(value.name)) continue
      names.add(value.name)
      if (value.source && !operations.has(value.source)) {
        operations.add(value.source)
        stack.push(...value.source.inputs)
      }
    }
    return { operations, names }
  }
}
