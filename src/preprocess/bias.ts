import type { Vec3 } from '../volume/affine.js'
import { voxelSizes } from '../volume/affine.js'
import { type Box, boundingBox } from '../volume/crop.js'
import { gridOf, type Image, type Mask } from '../volume/volume.js'
import {
  expand,
  expandSlices,
  fit,
  flatLattice,
  type Lattice,
  type Places,
  placesOf,
  subdivide,
} from './bias/lattice.js'
import { Sharpener } from './bias/sharpen.js'

export interface BiasOptions {
  /**
   * Levels of the B-spline mesh: 1, 2, 4, … elements along each side of the mask's box. Default 3: a fourth level
   * begins to follow tissue, and the lesions of a FLAIR. 4 suits a T1 of strong, local shading.
   */
  levels?: number
  /** Most iterations at each level. Default 50. */
  iterations?: number
  /** A level ends when the field changes by less than this (coefficient of variation). Default 0.001. */
  tolerance?: number
  /** Full width at half maximum of the blur that is taken out of the log-histogram. Default 0.15. */
  fwhm?: number
  /** Spacing in mm at which the field is estimated; thicker slices stay as they are. Default 4. */
  spacingMm?: number
  /** Confidence of each voxel, ≥ 0, on the image's grid: lesions and outliers given little do not pull the field. */
  weights?: Image
  signal?: AbortSignal
}

export interface BiasCorrection {
  /** The image divided by the field; its mean inside the mask is kept. */
  corrected: Image
  /** Natural logarithm of the field; its mean inside the mask is 0. */
  logField: Image
}

/**
 * N4 bias-field correction (Tustison et al. 2010): the log-histogram is sharpened (Sled et al. 1998), and the difference
 * of each voxel to its expected sharp value is fitted by B-splines (Lee, Wolberg & Shin 1997), again and again on the
 * image corrected so far, on a finer mesh each level. The field is then evaluated at full resolution.
 *
 * Values of 0 or less take no part in the estimate. An empty or constant image comes back as it is, with a field of 1.
 *
 * @param mask where to estimate, on the image's grid; the field is given, and applied, everywhere
 * @throws RangeError when mask or weights are not on the image's grid
 */
export async function n4(image: Image, mask: Mask, options: BiasOptions = {}): Promise<BiasCorrection> {
  const { levels = 3, iterations = 50, tolerance = 1e-3, fwhm = 0.15, spacingMm = 4, weights, signal } = options
  if (mask.data.length !== image.data.length)
    throw new RangeError('The mask has another number of voxels than the image.')
  if (weights && weights.data.length !== image.data.length)
    throw new RangeError('The weights have another number of voxels than the image.')
  const box = boundingBox(mask)
  if (!box) return unchanged(image)
  const samples = shrink(image, mask, weights, box, spacingMm)
  const sharpener = new Sharpener(fwhm)
  const field = new Float64Array(samples.logs.length)
  const residual = new Float64Array(field.length)
  let total: Lattice = flatLattice(1)
  for (let level = 0; level < levels; level++) {
    // A breath between levels, so that a cancel or a progress bar gets its turn.
    await new Promise((resolve) => setTimeout(resolve))
    signal?.throwIfAborted()
    if (level > 0) total = subdivide(total)
    for (let iteration = 0; iteration < iterations; iteration++) {
      if (!sharpener.residual(samples.logs, field, samples.weights, residual)) break
      const update = fit(residual, samples.weights, samples.places, total.mesh)
      const change = expand(update, samples.places)
      for (let i = 0; i < field.length; i++) field[i] += change[i]
      for (let i = 0; i < total.values.length; i++) total.values[i] += update.values[i]
      if (variation(change, samples.weights) < tolerance) break
    }
  }
  return applied(image, mask, total, placesOf(image.dims, box))
}

interface Samples {
  /** log of the mean intensity in each cell. */
  logs: Float64Array
  /** Confidence of each cell; 0 where it holds nothing of the mask. */
  weights: Float64Array
  /** Where the cells lie in the box. */
  places: Places
}

/** One sample for each cell of about `mm`: the weighted mean of the voxels near its centre that lie in the mask. */
function shrink(image: Image, mask: Mask, given: Image | undefined, box: Box, mm: number): Samples {
  const factor = voxelSizes(image.affine).map((size) => Math.max(1, Math.round(mm / size)))
  const dims = box.dims.map((n, axis) => Math.max(1, Math.floor(n / factor[axis]))) as unknown as Vec3
  const used = factor.map((f, axis) => Math.min(f, box.dims[axis]))
  const [nx, ny] = image.dims
  const [cx, cy, cz] = dims
  const logs = new Float64Array(cx * cy * cz)
  const weights = new Float64Array(logs.length)
  for (let k = 0, cell = 0; k < cz; k++)
    for (let j = 0; j < cy; j++)
      for (let i = 0; i < cx; i++, cell++) {
        let [sum, confidence, voxels] = [0, 0, 0]
        for (let c = 0; c < used[2]; c++)
          for (let b = 0; b < used[1]; b++) {
            const row =
              box.start[0] + i * used[0] + nx * (box.start[1] + j * used[1] + b + ny * (box.start[2] + k * used[2] + c))
            for (let a = 0; a < used[0]; a++) {
              const at = row + a
              voxels++
              if (mask.data[at] === 0 || !(image.data[at] > 0)) continue
              const weight = given ? Math.max(0, given.data[at]) : 1
              sum += weight * image.data[at]
              confidence += weight
            }
          }
        // Cells of which little lies in the mask are mostly its ragged edge.
        if (confidence <= 0 || confidence < 0.25 * voxels * (given ? 0.01 : 1)) continue
        logs[cell] = Math.log(sum / confidence)
        weights[cell] = confidence / voxels
      }
  const places = dims.map((n, axis) => ({
    n,
    start: (0.5 * used[axis]) / box.dims[axis],
    step: used[axis] / box.dims[axis],
  })) as unknown as Places
  return { logs, weights, places }
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
function applied(image: Image, mask: Mask, lattice: Lattice, places: Places): BiasCorrection {
  const log = new Float32Array(image.data.length)
  const corrected = new Float32Array(log.length)
  const [nx, ny] = image.dims
  let [inside, logs, before, after] = [0, 0, 0, 0]
  expandSlices(lattice, places, (slice, k) => {
    for (let i = 0, at = k * nx * ny; i < slice.length; i++, at++) {
      log[at] = slice[i]
      corrected[at] = image.data[at] * Math.exp(-slice[i])
      if (mask.data[at] !== 0) {
        inside++
        logs += slice[i]
        before += image.data[at]
        after += corrected[at]
      }
    }
  })
  const mean = logs / inside
  const scale = after > 0 ? before / after : 1
  for (let i = 0; i < log.length; i++) {
    log[i] -= mean
    corrected[i] *= scale
  }
  return { corrected: { ...gridOf(image), data: corrected }, logField: { ...gridOf(image), data: log } }
}

const unchanged = (image: Image): BiasCorrection => ({
  corrected: { ...gridOf(image), data: image.data.slice() },
  logField: { ...gridOf(image), data: new Float32Array(image.data.length) },
})
