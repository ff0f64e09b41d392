import type { Graph, Value } from '../graph/graph.js'
import { heNormal, zeros } from '../initialise.js'
import { dense, dropout, maxPool, prelu, relu, reshape } from '../operators/index.js'
import { convLayer, normLayer } from './unet.js'

/** Edge of the patches, voxels; the voxel in the middle is the one that is classified. */
export const patchEdge = 11

export interface ValverdeOptions {
  /** Channels of the two convolution stages; the dense layers have 4, 2 and 1 times the last. */
  features?: readonly number[]
  /**
   * `2017`: one convolution a stage, ReLU, one dense layer (189,154 weights with two channels); `2019`: the toolbox since,
   * two convolutions a stage, PReLU, three dense layers (368,450 without the slopes of the PReLUs).
   */
  version?: '2017' | '2019'
}

/**
 * One network of the cascade of Valverde et al. (2017, 2019): `[batch, channels, 11, 11, 11]` to logits `[batch, 2]`, not
 * lesion and lesion.
 */
export const valverde =
  (name: string, { features = [32, 64], version = '2019' }: ValverdeOptions = {}) =>
  (graph: Graph, image: Value): Value => {
    const toolbox = version === '2019'
    const activate = (of: string, v: Value) =>
      toolbox
        ? prelu(graph, v, graph.parameter(`${name}.${of}.slope`, [v.shape[1]], zeros, { decays: false }))
        : relu(graph, v)
    let y = image
    features.forEach((out, stage) => {
      for (let i = 0; i < (toolbox ? 2 : 1); i++) {
        const conv = `conv${stage + 1}_${i + 1}`
        y = convLayer(graph, `${name}.${conv}`, y, { out, kernel: [3, 3, 3] })
        y = activate(conv, normLayer(graph, `${name}.${conv}.norm`, y, 'batch'))
      }
      y = maxPool(graph, y, 2)
    })
    const [batch, ...rest] = y.shape
    y = reshape(graph, y, [batch, rest.reduce((a, b) => a * b, 1)])
    const last = features[features.length - 1]
    const widths = toolbox ? [4 * last, 2 * last, last] : [4 * last]
    widths.forEach((width, i) => {
      y = activate(`d${i + 1}`, denseLayer(graph, `${name}.d${i + 1}`, dropout(graph, y, 0.5), width))
    })
    return denseLayer(graph, `${name}.out`, y, 2)
  }

function denseLayer(graph: Graph, name: string, x: Value, out: number): Value {
  const weight = graph.parameter(`${name}.weight`, [out, x.shape[1]], heNormal(x.shape[1]))
  return dense(graph, x, weight, graph.parameter(`${name}.bias`, [out], zeros, { decays: false }))
}
