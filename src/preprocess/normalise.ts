import type { Modality } from '../volume/study.js'
import { type Image, type Mask, sameGrid } from '../volume/volume.js'
import { matchHistogram } from './normalise/match.js'
import { applyNyul, type NyulScale } from './normalise/nyul.js'
import { percentileScale } from './normalise/percentile.js'
import type { Normalised } from './normalise/scaled.js'
import { whiteStripe } from './normalise/white-stripe.js'
import { zscore } from './normalise/zscore.js'

export { matchHistogram } from './normalise/match.js'
export { applyNyul, type NyulOptions, type NyulScale, trainNyul } from './normalise/nyul.js'
export { percentileScale } from './normalise/percentile.js'
export type { Normalised } from './normalise/scaled.js'
export { type StripeResult, whiteStripe } from './normalise/white-stripe.js'
export { flairTrimmedRegion, zscore } from './normalise/zscore.js'

export const normaliseMethods = ['zscore', 'zscore-robust', 'white-stripe', 'percentile', 'nyul', 'match'] as const

export interface NormaliseOptions {
  method: (typeof normaliseMethods)[number]
  /** The standard scale of this contrast; `nyul` needs it. */
  nyul?: NyulScale
  /** What to match the histogram to, with its brain mask; `match` needs it. */
  reference?: { image: Image; mask: Mask }
}

/**
 * Brings an image's intensities to a common scale, by what it shows within `mask`. Voxels outside the mask are carried
 * along by the same function; voxels that are not finite stay as they are. An empty mask, a constant image, or a white
 * stripe that cannot be found do not stop it: it falls back to what can be done and says so in `said`.
 *
 * @param mask the brain, on the grid of `image`
 * @throws RangeError where grids differ, or `nyul` or `reference` is missing for its method
 */
export function normalise(image: Image, modality: Modality, mask: Mask, options: NormaliseOptions): Normalised {
  if (!sameGrid(image, mask)) throw new RangeError('normalise: image and mask must share one grid.')
  const { method, nyul, reference } = options
  if (method === 'zscore') return zscore(image, mask, { variant: 'basic' })
  if (method === 'zscore-robust') return zscore(image, mask, { variant: 'robust' })
  if (method === 'percentile') return percentileScale(image, mask)
  if (method === 'white-stripe') {
    const { image: scaled, figures, said } = whiteStripe({ [modality]: image }, mask)[modality]!
    return { image: scaled, figures, said }
  }
  if (method === 'nyul') {
    if (nyul === undefined) throw new RangeError('normalise: the method nyul needs a trained scale.')
    return applyNyul(image, mask, nyul)
  }
  if (reference === undefined) throw new RangeError('normalise: the method match needs a reference image.')
  return matchHistogram(image, reference.image, { source: mask, reference: reference.mask })
}
