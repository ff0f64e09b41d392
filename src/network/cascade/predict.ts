import { Graph } from '../graph/graph.js'
import type { Weights } from '../initialise.js'
import { patchEdge, valverde } from '../networks/valverde.js'
import { softmax } from '../operators/index.js'
import { openSession, type SessionOptions } from '../runtime.js'
import type { NetworkScan } from '../scan.js'
import { candidates, patchSize, readPatch } from './samples.js'

export type Stage = 'first' | 'second'

export interface CascadePredictOptions extends SessionOptions {
  features: readonly number[]
  /** Each with the weights of both networks. */
  weights: readonly Weights[]
  /** Probability of the first network from which the second is asked. Default 0.8, as published. */
  sure?: number
  progress?(fraction: number): void
  signal?: AbortSignal
}

/**
 * Probability of lesion on a scan's grid: the second network's where the first is sure, else 0; the mean over the models of
 * an ensemble.
 */
export async function predictCascade(scan: NetworkScan, options: CascadePredictOptions): Promise<Float32Array> {
  const { weights, sure = 0.8, progress } = options
  const sum = new Float32Array(scan.brain.length)
  const voxels = candidates(scan)
  for (const [i, member] of weights.entries()) {
    const part = (from: number, share: number) => (fraction: number) =>
      progress?.((i + from + share * fraction) / weights.length)
    const first = await classify(scan, voxels, 'first', member, { ...options, progress: part(0, 0.8) })
    const left = voxels.filter((_, at) => first[at] > sure)
    const second = await classify(scan, left, 'second', member, { ...options, progress: part(0.8, 0.2) })
    left.forEach((voxel, at) => {
      sum[voxel] += second[at] / weights.length
    })
  }
  return sum
}

const batch = 256

/** One network's probability of lesion at voxels of a scan. */
export async function classify(
  scan: NetworkScan,
  voxels: Uint32Array,
  stage: Stage,
  weights: Weights,
  options: Omit<CascadePredictOptions, 'weights' | 'sure'>,
): Promise<Float32Array> {
  const out = new Float32Array(voxels.length)
  const graph = new Graph(false)
  const channels = scan.channels.length
  const shape = [batch, channels, patchEdge, patchEdge, patchEdge]
  const logits = valverde(stage, { features: options.features })(graph, graph.input('image', shape))
  const session = await openSession(graph.model({ probability: softmax(graph, logits, 1) }, weights), options)
  const data = new Float32Array(batch * channels * patchSize)
  try {
    for (let from = 0; from < voxels.length; from += batch) {
      options.signal?.throwIfAborted()
      const part = voxels.subarray(from, from + batch)
      part.forEach((voxel, b) => {
        readPatch(scan, voxel, data.subarray(b * channels * patchSize, (b + 1) * channels * patchSize))
      })
      const { probability } = await session.run({ image: { data, shape } })
      for (let b = 0; b < part.length; b++) out[from + b] = probability[2 * b + 1]
      options.progress?.(Math.min(1, (from + batch) / voxels.length))
    }
  } finally {
    await session.close()
  }
  return out
}
