import { loadOnnxRuntime, type OnnxRuntime, type OnnxSession } from '../platform/index.js'
import { encodeModel, type OnnxModel } from './graph/onnx.js'

/** Runs graphs with onnxruntime: the CPU everywhere, a GPU where the user asks for one. */

export type Device = 'cpu' | 'webgpu' | 'cuda'

export interface SessionOptions {
  device?: Device
  /** Threads of one operator; default 0, all of the machine. */
  threads?: number
}

/** Arrays by input name, row-major, of the shapes that the model states. */
export type Feeds = Record<string, { data: Float32Array; shape: readonly number[] }>

export interface Session {
  /**
   * @param into arrays that take outputs, so that large ones are not allocated for every run; they must not be fed in the same run
   * @throws Error when the runtime cannot compute, for example for lack of memory
   */
  run(feeds: Feeds, into?: Feeds): Promise<Record<string, Float32Array>>
  close(): Promise<void>
}

/** @throws Error when onnxruntime is not installed, lacks the device, or refuses the model */
export async function openSession(model: OnnxModel | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  const runtime = await loadOnnxRuntime()
  const bytes = model instanceof Uint8Array ? model : encodeModel(model)
  const { device = 'cpu', threads = 0 } = options
  const session = await runtime.InferenceSession.create(bytes, {
    executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // One block for all that a run needs is slower than many (a training step of a 3-D network by a third) and larger.
    enableMemPattern: false,
    logSeverityLevel: 3,
    // Idle threads that spin take the cores that draw the next batch.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  return new RunningSession(runtime, session)
}

class RunningSession implements Session {
  readonly #runtime: OnnxRuntime
  readonly #session: OnnxSession

  constructor(runtime: OnnxRuntime, session: OnnxSession) {
    this.#runtime = runtime
    this.#session = session
  }

  async run(feeds: Feeds, into: Feeds = {}): Promise<Record<string, Float32Array>> {
    const wrap = (arrays: Feeds) =>
      Object.fromEntries(
        Object.entries(arrays).map(([name, { data, shape }]) => [
          name,
          new this.#runtime.Tensor('float32', data, shape),
        ]),
      )
    const fetches = { ...Object.fromEntries(this.#session.outputNames.map((name) => [name, null])), ...wrap(into) }
    const results = await this.#session.run(wrap(feeds), fetches)
    return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]))
  }

  async close(): Promise<void> {
    await this.#session.release()
  }
}
