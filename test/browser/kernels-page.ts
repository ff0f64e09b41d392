import { phantomGrid } from '../phantom.js'
import { type Results, results } from './steps.js'

/** What a page, or a worker of the page, tells the test's server. */
export interface Answer {
  where: 'page' | 'worker'
  isolated: boolean
  sharedMemory: boolean
  /** By number of threads. */
  results?: Record<number, Results>
  error?: string
}

const where = typeof document === 'undefined' ? 'worker' : 'page'
const answer: Answer = { where, isolated: crossOriginIsolated, sharedMemory: typeof SharedArrayBuffer !== 'undefined' }
try {
  // The images come from Node, as engines differ in the last bits of the cosines that draw noise.
  const load = async (name: string) => await (await fetch(`/data/${name}`)).arrayBuffer()
  const flair = { ...phantomGrid, data: new Float32Array(await load('flair')) }
  const t1 = { ...phantomGrid, data: new Float32Array(await load('t1')) }
  const brain = { ...phantomGrid, data: new Uint8Array(await load('brain')) }
  const threads = where === 'page' ? [1, 2] : [2]
  answer.results = {}
  for (const count of threads) answer.results[count] = await results(flair, t1, brain, count)
} catch (error) {
  answer.error = error instanceof Error ? `${error.stack}` : String(error)
}
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) })
if (where === 'page') new Worker('page.js', { type: 'module' })
