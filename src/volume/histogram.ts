import type { Mask, Volume, VoxelArray } from './volume.js'

/**
 * Percentiles of the values (inside `mask`, if given), linear interpolation between order statistics (type 7).
 * NaN for no values. Cost O(n): a fine histogram narrows each percentile down, the values of its bin are then sorted.
 *
 * @param ps percentages, 0–100
 */
export function percentiles(image: Volume, ps: readonly number[], mask?: Mask): number[] {
  const values = valuesOf(image, mask)
  if (values.length === 0) return ps.map(() => Number.NaN)
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  if (min === max) return ps.map(() => min)
  const bins = 4096
  const scale = bins / (max - min)
  const binOf = (value: number) => Math.min(bins - 1, Math.floor((value - min) * scale))
  const counts = new Uint32Array(bins)
  for (let i = 0; i < values.length; i++) counts[binOf(values[i])]++
  const sorted = new Map<number, Float64Array>()
  /** The value of rank `rank` (0-based) in ascending order. */
  const order = (rank: number): number => {
    let [bin, before] = [0, 0]
    while (before + counts[bin] <= rank) before += counts[bin++]
    let inBin = sorted.get(bin)
    if (!inBin) {
      inBin = new Float64Array(counts[bin])
      for (let i = 0, n = 0; i < values.length; i++) if (binOf(values[i]) === bin) inBin[n++] = values[i]
      inBin.sort()
      sorted.set(bin, inBin)
    }
    return inBin[rank - before]
  }
  return ps.map((p) => {
    const position = ((values.length - 1) * Math.min(100, Math.max(0, p))) / 100
    const below = Math.floor(position)
    const low = order(below)
    return position === below ? low : low + (position - below) * (order(below + 1) - low)
  })
}

export interface Histogram {
  counts: Float64Array
  /** Left edge of the first bin and right edge of the last. */
  min: number
  max: number
  width: number
}

/** Counts of the values in `bins` equal bins over `range` (default: all values); values outside are left out. */
export function histogram(
  image: Volume,
  { bins, range, mask }: { bins: number; range?: readonly [number, number]; mask?: Mask },
): Histogram {
  const values = valuesOf(image, mask)
  let [min, max] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  if (!range)
    for (const value of values) {
      if (value < min) min = value
      if (value > max) max = value
    }
  if (!(max > min)) [min, max] = Number.isFinite(min) ? [min, min + 1] : [0, 1]
  const width = (max - min) / bins
  const counts = new Float64Array(bins)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value >= min && value <= max) counts[Math.min(bins - 1, Math.floor((value - min) / width))]++
  }
  return { counts, min, max, width }
}

export interface Peak {
  mode: number
  /** Distance from the mode to where the histogram falls to half its height, on either side. */
  low: number
  high: number
  /** Half of the full width at half maximum. */
  halfWidth: number
}

/**
 * The tallest peak of the smoothed histogram from about the 1st to the 99th percentile. The smoothing (Gaussian, 1/64 of the
 * range) makes it safe on the comb-like histograms of images that were rescaled as integers. A constant image has width 0.
 */
export function smoothedMode(image: Volume, mask?: Mask, { bins = 256 }: { bins?: number } = {}): Peak {
  const [low, high] = percentiles(image, [1, 99], mask)
  if (!(high > low)) return { mode: low, low: 0, high: 0, halfWidth: 0 }
  // A tenth more on either side: the fall of a peak at the end of the range is seen too.
  const margin = 0.1 * (high - low)
  const { counts, min, width } = histogram(image, { bins, range: [low - margin, high + margin], mask })
  const smooth = smoothed(counts, bins / 64)
  const peak = smooth.reduce((best, count, bin) => (count > smooth[best] ? bin : best), 0)
  const half = smooth[peak] / 2
  let left = peak
  while (left > 0 && smooth[left] >= half) left--
  let right = peak
  while (right < bins - 1 && smooth[right] >= half) right++
  // Between two bins the fall is taken as straight.
  const leftEdge = smooth[left] < half ? left + (half - smooth[left]) / (smooth[left + 1] - smooth[left]) : left
  const rightEdge = smooth[right] < half ? right - (half - smooth[right]) / (smooth[right - 1] - smooth[right]) : right
  return {
    mode: min + (peak + 0.5) * width,
    low: (peak - leftEdge) * width,
    high: (rightEdge - peak) * width,
    halfWidth: ((rightEdge - leftEdge) * width) / 2,
  }
}

/** σ of a Gaussian whose half width at half maximum is that above the mode: what widens a peak below it is not seen. */
export const sigmaAbove = ({ high }: Peak): number => high / 1.1774

/** Gaussian smoothing of a histogram, sigma in bins; mass that would leave the range stays in the outer bins. */
export function smoothed(counts: Float64Array, sigma: number): Float64Array {
  const reach = Math.ceil(4 * sigma)
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2))
  const total = kernel.reduce((sum, weight) => sum + weight, 0)
  return counts.map((_, bin) => {
    let sum = 0
    for (let d = -reach; d <= reach; d++) {
      sum += kernel[d + reach] * counts[Math.min(counts.length - 1, Math.max(0, bin + d))]
    }
    return sum / total
  })
}

/** The values to count: those inside the mask, or all. */
function valuesOf({ data }: Volume, mask?: Mask): VoxelArray {
  if (!mask) return data
  let n = 0
  for (let i = 0; i < data.length; i++) if (mask.data[i] !== 0) n++
  const out = new Float64Array(n)
  n = 0
  for (let i = 0; i < data.length; i++) if (mask.data[i] !== 0) out[n++] = data[i]
  return out
}
