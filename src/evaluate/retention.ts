import type { Image, Mask } from '../volume/volume.js'
import { assertOneGrid, countBelow, sorted, type WithinOptions } from './scored-voxels.js'

/** Overlap with the reference when only the most certain voxels keep their prediction. */
export interface RetentionCurve {
  /** Share of voxels that keep their prediction; the others are put right. */
  retained: number[]
  dice: number[]
  /** Dice with false positives weighted as if the lesions filled `lesionLoad` of the region (nDSC). */
  normalisedDice: number[]
  /** 1 − area under `dice` over `retained` (trapezoids): 0 is perfect; falls when the errors are the uncertain voxels. */
  errorArea: number
  /** The same of `normalisedDice`: R-AUC of the Shifts challenge. */
  normalisedErrorArea: number
}

export interface RetentionOptions extends WithinOptions {
  /** Shares at which the curve is taken, rising, 0–1. Default: the challenge's 200, dense towards 1: ln(k) / ln(200). */
  retained?: readonly number[]
  /** The effective lesion load of nDSC; 0.001 as in the challenge. */
  lesionLoad?: number
}

/**
 * How well an uncertainty map points at the errors of a prediction: voxels are put in order of uncertainty, and those
 * that are least certain take the reference's label. A good map makes Dice rise at once.
 *
 * Voxels that are equally uncertain share the place in proportion, so that their order in memory changes nothing (the
 * challenge's code sorts them as they come). A curve is 1 where both masks are empty.
 *
 * Sources: Malinin et al. 2022, Shifts 2.0, arXiv:2206.15407; Raina et al. 2023, IEEE ISBI, arXiv:2302.05432 (nDSC).
 *
 * @param uncertainty any measure that is larger where the prediction is less certain
 * @throws RangeError when the volumes are not on one grid or an uncertainty is NaN
 */
export function retentionCurve(
  reference: Mask,
  prediction: Mask,
  uncertainty: Image,
  { within, retained = challengeShares, lesionLoad = 0.001 }: RetentionOptions = {},
): RetentionCurve {
  assertOneGrid(reference, prediction, uncertainty, within)
  const n = uncertainty.data.length
  const [all, right, extra, missed] = [0, 0, 0, 0].map(() => new Float32Array(n))
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < n; i++) {
    if (within && within.data[i] === 0) continue
    const value = uncertainty.data[i]
    if (Number.isNaN(value)) throw new RangeError('The uncertainty map holds NaN: give 0 where nothing is uncertain.')
    all[counts[0]++] = value
    if (prediction.data[i] !== 0) {
      if (reference.data[i] !== 0) right[counts[1]++] = value
      else extra[counts[2]++] = value
    } else if (reference.data[i] !== 0) missed[counts[3]++] = value
  }
  const rising = [all, right, extra, missed].map((values, kind) => sorted(values.subarray(0, counts[kind])))
  const [voxels] = counts
  const lesion = counts[1] + counts[3]
  const weight = lesion === 0 || lesion === voxels ? 1 : ((1 - lesionLoad) * lesion) / (lesionLoad * (voxels - lesion))
  const dice: number[] = []
  const normalisedDice: number[] = []
  for (const share of retained) {
    const kept = Math.floor(voxels * share)
    const [, , falsePositives, falseNegatives] = keptOfEach(rising, kept)
    // A false negative that is put right, like a true positive, is a lesion voxel found.
    const found = 2 * (lesion - falseNegatives)
    const score = (errors: number) => (found + errors === 0 ? 1 : found / (found + errors))
    dice.push(score(falsePositives + falseNegatives))
    normalisedDice.push(score(weight * falsePositives + falseNegatives))
  }
  return {
    retained: [...retained],
    dice,
    normalisedDice,
    errorArea: 1 - area(retained, dice),
    normalisedErrorArea: 1 - area(retained, normalisedDice),
  }
}

const challengeShares = Array.from({ length: 200 }, (_, k) => Math.log(k + 1) / Math.log(200))

/** How many values of each array are among the `kept` smallest of the first; equals share what room there is. */
function keptOfEach(rising: Float32Array[], kept: number): number[] {
  if (kept === 0) return rising.map(() => 0)
  const last = rising[0][kept - 1]
  const below = rising.map((values) => countBelow(values, last))
  const upTo = rising.map((values) => countBelow(values, last, true))
  const share = (kept - below[0]) / (upTo[0] - below[0])
  return rising.map((_, kind) => below[kind] + share * (upTo[kind] - below[kind]))
}

function area(x: readonly number[], y: number[]): number {
  let sum = 0
  for (let i = 1; i < x.length; i++) sum += ((x[i] - x[i - 1]) * (y[i] + y[i - 1])) / 2
  return sum
}
