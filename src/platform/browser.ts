import type { OnnxRuntime, WorkerHandle } from './types.js'

/**
 * The browser's side. How a page has to be served:
 *
 * - Cross-origin isolated, as threads share memory: `Cross-Origin-Opener-Policy: same-origin` and
 *   `Cross-Origin-Embedder-Policy: require-corp` on the page and on every script and worker, over https or from
 *   localhost. `crossOriginIsolated` is then true; else there is no SharedArrayBuffer, and the kernels say so.
 * - The package's `dist/kernels.wasm` and `assets/` beside the page (beside the script, where the code runs in a worker
 *   of the page's own), as they are: the `.gz` files without `Content-Encoding`.
 * - For networks, onnxruntime-web loaded by the page or the worker beforehand, as the global `ort`.
 * - A Content-Security-Policy, where there is one, with `worker-src blob:` and `script-src 'wasm-unsafe-eval'`.
 *
 * The thread that calls takes its share of the work, so a page stays responsive when it calls from a worker of its own.
 * test/browser/ serves such a page.
 */

export const runtime = (): string => 'browser'

export const now = (): number => performance.now()

/** A page cannot read its memory reliably. */
export const peakMegabytes = (): number => 0

export const coreCount = (): number => navigator.hardwareConcurrency ?? 1

/** A file of this package, served beside the page or the worker's script. */
export async function readAsset(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, typeof document === 'undefined' ? location.href : document.baseURI))
  if (!response.ok) throw new Error(`${path} could not be loaded (${response.status})`)
  return new Uint8Array(await response.arrayBuffer())
}

/** A page has no files of the user's by path. */
export async function readLocal(path: string): Promise<Uint8Array> {
  throw new Error(`${path}: a page cannot read files by their path`)
}

export const gzip = (bytes: Uint8Array, _level = 6): Promise<Uint8Array> =>
  through(bytes, new CompressionStream('gzip'))

export async function gunzip(bytes: Uint8Array, most = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const plain = await unpacked(bytes, most + 1)
  if (plain.length > most) throw new RangeError(`It unpacks to more than ${most} bytes.`)
  return plain
}

export const gunzipStart = async (bytes: Uint8Array, n: number): Promise<Uint8Array> =>
  (await unpacked(bytes, n)).subarray(0, n)

/** Unpacks until at least `enough` bytes are there. */
async function unpacked(bytes: Uint8Array, enough: number): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'))
  const reader = stream.getReader()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  while (size < enough) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    size += value.length
  }
  await reader.cancel()
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const piped = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream)
  return new Uint8Array(await new Response(piped).arrayBuffer())
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function startWorker(source: string): WorkerHandle {
  const prelude = 'const receive = (f) => { onmessage = (e) => f(e.data) }; const send = (m) => postMessage(m);\n'
  const url = URL.createObjectURL(new Blob([prelude + source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    onError: (listener) =>
      worker.addEventListener('error', ({ message }) => listener(new Error(message || 'A worker could not start.'))),
    hold: () => {},
    stop: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}

/** @throws Error when the page has not loaded onnxruntime-web */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  const { ort } = globalThis as { ort?: OnnxRuntime }
  if (!ort) throw new Error('onnxruntime-web is not loaded; networks need it: load its script (global `ort`) first')
  return ort
}
