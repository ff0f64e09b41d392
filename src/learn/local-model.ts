import { voxelSizes } from '../volume/affine.js'
import { type Box, boundingBox, crop } from '../volume/crop.js'
import { gaussian } from '../volume/filter.js'
import { emptyImage, type Grid, type Image, type Mask, voxelsIn } from '../volume/volume.js'
import type { Gaussian } from './density.js'
import { onLattice } from './lattice.js'

/** Healthy intensities of each tissue at each place: what a voxel there should look like if it is of that tissue. */
export interface LocalModel {
  /** Log-density of tissue k at sample i. */
  log(k: number, i: number): number
  /** Squared Mahalanobis distance of sample i from tissue k. */
  distance(k: number, i: number): number
}

/** A healthy head on the subject's grid, its intensities on the subject's scale. */
export interface HealthyImages {
  /** One image per channel. */
  channels: readonly Image[]
  /** How much each voxel counts for each tissue, 0–1. */
  tissue: readonly Image[]
}

export interface LocalModelOptions {
  /** The subject's own images: its samples are their voxels inside `mask`, in storage order. */
  channels: readonly Image[]
  mask: Mask
  /** Tissues of the whole subject: where a place has little of a tissue, its model goes towards these. */
  classes: readonly Gaussian[]
  /** Gaussian window around each place, σ in mm. */
  window: number
  /** How many samples the global covariance counts for against those in the window. */
  shrink: number
  signal?: AbortSignal
}

/**
 * Mean and covariance of each tissue in a Gaussian window around each voxel, over all given heads (Tomas-Fernandez and
 * Warfield 2015). With n samples of scatter S in the window, the covariance is (n·S + ν·Σ) / (n + ν) for the tissue's
 * global Σ; the mean takes the global one as a single sample, so that it is defined where a tissue does not occur.
 */
export async function localModel(
  heads: readonly HealthyImages[],
  { channels, mask, classes, window, shrink, signal }: LocalModelOptions,
): Promise<LocalModel> {
  const d = channels.length
  const triangle = (d * (d + 1)) / 2
  const box: Box = boundingBox(mask) ?? { start: [0, 0, 0], dims: [1, 1, 1] }
  const inside = crop(mask, box)
  const voxels = voxelsIn(inside)
  const samples = channels.map((image) => onLattice({ voxels }, crop(image, box)))
  const boxed = heads.map((head) => ({
    channels: head.channels.map((image) => crop(image, box)),
    tissue: head.tissue.map((image) => crop(image, box)),
  }))
  const size = samplesInWindow(inside, window)
  /** The window's mean, over all heads, of a tissue's weight times the offsets of up to two channels. */
  const windowed = async (k: number, r?: number, c?: number) => {
    signal?.throwIfAborted()
    const sum = emptyImage(inside)
    for (const head of boxed) addMoment(sum.data, head, classes[k].mean, k, r, c)
    return onLattice({ voxels }, await gaussian(sum, window))
  }

  const means: Float32Array[][] = []
  /** Rows of the inverse Cholesky factor: it turns an offset from the mean into independent unit normals. */
  const factors: Float32Array[][] = []
  /** Log of each density at its mean. */
  const constants: Float32Array[] = []
  for (const [k, { mean, covariance }] of classes.entries()) {
    const weight = await windowed(k)
    const firsts: Float32Array[] = []
    const seconds: Float32Array[] = []
    for (let r = 0; r < d; r++) {
      firsts.push(await windowed(k, r))
      for (let c = 0; c <= r; c++) seconds.push(await windowed(k, r, c))
    }
    const matrix = new Float64Array(triangle)
    const constant = new Float32Array(voxels.length).fill(-0.5 * d * Math.log(2 * Math.PI))
    for (let i = 0; i < voxels.length; i++) {
      const w = Math.max(weight[i], 1e-12)
      const n = size * w
      for (let r = 0, entry = 0; r < d; r++)
        for (let c = 0; c <= r; c++, entry++) {
          const scatter = seconds[entry][i] / w - (firsts[r][i] / w) * (firsts[c][i] / w)
          matrix[entry] = (n * scatter + shrink * covariance[r * d + c]) / (n + shrink)
        }
      for (let r = 0; r < d; r++) firsts[r][i] = mean[r] + ((n / (n + 1)) * firsts[r][i]) / w
      invertedCholesky(matrix, d)
      for (let entry = 0; entry < triangle; entry++) seconds[entry][i] = matrix[entry]
      for (let r = 0; r < d; r++) constant[i] += Math.log(matrix[(r * (r + 3)) / 2])
    }
    means.push(firsts)
    factors.push(seconds)
    constants.push(constant)
  }

  const distance = (k: number, i: number): number => {
    const [mean, factor] = [means[k], factors[k]]
    let sum = 0
    for (let r = 0, entry = 0; r < d; r++) {
      let row = 0
      for (let c = 0; c <= r; c++, entry++) row += factor[entry][i] * (samples[c][i] - mean[c][i])
      sum += row * row
    }
    return sum
  }
  return { distance, log: (k, i) => constants[k][i] - 0.5 * distance(k, i) }
}

/** Adds a head's weights of tissue k, times its offsets from the mean in channel r, and in channel c. */
function addMoment(
  sum: Float32Array,
  { channels, tissue }: HealthyImages,
  mean: readonly number[],
  k: number,
  r?: number,
  c?: number,
): void {
  const weight = tissue[k].data
  if (r === undefined) {
    for (let at = 0; at < sum.length; at++) sum[at] += weight[at]
    return
  }
  const [x, mx] = [channels[r].data, mean[r]]
  if (c === undefined) {
    for (let at = 0; at < sum.length; at++) sum[at] += weight[at] * (x[at] - mx)
    return
  }
  const [y, my] = [channels[c].data, mean[c]]
  for (let at = 0; at < sum.length; at++) sum[at] += weight[at] * (x[at] - mx) * (y[at] - my)
}

/** How many voxels the Gaussian window counts for: one over the sum of its squared weights. */
export function samplesInWindow({ affine, dims }: Grid, window: number): number {
  // An axis whose σ is far below a voxel is not smoothed, and below half a voxel the sampled window is one voxel wide.
  return voxelSizes(affine).reduce(
    (n, mm, axis) => n * (dims[axis] > 1 ? Math.max(1, (2 * Math.sqrt(Math.PI) * window) / mm) : 1),
    1,
  )
}

/** Inverse of the lower Cholesky factor of a symmetric matrix, both as packed lower triangles, in place. */
export function invertedCholesky(matrix: Float64Array, d: number): void {
  const at = (r: number, c: number) => (r * (r + 1)) / 2 + c
  for (let r = 0; r < d; r++)
    for (let c = 0; c <= r; c++) {
      let sum = matrix[at(r, c)]
      for (let m = 0; m < c; m++) sum -= matrix[at(r, m)] * matrix[at(c, m)]
      matrix[at(r, c)] = r === c ? Math.sqrt(Math.max(sum, 1e-12)) : sum / matrix[at(c, c)]
    }
  for (let c = 0; c < d; c++) {
    matrix[at(c, c)] = 1 / matrix[at(c, c)]
    for (let r = c + 1; r < d; r++) {
      let sum = 0
      for (let m = c; m < r; m++) sum -= matrix[at(r, m)] * matrix[at(m, c)]
      // The diagonal of row r is still that of the factor itself.
      matrix[at(r, c)] = sum / matrix[at(r, r)]
    }
  }
}
