import { type Grid, gridOf, type Image, type Mask, voxelCount } from '../../volume/volume.js'
import { type Region, regionAround, unionOf, voxelsOf } from './region.js'
import { assertRaters, type Judged } from './types.js'

/**
 * The voxels of a region by what the raters say of them. Voxels on which all raters say the same are alike to every
 * rule that looks at one voxel at a time, and there are far fewer patterns of decisions than voxels.
 */
export interface Patterns {
  grid: Grid
  region: Region
  raters: number
  /** How many labels there are, background included: the largest label + 1, at least 2. */
  labels: number
  /** Label that each rater gives in each pattern: `said[pattern · raters + rater]`. In pattern 0 all say background. */
  said: Uint8Array
  /** Voxels of each pattern within the region. */
  counts: Float64Array
  /** Voxels to which some rater gives a label, and the pattern of each. */
  voxels: Int32Array
  patternOf: Int32Array
}

/**
 * Groups voxels by the raters' decisions.
 *
 * @param dilation radius in voxels of the ball by which the union of the raters' masks is grown to be the region; 0: the whole image
 * @throws RangeError when there are fewer than two raters, or they are not on one grid
 */
export function decisionPatterns(raters: readonly Mask[], dilation = 2): Patterns {
  assertRaters(raters)
  const union = unionOf(raters)
  const voxels = voxelsOf(union)
  const region = regionAround(union, dilation, voxels)
  // Refined one rater after the other: patterns that agree so far part where this rater's labels differ.
  let patternOf = new Int32Array(voxels.length)
  let rows: number[][] = [[]]
  let most = 1
  for (const { data } of raters) {
    const known = new Map<number, number>()
    const next: number[][] = []
    const find = (before: number, label: number): number => {
      const key = before * 256 + label
      let row = known.get(key)
      if (row === undefined) {
        row = next.length
        known.set(key, row)
        next.push([...rows[before], label])
      }
      return row
    }
    find(0, 0)
    const refined = new Int32Array(voxels.length)
    // Neighbouring voxels mostly share their pattern: the last answer is kept at hand.
    let [before, label, row] = [0, 0, 0]
    for (let i = 0; i < voxels.length; i++) {
      if (patternOf[i] !== before || data[voxels[i]] !== label) {
        before = patternOf[i]
        label = data[voxels[i]]
        if (label > most) most = label
        row = find(before, label)
      }
      refined[i] = row
    }
    patternOf = refined
    rows = next
  }
  const counts = new Float64Array(rows.length)
  for (const row of patternOf) counts[row]++
  counts[0] += region.voxels - voxels.length
  return {
    grid: gridOf(raters[0]),
    region,
    raters: raters.length,
    labels: most + 1,
    said: Uint8Array.from(rows.flat()),
    counts,
    voxels,
    patternOf,
  }
}

/** Puts a label and a probability of each pattern where its voxels are; outside the region both are 0. */
export function spread(
  { grid, region, voxels, patternOf }: Patterns,
  label: ArrayLike<number>,
  probability: ArrayLike<number>,
): { labels: Mask; probability: Image } {
  const labels = new Uint8Array(voxelCount(grid))
  const soft = new Float32Array(labels.length)
  if (probability[0] !== 0 || label[0] !== 0) {
    if (!region.inside) {
      labels.fill(label[0])
      soft.fill(probability[0])
    } else
      for (let i = 0; i < labels.length; i++)
        if (region.inside[i] !== 0) {
          labels[i] = label[0]
          soft[i] = probability[0]
        }
  }
  for (let i = 0; i < voxels.length; i++) {
    labels[voxels[i]] = label[patternOf[i]]
    soft[voxels[i]] = probability[patternOf[i]]
  }
  return { labels: { ...grid, data: labels }, probability: { ...grid, data: soft } }
}

/** Patterns with the truth of each (0–1), for `performanceAgainst`. */
export const judged = ({ raters, said, counts }: Patterns, truth: ArrayLike<number>): Judged => ({
  raters,
  counts,
  said: (row, rater) => (said[row * raters + rater] !== 0 ? 1 : 0),
  truth: (row) => truth[row],
})
