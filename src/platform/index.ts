/**
 * The few things that Node and the browser do differently. `./node.js` is the Node side; a bundler for the browser
 * takes `./browser.js` in its place (package.json, `browser`). Both export the same names.
 */

export {
  coreCount,
  gunzip,
  gunzipStart,
  gzip,
  loadOnnxRuntime,
  now,
  peakMegabytes,
  readAsset,
  readLocal,
  runtime,
  sha256,
  startWorker,
} from './node.js'
export type { OnnxRuntime, OnnxSession, WorkerHandle } from './types.js'
