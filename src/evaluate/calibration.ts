import type { Image, Mask } from '../volume/volume.js'
import { scoredVoxels, type WithinOptions } from './scored-voxels.js'

/** Voxels whose probability p lies in `low` < p ≤ `high`; the first bin has p = 0 too. */
export interface ReliabilityBin {
  low: number
  high: number
  count: number
  /** Mean probability of the bin's voxels; NaN for an empty bin. */
  meanProbability: number
  /** Share of the bin's voxels that are lesion in the reference; NaN for an empty bin. */
  observed: number
}

/** How far probabilities can be taken at their word. NaN where there is no voxel. */
export interface Calibration {
  /** Mean of (p − y)² over voxels, y = 1 in the reference's lesions, else 0: 0 is perfect. */
  brier: number
  /** Expected calibration error: mean over voxels of |observed − mean probability| of the voxel's bin. */
  expectedError: number
  /** The largest |observed − mean probability| of a bin with voxels. */
  maximumError: number
  /** The reliability curve: bins of equal width from 0 to 1. */
  bins: ReliabilityBin[]
}

/**
 * Calibration of a lesion probability map. It is judged for the lesion class: an uncertain background voxel counts as
 * its probability says. (The multi-class form of Guo et al. bins the probability of the predicted class instead.)
 *
 * Sources: Brier 1950, Mon Weather Rev 78:1; Naeini et al. 2015, AAAI; Guo et al. 2017, ICML (bins and ECE).
 *
 * @param binCount number of bins of equal width; 10 unless given (Guo et al. use 15)
 * @throws RangeError when the volumes are not on one grid or a value is no probability
 */
export function calibration(
  reference: Mask,
  probability: Image,
  { binCount = 10, ...options }: WithinOptions & { binCount?: number } = {},
): Calibration {
  if (!(Number.isInteger(binCount) && binCount > 0))
    throw new RangeError(`${binCount} is no number of bins: give 1 or more.`)
  const { positives, negatives } = scoredVoxels(reference, probability, options, [0, 1])
  const [counts, sums, lesions] = [0, 0, 0].map(() => new Float64Array(binCount))
  let squares = 0
  const gather = (values: Float32Array, truth: 0 | 1) => {
    for (let i = 0; i < values.length; i++) {
      const p = values[i]
      // Exact, as a single-precision number times a small integer fits into double precision.
      const bin = p === 0 ? 0 : Math.ceil(p * binCount) - 1
      counts[bin]++
      sums[bin] += p
      lesions[bin] += truth
      squares += (p - truth) ** 2
    }
  }
  gather(positives, 1)
  gather(negatives, 0)
  const n = positives.length + negatives.length
  const bins = Array.from({ length: binCount }, (_, bin) => ({
    low: bin / binCount,
    high: (bin + 1) / binCount,
    count: counts[bin],
    meanProbability: sums[bin] / counts[bin],
    observed: lesions[bin] / counts[bin],
  }))
  const errors = bins.filter(({ count }) => count > 0).map((bin) => Math.abs(bin.observed - bin.meanProbability))
  const weights = bins.filter(({ count }) => count > 0).map(({ count }) => count / n)
  return {
    brier: squares / n,
    expectedError: n === 0 ? Number.NaN : errors.reduce((sum, error, i) => sum + weights[i] * error, 0),
    maximumError: n === 0 ? Number.NaN : Math.max(...errors),
    bins,
  }
}
