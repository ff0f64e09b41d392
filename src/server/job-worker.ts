// A process of its own for one job of the server: segments the images and prints its progress, a JSON value a line.
import { LesionwiseError } from '../errors.js'
import { segment } from '../run/segment.js'
import type { JobRequest } from './jobs-api.js'

/** What the process is told, as JSON in its only argument. */
export interface JobTask {
  /** Paths by role. */
  images: Record<string, string>
  request: JobRequest
  out: string
  threads?: number
}

const parent = process.ppid
const stop = new AbortController()
process.on('SIGINT', () => {})
process.on('SIGTERM', () => stop.abort())
// A killed server leaves nobody to work for; the next one begins the job anew in a folder of its own.
setInterval(() => {
  if (process.ppid !== parent) process.exit(1)
}, 500).unref()

try {
  const { images, request, out, threads } = JSON.parse(process.argv[2]) as JobTask
  const { name: _, ...settings } = request
  let last = ''
  await segment({
    ...settings,
    ...images,
    ...{ out, threads, signal: stop.signal },
    onProgress({ stage, fraction }) {
      const line = JSON.stringify({ stage, fraction: Math.round(100 * fraction) / 100 })
      if (line !== last) process.stdout.write(`${line}\n`)
      last = line
    },
  })
} catch (error) {
  process.stderr.write(`lesionwise: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`)
  process.exitCode = error instanceof LesionwiseError ? error.exitCode : 1
}
