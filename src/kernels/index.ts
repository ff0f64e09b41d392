import { readAsset, startWorker, type WorkerHandle } from '../platform/index.js'
import type { VoxelArray } from '../volume/volume.js'

/**
 * The hot loops: one WebAssembly module (SIMD) on one shared memory, run by this thread and by workers.
 *
 * A step copies its input into an arena, runs kernels there, and copies the result out; the arena's memory is then
 * free again. Work is cut into chunks of a size that does not depend on the number of threads, and a chunk writes only
 * its own output, so that results have the same bits for any number of threads.
 */
export type KernelName =
  | 'blurX'
  | 'blurY'
  | 'blurZ'
  | 'resampleNearest'
  | 'resampleLinear'
  | 'resampleCubic'
  | 'resampleSinc'
  | 'prefilterX'
  | 'prefilterY'
  | 'prefilterZ'
  | 'distanceX'
  | 'distanceLines'
  | 'parzenHistogram'
  | 'parzenGradient'
  | 'bandX'
  | 'bandAcross'
  | 'warpRows'
  | 'composeRows'
  | 'chainRows'
  | 'invertRows'
  | 'jacobianRows'
  | 'deformedNearest'
  | 'deformedLinear'
  | 'deformedCubic'
  | 'lnccX'
  | 'lnccY'
  | 'lnccZ'
  | 'lnccForce'

/** Memory of the arena with a typed view. Take a fresh view after anything was allocated: the memory may have grown. */
export interface Block<T extends VoxelArray> {
  /** Byte address, as kernels take it. */
  readonly ptr: number
  readonly length: number
  view(): T
  /** A copy that outlives the arena. */
  copy(): T
}

export interface Arena {
  float32(content: number | ArrayLike<number>): Block<Float32Array>
  float64(content: number | ArrayLike<number>): Block<Float64Array>
  uint8(content: number | ArrayLike<number>): Block<Uint8Array>
  int32(content: number | ArrayLike<number>): Block<Int32Array>
  /** Calls kernel(start, end, ...args) over chunks of `count` items, on all threads; stops between runs when cancelled. */
  run(kernel: KernelName, count: number, chunk: number, ...args: number[]): Promise<void>
}

/** Number of threads that kernels use from now on, this one included. */
export function setThreads(count: number): void {
  threads = Math.max(1, Math.floor(count))
}

/** Runs `body` with an arena; one arena is open at a time, later callers wait. Do not open one inside another. */
export async function withArena<T>(
  body: (arena: Arena) => Promise<T>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<T> {
  const turn = last
  let done = () => {}
  last = new Promise((resolve) => {
    done = resolve
  })
  await turn
  try {
    signal?.throwIfAborted()
    const machine = await (started ??= start())
    return await body(openArena(machine, signal))
  } finally {
    done()
  }
}

let threads = 1
let last: Promise<void> = Promise.resolve()
let started: Promise<Machine> | undefined

interface Machine {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  kernels: Record<string, (...args: number[]) => void>
  heapBase: number
  /** [next chunk, unused]: shared with the workers. */
  cursor: Int32Array
  workers: WorkerHandle[]
}

/** 2 GB: addresses stay positive as signed 32-bit numbers, and no step needs more. */
const maximumPages = 32768

async function start(): Promise<Machine> {
  const module = await WebAssembly.compile((await readAsset('dist/kernels.wasm')) as Uint8Array<ArrayBuffer>)
  const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared: true })
  const instance = await WebAssembly.instantiate(module, { env: { memory, abort: () => {} } })
  const kernels = instance.exports as unknown as Machine['kernels']
  const heapBase = (instance.exports.heapBase as () => number)()
  return { module, memory, kernels, heapBase, cursor: new Int32Array(new SharedArrayBuffer(8)), workers: [] }
}

/** What a worker runs: take chunks until none is left, then say so. */
const workerSource = `
let kernels, cursor
receive(async (message) => {
  if (message.module) {
    cursor = message.cursor
    kernels = WebAssembly.instantiate(message.module, { env: { memory: message.memory, abort() {} } }).then((i) => i.exports)
    return
  }
  const { kernel, count, chunk, args } = message
  const run = (await kernels)[kernel]
  for (;;) {
    const start = Atomics.add(cursor, 0, 1) * chunk
    if (start >= count) break
    run(start, Math.min(count, start + chunk), ...args)
  }
  send('done')
})
`

function openArena(machine: Machine, signal?: AbortSignal): Arena {
  const { memory, kernels, cursor, workers } = machine
  let top = machine.heapBase

  const block = <T extends VoxelArray>(
    type: { new (buffer: ArrayBufferLike, offset: number, length: number): T; readonly BYTES_PER_ELEMENT: number },
    content: number | ArrayLike<number>,
  ): Block<T> => {
    const length = typeof content === 'number' ? content : content.length
    const ptr = (top + 15) & ~15
    const end = ptr + length * type.BYTES_PER_ELEMENT
    if (end > maximumPages * 65536) throw new RangeError('This image is too large for the 2 GB that kernels work in.')
    const missing = Math.ceil(end / 65536) - memory.buffer.byteLength / 65536
    // Grown by a quarter at least, so that many small blocks do not grow it many times.
    if (missing > 0) {
      const pages = memory.buffer.byteLength / 65536
      memory.grow(Math.min(maximumPages - pages, Math.max(missing, pages >> 2)))
    }
    top = end
    const view = () => new type(memory.buffer, ptr, length)
    if (typeof content === 'number') view().fill(0)
    else view().set(content)
    return { ptr, length, view, copy: () => view().slice() as T }
  }

  return {
    float32: (content) => block<Float32Array>(Float32Array as never, content),
    float64: (content) => block<Float64Array>(Float64Array as never, content),
    uint8: (content) => block<Uint8Array>(Uint8Array as never, content),
    int32: (content) => block<Int32Array>(Int32Array as never, content),
    async run(kernel, count, chunk, ...args) {
      signal?.throwIfAborted()
      const helpers = Math.min(threads - 1, Math.ceil(count / chunk) - 1)
      while (workers.length < helpers) workers.push(newWorker(machine))
      Atomics.store(cursor, 0, 0)
      const finished = workers.slice(0, helpers).map((worker) => {
        const done = pending.get(worker)!.wait()
        worker.hold(true)
        worker.post({ kernel, count, chunk, args })
        return done
      })
      const work = kernels[kernel]
      for (;;) {
        const start = Atomics.add(cursor, 0, 1) * chunk
        if (start >= count) break
        work(start, Math.min(count, start + chunk), ...args)
      }
      await Promise.all(finished)
      for (const worker of workers.slice(0, helpers)) worker.hold(false)
    },
  }
}

/** What each worker will answer next. */
const pending = new Map<WorkerHandle, Answers>()

class Answers {
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}

  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }
  done(): void {
    this.#resolve()
  }
  failed(error: Error): void {
    this.#reject(error)
  }
}

function newWorker({ module, memory, cursor }: Machine): WorkerHandle {
  const worker = startWorker(workerSource)
  const answers = new Answers()
  pending.set(worker, answers)
  worker.onMessage(() => answers.done())
  worker.onError((error) => answers.failed(error))
  worker.post({ module, memory, cursor })
  return worker
}
