import { boundingBox } from '../volume/crop.js'
import { gridOf, type Image, type Mask } from '../volume/volume.js'
import { applied } from './bias/apply.js'
import { Approximation, flatLattice, type Lattice, placesOf, subdivide } from './bias/lattice.js'
import { withoutBright } from './bias/outliers.js'
import { domainOf, type Samples, shrink, variation } from './bias/samples.js'
import { Sharpener } from './bias/sharpen.js'
import { SmoothingSpline } from './bias/smooth.js'

interface Common {
  /** Most iterations: of N4 at each level, of N3 in all. Default 50. */
  iterations?: number
  /** It ends (N4: the level) when the field changes by less than this (coefficient of variation). Default 0.001. */
  tolerance?: number
  /** Full width at half maximum of the blur that is taken out of the log-histogram. Default 0.15. */
  fwhm?: number
  /** Spacing in mm at which the field is estimated; thicker slices stay as they are. Default 4. */
  spacingMm?: number
  /** Confidence of each voxel, ≥ 0, on the image's grid: lesions and outliers given little do not pull the field. */
  weights?: Image
  /**
   * Give little weight to what is brighter than the brightest tissue of the sharpened histogram, as lesions are on FLAIR;
   * judged anew as the field is found. Default false.
   */
  lesionAware?: boolean
  signal?: AbortSignal
}

export interface BiasOptions extends Common {
  /**
   * Levels of the B-spline mesh: 1, 2, 4, … elements along each side of a block a third larger than the mask. Default 3: a fourth level
   * begins to follow tissue, and the lesions of a FLAIR. 4 suits a T1 of strong, local shading.
   */
  levels?: number
}

export interface N3Options extends Common {
  /** Distance of the B-spline's knots in mm; the longest side of the mask's box is cut into elements of about this. Default 90. */
  distanceMm?: number
  /** How much bending counts against the data; 0 is least squares alone. Default 0.01. */
  stiffness?: number
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
  const { levels = 3, iterations = 50, tolerance = 1e-3 } = options
  return await correct(image, mask, options, async (samples, sharpener, field, breath) => {
    const residual = new Float64Array(field.length)
    let total: Lattice = flatLattice(1)
    for (let level = 0; level < levels; level++) {
      await breath()
      if (level > 0) total = subdivide(total)
      const weights = confidence(samples, sharpener, field, options)
      const approximation = new Approximation(weights, samples.places, total.mesh)
      for (let iteration = 0; iteration < iterations; iteration++) {
        if (!sharpener.residual(samples.logs, field, weights, residual)) break
        const { points, values } = approximation.fit(residual)
        for (let i = 0; i < field.length; i++) field[i] += values[i]
        for (let i = 0; i < points.length; i++) total.values[i] += points[i]
        if (variation(values, weights) < tolerance) break
      }
    }
    return total
  })
}

/**
 * N3 bias-field correction (Sled, Zijdenbos & Evans 1998): as N4, but each round smooths the difference of the image itself
 * to its expected sharp value, by a least-squares B-spline with knots `distanceMm` apart, and takes that as the field.
 *
 * @param mask where to estimate, on the image's grid; the field is given, and applied, everywhere
 * @throws RangeError when mask or weights are not on the image's grid
 */
export async function n3(image: Image, mask: Mask, options: N3Options = {}): Promise<BiasCorrection> {
  const { iterations = 50, tolerance = 1e-3, distanceMm = 90, stiffness = 0.01 } = options
  return await correct(image, mask, options, async (samples, sharpener, field, breath) => {
    const mesh = Math.max(1, Math.round(samples.longestMm / distanceMm))
    const [residual, change] = [new Float64Array(field.length), new Float64Array(field.length)]
    let points: Float64Array = flatLattice(mesh).values
    let weights = samples.weights
    let spline: SmoothingSpline | undefined
    for (let iteration = 0; iteration < iterations; iteration++) {
      // Weights change the equations that are solved: not each time.
      if (!spline || (options.lesionAware && iteration % 8 === 0)) {
        await breath()
        weights = confidence(samples, sharpener, field, options)
        spline = new SmoothingSpline(weights, samples.places, mesh, stiffness)
      }
      if (!sharpener.residual(samples.logs, field, weights, residual)) break
      // v − E(u), with u = v − f: the residual and the field so far.
      for (let i = 0; i < field.length; i++) residual[i] += field[i]
      const found = spline.fit(residual)
      const mean = meanOf(found.values, weights)
      for (let i = 0; i < field.length; i++) {
        change[i] = found.values[i] - mean - field[i]
        field[i] = found.values[i] - mean
      }
      points = found.points
      if (variation(change, weights) < tolerance) break
    }
    return { mesh, values: points }
  })
}

type Estimate = (
  samples: Samples,
  sharpener: Sharpener,
  /** The field at the samples, 0 at first. */
  field: Float64Array,
  breath: () => Promise<void>,
) => Promise<Lattice>

async function correct(image: Image, mask: Mask, options: Common, estimate: Estimate): Promise<BiasCorrection> {
  const { fwhm = 0.15, spacingMm = 4, weights, signal } = options
  if (mask.data.length !== image.data.length)
    throw new RangeError('The mask has another number of voxels than the image.')
  if (weights && weights.data.length !== image.data.length)
    throw new RangeError('The weights have another number of voxels than the image.')
  const box = boundingBox(mask)
  if (!box) return unchanged(image)
  const domain = domainOf(box)
  const samples = shrink(image, mask, weights, box, domain, spacingMm)
  // So that a cancel or a progress bar gets its turn.
  const breath = async () => {
    await new Promise((resolve) => setTimeout(resolve))
    signal?.throwIfAborted()
  }
  const lattice = await estimate(samples, new Sharpener(fwhm), new Float64Array(samples.logs.length), breath)
  return await applied(image, mask, lattice, placesOf(image.dims, domain), signal)
}

function confidence(
  { logs, weights }: Samples,
  sharpener: Sharpener,
  field: Float64Array,
  { lesionAware }: Common,
): Float64Array {
  return lesionAware ? withoutBright(sharpener, logs, field, weights) : weights
}

function meanOf(values: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    sum += weights[i] * values[i]
    total += weights[i]
  }
  return total > 0 ? sum / total : 0
}

const unchanged = (image: Image): BiasCorrection => ({
  corrected: { ...gridOf(image), data: image.data.slice() },
  logField: { ...gridOf(image), data: new Float32Array(image.data.length) },
})
