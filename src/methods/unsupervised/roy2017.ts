import { z } from 'zod'
import type { Flag } from '../../errors.js'
import { type ClassFigure, classFigures } from '../../learn/class-figures.js'
import { medianInSlices, openSlices, type Slices, slicesOf } from '../../learn/slices.js'
import type { Vec3 } from '../../volume/affine.js'
import { keepComponents, keepLargerThan, labelComponents } from '../../volume/components.js'
import { distanceTo } from '../../volume/distance.js'
import { gaussian } from '../../volume/filter.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { type Channel, channelsFor } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked } from '../parameters.js'

/**
 * Slice by slice, what stands out from a background made from the slice itself by one threshold for the whole scan.
 *
 * Source: Roy et al. 2017, of which the highlights are public and the formulas are not: brain extraction, an adaptive
 * background, binarisation by a global threshold, prediction of slices and scans with lesions, segmentation. The rest is
 * a reconstruction. Steps: in-plane median → background from the neighbourhood in the slice → foreground G = what is
 * above it → threshold mean(G) + k·sd(G) in each bright contrast → implausible findings dropped → prediction.
 *
 * Departures:
 * - k is 2.5: what is known leaves it open;
 * - the background is the mean around, in the slice, of brain tissue without fluid and, in three rounds, without what
 *   stood out in the round before; an opening, as a background of bright spots is commonly made, is a choice
 *   (`background`): in real brains it falls to the level of the sulci and makes the whole cortex stand out
 *   (Dice 0.36, 0.49 and 0.12 on a scan of each of three centres; with the mean 0.74, 0.82 and 0.35);
 * - mean and sd of the foreground are taken without fluid, and without what stood out in the rounds before: either would
 *   inflate them. Contrasts are not stretched first: nothing that follows depends on their scale;
 * - a lesion must be brighter than grey matter too, and lie in the atlas's white matter, smoothed by a few millimetres:
 *   the cortex stands out from white matter around it in every slice;
 * - FLAIR stands in for a missing T2 or PD. It tells lesions from fluid, so that the rules on T1 (darker than white
 *   matter, brighter than fluid) hold only without it: on real scans many lesions are not dark on T1;
 * - beside FLAIR, T2 or PD must only be brighter than their own background, not by the threshold: asked for in both,
 *   half of the lesion voxels are lost;
 * - a scan is positive when any finding is left, and not by two neighbouring slices or a least volume of all: each
 *   finding has that volume by itself, and in thin slices spans two;
 * - where the lesions lie is left to the report, which describes every lesion.
 * Known weaknesses: confluent lesions that fill the neighbourhood raise their own background; small lesions on thick
 * slices (11 of 19 missed on one scan), where the fornix, the horns of the ventricles and cingulate cortex stand out as
 * much, and on thin ones pieces of insula and frontal cortex; without FLAIR, partial volume at the ventricles looks
 * like lesion in every contrast.
 */
