import { networkKinds } from '../../src/network/kinds.js'
import { loadModel } from '../../src/network/model.js'
import { ballPhantom } from '../network/training/phantoms.js'

/** What the page tells the test's server. */
export interface Answer {
  where: 'page'
  /** Of each kind of network: the probability at every voxel. */
  probabilities?: Record<string, number[]>
  /** What a page without onnxruntime-web is told. */
  without?: string
  error?: string
}

const answer: Answer = { where: 'page' }
try {
  const { card, weights } = await loadModel('multislice')
  const { kind, features } = card.network
  const phantom = ballPhantom('scan', 1, [2, 2, 2])
  // The images come from Node, as engines differ in the last bits of the cosines that draw noise.
  const values = new Float32Array(await (await fetch('/data/channels')).arrayBuffer())
  const count = phantom.brain.length
  const scan = { ...phantom, channels: phantom.channels.map((_, c) => values.subarray(c * count, (c + 1) * count)) }
  const predict = () => networkKinds[kind].predict(scan, { features, weights })
  answer.without = await predict().then(
    () => undefined,
    (error: Error) => error.message,
  )
  // From the test's server, as a page that uses the package loads it from its own.
  const from = '/ort/ort.wasm.min.mjs'
  const ort = await import(from)
  ort.env.wasm.wasmPaths = '/ort/'
  Object.assign(globalThis, { ort })
  answer.probabilities = { [kind]: Array.from(await predict()) }
} catch (error) {
  answer.error = error instanceof Error ? `${error.stack}` : String(error)
}
await fetch('/answer', { method: 'POST', body: JSON.stringify(answer) })
