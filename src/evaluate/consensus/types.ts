import { type Image, type Mask, type Volume, type VoxelArray, voxelCount } from '../../volume/volume.js'
import { assertSameGrid } from '../overlap.js'

/** What a rater hands in: a mask or label map (whole numbers, 0 is background), or probabilities of lesion, 0–1. */
export type RaterMap = Mask | Image

/** How one rater stands to the consensus, over the region in which it was made. NaN where nothing is there to count. */
export interface RaterPerformance {
  /** Share of the consensus' lesion that the rater drew (any label but 0 is lesion). */
  sensitivity: number
  /** Share of the consensus' background that the rater left out. */
  specificity: number
  /** Share of what the rater drew that is lesion in the consensus. */
  ppv: number
  /** Of the STAPLE family: probability that the rater says a label where another is true, `performance[said][truth]`. */
  performance?: readonly (readonly number[])[]
  /** The rater's weight in the pool; the weights of all raters sum to 1. */
  weight?: number
  /** Of SIMPLE: false where the rater was left out. */
  kept?: boolean
}

/** What several raters agree on. All volumes are on the raters' grid. */
export interface Consensus {
  labels: Mask
  /** Probability of lesion (any label but 0), or the share of votes for it: 0–1. */
  probability: Image
  /** In the order in which the raters were given. */
  raters: readonly RaterPerformance[]
  /** Rounds of the estimation; 1 where there is nothing to iterate. */
  iterations: number
  /** False where the estimation was still moving when it had to stop. */
  converged: boolean
}

export const isProbability = (map: RaterMap): map is Image => map.data instanceof Float32Array

/** @throws RangeError when there are fewer than two raters, or they are not on one grid */
export function assertRaters(raters: readonly Volume[]): void {
  if (raters.length < 2) throw new RangeError(`A consensus needs at least two raters, not ${raters.length}.`)
  for (const rater of raters.slice(1)) assertSameGrid(raters[0], rater)
}

/**
 * A rater's map as labels: probabilities of at least `threshold` become 1, labels stay.
 *
 * @throws RangeError when a probability is not within 0–1
 */
export function asLabels(map: RaterMap, threshold = 0.5): Mask {
  if (!isProbability(map)) return map
  assertProbabilities(map)
  const data = new Uint8Array(voxelCount(map))
  for (let i = 0; i < data.length; i++) if (map.data[i] >= threshold) data[i] = 1
  return { dims: map.dims, affine: map.affine, data }
}

/** A rater's map as probabilities of lesion. @throws RangeError as `asLabels` */
export function asProbability(map: RaterMap): Volume<VoxelArray> {
  if (isProbability(map)) assertProbabilities(map)
  else if (map.data.some((value) => value > 1))
    throw new RangeError('Label maps cannot be mixed with maps of probability.')
  return map
}

function assertProbabilities({ data }: Image): void {
  for (let i = 0; i < data.length; i++)
    if (!(data[i] >= 0 && data[i] <= 1))
      throw new RangeError(`A probability must lie between 0 and 1, and one is ${data[i]}.`)
}

/** Statements of raters, equal ones counted together, and what is true of each: enough to say how good each rater is. */
export interface Judged {
  raters: number
  /** Voxels of each row. */
  counts: Float64Array
  /** How much of a row the rater calls lesion, 0–1. */
  said(row: number, rater: number): number
  /** How much of a row is lesion, 0–1. */
  truth(row: number): number
}

/** Sensitivity, specificity and positive predictive value of each rater. */
export function performanceAgainst({ raters, counts, said, truth }: Judged): RaterPerformance[] {
  return Array.from({ length: raters }, (_, rater) => {
    let [both, lesion, drawn, all] = [0, 0, 0, 0]
    for (let row = 0; row < counts.length; row++) {
      const [n, s, t] = [counts[row], said(row, rater), truth(row)]
      both += n * s * t
      lesion += n * t
      drawn += n * s
      all += n
    }
    return {
      sensitivity: both / lesion,
      specificity: (all - lesion - drawn + both) / (all - lesion),
      ppv: both / drawn,
    }
  })
}
