import { percentiles } from '../../volume/histogram.js'
import type { Image, Mask } from '../../volume/volume.js'
import { piecewiseLinear } from './piecewise.js'
import { isSpread, type Normalised, regionOf, shiftedAndScaled } from './scaled.js'

/** A standard scale of one contrast: plain JSON, which loses nothing. */
export interface NyulScale {
  /** Percentages of the landmarks, ascending. */
  percentages: number[]
  /** Where each landmark lies on the standard scale. */
  values: number[]
  /** Images it was learned from. */
  images: number
}

export interface NyulOptions {
  /** Percentages of the landmarks, ascending; `[1, 50, 99]` gives the form with the median alone. */
  percentages?: readonly number[]
  /** Where the first and last landmark go. */
  range?: readonly [number, number]
}

/**
 * Learns where the histogram's landmarks lie on average: each image's first and last are put at the ends of `range`,
 * the others follow linearly, and the mean over the images is the standard scale (Nyúl and Udupa 1999; Nyúl et al. 2000,
 * IEEE TMI 19:143). Give at least five images of one contrast, stripped alike; lesions shift the upper landmarks of
 * FLAIR, so leave them out of the masks where they are known. Constant images are left out.
 *
 * @throws RangeError where no image varies within its mask, or the percentages do not ascend
 */
export function trainNyul(images: readonly Image[], masks: readonly Mask[], options: NyulOptions = {}): NyulScale {
  const { percentages = [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99], range: [low, high] = [1, 100] } = options
  if (percentages.length < 2 || percentages.some((p, i) => i > 0 && !(p > percentages[i - 1])))
    throw new RangeError('trainNyul: percentages must be two or more and ascend.')
  if (masks.length !== images.length) throw new RangeError('trainNyul: one mask for each image.')
  const values = percentages.map(() => 0)
  let used = 0
  images.forEach((image, n) => {
    const found = percentiles(image, percentages, regionOf(image, masks[n], []).region)
    const [first, last] = [found[0], found[found.length - 1]]
    if (!isSpread(last - first, last)) return
    used++
    found.forEach((value, i) => {
      values[i] += low + ((value - first) * (high - low)) / (last - first)
    })
  })
  if (used === 0) throw new RangeError('trainNyul: no image varies within its mask.')
  return { percentages: [...percentages], values: values.map((sum) => sum / used), images: used }
}

/** Maps the landmarks of an image onto the standard scale, linearly in between, with the end slopes beyond. */
export function applyNyul(image: Image, mask: Mask, { percentages, values }: NyulScale): Normalised {
  const said: string[] = []
  const { region, voxels } = regionOf(image, mask, said)
  if (voxels === 0) return { image, figures: { voxels }, said: [...said, 'The image has no values.'] }
  const landmarks = percentiles(image, percentages, region)
  const figures: Record<string, number> = { voxels }
  percentages.forEach((p, i) => {
    figures[`p${p}`] = landmarks[i]
  })
  const mapped = piecewiseLinear(image, landmarks, values)
  if (mapped) return { image: mapped, figures, said }
  said.push('The image is constant: it was shifted to the middle of the scale.')
  const middle = (values[0] + values[values.length - 1]) / 2
  return { image: shiftedAndScaled(image, landmarks[0] - middle, 1), figures, said }
}
