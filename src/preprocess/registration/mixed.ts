import { type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { isStripped } from '../brain/stripped.js'

/**
 * Which of two images is stripped when the other shows the whole head. Such a pair does not share the outline of the
 * head: the empty room around the brain would fit scalp as well as air.
 */
export function onlyStripped(fixed: Image, moving: Image): 'fixed' | 'moving' | undefined {
  const [a, b] = [isStripped(fixed), isStripped(moving)]
  return a === b ? undefined : a ? 'fixed' : 'moving'
}

/** The voxels of a stripped image that were not cut away. */
export const notZero = (image: Image): Mask => maskWhere(image, (value) => value !== 0)
