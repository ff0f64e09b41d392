import { Graph } from '../graph/graph.js'
import type { Weights } from '../initialise.js'
import { unet3d } from '../networks/unet3d.js'
import { openSession, type SessionOptions } from '../runtime.js'
import type { NetworkScan } from '../scan.js'
import { type SlidingOptions, slideWindows } from '../sliding.js'

export interface CubePredictOptions extends SessionOptions, SlidingOptions {
  features: readonly number[]
  weights: readonly Weights[]
  /** Edge of the windows, voxels. Default 64: what fits in 3 GB with five levels. */
  size?: number
}

/**
 * Probability of lesion in a scan of 1 mm voxels, 0–1, by windows that overlap by half: logits averaged over windows,
 * mirror images (left-right) and the models of an ensemble; 0 outside the brain.
 */
export async function predictCubes(scan: NetworkScan, options: CubePredictOptions): Promise<Float32Array> {
  const { features, weights, size = 64, progress } = options
  const [nx, ny, nz] = scan.dims
  const graph = new Graph(false)
  const shape = [1, scan.channels.length, size, size, size]
  const outputs = { logits: unet3d(features)(graph, graph.input('image', shape)) }
  const sum = new Float32Array(nx * ny * nz)
  for (const [i, member] of weights.entries()) {
    const session = await openSession(graph.model(outputs, member), options)
    const into = { logits: { data: new Float32Array(size ** 3), shape: [1, 1, size, size, size] } }
    try {
      await slideWindows(
        { shape: [nz, ny, nx], channels: scan.channels },
        { patch: [size, size, size], mirrorAxes: [2], share: 1 / weights.length },
        async (window) => (await session.run({ image: { data: window, shape } }, into)).logits,
        [sum],
        { ...options, progress: (fraction) => progress?.((i + fraction) / weights.length) },
      )
    } finally {
      await session.close()
    }
  }
  return sum.map((logit, i) => (scan.brain[i] ? 1 / (1 + Math.exp(-logit)) : 0))
}
