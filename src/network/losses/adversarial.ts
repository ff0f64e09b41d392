import type { Graph, Value } from '../graph/graph.js'
import { add, multiply, negate, softplus, subtract } from '../operators/index.js'
import { meanOf } from './common.js'
import { absoluteError } from './regression.js'

/** Losses of a discriminator's scores (logits, of any shape) on real and made images. */
export interface AdversarialLoss {
  discriminator(graph: Graph, real: Value, fake: Value): Value
  generator(graph: Graph, fake: Value): Value
}

/** Non-saturating loss (L16; Goodfellow et al. 2014): cross-entropy with 1 for real and 0 for made images. */
export const adversarial: AdversarialLoss = {
  discriminator: (graph, real, fake) =>
    add(graph, meanOf(graph, softplus(graph, negate(graph, real))), meanOf(graph, softplus(graph, fake))),
  generator: (graph, fake) => meanOf(graph, softplus(graph, negate(graph, fake))),
}

/** Least squares (L17; Mao et al. 2017). */
export const leastSquaresAdversarial: AdversarialLoss = {
  discriminator: (graph, real, fake) => add(graph, squareTo(graph, real, 1), squareTo(graph, fake, 0)),
  generator: (graph, fake) => squareTo(graph, fake, 1),
}

function squareTo(graph: Graph, x: Value, target: number): Value {
  const away = subtract(graph, x, target)
  return meanOf(graph, multiply(graph, away, away))
}

export interface Cycle {
  image: Value
  /** The image translated to the other domain and back. */
  back: Value
  /** The image given to the network whose outputs belong to the image's own domain, which should leave it alone. */
  kept?: Value
}

/** Cycle consistency `λ mean|back - image|` and identity `½ λ mean|kept - image|` (L18; Zhu et al. 2017). */
export function cycleConsistency(graph: Graph, { image, back, kept }: Cycle, lambda = 10): Value {
  const cycle = multiply(graph, absoluteError(graph, back, image), lambda)
  return kept ? add(graph, cycle, multiply(graph, absoluteError(graph, kept, image), lambda / 2)) : cycle
}
