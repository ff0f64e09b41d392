import { type Mask, sameGrid, type Volume, voxelVolume } from '../volume/volume.js'

/** How two masks of one grid agree, voxel by voxel. A ratio whose denominator is zero is NaN. */
export interface Overlap {
  truePositive: number
  falsePositive: number
  falseNegative: number
  trueNegative: number
  /** 2 TP / (2 TP + FP + FN) */
  dice: number
  /** TP / (TP + FP + FN) */
  jaccard: number
  /** TP / (TP + FN): share of the reference that was found. */
  sensitivity: number
  /** TP / (TP + FP): share of the candidate that is right. */
  precision: number
  /** TN / (TN + FP), over the whole grid. */
  specificity: number
  /** TN / (TN + FN), over the whole grid. */
  negativePredictiveValue: number
  /** 100 · (candidate − reference) / reference: per cent, signed. */
  relativeVolumeError: number
  referenceMl: number
  candidateMl: number
}

/**
 * Overlap of `candidate` with `reference`; any value but zero counts as lesion. Definitions: Commowick et al. 2018,
 * Sci Rep 8:13650 (the measures of the MSSEG challenge).
 *
 * @throws RangeError when the masks are not on one grid
 */
export function overlap(reference: Volume, candidate: Volume): Overlap {
  assertSameGrid(reference, candidate)
  const [r, c] = [reference.data, candidate.data]
  let both = 0
  let inReference = 0
  let inCandidate = 0
  for (let i = 0; i < r.length; i++) {
    const a = r[i] !== 0 ? 1 : 0
    const b = c[i] !== 0 ? 1 : 0
    inReference += a
    inCandidate += b
    both += a & b
  }
  const falsePositive = inCandidate - both
  const falseNegative = inReference - both
  const trueNegative = r.length - both - falsePositive - falseNegative
  const ml = voxelVolume(reference) / 1000
  return {
    truePositive: both,
    falsePositive,
    falseNegative,
    trueNegative,
    dice: (2 * both) / (inReference + inCandidate),
    jaccard: both / (inReference + inCandidate - both),
    sensitivity: both / inReference,
    precision: both / inCandidate,
    specificity: trueNegative / (trueNegative + falsePositive),
    negativePredictiveValue: trueNegative / (trueNegative + falseNegative),
    relativeVolumeError: (100 * (inCandidate - inReference)) / inReference,
    referenceMl: inReference * ml,
    candidateMl: inCandidate * ml,
  }
}

/** Dice coefficient of two masks, 0–1; NaN when both are empty. */
export const dice = (a: Mask, b: Mask): number => overlap(a, b).dice

/** @throws RangeError when the volumes are not on one grid */
export function assertSameGrid(a: Volume, b: Volume): void {
  if (!sameGrid(a, b, 0.01))
    throw new RangeError(
      `The masks are on two grids (${a.dims.join('×')} and ${b.dims.join('×')}): bring both onto one grid before comparing.`,
    )
}
