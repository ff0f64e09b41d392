import type { Graph, Value } from '../graph/graph.js'
import { unet } from './unet.js'

/** The 2-D U-Net that comes with the package: `[batch, channels, height, width]`, sizes multiples of 16, to logits `[batch, 1, height, width]`. */
export const multiplaneUnet =
  (features: readonly number[] = [16, 32, 64, 96, 128], { recompute = false } = {}) =>
  (graph: Graph, image: Value): Value =>
    unet(graph, image, { features, recompute, classes: 1, dimensions: 2, normalisation: 'batch', slope: 0.01 })
