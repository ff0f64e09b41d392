import { type Mask, sameGrid, type Volume, type VoxelArray, voxelVolume } from '../volume/volume.js'
import { forEachIn } from '../volume/words.js'

/**
 * How two masks of one grid agree, voxel by voxel. A ratio whose denominator is zero is NaN:
 *
 * | masks | what follows |
 * |---|---|
 * | reference empty | sensitivity and relative volume errors NaN; Dice 0, or NaN if the candidate is empty too |
 * | candidate empty | precision and false discovery rate NaN |
 * | reference full | specificity and false positive rate NaN |
 * | candidate full | negative predictive value NaN |
 * | disjoint | Dice, Jaccard, sensitivity and precision 0 |
 *
 * Note on the survey whose tables this project reproduces: its Table II prints PPV = 1 − FP / (TP + FN) and
 * FPR = FP / (TP + FN). The denominators are slips: that FPR exceeds 1, and that PPV is negative, as soon as there are
 * more false positives than reference voxels. The usual definitions, used here, are PPV = TP / (TP + FP) and
 * FPR = FP / (FP + TN). That FPR = 1 − PPV, as its Figure 2 has it, holds for the false discovery rate FP / (TP + FP).
 */
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
  /** TP / (TP + FP): share of the candidate that is right; positive predictive value. */
  precision: number
  /** FP / (TP + FP) = 1 − precision. */
  falseDiscoveryRate: number
  /** TN / (TN + FP), over the whole grid. */
  specificity: number
  /** FP / (FP + TN) = 1 − specificity, over the whole grid. */
  falsePositiveRate: number
  /** TN / (TN + FN), over the whole grid. */
  negativePredictiveValue: number
  /** 100 · (candidate − reference) / reference: per cent, signed. */
  relativeVolumeError: number
  /** 100 · |candidate − reference| / reference: per cent. */
  absoluteVolumeError: number
  /** |candidate − reference| in ml. */
  absoluteVolumeDifferenceMl: number
  referenceMl: number
  candidateMl: number
}

/**
 * Overlap of `candidate` with `reference`; any value but zero counts as lesion. Definitions: Commowick et al. 2018,
 * Sci Rep 8:13650 (the measures of the MSSEG challenge); Taha & Hanbury 2015, BMC Med Imaging 15:29.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function overlap(reference: Volume, candidate: Volume): Overlap {
  assertSameGrid(reference, candidate)
  const { both, inReference, inCandidate } = counted(reference.data, candidate.data)
  const falsePositive = inCandidate - both
  const falseNegative = inReference - both
  const trueNegative = reference.data.length - both - falsePositive - falseNegative
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
    falseDiscoveryRate: falsePositive / inCandidate,
    specificity: trueNegative / (trueNegative + falsePositive),
    falsePositiveRate: falsePositive / (trueNegative + falsePositive),
    negativePredictiveValue: trueNegative / (trueNegative + falseNegative),
    relativeVolumeError: inReference === 0 ? Number.NaN : (100 * (inCandidate - inReference)) / inReference,
    absoluteVolumeError: inReference === 0 ? Number.NaN : (100 * Math.abs(inCandidate - inReference)) / inReference,
    absoluteVolumeDifferenceMl: Math.abs(inCandidate - inReference) * ml,
    referenceMl: inReference * ml,
    candidateMl: inCandidate * ml,
  }
}

function counted(r: VoxelArray, c: VoxelArray): { both: number; inReference: number; inCandidate: number } {
  let [both, inReference, inCandidate] = [0, 0, 0]
  const count = (at: number) => {
    const a = r[at] !== 0 ? 1 : 0
    const b = c[at] !== 0 ? 1 : 0
    inReference += a
    inCandidate += b
    both += a & b
  }
  if (r instanceof Uint8Array && c instanceof Uint8Array) forEachIn(r, c, count)
  else for (let at = 0; at < r.length; at++) count(at)
  return { both, inReference, inCandidate }
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
