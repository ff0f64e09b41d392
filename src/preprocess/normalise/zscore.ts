import { type Vec3, voxelSizes } from '../../volume/affine.js'
import { percentiles } from '../../volume/histogram.js'
import { emptyMask, type Image, type Mask } from '../../volume/volume.js'
import { isSpread, moments, type Normalised, regionOf, shiftedAndScaled } from './scaled.js'

export type ZscoreOptions =
  /** `basic`: mean and standard deviation. `robust`: median and 1.4826 · median absolute deviation. */
  | { variant: 'basic' | 'robust' }
  /** Mean and standard deviation over the brain without its rim and without what is dark on FLAIR. */
  | { variant: 'flair-trimmed'; flair: Image }

/**
 * (value − centre) / spread of a region: the mask, or with `flair-trimmed` the region of Sweeney et al. 2013 (OASIS). For
 * normal-appearing white matter (Sweeney et al. 2013, SuBLIME) give its mask and `basic`. Lesions widen the standard
 * deviation, so that `basic` depends on their load; `robust` hardly does. Variants are different scales: a model trained
 * on one does not fit another.
 */
export function zscore(image: Image, mask: Mask, options: ZscoreOptions): Normalised {
  const said: string[] = []
  let inside = mask
  if (options.variant === 'flair-trimmed') {
    inside = flairTrimmedRegion(options.flair, mask)
    if (!inside.data.some((v) => v !== 0)) {
      said.push('Nothing is left of the brain after trimming: the whole mask was used.')
      inside = mask
    }
  }
  const { region, voxels } = regionOf(image, inside, said)
  if (voxels === 0) return { image, figures: { voxels: 0 }, said: [...said, 'The image has no values.'] }
  const plain = moments(image, region)
  let { mean: centre, sd: spread } = plain
  if (options.variant === 'robust') {
    const found = medianAndDeviation(image, region)
    centre = found.median
    if (isSpread(found.deviation, found.median)) spread = found.deviation
    else if (isSpread(plain.sd, plain.mean))
      said.push('Half of the voxels share one value: the standard deviation was used for the spread.')
  }
  if (!isSpread(spread, centre)) {
    said.push('The image is constant: it was shifted only.')
    spread = 1
  }
  return { image: shiftedAndScaled(image, centre, spread), figures: { mean: centre, sd: spread, voxels }, said }
}

/**
 * The brain mask less its rim (a box of 5 mm: five voxels of the 1 mm images of OASIS), and of that what is brighter on
 * FLAIR than its 15th percentile, so that fluid is left out (Sweeney et al. 2013, NeuroImage: Clinical 2:402).
 */
export function flairTrimmedRegion(flair: Image, mask: Mask): Mask {
  const size = voxelSizes(mask.affine)
  const inner = erodeBox(mask, size.map((mm) => Math.round(2 / mm)) as unknown as Vec3)
  const { data } = inner
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(flair.data[i])) data[i] = 0
  const [cut] = percentiles(flair, [15], inner)
  for (let i = 0; i < data.length; i++) if (!(flair.data[i] > cut)) data[i] = 0
  return inner
}

function medianAndDeviation(image: Image, region: Mask): { median: number; deviation: number } {
  const [median] = percentiles(image, [50], region)
  const [mad] = percentiles({ ...image, data: image.data.map((v) => Math.abs(v - median)) }, [50], region)
  return { median, deviation: 1.4826 * mad }
}

/** Keeps voxels whose neighbours within `steps` along each axis all lie in the mask; the volume's border is no border. */
function erodeBox(mask: Mask, steps: Vec3): Mask {
  const out = emptyMask(mask)
  out.data.set(mask.data)
  let stride = 1
  for (const axis of [0, 1, 2]) {
    const from = out.data.slice()
    const n = mask.dims[axis]
    for (let at = 0; at < from.length; at++) {
      const place = Math.floor(at / stride) % n
      const [first, last] = [Math.max(-steps[axis], -place), Math.min(steps[axis], n - 1 - place)]
      for (let d = first; d <= last; d++) if (from[at + d * stride] === 0) out.data[at] = 0
    }
    stride *= n
  }
  return out
}