export const roy2017 = defineMethod({
  id: 'roy2017',
  title: 'Adaptive background and global threshold, slice by slice',
  describe:
    'A background is made for each slice from the tissue around each voxel. What stands out from it by more than one threshold, the same for the whole scan, in every bright contrast (on FLAIR alone, where there is one) is a candidate. Candidates too small, thin as a thread, or at the brain’s border are dropped; a scan in which none is left is called negative.',
  use: {
    for: 'FLAIR of slices of any thickness, of focal lesions in white matter, when one threshold should explain every voxel.',
    not: 'Not for cortical or brainstem lesions, for small ones on thick slices, where more were missed than found, nor for confluent lesions wider than their surroundings. The fornix, horns of the ventricles, insula and cingulate cortex come in; without FLAIR it needs T1.',
  },
  citation: {
    text: 'Roy S, Bhattacharyya D, Bandyopadhyay SK, Kim T-H. An effective method for computerized prediction and segmentation of multiple sclerosis lesions in brain MRI. Computer Methods and Programs in Biomedicine 2017;140:307–320.',
    doi: '10.1016/j.cmpb.2017.01.003',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '2d',
  modalities: ['T1-w', 'T2-w', 'PD-w'],
  classifier: 'thresholding',
  needs: {
    contrasts: [['flair', 't1', 't2', 'pd'], ['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    k: z.number().min(0.5).max(10).default(2.5).describe('threshold: mean of the foreground plus this many of its sd'),
    background: z.enum(['mean', 'opening']).default('mean').describe('how the background is made from a slice'),
    backgroundSigma: z
      .number()
      .min(3)
      .max(50)
      .default(12)
      .describe('reach of the mean background in the slice, mm (Gaussian σ)'),
    backgroundRadius: z.number().min(2).max(30).default(9).describe('radius of the opening in the slice, mm'),
    median: z.number().min(0).max(5).default(1.5).describe('radius of the median filter in the slice, mm'),
    agree: z
      .number()
      .min(0)
      .max(10)
      .default(0)
      .describe('beside FLAIR: threshold in T2 or PD, mean of the foreground plus this many of its sd'),
    grey: z
      .number()
      .min(-10)
      .max(10)
      .default(1.5)
      .describe('a lesion is brighter than the median of grey matter by this many of its sd'),
    dark: z
      .number()
      .min(-10)
      .max(10)
      .default(1)
      .describe('without FLAIR: a lesion is darker than white matter on T1 by this many of its sd'),
    white: whiteAsked(0.6),
    smallestArea: z.number().min(0).max(100).default(4).describe('smallest finding in a slice, mm²'),
    smallest: smallestLesion(15),
  }),
  async segment({ images, brain, tissue, atlas }, params, context) {
    context.signal.throwIfAborted()
    const { channels, flags } = channelsFor(images, ['t1', 't2', 'pd'])
    const bright = channels.filter(({ role }) => role !== 't1')
    const t1 = channels.find(({ role }) => role === 't1')?.image
    const withoutFlair = bright.every(({ modality }) => modality !== 'flair')
    const onT1 = t1 && withoutFlair ? classFigures(t1, tissue, brain) : undefined
    const isFluid = (at: number) =>
      t1 && onT1 ? t1.data[at] < onT1.csf.mean + 2 * onT1.csf.sd : tissue.csf.data[at] > 0.5
    const solid = maskWhere(brain, (v, i) => v !== 0 && !isFluid(i))
    const white = await gaussian(atlas.wm, 3)
    const region = maskWhere(brain, (v, i) => v !== 0 && (params.white === 0 || white.data[i] > params.white))

    let candidates = region
    const figures: Record<string, number> = {}
    for (const [place, channel] of bright.entries()) {
      context.progress(`Background of ${channel.modality.toUpperCase()}`, (0.8 * place) / bright.length)
      // Where FLAIR decides, another contrast has only to agree.
      const decides = withoutFlair || channel.modality === 'flair'
      const k = decides ? params.k : params.agree
      const smooth = medianInSlices(channel.image, brain, params.median, context.signal)
      const grey = classFigures(smooth, tissue, brain).gm
      const { foreground, mean, sd } = await standingOut(smooth, brain, solid, region, params, context.signal)
      // A foreground without spread has nothing that stands out.
      const threshold = sd > 0 ? mean + k * sd : Number.POSITIVE_INFINITY
      figures[nameOf(channel)] = threshold
      context.show?.(`foreground of ${channel.modality}`, foreground)
      const least = decides ? grey.mean + params.grey * grey.sd : Number.NEGATIVE_INFINITY
      candidates = maskWhere(
        candidates,
        (v, i) => v !== 0 && foreground.data[i] > threshold && !(smooth.data[i] <= least),
      )
    }
    if (t1 && onT1)
      candidates = maskWhere(candidates, (v, i) => v !== 0 && !isFluid(i) && isDark(t1.data[i], onT1.wm, params.dark))

    context.show?.('candidates', candidates)
    context.progress('Judging the findings', 0.8)
    const plausible = await plausibleFindings(candidates, brain, params, context.signal)
    const positive = positiveSlices(plausible)
    figures.positiveSlices = positive.length
    return { mask: plausible, figures, flags: positive.length > 0 ? flags : [...flags, negative] }
  },
})

const nameOf = ({ modality }: Channel): string => `threshold${modality[0].toUpperCase()}${modality.slice(1)}`

const isDark = (value: number, { mean, sd }: ClassFigure, k: number): boolean => value < mean - k * sd

const negative: Flag = {
  code: 'predicted-negative',
  severity: 'info',
  message: 'No slice shows a plausible lesion; the scan is predicted to have none.',
}

/**
 * The foreground, and its mean and sd in normal tissue. Each round leaves out of the background what stood out in the
 * round before, so that lesions do not hide behind themselves.
 *
 * @param solid the brain without fluid: what the background and the figures are made of
 */
async function standingOut(
  image: Image,
  brain: Mask,
  solid: Mask,
  region: Mask,
  params: { k: number; background: 'mean' | 'opening'; backgroundSigma: number; backgroundRadius: number },
  signal: AbortSignal,
): Promise<{ foreground: Image; mean: number; sd: number }> {
  const foreground = emptyImage(image)
  let [mean, sd] = [0, 0]
  let normal = solid
  // An opening does not follow what is narrower than its disc: there is nothing to leave out.
  const rounds = params.background === 'mean' ? 3 : 1
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted()
    const around = await meanAround(image, normal, params.backgroundSigma)
    const background =
      params.background === 'mean' ? around : openSlices(filled(image, solid, around), params.backgroundRadius, signal)
    let [n, sum, squares] = [0, 0, 0]
    for (let i = 0; i < foreground.data.length; i++) {
      if (brain.data[i] === 0) continue
      const g = Math.max(0, image.data[i] - background.data[i])
      foreground.data[i] = g
      if (normal.data[i] === 0) continue
      n++
      sum += g
      squares += g * g
    }
    mean = n > 0 ? sum / n : 0
    sd = n > 0 ? Math.sqrt(Math.max(0, squares / n - mean * mean)) : 0
    const level = mean + params.k * sd
    normal = maskWhere(solid, (v, i) => v !== 0 && !(region.data[i] !== 0 && foreground.data[i] > level))
  }
  return { foreground, mean, sd }
}

/** Mean of the voxels of `mask` around each voxel, in its slice (Gaussian σ in mm); 0 far from them. */
async function meanAround(image: Image, mask: Mask, sigma: number): Promise<Image> {
  const { across } = slicesOf(image)
  const inPlane = [0, 1, 2].map((axis) => (axis === across ? 0 : sigma)) as unknown as Vec3
  const values = emptyImage(image)
  for (let i = 0; i < values.data.length; i++) if (mask.data[i] !== 0) values.data[i] = image.data[i]
  const out = await gaussian(values, inPlane)
  const share = await gaussian(mask, inPlane)
  for (let i = 0; i < out.data.length; i++) out.data[i] = share.data[i] > 1e-4 ? out.data[i] / share.data[i] : 0
  return out
}

/** Outside the mask, the mean around: borders of the brain and fluid make no background of their own. */
function filled(image: Image, mask: Mask, mean: Image): Image {
  return { ...image, data: image.data.map((v, i) => (mask.data[i] !== 0 ? v : mean.data[i])) }
}

/** Drops specks and threads in the slices, findings at the border of the brain, and in thin slices those of one slice. */
async function plausibleFindings(
  candidates: Mask,
  brain: Mask,
  { smallestArea, smallest }: { smallestArea: number; smallest: number },
  signal: AbortSignal,
): Promise<Mask> {
  const slices = slicesOf(candidates)
  const kept = emptyMask(candidates)
  for (let slice = 0; slice < slices.count; slice++) {
    signal.throwIfAborted()
    copyPlausible(candidates, kept, slices, slice, smallestArea)
  }
  const large = keepLargerThan(kept, smallest, 18)
  const depth = await distanceTo(maskWhere(brain, (v) => v === 0))
  const { labels, count, sizes } = labelComponents(large, 18)
  const [deep, first, last] = [
    new Float64Array(count + 1),
    new Int32Array(count + 1).fill(-1),
    new Int32Array(count + 1),
  ]
  for (let at = 0; at < labels.data.length; at++) {
    const label = labels.data[at]
    if (label === 0) continue
    const slice = Math.floor(at / slices.strides[2]) % slices.count
    deep[label] += depth.data[at] / sizes[label]
    if (first[label] < 0) first[label] = slice
    first[label] = Math.min(first[label], slice)
    last[label] = Math.max(last[label], slice)
  }
  return keepComponents(large, 18, (label) => deep[label] >= 3 && (slices.size[2] > 3 || last[label] > first[label]))
}

/** Copies the findings of one slice, but for those of too small an area and those thin and straight as a thread. */
function copyPlausible(from: Mask, to: Mask, slices: Slices, slice: number, smallestArea: number): void {
  const [width, height] = slices.dims
  const place = (at: number) =>
    (at % width) * slices.strides[0] + Math.floor(at / width) * slices.strides[1] + slice * slices.strides[2]
  const plane = emptyMask({ dims: [width, height, 1], affine: from.affine })
  let any = false
  for (let at = 0; at < plane.data.length; at++) if ((plane.data[at] = from.data[place(at)]) !== 0) any = true
  if (!any) return
  const { labels, count, sizes } = labelComponents(plane, 18)
  const sums = Array.from({ length: 5 }, () => new Float64Array(count + 1))
  const thick = new Uint8Array(count + 1)
  for (let at = 0; at < labels.data.length; at++) {
    const label = labels.data[at]
    if (label === 0) continue
    const [u, v] = [(at % width) * slices.size[0], Math.floor(at / width) * slices.size[1]]
    for (const [term, value] of [u, v, u * u, u * v, v * v].entries()) sums[term][label] += value / sizes[label]
    const corner = at % width > 0 && at >= width
    if (corner && [at - 1, at - width, at - width - 1].every((other) => labels.data[other] === label)) thick[label] = 1
  }
  const area = slices.size[0] * slices.size[1]
  const keep = Uint8Array.from(sizes, (size, label) => {
    if (label === 0 || size * area < smallestArea * (1 - 1e-6)) return 0
    const [u, v, uu, uv, vv] = sums.map((sum) => sum[label])
    return thick[label] !== 0 || eccentricity(uu - u * u, uv - u * v, vv - v * v) <= 0.98 ? 1 : 0
  })
  for (let at = 0; at < labels.data.length; at++) if (keep[labels.data[at]] !== 0) to.data[place(at)] = 1
}

/** Eccentricity of the ellipse of a 2 × 2 covariance: 0 round, 1 a line; 0 for a point. */
function eccentricity(xx: number, xy: number, yy: number): number {
  const middle = (xx + yy) / 2
  const half = Math.hypot((xx - yy) / 2, xy)
  return middle + half > 1e-9 ? Math.sqrt(Math.min(1, (2 * half) / (middle + half))) : 0
}

/** The slices that hold a finding, in order. */
function positiveSlices(mask: Mask): number[] {
  const { count, strides } = slicesOf(mask)
  const found = new Uint8Array(count)
  for (let at = 0; at < mask.data.length; at++) if (mask.data[at] !== 0) found[Math.floor(at / strides[2]) % count] = 1
  return [...found.keys()].filter((slice) => found[slice] !== 0)
}
