import type { Vec3 } from '../volume/affine.js'
import type { Lattice } from './shape-render.js'

/** Where lesions may be put, as plain arrays on one lattice. */
export interface PlaceMaps extends Lattice {
  /** How often lesions lie here, in any unit; without it all fitting voxels are taken evenly. */
  prior?: Float32Array
  /** Non-zero in the ventricles. */
  ventricles?: Uint8Array
}

/** Centres of periventricular lesions lie at most so far from the ventricle, mm. */
const wallMm = 4

/**
 * Draws of lesion centres (in voxels) among the voxels that fit, as often as the prior says, or (`wall`) beside a ventricle.
 * By trial, so that a patch costs no more than a scan; null when many trials have failed.
 */
export function placeDraws(
  { shape, spacing, prior, ventricles }: PlaceMaps,
  fits: (index: number) => boolean,
  random: () => number,
): (wall: boolean) => Vec3 | null {
  const [nx, ny, nz] = shape
  let most = 0
  if (prior) for (let i = 0; i < prior.length; i += 7) if (prior[i] > most && fits(i)) most = prior[i]
  const steps = spacing.map((mm) => Math.max(1, Math.round(wallMm / mm)))
  const strides = [1, nx, nx * ny]
  const beside = (at: number, place: readonly number[]): boolean => {
    for (let axis = 0; axis < 3; axis++)
      for (let step = 1; step <= steps[axis]; step++) {
        if (place[axis] + step < shape[axis] && ventricles![at + step * strides[axis]] !== 0) return true
        if (place[axis] >= step && ventricles![at - step * strides[axis]] !== 0) return true
      }
    return false
  }
  return (wall) => {
    for (let tries = 0; tries < 20000; tries++) {
      const at = Math.floor(nx * ny * nz * random())
      if (!fits(at)) continue
      const i = at % nx
      const j = Math.floor(at / nx) % ny
      const k = Math.floor(at / (nx * ny))
      if (wall ? !beside(at, [i, j, k]) : most > 0 && random() > 0.03 + prior![at] / most) continue
      return [i + random() - 0.5, j + random() - 0.5, k + random() - 0.5]
    }
    return null
  }
}
