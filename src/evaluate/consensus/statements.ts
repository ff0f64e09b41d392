import { type Image, type Mask, voxelCount } from '../../volume/volume.js'
import { decisionPatterns, spread } from './patterns.js'
import { regionAround } from './region.js'
import { asProbability, assertRaters, isProbability, type RaterMap } from './types.js'

/**
 * What the raters say in a region, row by row: a row is a pattern of decisions where all hand in labels, and a voxel
 * where one hands in probabilities or weights differ from voxel to voxel.
 */
export interface Statements {
  raters: number
  labels: number
  /** Voxels of each row. */
  counts: Float64Array
  /**
   * `said[row · raters + rater]`: a label, or a number between two labels, which is shared between them: 0.3 says
   * lesion with probability 0.3.
   */
  said: Float32Array
  /** The voxel of each row, where rows are voxels. */
  voxels?: Int32Array
  /** Puts a label and a probability of each row where its voxels are; 0 outside the region. */
  spread(label: Uint8Array, probability: Float64Array): { labels: Mask; probability: Image }
}

/** A probability below this is no sign of a lesion when the region is chosen: networks leave such all over the brain. */
const faint = 0.05

/** The voxels where some rater sees a lesion with a probability of at least 0.05, or draws one. */
export function drawnBy(maps: readonly RaterMap[]): Mask {
  const { dims, affine } = maps[0]
  const data = new Uint8Array(voxelCount(maps[0]))
  for (const map of maps) for (let i = 0; i < data.length; i++) if (map.data[i] >= faint) data[i] = 1
  return { dims, affine, data }
}

/**
 * @param voxelwise a row a voxel even where all raters hand in labels
 * @throws RangeError when there are fewer than two raters, they are not on one grid, a probability is not within 0–1,
 *   or labels above 1 are mixed with probabilities
 */
export function statementsOf(raters: readonly RaterMap[], dilation: number, voxelwise = false): Statements {
  assertRaters(raters)
  if (!voxelwise && !raters.some(isProbability)) {
    const patterns = decisionPatterns(raters as Mask[], dilation)
    return {
      raters: raters.length,
      labels: patterns.labels,
      counts: patterns.counts,
      said: Float32Array.from(patterns.said),
      spread: (label, probability) => spread(patterns, label, probability),
    }
  }
  const maps = raters.some(isProbability) ? raters.map(asProbability) : raters
  const drawn = drawnBy(raters)
  const region = regionAround(drawn, dilation)
  const voxels = new Int32Array(region.voxels)
  const said = new Float32Array(voxels.length * raters.length)
  let row = 0
  let most = 1
  for (let i = 0; i < drawn.data.length; i++) {
    if (region.inside && region.inside[i] === 0) continue
    maps.forEach(({ data }, rater) => {
      said[row * raters.length + rater] = data[i]
      if (data[i] > most) most = data[i]
    })
    voxels[row++] = i
  }
  const { dims, affine } = raters[0]
  return {
    raters: raters.length,
    labels: most + 1,
    counts: new Float64Array(voxels.length).fill(1),
    said,
    voxels,
    spread(label, probability) {
      const labels = new Uint8Array(drawn.data.length)
      const soft = new Float32Array(drawn.data.length)
      for (let row = 0; row < voxels.length; row++) {
        labels[voxels[row]] = label[row]
        soft[voxels[row]] = probability[row]
      }
      return { labels: { dims, affine, data: labels }, probability: { dims, affine, data: soft } }
    },
  }
}
