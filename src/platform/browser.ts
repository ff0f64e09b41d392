import type { WorkerHandle } from './types.js'

export const runtime = (): string => 'browser'

export const now = (): number => performance.now()

/** A page cannot read its memory reliably. */
export const peakMegabytes = (): number => 0

export const coreCount = (): number => navigator.hardwareConcurrency ?? 1

/** A file of this package; the page serves the package's `assets` and `dist` beside its scripts. */
export async function readAsset(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok) throw new Error(`${path} could not be loaded (${response.status})`)
  return new Uint8Array(await response.arrayBuffer())
}

export const gzip = (bytes: Uint8Array, _level = 6): Promise<Uint8Array> =>
  through(bytes, new CompressionStream('gzip'))

export const gunzip = (bytes: Uint8Array): Promise<Uint8Array> => through(bytes, new DecompressionStream('gzip'))

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
    onError: (listener) => worker.addEventListener('error', ({ message }) => listener(new Error(message))),
    hold: () => {},
    stop: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}
