import { resampleMask } from '../volume/resample.js'
import { gridOf, type Image, type Mask } from '../volume/volume.js'
import { expand, fit, type Lattice, uniformLattice } from './bias/lattice.js'
import { Sharpener } from './bias/sharpen.js'
import { coarser } from './registration/sampling.js'

export interface BiasOptions {
  /** Levels of the B-spline mesh: 1, 2, 4, … elements along each axis. Default 3; more follow lesions and tissue. */
  levels?: number
  /** Most iterations at each level. Default 50. */
  iterations?: number
  /** A level ends when the field changes by less than this (coefficient of variation). Default 0.001. */
  tolerance?: number
  /** Full width at half maximum of the blur that is taken out of the log-histogram. Default 0.15. */
  fwhm?: number
  /** Spacing in mm at which the field is estimated. Default 4. */
  spacingMm?: number
}

export interface BiasCorrection {
  /** The image divided by the field; its mean inside the mask is kept. */
  corrected: Image
  /** Natural logarithm of the field. */
  logField: Image
}

/**
 * N4 bias-field correction (Tustison et al. 2010): the log-histogram is sharpened, and the difference to what each
 * voxel would then be is fitted by B-splines (Lee, Wolberg & Shin 1997), again and again, on a finer mesh each level.
 *
 * Values of 0 or less take no part in the estimate; they are divided by the field all the same.
 */
export async function n4(image: Image, mask: Mask, options: BiasOptions = {}): Promise<BiasCorrection> {
  const { levels = 3, iterations = 50, tolerance = 1e-3, fwhm = 0.15, spacingMm = 4 } = options
  const small = await coarser(image, spacingMm)
  const inside = await resampleMask(mask, small, { method: 'nearest' })
  const [weights, logs] = logarithm(small, inside)
  const field = new Float64Array(logs.length)
  const sharpener = new Sharpener(fwhm)
  const lattices: Lattice[] = []
  for (let level = 0; level < levels; level++) {
    const lattice = uniformLattice(2 ** level)
    lattices.push(lattice)
    const residual = new Float64Array(logs.length)
    for (let iteration = 0; iteration < iterations; iteration++) {
      if (!sharpener.residual(logs, field, weights, residual)) break
      const update = fit(residual, weights, small.dims, 2 ** level)
      const change = expand(update, small.dims, small.dims)
      for (let i = 0; i < field.length; i++) field[i] += change[i]
      for (let i = 0; i < lattice.values.length; i++) lattice.values[i] += update.values[i]
      if (variation(change, weights) < tolerance) break
    }
  }
  return applied(image, mask, lattices, small)
}

/** log of the image where the mask is set and the image positive; weights 1 there, 0 elsewhere. */
function logarithm(image: Image, mask: Mask): [Float64Array, Float64Array] {
  const weights = new Float64Array(image.data.length)
  const logs = new Float64Array(image.data.length)
  for (let i = 0; i < logs.length; i++)
    if (mask.data[i] !== 0 && image.data[i] > 0) {
      weights[i] = 1
      logs[i] = Math.log(image.data[i])
    }
  return [weights, logs]
}

/** Coefficient of variation of exp(change) inside the mask. */
function variation(change: Float64Array, weights: Float64Array): number {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < change.length; i++)
    if (weights[i] > 0) {
      const e = Math.exp(change[i])
      n++
      sum += e
      squares += e * e
    }
  const mean = sum / n
  return n > 1 ? Math.sqrt(Math.max(0, squares / n - mean * mean)) / mean : 0
}

/** Evaluates the field from its control points on the full grid and divides by it. */
function applied(image: Image, mask: Mask, lattices: Lattice[], small: Image): BiasCorrection {
  const log = new Float32Array(image.data.length)
  for (const lattice of lattices) {
    const part = expand(lattice, image.dims, small.dims)
    for (let i = 0; i < log.length; i++) log[i] += part[i]
  }
  const corrected = new Float32Array(log.length)
  let [before, after] = [0, 0]
  for (let i = 0; i < corrected.length; i++) {
    corrected[i] = image.data[i] * Math.exp(-log[i])
    if (mask.data[i] !== 0) {
      before += image.data[i]
      after += corrected[i]
    }
  }
  const scale = after > 0 ? before / after : 1
  for (let i = 0; i < corrected.length; i++) corrected[i] *= scale
  return { corrected: { ...gridOf(image), data: corrected }, logField: { ...gridOf(image), data: log } }
}
