import { gaussian as blur, gaussianInMask } from '../../volume/filter.js'
import type { Image, Mask } from '../../volume/volume.js'

export type GaussianOptions = {
  /** Smooth only what lies inside, as if there were nothing outside; outside the result is 0. */
  mask?: Mask
} & ({ sigmaMm: number } | { fwhmMm: number })

/**
 * Gaussian low-pass filter of standard deviation `sigmaMm`, or of full width at half maximum `fwhmMm`; both in mm.
 *
 * @throws RangeError when the width is not above 0
 */
export async function gaussian(image: Image, options: GaussianOptions): Promise<Image> {
  const sigma = 'sigmaMm' in options ? options.sigmaMm : options.fwhmMm / Math.sqrt(8 * Math.log(2))
  if (!(sigma > 0)) throw new RangeError(`The width of a Gaussian must be above 0 mm, not ${sigma}.`)
  return options.mask ? await gaussianInMask(image, options.mask, sigma) : await blur(image, sigma)
}
