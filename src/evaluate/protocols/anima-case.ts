import { countVoxels, type Mask } from '../../volume/volume.js'
import { lesionF1 } from '../lesionwise.js'
import { overlap } from '../overlap.js'
import type { CaseResult } from '../protocol.js'

/** Voxel and lesion scores of animaSegPerfAnalyzer. */
export async function animaCase(reference: Mask, candidate: Mask): Promise<CaseResult> {
  const d = lesionF1(reference, candidate)
  if (countVoxels(reference) === 0)
    return { scores: { nbTestedLesions: d.candidateLesions, volTestedLesions: d.candidateMm3 } }
  const o = overlap(reference, candidate)
  return {
    scores: {
      jaccard: o.jaccard,
      dice: o.dice,
      sensitivity: o.sensitivity,
      specificity: o.specificity,
      ppv: o.precision,
      npv: o.negativePredictiveValue,
      relativeVolumeError: o.relativeVolumeError,
      ppvL: d.precision,
      sensL: d.sensitivity,
      f1Score: d.f1,
    },
  }
}
