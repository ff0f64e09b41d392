import { MethodError } from '../errors.js'
import { smoothedMode } from '../volume/histogram.js'
import type { PreparedStudy } from '../volume/study.js'
import { emptyMask, type Image, type Mask } from '../volume/volume.js'

/** What the networks of this room see of a study, each channel zero outside the brain. */
export const channelNames = ['flair-excess', 'flair-relative', 't1', 'white', 'cortex', 'lesions'] as const

export const channelRoles = { flair: [0, 1], t1: 2, white: 3 } as const

/**
 * Scales a prepared study for a network, by means that need no training and hold across scanners:
 * - FLAIR above the grey-matter mode, in widths of its peak / 2;
 * - FLAIR relative to the white-matter mode (0 there), times 3;
 * - T1 relative to the median of certain white matter (0 there), times 3; all 0 where there is no T1;
 * - the atlas's probabilities of white matter and cortex, and the relative frequency of MS lesions.
 */
export function networkChannels({ images, brain, atlas }: PreparedStudy): Float32Array[] {
  const { flair, t1 } = images
  if (!flair) throw new MethodError('This network needs a FLAIR image.')
  const grey = smoothedMode(flair, certain(atlas.gm, 0.7, brain))
  const white = smoothedMode(flair, certain(atlas.wm, 0.8, brain))
  const sigma = grey.high / 1.1774
  if (!(sigma > 0) || !(white.mode > 0))
    throw new MethodError('FLAIR has no spread inside the brain mask: check the image and the mask.')
  const inside = (value: (i: number) => number, low: number, high: number): Float32Array => {
    const out = new Float32Array(brain.data.length)
    // Exact zeros mark what lies outside.
    for (let i = 0; i < out.length; i++) if (brain.data[i]) out[i] = Math.min(high, Math.max(low, value(i))) || 1e-6
    return out
  }
  const t1White = t1 ? median(t1, certain(atlas.wm, 0.85, brain)) : 0
  return [
    inside((i) => (flair.data[i] - grey.mode) / sigma / 2, -4, 8),
    inside((i) => (flair.data[i] / white.mode - 1) * 3, -4, 8),
    t1 && t1White > 0 ? inside((i) => (t1.data[i] / t1White - 1) * 3, -4, 4) : new Float32Array(brain.data.length),
    inside((i) => atlas.wm.data[i], 0, 1),
    inside((i) => atlas.cortex.data[i], 0, 1),
    inside((i) => atlas.lesionPrior.data[i], 0, 1),
  ]
}

function certain(probability: Image, least: number, brain: Mask): Mask {
  const mask = emptyMask(brain)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = brain.data[i] !== 0 && probability.data[i] > least ? 1 : 0
  return mask
}

function median(image: Image, where: Mask): number {
  const values: number[] = []
  for (let i = 0; i < where.data.length; i += 3) if (where.data[i]) values.push(image.data[i])
  values.sort((a, b) => a - b)
  return values[values.length >> 1] ?? 0
}
