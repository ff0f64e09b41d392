import { percentiles } from '../../volume/histogram.js'
import type { Image, Mask } from '../../volume/volume.js'
import { isSpread, type Normalised, regionOf, shiftedAndScaled } from './scaled.js'

/**
 * Puts the `low`th and `high`th percentile of the mask at 0 and 1. What lies beyond goes below 0 and above 1, so that
 * bright lesions keep their contrast.
 */
export function percentileScale(
  image: Image,
  mask: Mask,
  { low = 1, high = 99 }: { low?: number; high?: number } = {},
): Normalised {
  if (!(low < high)) throw new RangeError('percentileScale: low must be below high.')
  const said: string[] = []
  const { region, voxels } = regionOf(image, mask, said)
  if (voxels === 0) return { image, figures: { voxels }, said: [...said, 'The image has no values.'] }
  const [bottom, top] = percentiles(image, [low, high], region)
  const figures = { low: bottom, high: top, voxels }
  if (isSpread(top - bottom, top)) return { image: shiftedAndScaled(image, bottom, top - bottom), figures, said }
  said.push('The image is constant between the two percentiles: it was shifted only.')
  return { image: shiftedAndScaled(image, bottom, 1), figures, said }
}
