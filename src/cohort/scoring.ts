import { lesionDetection } from '../evaluate/detection.js'
import { lesionF1 } from '../evaluate/lesionwise.js'
import { overlap } from '../evaluate/overlap.js'
import type { CaseResult, Measure, Protocol, Scores } from '../evaluate/protocol.js'
import { surfaceDistances } from '../evaluate/surface.js'
import type { DetectionBySize } from '../report/benchmark-input.js'
import type { Mask } from '../volume/volume.js'

/** A mask's scores, and what they were made with. */
export interface Scored {
  protocol: string
  /** sha256 of the reference masks. */
  references: readonly string[]
  /** By key of `ownMeasures` and, after the protocol's id and a point, by those of the protocol. */
  scores: Scores
  /** What the protocol itself said. */
  official: CaseResult
  bySize: readonly DetectionBySize[]
}

/** What is measured whatever the protocol. Surface distances are NaN where a mask is empty. */
export const ownMeasures: readonly Measure[] = [
  { key: 'dice', label: 'Dice', unit: '', better: 'higher' },
  { key: 'lesion_f1', label: 'Lesion F1', unit: '', better: 'higher' },
  { key: 'lesion_sensitivity', label: 'Lesion sensitivity', unit: '', better: 'higher' },
  { key: 'lesion_precision', label: 'Lesion precision', unit: '', better: 'higher' },
  { key: 'sensitivity', label: 'Voxel sensitivity', unit: '', better: 'higher' },
  { key: 'precision', label: 'Voxel precision', unit: '', better: 'higher' },
  { key: 'hausdorff95', label: '95 % Hausdorff distance', unit: 'mm', better: 'lower' },
  { key: 'assd', label: 'Average surface distance', unit: 'mm', better: 'lower' },
  { key: 'reference_ml', label: 'Volume, reference', unit: 'ml', better: 'neither' },
  { key: 'candidate_ml', label: 'Volume, method', unit: 'ml', better: 'neither' },
  { key: 'reference_lesions', label: 'Lesions, reference', unit: 'lesions', better: 'neither' },
  { key: 'candidate_lesions', label: 'Lesions, method', unit: 'lesions', better: 'neither' },
]

/** The measures of a benchmark: our own, then the protocol's under its name. */
export const measuresOf = ({ id, measures }: Protocol): Measure[] => [
  ...ownMeasures,
  ...measures.map((measure) => ({ ...measure, key: `${id}.${measure.key}`, label: `${measure.label} (${id})` })),
]

/** Where one class of lesion size ends and the next begins, mm³. */
const binsMm3 = [10, 50, 200, 1000]

/**
 * Scores a mask. Where several raters drew, our own measures are against the first of them, the protocol's against all.
 *
 * @throws RangeError when the masks are not on one grid
 */
export async function scoreMask(
  references: readonly Mask[],
  candidate: Mask,
  protocol: Protocol,
): Promise<Omit<Scored, 'references'>> {
  const [reference] = references
  const voxels = overlap(reference, candidate)
  const lesions = lesionF1(reference, candidate)
  const surface = await surfaceDistances(reference, candidate)
  const official = await protocol.score(references, candidate)
  const theirs = Object.entries({ ...official.scores, ...official.corrected }).map(([key, value]) => [
    `${protocol.id}.${key}`,
    value,
  ])
  return {
    protocol: protocol.id,
    scores: {
      dice: voxels.dice,
      lesion_f1: lesions.f1,
      lesion_sensitivity: lesions.sensitivity,
      lesion_precision: lesions.precision,
      sensitivity: voxels.sensitivity,
      precision: voxels.precision,
      hausdorff95: surface.hausdorff95,
      assd: surface.assd,
      reference_ml: voxels.referenceMl,
      candidate_ml: voxels.candidateMl,
      reference_lesions: lesions.referenceLesions,
      candidate_lesions: lesions.candidateLesions,
      ...Object.fromEntries(theirs),
    },
    official,
    // Met when one voxel is shared: what the challenges' own rules make of it depends on size itself.
    bySize: lesionDetection(reference, candidate, { binsMm3 }).bins.map((bin) => ({
      from: bin.fromMm3,
      ...(Number.isFinite(bin.toMm3) ? { to: bin.toMm3 } : {}),
      reference: bin.referenceLesions,
      detected: bin.detected,
      candidate: bin.candidateLesions,
      confirmed: bin.confirmed,
    })),
  }
}
