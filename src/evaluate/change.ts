import { type Mask, voxelVolume } from '../volume/volume.js'
import { type DetectionCounts, detectionCounts, lesionDetection } from './detection.js'
import { lesionF1 } from './lesionwise.js'
import type { MatchOptions } from './matching.js'
import { overlap } from './overlap.js'

/** New lesions of one patient. */
export interface NewLesionCase extends DetectionCounts {
  /** Volume of all new-lesion voxels of the reference, and of the candidate, in ml. */
  referenceMl: number
  candidateMl: number
}

/**
 * Compares masks of the new lesions of one patient.
 *
 * @param options how lesions are counted and matched; without, by the rule of MSSEG-2 (`lesionF1`: face-connected, above
 * 3 mm³, the two-part test)
 * @throws RangeError when the masks are not on one grid
 */
export function newLesionCase(reference: Mask, candidate: Mask, options?: MatchOptions): NewLesionCase {
  const { referenceMl, candidateMl } = overlap(reference, candidate)
  if (options) {
    const { bins, splits, merges, ...counts } = lesionDetection(reference, candidate, options)
    return { ...counts, referenceMl, candidateMl }
  }
  const { referenceLesions, detected, candidateLesions, confirmed } = lesionF1(reference, candidate)
  return { ...detectionCounts(referenceLesions, detected, candidateLesions, confirmed), referenceMl, candidateMl }
}

/** New lesions of a group of patients. A patient is active with at least one new lesion. Undefined ratios are NaN. */
export interface NewLesionSummary {
  patients: number
  /** All lesions of all patients together: LTPR is the sensitivity, LFPR the false discovery rate. */
  lesions: DetectionCounts
  /** Is an active patient told from a stable one? Whether the lesions are the same ones does not matter. */
  activity: {
    active: number
    stable: number
    /** Share of active patients called active. */
    sensitivity: number
    /** Share of stable patients called stable. */
    specificity: number
    /** Share of patients called active that are. */
    precision: number
    accuracy: number
    /** Mean of sensitivity and specificity. */
    balancedAccuracy: number
  }
  /** Found in stable patients, per stable patient. */
  falseLesionsPerStablePatient: number
  falseMlPerStablePatient: number
  /** Candidate minus reference volume of new lesions, in ml. */
  meanVolumeDifferenceMl: number
  meanAbsoluteVolumeDifferenceMl: number
}

/** @param cases one of each patient, from `newLesionCase` */
export function newLesionSummary(cases: readonly NewLesionCase[]): NewLesionSummary {
  const sum = (of: readonly NewLesionCase[], value: (c: NewLesionCase) => number) =>
    of.reduce((total, c) => total + value(c), 0)
  const [active, stable] = [true, false].map((is) => cases.filter((c) => c.referenceLesions > 0 === is))
  const calledActive = (of: readonly NewLesionCase[]) => of.filter((c) => c.candidateLesions > 0).length
  const [truePositive, falsePositive] = [calledActive(active), calledActive(stable)]
  const trueNegative = stable.length - falsePositive
  const [sensitivity, specificity] = [truePositive / active.length, trueNegative / stable.length]
  return {
    patients: cases.length,
    lesions: detectionCounts(
      sum(cases, (c) => c.referenceLesions),
      sum(cases, (c) => c.detected),
      sum(cases, (c) => c.candidateLesions),
      sum(cases, (c) => c.confirmed),
    ),
    activity: {
      active: active.length,
      stable: stable.length,
      sensitivity,
      specificity,
      precision: truePositive / (truePositive + falsePositive),
      accuracy: (truePositive + trueNegative) / cases.length,
      balancedAccuracy: (sensitivity + specificity) / 2,
    },
    falseLesionsPerStablePatient: sum(stable, (c) => c.candidateLesions) / stable.length,
    falseMlPerStablePatient: sum(stable, (c) => c.candidateMl) / stable.length,
    meanVolumeDifferenceMl: sum(cases, (c) => c.candidateMl - c.referenceMl) / cases.length,
    meanAbsoluteVolumeDifferenceMl: sum(cases, (c) => Math.abs(c.candidateMl - c.referenceMl)) / cases.length,
  }
}

/** How the lesions of two visits differ in volume, in ml. */
export interface VolumeChange {
  beforeMl: number
  afterMl: number
  /** After minus before. */
  differenceMl: number
  /** 100 · difference / before; NaN when there were none before. */
  percent: number
  /** Lesion at the second visit only. */
  gainedMl: number
  /** Lesion at the first visit only. */
  lostMl: number
}

/** @throws RangeError when the masks are not on one grid */
export function volumeChange(before: Mask, after: Mask): VolumeChange {
  const { referenceMl, candidateMl, relativeVolumeError, falsePositive, falseNegative } = overlap(before, after)
  const ml = voxelVolume(before) / 1000
  return {
    beforeMl: referenceMl,
    afterMl: candidateMl,
    differenceMl: candidateMl - referenceMl,
    percent: relativeVolumeError,
    gainedMl: falsePositive * ml,
    lostMl: falseNegative * ml,
  }
}
