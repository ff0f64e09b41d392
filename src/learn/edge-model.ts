import { type Vec3, voxelSizes } from '../volume/affine.js'
import { gaussian, thickSlice } from '../volume/filter.js'
import { histogram, smoothed } from '../volume/histogram.js'
import { emptyImage, type Image, type Mask } from '../volume/volume.js'

/**
 * The rank, 0–1, of each voxel's gradient magnitude among the voxels of `mask`: a fuzzy membership in "edge" that does
 * not depend on the contrast of the image (Khademi et al. 2012). Gradients across thick slices are left out.
 *
 * @param sigma scale of the gradient, voxels (Gaussian σ)
 */
export async function edgeRank(image: Image, mask: Mask, sigma: number): Promise<Image> {
  const size = voxelSizes(image.affine)
  const smooth = await gaussian(image, size.map((mm) => (mm < thickSlice ? sigma * mm : 0)) as unknown as Vec3)
  const gradient = emptyImage(image)
  let stride = 1
  for (let axis = 0; axis < 3; axis++) {
    const n = image.dims[axis]
    if (size[axis] < thickSlice)
      for (let at = 0; at < gradient.data.length; at++) {
        if (mask.data[at] === 0) continue
        const place = Math.floor(at / stride) % n
        const after = smooth.data[place < n - 1 ? at + stride : at]
        const before = smooth.data[place > 0 ? at - stride : at]
        gradient.data[at] += ((after - before) / (2 * size[axis])) ** 2
      }
    stride *= n
  }
  for (let at = 0; at < gradient.data.length; at++) gradient.data[at] = Math.sqrt(gradient.data[at])
  const { counts, min, width } = histogram(gradient, { bins: 4096, mask })
  const total = counts.reduce((sum, count) => sum + count, 0)
  let below = 0
  const rank = counts.map((count) => ((below += count) - count / 2) / total)
  for (let at = 0; at < gradient.data.length; at++)
    if (mask.data[at] !== 0)
      gradient.data[at] = rank[Math.min(rank.length - 1, Math.floor((gradient.data[at] - min) / width))]
  return gradient
}

/** Intensities of two pure tissues, `from` below `to`. */
export interface Pure {
  from: number
  to: number
}

/**
 * How much of the tissue at `to` is in a voxel of a given intensity, the rest being the one at `from` (Khademi et al.
 * 2012): the running sum, over intensities, of the mean edge strength of the voxels that have them. Intensities met in
 * flat regions are pure and add little; those met at edges are mixtures and carry the fraction from 0 to 1.
 *
 * @param edge strength of the edge at each voxel, 0–1
 * @param mask the voxels that the mean strengths are taken of
 * @returns a rising function of intensity: 0 up to `from`, 1 from `to` on
 */
export function fractionByEdges(image: Image, edge: Image, mask: Mask, { from, to }: Pure): (value: number) => number {
  const bins = 256
  const [counts, sums] = [new Float64Array(bins), new Float64Array(bins)]
  for (let i = 0; i < image.data.length; i++) {
    const bin = Math.floor((bins * (image.data[i] - from)) / (to - from))
    if (mask.data[i] === 0 || bin < 0 || bin >= bins) continue
    counts[bin]++
    sums[bin] += edge.data[i]
  }
  const total = counts.reduce((sum, count) => sum + count, 0)
  const mean = total > 0 ? sums.reduce((sum, value) => sum + value, 0) / total : 1
  const [count, sum] = [smoothed(counts, 2), smoothed(sums, 2)]
  // A tenth of a voxel of mean strength: intensities that no voxel has are like the rest.
  const strength = count.map((n, bin) => (sum[bin] + 0.1 * mean) / (n + 0.1))
  const below = new Float64Array(bins + 1)
  for (let bin = 0; bin < bins; bin++) below[bin + 1] = below[bin] + strength[bin]
  return (value) => {
    const place = (bins * (value - from)) / (to - from)
    if (!(place > 0)) return 0
    if (place >= bins) return 1
    const bin = Math.floor(place)
    return (below[bin] + (place - bin) * strength[bin]) / below[bins]
  }
}
