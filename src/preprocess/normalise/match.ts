import { histogram } from '../../volume/histogram.js'
import { type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { piecewiseLinear } from './piecewise.js'
import { moments, type Normalised, regionOf, shiftedAndScaled } from './scaled.js'

/**
 * Maps an image's quantiles onto those of a reference: least and greatest value and `points` quantiles between, from
 * histograms of `levels` bins, linear in between (Nyúl et al. 2000, in the form of the Insight Toolkit). Where a mask is
 * missing, the voxels above the image's mean stand for the head, as there. For the two visits of one patient.
 */
export function matchHistogram(
  source: Image,
  reference: Image,
  masks: { source?: Mask; reference?: Mask } = {},
  { levels = 1024, points = 7 }: { levels?: number; points?: number } = {},
): Normalised {
  const said: string[] = []
  const from = quantiles(source, masks.source, levels, points, said)
  const to = quantiles(reference, masks.reference, levels, points, said)
  if (from === undefined || to === undefined)
    return { image: source, figures: {}, said: [...said, 'An image has no values: nothing was matched.'] }
  const figures = { low: from[0], high: from[points + 1], referenceLow: to[0], referenceHigh: to[points + 1] }
  const mapped = piecewiseLinear(source, from, to)
  if (mapped) return { image: mapped, figures, said }
  said.push("The image is constant: it was shifted to the reference's median.")
  return { image: shiftedAndScaled(source, from[0] - to[(points + 1) >> 1], 1), figures, said }
}

/** Least value, the quantiles 1 / (points + 1), …, and the greatest value. */
function quantiles(
  image: Image,
  mask: Mask | undefined,
  levels: number,
  points: number,
  said: string[],
): number[] | undefined {
  const { region, voxels } = regionOf(image, mask ?? aboveMean(image), said)
  if (voxels === 0) return undefined
  const { counts, width } = histogram(image, { bins: levels, mask: region })
  let [least, greatest] = [Infinity, -Infinity]
  for (let i = 0; i < image.data.length; i++)
    if (region.data[i] !== 0) {
      least = Math.min(least, image.data[i])
      greatest = Math.max(greatest, image.data[i])
    }
  if (least === greatest) return new Array<number>(points + 2).fill(least)
  const out = [least]
  let [bin, before] = [0, 0]
  for (let point = 1; point <= points; point++) {
    const wanted = (point * voxels) / (points + 1)
    while (bin < levels - 1 && before + counts[bin] < wanted) before += counts[bin++]
    out.push(least + width * (bin + Math.min(1, (wanted - before) / Math.max(1, counts[bin]))))
  }
  return [...out, greatest]
}

function aboveMean(image: Image): Mask {
  const { dims, affine, data } = image
  const finite = maskWhere({ dims, affine, data }, Number.isFinite)
  const { mean } = moments(image, finite)
  return maskWhere({ dims, affine, data }, (v) => v > mean)
}
