import { now, readAsset, startWorker } from '../platform/index.js'
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
  | 'biasApply'
  | 'biasCentre'
  | 'diffuse'
  | 'edgeTensor'
  | 'edgeStep'
  | 'patchMoments'
  | 'nlmBlocks'
  | 'nlmVoxels'
  | 'nlmNoise'
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
  /**
   * Calls kernel(start, end, ...args) over chunks of `count` items, on all threads; stops between runs when cancelled.
   * Settles when every thread is at rest; what a kernel throws on any of them is thrown here.
   */
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
    started ??= start().catch((error) => {
      // A file that could not be loaded may be there the next time.
      started = undefined
      throw error
    })
    return await body(openArena(await started, signal))
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
  /** The next chunk, shared with the workers. */
  cursor: Int32Array
  workers: Helper[]
}

/** 2 GB: addresses stay positive as signed 32-bit numbers, and no step needs more. */
const maximumPages = 32768

async function start(): Promise<Machine> {
  if (typeof SharedArrayBuffer === 'undefined')
    throw new Error('The kernels need shared memory: the page has to be cross-origin isolated.')
  const module = await WebAssembly.compile((await readAsset('dist/kernels.wasm')) as Uint8Array<ArrayBuffer>)
  const memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages, shared: true })
  const instance = await WebAssembly.instantiate(module, { env: { memory, abort: () => {} } })
  const kernels = instance.exports as unknown as Machine['kernels']
  const heapBase = (instance.exports.heapBase as () => number)()
  return { module, memory, kernels, heapBase, cursor: new Int32Array(new SharedArrayBuffer(4)), workers: [] }
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
  try {
    const run = (await kernels)[kernel]
    for (;;) {
      const start = Atomics.add(cursor, 0, 1) * chunk
      if (start >= count) break
      run(start, Math.min(count, start + chunk), ...args)
    }
    send(undefined)
  } catch (error) {
    send(String(error))
  }
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
      await breathe()
      signal?.throwIfAborted()
      // Without this a chunk of nothing would be taken again and again.
      if (!(count >= 0 && chunk >= 1)) throw new RangeError(`${kernel}: ${count} items in chunks of ${chunk}.`)
      const helpers = Math.min(threads - 1, Math.ceil(count / chunk) - 1)
      while (workers.length < helpers) workers.push(newHelper(machine))
      Atomics.store(cursor, 0, 0)
      const finished = workers.slice(0, helpers).map((helper) => helper.run({ kernel, count, chunk, args }))
      // Workers may still write to the arena when this thread fails, or another of them: all are waited for.
      const own = Promise.resolve().then(() => {
        const work = kernels[kernel]
        for (;;) {
          const start = Atomics.add(cursor, 0, 1) * chunk
          if (start >= count) break
          work(start, Math.min(count, start + chunk), ...args)
        }
      })
      for (const end of await Promise.allSettled([own, ...finished])) if (end.status === 'rejected') throw end.reason
    },
  }
}

/**
 * Lets timers and messages have their turn now and then: without workers nothing here would, and a cancel would come
 * too late.
 */
async function breathe(): Promise<void> {
  if (now() - breathed < 100) return
  await new Promise((resolve) => setTimeout(resolve))
  breathed = now()
}
let breathed = 0

/** A worker and what it will answer next. */
interface Helper {
  /** Works on chunks until none is left. */
  run(message: { kernel: KernelName; count: number; chunk: number; args: number[] }): Promise<void>
}

function newHelper({ module, memory, cursor, workers }: Machine): Helper {
  const worker = startWorker(workerSource)
  let settle = (_error?: Error) => {}
  const helper: Helper = {
    async run(message) {
      worker.hold(true)
      try {
        await new Promise<void>((resolve, reject) => {
          settle = (error) => (error ? reject(error) : resolve())
          worker.post(message)
        })
      } finally {
        worker.hold(false)
      }
    },
  }
  worker.onMessage((error) => settle(typeof error === 'string' ? new Error(error) : undefined))
  worker.onError((error) => {
    // The thread itself is lost; the next run starts another.
    workers.splice(workers.indexOf(helper), 1)
    worker.stop()
    settle(error)
  })
  worker.post({ module, memory, cursor })
  return helper
}
