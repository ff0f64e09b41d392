import { predictCascade } from './cascade/predict.js'
import { trainCascade } from './cascade/train.js'
import { type ChannelName, scoreChannels, tissueChannels } from './channels.js'
import type { FixedNetwork } from './config.js'
import { Graph, type Value } from './graph/graph.js'
import type { Weights } from './initialise.js'
import { multiplaneUnet } from './networks/multiplane.js'
import { unet3d } from './networks/unet3d.js'
import { patchEdge, valverde } from './networks/valverde.js'
import { sigmoid, softmax } from './operators/index.js'
import { predictCubes } from './patches/predict.js'
import { trainCubes } from './patches/train.js'
import { predictPlanes } from './planes/predict.js'
import { slicesWithin } from './planes/sample.js'
import { trainPlanes } from './planes/train.js'
import type { SessionOptions } from './runtime.js'
import type { LabelledScan, NetworkScan } from './scan.js'
import type { TrainingRun } from './training.js'

/** The kinds of networks that can be trained here: what they see, how they learn, how they label a scan. */

export interface PredictRun extends SessionOptions {
  features: readonly number[]
  weights: readonly Weights[]
  /** Average over the mirrored scan too; default true. The cascade has no such average. */
  mirror?: boolean
  progress?(fraction: number): void
  signal?: AbortSignal
}

export interface NetworkKind {
  title: string
  /** The method that runs it. */
  method: string
  /** Working grid of its scans. */
  grid: 'native' | 'isotropic-1mm'
  channels: readonly ChannelName[]
  /** The network at inference, of one sample: its outputs by name. */
  outputs(graph: Graph, features: readonly number[], size: number): Record<string, Value>
  train(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights>
  /** @returns probability of lesion, 0–1, on the scan's grid */
  predict(scan: NetworkScan, run: PredictRun): Promise<Float32Array>
}

export const networkKinds: Record<FixedNetwork, NetworkKind> = {
  'multiplane-unet': planes('Multi-plane 2-D U-Net', 0),
  'multislice-unet': planes('Multi-plane 2.5-D U-Net of three neighbouring slices', 1),
  unet3d: {
    title: '3-D U-Net',
    method: 'unet3d',
    grid: 'isotropic-1mm',
    channels: tissueChannels,
    outputs: (graph, features, size) => ({
      probability: sigmoid(
        graph,
        unet3d(features)(graph, graph.input('image', [1, tissueChannels.length, size, size, size])),
      ),
    }),
    train: trainCubes,
    predict: predictCubes,
  },
  valverde2017: {
    title: 'Cascade of two 3-D patch networks',
    method: 'valverde2017',
    grid: 'native',
    channels: scoreChannels,
    outputs(graph, features) {
      const patch = graph.input('image', [1, scoreChannels.length, patchEdge, patchEdge, patchEdge])
      const probability = (stage: 'first' | 'second') => softmax(graph, valverde(stage, { features })(graph, patch), 1)
      return { first: probability('first'), second: probability('second') }
    },
    train: trainCascade,
    predict: predictCascade,
  },
}

/** A U-Net of slices along every axis; it also sees `reach` slices on either side. */
function planes(title: string, reach: number): NetworkKind {
  const inputs = tissueChannels.length * slicesWithin(reach).length
  return {
    title,
    method: 'unet2d',
    grid: 'native',
    channels: tissueChannels,
    outputs: (graph, features, size) => ({
      probability: sigmoid(graph, multiplaneUnet(features)(graph, graph.input('image', [1, inputs, size, size]))),
    }),
    train: async (scans, run) => await trainPlanes(scans, run, reach),
    predict: async (scan, { features, mirror = true, ...run }) =>
      await predictPlanes(scan, {
        ...run,
        mirror,
        reach,
        build: multiplaneUnet(features),
        multiple: 2 ** (features.length - 1),
      }),
  }
}

/** Names and shapes of a kind's weights. */
export function declared(kind: FixedNetwork, features: readonly number[]): Graph {
  const graph = new Graph(false)
  networkKinds[kind].outputs(graph, features, 2 ** (features.length - 1))
  return graph
}
