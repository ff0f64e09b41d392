import type { Graph, Value } from '../graph/graph.js'
import { unet } from './unet.js'

/**
 * The 2-D U-Net as published (Ronneberger, Fischer & Brox 2015): convolutions without padding, 572² pixels to 388²,
 * 31,030,658 weights with one channel and two classes.
 */
export const unet2dPublished =
  (classes = 2, features: readonly number[] = [64, 128, 256, 512, 1024]) =>
  (graph: Graph, image: Value): Value =>
    unet(graph, image, { features, classes, dimensions: 2, normalisation: 'none', padding: 'valid', dropout: 0.5 })

/**
 * The 3-D U-Net as published (Çiçek et al. 2016): batch normalisation, channels doubled before pooling, 132×132×116 voxels
 * to 44×44×28, 19,075,523 weights with three channels and three classes.
 */
export const unet3dPublished =
  (classes = 3, features: readonly number[] = [64, 128, 256, 512]) =>
  (graph: Graph, image: Value): Value =>
    unet(graph, image, {
      features,
      classes,
      dimensions: 3,
      normalisation: 'batch',
      padding: 'valid',
      convBias: true,
      first: (width) => Math.max(1, width >> 1),
    })

/**
 * The 3-D U-Net that is trained here: padded, instance normalisation so that a batch of two is enough, leaky ReLU, one
 * logit. `[batch, channels, z, y, x]`, sizes multiples of `2^(levels - 1)`, to `[batch, 1, z, y, x]`; 85,553 weights with two
 * channels and three levels from 8.
 */
export const unet3d =
  (features: readonly number[] = [8, 16, 32], { recompute = false } = {}) =>
  (graph: Graph, image: Value): Value =>
    unet(graph, image, {
      features,
      recompute,
      classes: 1,
      dimensions: 3,
      normalisation: 'instance',
      convBias: true,
      slope: 0.01,
    })
