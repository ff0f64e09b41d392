import { voxelSizes } from '../volume/affine.js'
import { labelComponents } from '../volume/components.js'
import type { Grid, Mask } from '../volume/volume.js'
import { assertSameGrid } from './overlap.js'

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
  assertSameGrid(reference, candidate)
  const r = keptLesions(reference, rule)
  const c = keptLesions(candidate, rule)
  const table = contingency(r, c)
  const detected = countMet(table, rule)
  const confirmed = countMet(transpose(table), rule)
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
    candidateMm3: c.voxels * scorerVoxelVolume(candidate),
  }
}

interface Kept {
  labels: Int32Array
  count: number
  voxels: number
}

/** Face-connected components of strictly more than the smallest volume, numbered 1..count; the rest is background. */
function keptLesions(mask: Mask, { minimumMm3 }: LesionRule): Kept {
  const { labels, count, sizes } = labelComponents(mask, 6)
  const smallest = Math.floor(minimumMm3 / scorerVoxelVolume(mask)) + 1
  const renumbered = new Int32Array(count + 1)
  let kept = 0
  let voxels = 0
  for (let label = 1; label <= count; label++)
    if (sizes[label] >= smallest) {
      renumbered[label] = ++kept
      voxels += sizes[label]
    }
  const out = new Int32Array(labels.data.length)
  for (let i = 0; i < out.length; i++) out[i] = renumbered[labels.data[i]]
  return { labels: out, count: kept, voxels }
}

/**
 * Voxel volume as the scorer sees it: from single-precision pixel sizes. At 0.5×0.5×1.2 mm this decides whether ten
 * voxels or eleven are the smallest lesion.
 */
function scorerVoxelVolume({ affine }: Grid): number {
  const [x, y, z] = voxelSizes(affine).map(Math.fround)
  return x * y * z
}

/** Voxels shared by lesion i of one mask (row) and lesion j of the other (column); 0 is background. */
interface Table {
  rows: Map<number, number>[]
  rowSums: Float64Array
  columnSums: Float64Array
}

function contingency(a: Kept, b: Kept): Table {
  const table = emptyTable(a.count, b.count)
  for (let i = 0; i < a.labels.length; i++) add(table, a.labels[i], b.labels[i], 1)
  return table
}

function transpose({ rows, rowSums, columnSums }: Table): Table {
  const out = emptyTable(columnSums.length - 1, rowSums.length - 1)
  for (const [i, row] of rows.entries()) for (const [j, n] of row) add(out, j, i, n)
  return out
}

const emptyTable = (rows: number, columns: number): Table => ({
  rows: Array.from({ length: rows + 1 }, () => new Map()),
  rowSums: new Float64Array(rows + 1),
  columnSums: new Float64Array(columns + 1),
})

function add({ rows, rowSums, columnSums }: Table, i: number, j: number, n: number): void {
  // Background on background is most of the grid and enters no ratio.
  if (i === 0 && j === 0) return
  rows[i].set(j, (rows[i].get(j) ?? 0) + n)
  rowSums[i] += n
  columnSums[j] += n
}

function countMet(table: Table, rule: LesionRule): number {
  let met = 0
  for (let i = 1; i < table.rows.length; i++) if (isMet(table, i, rule)) met++
  return met
}

/**
 * Lesion i is met when enough of it is overlapped (alpha) and, walking the overlapping lesions by decreasing overlap
 * until they explain gamma of it, none lies mostly outside (beta): a huge blob over everything detects nothing.
 */
function isMet({ rows, rowSums, columnSums }: Table, i: number, { alpha, beta, gamma }: LesionRule): boolean {
  const overlapping = [...rows[i]].filter(([j]) => j !== 0).sort((p, q) => q[1] - p[1])
  const overlapped = overlapping.reduce((sum, [, n]) => sum + n, 0)
  if (!(overlapped / rowSums[i] > alpha)) return false
  let explained = 0
  for (const [j, n] of overlapping) {
    if (explained >= gamma) break
    const outside = (rows[0].get(j) ?? 0) / columnSums[j]
    if (outside > beta) return false
    explained += n / overlapped
  }
  return true
}
