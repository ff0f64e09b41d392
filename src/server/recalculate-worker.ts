// A process of its own that makes volumes, locations and report of one corrected mask.
import { readFile } from 'node:fs/promises'
import { LesionwiseError } from '../errors.js'
import type { SegmentOptions } from '../run/options.js'
import { segment } from '../run/segment.js'

/** What the process is told, in the JSON file that its only argument names. */
export type RecalculationTask = Pick<SegmentOptions, 'flair' | 't1' | 'lesionMask' | 'out' | 'work' | 'chosenLocations'>

const stop = new AbortController()
process.on('SIGINT', () => {})
process.on('SIGTERM', () => stop.abort())

try {
  const task = JSON.parse(await readFile(process.argv[2], 'utf8')) as RecalculationTask
  await segment({ ...task, signal: stop.signal })
} catch (error) {
  process.stderr.write(`lesionwise: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`)
  process.exitCode = error instanceof LesionwiseError ? error.exitCode : 1
}
