import { apply, type Vec3 } from '../volume/affine.js'
import type { Connectivity } from '../volume/components.js'
import { type Mask, type Volume, voxelVolume } from '../volume/volume.js'
import { contingency, type LesionLabels, lesionsOfBoth, lesionsOfLabels, partnersOf } from './contingency.js'
import { bestAssignment, firstChoices } from './pairing.js'

/** When a lesion of the reference and one of the candidate fit each other. */
export type MatchRule =
  /** They share a voxel. */
  | { by: 'overlap' }
  /** The voxels they share are more than this fraction of the reference lesion, the candidate lesion, the smaller or the larger of both. */
  | { by: 'fraction'; of: 'reference' | 'candidate' | 'smaller' | 'larger'; above: number }
  /** Intersection over union is more than this. */
  | { by: 'iou'; above: number }
  /** Their centroids are at most so far apart; they need not overlap. */
  | { by: 'centroid'; withinMm: number }

/**
 * Which of the fitting pairs count.
 *
 * - `many-to-many`: all.
 * - `many-to-one`: each candidate lesion belongs to one reference lesion, the one with which it shares most voxels (by
 *   centroid: the nearest), while a reference lesion may hold several fragments.
 * - `one-to-one`: the best assignment, in which a lesion stands in one pair at most: the highest total intersection
 *   over union; by centroid, the most pairs and among those the least total distance.
 */
export type Pairing = 'many-to-many' | 'many-to-one' | 'one-to-one'

export interface MatchOptions {
  /** What makes voxels one lesion; default 18, as everywhere but in the challenges' own rules. */
  connectivity?: Connectivity
  /** Lesions of less than this are left out of both masks. Default 0. */
  minimumMm3?: number
  /** Default 1. */
  minimumVoxels?: number
  /** Default: they share a voxel. */
  rule?: MatchRule
  /** Default `many-to-many`. */
  pairing?: Pairing
}

export interface MatchedLesion {
  voxels: number
  mm3: number
  /** Mean of the voxel centres, in RAS mm. */
  centroid: Vec3
  /** True when it stands in a pair. */
  matched: boolean
}

/** Two lesions that count as the same. */
export interface LesionPair {
  /** Places in `referenceLesions` and `candidateLesions`. */
  reference: number
  candidate: number
  sharedVoxels: number
  /** Intersection over union, 0–1. */
  iou: number
  /** Between the centroids. */
  distanceMm: number
}

export interface LesionMatching {
  /** In the order of their first voxels. */
  referenceLesions: readonly MatchedLesion[]
  candidateLesions: readonly MatchedLesion[]
  /** By reference lesion, then candidate lesion. */
  pairs: readonly LesionPair[]
  /** Reference lesions that share voxels with several candidate lesions, whatever the rule. */
  splits: number
  /** Candidate lesions that share voxels with several reference lesions, whatever the rule. */
  merges: number
}

/**
 * Which lesions of two masks are the same. Kofler et al. 2023 (panoptica, arXiv:2312.02608) and Maier-Hein et al. 2024
 * (Nat Methods 21:195) discuss the rules.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function matchLesions(reference: Mask, candidate: Mask, options: MatchOptions = {}): LesionMatching {
  const { connectivity = 18 } = options
  const [r, c] = lesionsOfBoth(reference, candidate, connectivity, smallest(reference, options))
  return match(r, c, options)
}

/**
 * As {@link matchLesions}, for lesions that have been told apart already: each value but zero is a lesion, connected or
 * not.
 *
 * @throws RangeError when the label maps are not on one grid
 */
export function matchInstances(
  reference: Volume,
  candidate: Volume,
  options: Omit<MatchOptions, 'connectivity'> = {},
): LesionMatching {
  const lesions = (labels: Volume) => lesionsOfLabels(labels, smallest(labels, options))
  return match(lesions(reference), lesions(candidate), options)
}

/** Smallest lesion in voxels. 1e-6 relative: a lesion of exactly the smallest volume counts although voxel sizes are float32. */
const smallest = (volume: Volume, { minimumMm3 = 0, minimumVoxels = 1 }: MatchOptions) =>
  Math.max(minimumVoxels, Math.ceil((minimumMm3 / voxelVolume(volume)) * (1 - 1e-6)))

