import { type Affine, identity } from '../volume/affine.js'
import { type Deformation, deformationOf } from '../volume/deformation.js'
import type { Image, Mask } from '../volume/volume.js'
import { flow } from './deformable/flow.js'
import { freeform } from './deformable/freeform.js'
import { pyramid } from './deformable/levels.js'

export interface DeformableOptions {
  /** Fixed RAS mm → moving RAS mm, from `register`. Default: the two share a space. */
  initial?: Affine
  /** Only what lies inside pulls; on any grid of the fixed image's space. */
  fixedMask?: Mask
  /** `velocity`: diffeomorphic flow, symmetric in the two images. `bspline`: free-form deformation. Default `velocity`. */
  model?: 'velocity' | 'bspline'
  /** Spacing of the levels in mm, coarsest first. */
  levels?: readonly number[]
  /** Most steps at each level; one number for all. */
  iterations?: number | readonly number[]
  /**
   * Mm at the finest level; at coarser ones it grows with the spacing. Velocity: σ of the Gaussian over each update,
   * default 2.5. B-spline: distance of the control points, default 4.
   */
  smoothing?: number
  signal?: AbortSignal
  progress?: (fraction: number) => void
}

export interface DeformableRegistration extends Deformation {
  /** Mean squared local correlation at the end, 0–1. */
  similarity: number
  /** Steps taken at each level. */
  steps: readonly number[]
}

/**
 * Deformable registration by local correlation (cubes of 5³ voxels), coarse to fine. `velocity`: the two images move
 * towards each other by small smooth steps, which are composed (greedy symmetric diffeomorphic matching, Avants et al.
 * 2008, with updates in the manner of demons, Vercauteren et al. 2009). `bspline`: lattices of control points, the finer on
 * top of the coarser (Rueckert et al. 1999, 2006). Neither folds, and each map has an inverse. The same bits for any number
 * of threads; nothing in it is drawn at random.
 *
 * Levels down to 2 mm take whole heads; 1 mm fits into memory for a brain without its head.
 *
 * @throws RangeError without levels, and when the images are too large for the memory of the kernels
 */
export async function registerDeformable(
  fixed: Image,
  moving: Image,
  options: DeformableOptions = {},
): Promise<DeformableRegistration> {
  const { initial = identity, levels = [8, 4, 2], iterations = [60, 40, 20] } = options
  const {
    model = 'velocity',
    smoothing = model === 'velocity' ? 2.5 : 4,
    fixedMask,
    signal,
    progress = () => {},
  } = options
  if (levels.length === 0 || levels.some((mm) => !(mm > 0)))
    throw new RangeError('registerDeformable needs at least one level, each a spacing in mm.')
  const most = levels.map((_, i) =>
    typeof iterations === 'number' ? iterations : (iterations[i] ?? iterations.at(-1)!),
  )
  const images = await pyramid(fixed, moving, initial, levels, fixedMask)
  progress(0.1)
  const { field, similarity, steps } = await (model === 'velocity' ? flow : freeform)(images, {
    iterations: most,
    smoothing: smoothing / levels[levels.length - 1],
    signal,
    progress: (fraction) => progress(0.1 + 0.9 * fraction),
  })
  return { ...(await deformationOf(field, { after: initial })), similarity, steps }
}
