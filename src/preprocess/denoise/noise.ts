import { percentiles } from '../../volume/histogram.js'
import type { Image, Mask } from '../../volume/volume.js'

/**
 * Standard deviation of the noise (Coupé et al. 2010): the median absolute value of the finest diagonal Haar coefficients,
 * differences along all three axes at once, in which edges and slopes hardly show. Where the signal is less than
 * five times the noise, that of magnitude images is too small, and is put right as Koay & Basser (2006) do.
 *
 * Interpolated images hold less noise than this says of others: their voxels share it. 0 for an image without noise.
 *
 * @param mask voxels to look at; default: those above 0 (an image with negative values: all)
 * @param magnitude whether the noise is Rician
 */
export function noiseSd(image: Image, { mask, magnitude }: { mask?: Mask; magnitude: boolean }): number {
  const { dims, data } = image
  const [nx, ny, nz] = dims
  const strides = [1, nx, nx * ny].filter((_, axis) => dims[axis] > 1)
  const corners = [0]
  for (const stride of strides) corners.push(...corners.map((at) => at + stride))
  const signs = corners.map((_, i) => (-1) ** [...i.toString(2)].filter((bit) => bit === '1').length)
  const counts = (at: number) => (mask ? mask.data[at] !== 0 : !magnitude || data[at] > 0)
  const norm = 1 / Math.sqrt(corners.length)
  const sizes: number[] = []
  const values: number[] = []
  for (let k = 0; k < Math.max(1, nz - 1); k += 2)
    for (let j = 0; j < Math.max(1, ny - 1); j += 2)
      for (let i = 0; i < Math.max(1, nx - 1); i += 2) {
        const at = i + nx * (j + ny * k)
        if (!corners.every((corner) => counts(at + corner))) continue
        let sum = 0
        for (let c = 0; c < corners.length; c++) sum += signs[c] * data[at + corners[c]]
        sizes.push(Math.abs(norm * sum))
        values.push(data[at])
      }
  if (sizes.length === 0) return 0
  const median = (list: number[]) => percentiles({ ...image, data: Float32Array.from(list) }, [50])[0]
  const sd = median(sizes) / 0.6745
  return magnitude && sd > 0 ? sd / Math.sqrt(koay(median(values) / sd)) : sd
}

/** Variance of magnitude values as a share of that of the noise, for a mean of `ratio` of their standard deviations. */
function koay(ratio: number): number {
  if (ratio > 5) return 1
  let theta = Math.sqrt(Math.max(0, ratio * ratio - 1))
  for (let round = 0; round < 50; round++) theta = Math.sqrt(Math.max(0, factor(theta) * (1 + ratio * ratio) - 2))
  return factor(theta)
}

/** ξ(θ) = 2 + θ² − π/8 · e^(−θ²/2) · ((2 + θ²) I₀(θ²/4) + θ² I₁(θ²/4))² */
function factor(theta: number): number {
  const t = theta * theta
  const inner = (2 + t) * besselI(0, t / 4) + t * besselI(1, t / 4)
  return 2 + t - (Math.PI / 8) * Math.exp(-t / 2) * inner * inner
}

/** Modified Bessel function of whole order, by its series (arguments here stay below 10). */
function besselI(order: 0 | 1, x: number): number {
  let term = order === 0 ? 1 : x / 2
  let sum = term
  for (let m = 1; m < 60; m++) sum += term *= (x / 2) ** 2 / (m * (m + order))
  return sum
}