function match(
  r: LesionLabels,
  c: LesionLabels,
  { rule = { by: 'overlap' }, pairing = 'many-to-many' }: MatchOptions,
): LesionMatching {
  const [referenceLesions, candidateLesions] = [measured(r), measured(c)]
  const table = contingency(r, c)
  const overlapping: LesionPair[] = []
  const met = new Uint32Array(c.count)
  let splits = 0
  for (let i = 0; i < r.count; i++) {
    const partners = partnersOf(table, i + 1)
    if (partners.length > 1) splits++
    for (const [j, shared] of partners.sort((p, q) => p[0] - q[0])) {
      met[j - 1]++
      overlapping.push(pair(i, j - 1, shared))
    }
  }
  function pair(reference: number, candidate: number, sharedVoxels: number): LesionPair {
    const [a, b] = [referenceLesions[reference], candidateLesions[candidate]]
    const distanceMm = Math.hypot(...a.centroid.map((x, axis) => x - b.centroid[axis]))
    return { reference, candidate, sharedVoxels, iou: sharedVoxels / (a.voxels + b.voxels - sharedVoxels), distanceMm }
  }
  const fitting =
    rule.by === 'centroid'
      ? nearPairs(referenceLesions, candidateLesions, rule.withinMm).map(([i, j]) =>
          pair(i, j, table.rows[i + 1].get(j + 1) ?? 0),
        )
      : overlapping.filter((p) =>
          fits(p, rule, referenceLesions[p.reference].voxels, candidateLesions[p.candidate].voxels),
        )
  const pairs = counted(fitting, rule, pairing)
  for (const { reference, candidate } of pairs) {
    referenceLesions[reference].matched = true
    candidateLesions[candidate].matched = true
  }
  return { referenceLesions, candidateLesions, pairs, splits, merges: met.filter((n) => n > 1).length }
}

function counted(fitting: LesionPair[], rule: MatchRule, pairing: Pairing): LesionPair[] {
  if (pairing === 'many-to-many') return fitting
  if (rule.by !== 'centroid')
    return pairing === 'many-to-one'
      ? firstChoices(fitting, (p) => p.sharedVoxels)
      : bestAssignment(fitting, (p) => p.iou)
  if (pairing === 'many-to-one') return firstChoices(fitting, (p) => -p.distanceMm)
  // No saving of distance outweighs one pair more.
  const everyDistance = fitting.reduce((sum, p) => sum + p.distanceMm, 1)
  return bestAssignment(fitting, (p) => everyDistance - p.distanceMm)
}

function fits(p: LesionPair, rule: Exclude<MatchRule, { by: 'centroid' }>, inReference: number, inCandidate: number) {
  if (rule.by === 'overlap') return true
  if (rule.by === 'iou') return p.iou > rule.above
  const whole = {
    reference: inReference,
    candidate: inCandidate,
    smaller: Math.min(inReference, inCandidate),
    larger: Math.max(inReference, inCandidate),
  }[rule.of]
  return p.sharedVoxels / whole > rule.above
}

/** Sweeps along x: only lesions within reach there are compared. */
function nearPairs(a: readonly MatchedLesion[], b: readonly MatchedLesion[], withinMm: number): [number, number][] {
  const alongX = (lesions: readonly MatchedLesion[]) =>
    [...lesions.keys()].sort((p, q) => lesions[p].centroid[0] - lesions[q].centroid[0])
  const [order, others] = [alongX(a), alongX(b)]
  const out: [number, number][] = []
  let first = 0
  for (const i of order) {
    const [x, y, z] = a[i].centroid
    while (first < others.length && b[others[first]].centroid[0] < x - withinMm) first++
    for (let at = first; at < others.length; at++) {
      const [u, v, w] = b[others[at]].centroid
      if (u > x + withinMm) break
      if ((x - u) ** 2 + (y - v) ** 2 + (z - w) ** 2 <= withinMm ** 2) out.push([i, others[at]])
    }
  }
  return out.sort((p, q) => p[0] - q[0] || p[1] - q[1])
}

function measured({ labels, count, sizes }: LesionLabels): MatchedLesion[] {
  const [nx, ny] = labels.dims
  const sums = new Float64Array(3 * (count + 1))
  for (let at = 0; at < labels.data.length; at++) {
    const label = labels.data[at]
    if (label === 0) continue
    sums[3 * label] += at % nx
    sums[3 * label + 1] += Math.floor(at / nx) % ny
    sums[3 * label + 2] += Math.floor(at / (nx * ny))
  }
  const voxel = voxelVolume(labels)
  return Array.from({ length: count }, (_, i) => {
    const voxels = sizes[i + 1]
    const [x, y, z] = sums.subarray(3 * i + 3, 3 * i + 6)
    return {
      voxels,
      mm3: voxels * voxel,
      centroid: apply(labels.affine, [x / voxels, y / voxels, z / voxels]),
      matched: false,
    }
  })
}
