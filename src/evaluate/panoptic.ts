import type { Mask } from '../volume/volume.js'
import { type LesionMatching, type MatchOptions, matchLesions } from './matching.js'

/** A ratio whose denominator is zero is NaN. */
export interface PanopticQuality {
  /** Σ IoU of the pairs / (TP + FP/2 + FN/2): segmentation times recognition quality; NaN when neither mask has lesions. */
  pq: number
  /** Mean IoU of the pairs; NaN without pairs. */
  sq: number
  /** TP / (TP + FP/2 + FN/2): the F1 of one-to-one detection. */
  rq: number
  truePositives: number
  falsePositives: number
  falseNegatives: number
}

/**
 * Panoptic quality of lesions (Kirillov et al. 2019, CVPR:9404). A pair counts when its IoU is above `iouAbove`; 0.5,
 * the original, leaves at most one partner to each lesion. Small lesions seldom reach it: with a lower one the pairs
 * are the assignment with the highest total IoU.
 *
 * @param options 18-connected lesions of any size by default
 * @throws RangeError when the masks are not on one grid
 */
export const panopticQuality = (
  reference: Mask,
  candidate: Mask,
  { iouAbove = 0.5, ...options }: Omit<MatchOptions, 'rule' | 'pairing'> & { iouAbove?: number } = {},
): PanopticQuality =>
  panopticOf(
    matchLesions(reference, candidate, { ...options, rule: { by: 'iou', above: iouAbove }, pairing: 'one-to-one' }),
  )

/** The same from a one-to-one matching. @throws RangeError when a lesion stands in several pairs */
export function panopticOf({ pairs, referenceLesions, candidateLesions }: LesionMatching): PanopticQuality {
  const truePositives = pairs.length
  for (const lesions of [referenceLesions, candidateLesions])
    if (lesions.filter((lesion) => lesion.matched).length !== truePositives)
      throw new RangeError('Panoptic quality needs a one-to-one matching: here a lesion stands in several pairs.')
  const falsePositives = candidateLesions.length - truePositives
  const falseNegatives = referenceLesions.length - truePositives
  const total = truePositives + (falsePositives + falseNegatives) / 2
  const iou = pairs.reduce((sum, pair) => sum + pair.iou, 0)
  return {
    pq: iou / total,
    sq: iou / truePositives,
    rq: truePositives / total,
    truePositives,
    falsePositives,
    falseNegatives,
  }
}
