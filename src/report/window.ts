import { type Box, boundingBox } from '../volume/crop.js'
import { percentiles } from '../volume/histogram.js'
import { emptyMask, type Image, type Mask } from '../volume/volume.js'
import type { Window } from './raster.js'

/**
 * Grey window for an image: from just below the darkest brain to just above the brightest, so that CSF stays visible
 * and lesions do not burn out. Without a brain mask, what is brighter than a tenth of the brightest counts as head.
 */
export function windowOf(image: Image, brain?: Mask): Window {
  const inside = brain ?? foreground(image)
  const [dark, low, high, bright] = percentiles(image, [0.5, 2, 98, 99.7], inside)
  if (!Number.isFinite(bright)) return { low: 0, high: 1 }
  const spread = Math.max(high - low, Number.MIN_VALUE)
  return { low: Math.max(dark, low - 0.15 * spread), high: Math.min(bright, high + 0.4 * spread) }
}

/** The block to show: the brain and `marginMm` around it, which leaves the face out; without a brain mask, the head. */
export const frameOf = (image: Image, brain?: Mask, marginMm = 8): Box =>
  boundingBox(brain ?? foreground(image), marginMm) ??
  boundingBox(foreground(image), marginMm) ?? { start: [0, 0, 0], dims: image.dims }

function foreground(image: Image): Mask {
  const [brightest] = percentiles(image, [99.9])
  const mask = emptyMask(image)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = image.data[i] > 0.1 * brightest ? 1 : 0
  return mask
}
