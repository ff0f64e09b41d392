import { voxelSizes } from '../volume/affine.js'
import type { Grid, Mask } from '../volume/volume.js'
import { type Contingency, contingency, lesionsOfBoth, partnersOf, transposed } from './contingency.js'

export interface LesionRule {
  /** Lesions of this size in mm³ or less are erased from both masks. */
  minimumMm3: number
  /** A lesion counts as met when more than this fraction of it is overlapped … */
  alpha: number
  /** … and no needed lesion of the other mask lies outside all lesions of this one by more than this fraction … */
  beta: number
  /** … where lesions of the other mask are needed, largest overlap first, until this fraction of the overlap is explained. */
  gamma: number
}

/** The constants of the MSSEG 2016 and MSSEG-2 2021 challenges. */
export const msseg: LesionRule = { minimumMm3: 3, alpha: 0.1, beta: 0.7, gamma: 0.65 }

export interface LesionDetection {
  /** Harmonic mean of sensitivity and precision; 0 when nothing is detected. */
  f1: number
  /** Share of reference lesions that are detected; NaN when the reference has none. */
  sensitivity: number
  /** Share of candidate lesions that are confirmed by the reference; 0 when the candidate has none. */
  precision: number
  referenceLesions: number
  candidateLesions: number
  detected: number
  confirmed: number
  /** Volume of the candidate's lesions (the scorer's VolTestedLesions), in mm³. */
  candidateMm3: number
}

/**
 * Lesion-wise F1, sensitivity and precision by the rule of the official MSSEG scorer (animaSegPerfAnalyzer; Commowick
 * et al. 2018, Sci Rep 8:13650): face-connected lesions above 3 mm³, the two-part test of `isMet` in both directions.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function lesionF1(reference: Mask, candidate: Mask, rule: LesionRule = msseg): LesionDetection {
  // Face-connected components of strictly more than the smallest volume.
  const smallest = Math.floor(rule.minimumMm3 / scorerVoxelVolume(reference)) + 1
  const [r, c] = lesionsOfBoth(reference, candidate, 6, smallest)
  const table = contingency(r, c)
  const detected = countMet(table, rule)
  const confirmed = countMet(transposed(table), rule)
  const sensitivity = r.count === 0 ? Number.NaN : detected / r.count
  const precision = c.count === 0 ? 0 : confirmed / c.count
  const f1 = detected === 0 || confirmed === 0 ? 0 : (2 * sensitivity * precision) / (sensitivity + precision)
  return {
    f1,
    sensitivity,
    precision,
    referenceLesions: r.count,
    candidateLesions: c.count,
    detected,
    confirmed,
    candidateMm3: c.sizes.reduce((sum, n) => sum + n, 0) * scorerVoxelVolume(candidate),
  }
}

/**
 * Voxel volume as the scorer sees it: from single-precision pixel sizes. At 0.5×0.5×1.2 mm this decides whether ten
 * voxels or eleven are the smallest lesion.
 */
export function scorerVoxelVolume({ affine }: Grid): number {
  const [x, y, z] = voxelSizes(affine).map(Math.fround)
  return x * y * z
}

function countMet(table: Contingency, rule: LesionRule): number {
  let met = 0
  for (let i = 1; i < table.rows.length; i++) if (isMet(table, i, rule)) met++
  return met
}

/**
 * Lesion i is met when enough of it is overlapped (alpha) and, walking the overlapping lesions by decreasing overlap
 * until they explain gamma of it, none lies mostly outside (beta): a huge blob over everything detects nothing.
 */
function isMet(table: Contingency, i: number, { alpha, beta, gamma }: LesionRule): boolean {
  const overlapping = partnersOf(table, i).sort((p, q) => q[1] - p[1])
  const overlapped = overlapping.reduce((sum, [, n]) => sum + n, 0)
  if (!(overlapped / table.rowSizes[i] > alpha)) return false
  let explained = 0
  for (const [j, n] of overlapping) {
    if (explained >= gamma) break
    const outside = (table.rows[0].get(j) ?? 0) / table.columnSizes[j]
    if (outside > beta) return false
    explained += n / overlapped
  }
  return true
}
