import { type Connectivity, labelComponents } from '../volume/components.js'
import { boundingBox, crop } from '../volume/crop.js'
import { type Image, type Mask, maskWhere, voxelVolume } from '../volume/volume.js'
import { assertOneGrid } from './scored-voxels.js'

export interface FrocOptions {
  /** Voxels with a probability of at least this are lesion. Default 0.05, 0.1, … 0.95. */
  thresholds?: readonly number[]
  /** What makes voxels one lesion, of both maps. Default 18. */
  connectivity?: Connectivity
  /** Lesions smaller than this many mm³ are not counted, of either map. Default 0. */
  minimumMm3?: number
}

export interface FrocPoint {
  threshold: number
  /** Reference lesions with at least one voxel at or above the threshold. */
  detected: number
  /** Lesions of the thresholded map without a voxel in any reference lesion, counted or not. */
  falsePositives: number
}

export interface Froc {
  referenceLesions: number
  points: FrocPoint[]
}

/**
 * Lesion detection at several thresholds of a probability map (free-response ROC; Chakraborty 1989, Med Phys 16:561).
 *
 * @throws RangeError when the volumes are not on one grid, or a threshold is not above 0
 */
export function froc(
  reference: Mask,
  probability: Image,
  { thresholds = everyTwentieth, connectivity = 18, minimumMm3 = 0 }: FrocOptions = {},
): Froc {
  assertOneGrid(reference, probability)
  const lowest = Math.min(...thresholds)
  if (!(lowest > 0))
    throw new RangeError(`A threshold of ${lowest} makes every voxel a lesion: give thresholds above 0.`)
  const smallest = (minimumMm3 / voxelVolume(reference)) * (1 - 1e-6)
  const box = boundingBox(maskWhere(reference, (value, i) => value !== 0 || probability.data[i] >= lowest))
  if (!box)
    return {
      referenceLesions: 0,
      points: thresholds.map((threshold) => ({ threshold, detected: 0, falsePositives: 0 })),
    }
  const truth = crop(reference, box)
  const map = crop(probability, box)
  const lesions = labelComponents(truth, connectivity)
  const peaks = new Float32Array(lesions.count + 1)
  for (let i = 0; i < map.data.length; i++) {
    const label = lesions.labels.data[i]
    if (label !== 0 && map.data[i] > peaks[label]) peaks[label] = map.data[i]
  }
  const counted = peaks.subarray(1).filter((_, i) => lesions.sizes[i + 1] >= smallest)
  return {
    referenceLesions: counted.length,
    points: thresholds.map((threshold) => ({
      threshold,
      detected: counted.filter((peak) => peak >= threshold).length,
      falsePositives: falsePositives(
        truth,
        maskWhere(map, (p) => p >= threshold),
        connectivity,
        smallest,
      ),
    })),
  }
}

const everyTwentieth = Array.from({ length: 19 }, (_, i) => (i + 1) / 20)

function falsePositives(truth: Mask, candidate: Mask, connectivity: Connectivity, smallest: number): number {
  const { labels, count, sizes } = labelComponents(candidate, connectivity)
  const met = new Uint8Array(count + 1)
  for (let i = 0; i < truth.data.length; i++) if (truth.data[i] !== 0) met[labels.data[i]] = 1
  let wrong = 0
  for (let label = 1; label <= count; label++) if (met[label] === 0 && sizes[label] >= smallest) wrong++
  return wrong
}

/** A point of the curve over all cases. */
export interface PooledFrocPoint {
  threshold: number
  /** Detected lesions of all cases over their number; NaN without lesions. */
  sensitivity: number
  falsePositivesPerScan: number
}

/**
 * The curve of a set of cases, taken at the same thresholds.
 * @throws RangeError when the thresholds differ
 */
export function pooledFroc(cases: readonly Froc[]): PooledFrocPoint[] {
  const lesions = cases.reduce((sum, { referenceLesions }) => sum + referenceLesions, 0)
  return (cases[0]?.points ?? []).map(({ threshold }, at) => {
    const points = cases.map(({ points }) => points[at])
    if (points.some((point) => point?.threshold !== threshold))
      throw new RangeError('The curves were taken at different thresholds: take all at the same before pooling them.')
    const total = (key: 'detected' | 'falsePositives') => points.reduce((sum, point) => sum + point[key], 0)
    return {
      threshold,
      sensitivity: total('detected') / lesions,
      falsePositivesPerScan: total('falsePositives') / cases.length,
    }
  })
}

/**
 * The best sensitivity that some threshold reaches with at most so many false positives per scan; 0 where none has as
 * few. No interpolation: lesions merge as the threshold falls, and the curve need not rise.
 */
export const sensitivityAt = (curve: readonly PooledFrocPoint[], falsePositivesPerScan: number): number =>
  curve
    .filter((point) => point.falsePositivesPerScan <= falsePositivesPerScan)
    .reduce((best, { sensitivity }) => Math.max(best, sensitivity), 0)
