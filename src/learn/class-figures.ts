import { percentiles } from '../volume/histogram.js'
import type { TissueMaps } from '../volume/study.js'
import { type Image, type Mask, maskWhere } from '../volume/volume.js'

/** Robust location and spread of a tissue in an image, in the image's units. */
export interface ClassFigure {
  /** Median. */
  mean: number
  /** 1.4826 times the median distance from it: the deviation of a Gaussian with that spread. */
  sd: number
}

/** The figure of an image in a mask; NaN in an empty one. */
export function robustFigure(image: Image, mask: Mask): ClassFigure {
  const [mean] = percentiles(image, [50], mask)
  const away = { ...image, data: image.data.map((v) => Math.abs(v - mean)) }
  return { mean, sd: 1.4826 * percentiles(away, [50], mask)[0] }
}

export type ClassFigures = Record<keyof TissueMaps, ClassFigure>

/**
 * Median and spread of fluid, grey and white matter in an image. The voxels are those that are more of the class than
 * of the others together; lesions among them are too few to move a median. NaN for a class without voxels.
 *
 * @param least belief in the class asked of its voxels, 0–1
 */
export function classFigures(image: Image, tissue: TissueMaps, brain: Mask, least = 0.5): ClassFigures {
  const figure = (belief: Image): ClassFigure =>
    robustFigure(
      image,
      maskWhere(belief, (p, i) => p > least && brain.data[i] !== 0),
    )
  return { csf: figure(tissue.csf), gm: figure(tissue.gm), wm: figure(tissue.wm) }
}
