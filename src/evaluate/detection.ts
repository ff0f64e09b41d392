import type { Connectivity } from '../volume/components.js'
import type { Mask } from '../volume/volume.js'
import { contingency, countTouched, lesionsOfBoth, transposed } from './contingency.js'
import { type LesionMatching, type MatchedLesion, type MatchOptions, matchLesions } from './matching.js'

/** Lesions counted, not voxels. A ratio whose denominator is zero is NaN. */
export interface DetectionCounts {
  referenceLesions: number
  /** Reference lesions that a candidate lesion matches. */
  detected: number
  missed: number
  candidateLesions: number
  /** Candidate lesions that a reference lesion matches. */
  confirmed: number
  /** Candidate lesions that none matches. */
  falsePositives: number
  /** Lesion-wise true positive rate (sensitivity): detected / reference lesions. */
  ltpr: number
  /** Lesion-wise false positive rate as the field calls it: false / candidate lesions, a false discovery rate. */
  lfpr: number
  /** 1 − LFPR. */
  precision: number
  /** Harmonic mean of LTPR and precision; 0 when only one mask has lesions, NaN when neither has. */
  f1: number
}

/** Lesions of `fromMm3` up to, but not including, `toMm3`. */
export interface DetectionBin extends DetectionCounts {
  fromMm3: number
  /** Infinity for the last. */
  toMm3: number
}

export interface Detection extends DetectionCounts {
  splits: number
  merges: number
  /** Each lesion in the bin of its own size: reference lesions for LTPR, candidate lesions for LFPR. */
  bins: readonly DetectionBin[]
}

/** What is usual for MS: punctate, small, middling and large. */
export const sizeBinsMm3: readonly number[] = [10, 100, 1000]

/**
 * How well lesions are found, whole and by size.
 *
 * @param binsMm3 where one bin ends and the next begins, ascending
 * @throws RangeError when the masks are not on one grid or the bins do not ascend
 */
export const lesionDetection = (
  reference: Mask,
  candidate: Mask,
  { binsMm3, ...options }: MatchOptions & { binsMm3?: readonly number[] } = {},
): Detection => detectionOf(matchLesions(reference, candidate, options), binsMm3)

/** The same from a matching. @throws RangeError when the bins do not ascend */
export function detectionOf(matching: LesionMatching, binsMm3: readonly number[] = sizeBinsMm3): Detection {
  const edges = [0, ...binsMm3, Number.POSITIVE_INFINITY]
  if (edges.some((edge, i) => i > 0 && !(edge > edges[i - 1])))
    throw new RangeError(`Size bins have to ascend from above 0: ${binsMm3.join(', ')}.`)
  const { referenceLesions, candidateLesions, splits, merges } = matching
  const bins = edges.slice(1).map((toMm3, i) => {
    const fromMm3 = edges[i]
    const inBin = (lesion: MatchedLesion) => lesion.mm3 >= fromMm3 && lesion.mm3 < toMm3
    return { fromMm3, toMm3, ...counts(referenceLesions.filter(inBin), candidateLesions.filter(inBin)) }
  })
  return { ...counts(referenceLesions, candidateLesions), splits, merges, bins }
}

function counts(reference: readonly MatchedLesion[], candidate: readonly MatchedLesion[]): DetectionCounts {
  const matched = (lesions: readonly MatchedLesion[]) => lesions.filter((lesion) => lesion.matched).length
  return detectionCounts(reference.length, matched(reference), candidate.length, matched(candidate))
}

/** The ratios from the counts. */
export function detectionCounts(
  referenceLesions: number,
  detected: number,
  candidateLesions: number,
  confirmed: number,
): DetectionCounts {
  const [ltpr, precision] = [detected / referenceLesions, confirmed / candidateLesions]
  const falsePositives = candidateLesions - confirmed
  const found = detected > 0 && confirmed > 0
  return {
    referenceLesions,
    detected,
    missed: referenceLesions - detected,
    candidateLesions,
    confirmed,
    falsePositives,
    ltpr,
    lfpr: falsePositives / candidateLesions,
    precision,
    f1: found ? (2 * ltpr * precision) / (ltpr + precision) : referenceLesions + candidateLesions > 0 ? 0 : Number.NaN,
  }
}

/**
 * Counts by the rule of most challenges: lesions are connected components of any size, one shared voxel is enough.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function anyOverlapCounts(reference: Mask, candidate: Mask, connectivity: Connectivity): DetectionCounts {
  const [r, c] = lesionsOfBoth(reference, candidate, connectivity)
  const table = contingency(r, c)
  return detectionCounts(r.count, countTouched(table), c.count, countTouched(transposed(table)))
}
