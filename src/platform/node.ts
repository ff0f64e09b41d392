import { constants as bufferConstants } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { constants, createGunzip, gunzip as gunzipCallback, gzip as gzipCallback } from 'node:zlib'
import type { OnnxRuntime, WorkerHandle } from './types.js'

/** Name and version of what runs the code, e.g. `node 20.20.2`. */
export const runtime = (): string => `node ${process.versions.node}`

/** Milliseconds of a clock that never goes back. */
export const now = (): number => performance.now()

/** Highest memory (resident set) of this process so far, in MB. */
export const peakMegabytes = (): number => Math.round(process.resourceUsage().maxRSS / 1024)

export const coreCount = (): number => availableParallelism()

/** A file of this package, by its path from the package's root: `assets/…` or `dist/…`. */
export async function readAsset(path: string): Promise<Uint8Array> {
  return await readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)))
}

/** A file of the user's, by its path. */
export async function readLocal(path: string): Promise<Uint8Array> {
  return await readFile(path)
}

/** @param level 1 fast … 9 small */
export async function gzip(bytes: Uint8Array, level = 6): Promise<Uint8Array> {
  return await promisify(gzipCallback)(bytes, { level })
}

/**
 * @param most bytes that it may unpack to: a small file may hold gigabytes
 * @throws Error when the bytes are not gzip, are damaged, end too early, or unpack to more than `most`
 */
export async function gunzip(bytes: Uint8Array, most: number = bufferConstants.MAX_LENGTH): Promise<Uint8Array> {
  return await promisify(gunzipCallback)(bytes, {
    finishFlush: constants.Z_FINISH,
    maxOutputLength: Math.min(most, bufferConstants.MAX_LENGTH),
  })
}

/** The first `n` unpacked bytes, or all where there are fewer. @throws Error when the bytes are not gzip or are damaged there */
export async function gunzipStart(bytes: Uint8Array, n: number): Promise<Uint8Array> {
  const stream = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
  stream.end(bytes)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    parts.push(part)
    size += part.length
    if (size >= n) break
  }
  return new Uint8Array(Buffer.concat(parts).subarray(0, n))
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Starts a thread from the text of a script. In the script, `receive(f)` hands over incoming messages and
 * `send(message)` answers. The thread does not keep the process alive.
 */
export function startWorker(source: string): WorkerHandle {
  const prelude =
    "const { parentPort } = require('node:worker_threads'); const receive = (f) => parentPort.on('message', f); const send = (m) => parentPort.postMessage(m);\n"
  // Without this process's options: a loader or `--input-type` is not meant for a script of this kind.
  const worker = new Worker(prelude + source, { eval: true, execArgv: [] })
  worker.unref()
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => {
      worker.on('message', listener)
      // A message listener would hold the process open.
      worker.unref()
    },
    hold: (on) => (on ? worker.ref() : worker.unref()),
    onError: (listener) => worker.on('error', listener),
    stop: () => void worker.terminate(),
  }
}

/** @throws Error when onnxruntime-node is not installed or has no build for this machine */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    return await import('onnxruntime-node')
  } catch (error) {
    throw new Error(
      `onnxruntime-node is not available here; networks need it: npm install onnxruntime-node@1.30.0 (${(error as Error).message.split('\n')[0]})`,
    )
  }
}
