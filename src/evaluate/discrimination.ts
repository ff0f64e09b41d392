import type { Image, Mask } from '../volume/volume.js'
import { countBelow, scoredVoxels, sorted, type WithinOptions } from './scored-voxels.js'

/** How well a map tells lesion voxels from the others, whatever its threshold. */
export interface Discrimination {
  /**
   * Area under the receiver operating characteristic: the probability that a lesion voxel scores higher than another,
   * ties counting half. NaN without voxels of both kinds. Lesions are rare: it looks high on the whole grid for any map.
   */
  rocAuc: number
  /**
   * Average precision: Σ (recallₙ − recallₙ₋₁) · precisionₙ over the distinct scores, falling; no interpolation. NaN
   * without lesion voxels; the share of lesion voxels is what chance gives.
   */
  averagePrecision: number
  positives: number
  negatives: number
}

/**
 * Exact areas over all distinct scores. Any finite score will do, a probability or not.
 *
 * Sources: Hanley & McNeil 1982, Radiology 143:29 (AUC as a probability); Davis & Goadrich 2006, ICML (why precision is
 * not to be interpolated).
 *
 * @throws RangeError when the volumes are not on one grid or a score is not finite
 */
export function discrimination(reference: Mask, scores: Image, options: WithinOptions = {}): Discrimination {
  const split = scoredVoxels(reference, scores, options, [-Number.MAX_VALUE, Number.MAX_VALUE])
  const [positives, negatives] = [sorted(split.positives), sorted(split.negatives)]
  const [p, n] = [positives.length, negatives.length]
  // Scores from the highest down. Only those of positives matter: between them, neither area grows.
  let [found, wrong, wins, precisions] = [0, 0, 0, 0]
  for (let at = p - 1; at >= 0; ) {
    const score = positives[at]
    while (wrong < n && negatives[n - 1 - wrong] > score) wrong++
    let ties = 0
    while (wrong + ties < n && negatives[n - 1 - wrong - ties] === score) ties++
    let equals = 0
    while (at >= 0 && positives[at] === score) {
      equals++
      at--
    }
    wins += equals * (n - wrong - ties / 2)
    found += equals
    wrong += ties
    precisions += (equals * found) / (found + wrong)
  }
  return { rocAuc: wins / (p * n), averagePrecision: precisions / p, positives: p, negatives: n }
}

/** What a mask made with one threshold is worth. */
export interface OperatingPoint {
  /** Voxels that score at least this are lesion. */
  threshold: number
  dice: number
  sensitivity: number
  precision: number
  falsePositiveRate: number
}

/**
 * Dice, sensitivity, precision and false positive rate at several thresholds: the points of the curves, and what the
 * best threshold would be. NaN where a denominator is zero.
 *
 * @throws RangeError as {@link discrimination}
 */
export function operatingPoints(
  reference: Mask,
  scores: Image,
  thresholds: readonly number[],
  options: WithinOptions = {},
): OperatingPoint[] {
  const split = scoredVoxels(reference, scores, options, [-Number.MAX_VALUE, Number.MAX_VALUE])
  const [positives, negatives] = [sorted(split.positives), sorted(split.negatives)]
  const [p, n] = [positives.length, negatives.length]
  return thresholds.map((threshold) => {
    const found = p - countBelow(positives, threshold)
    const wrong = n - countBelow(negatives, threshold)
    return {
      threshold,
      dice: (2 * found) / (p + found + wrong),
      sensitivity: found / p,
      precision: found / (found + wrong),
      falsePositiveRate: wrong / n,
    }
  })
}
