import { MethodError } from '../errors.js'
import { sigmaAbove, smoothedMode } from '../volume/histogram.js'
import type { PreparedStudy } from '../volume/study.js'
import { emptyMask, type Image, type Mask } from '../volume/volume.js'
import type { ChannelRoles } from './augment.js'

/** What the networks of this room see of a study, each channel zero outside the brain. */
export const channelNames = [
  'flair-excess',
  'flair-relative',
  't1',
  'white',
  'cortex',
  'lesions',
  'flair-z',
  't1-z',
] as const

export type ChannelName = (typeof channelNames)[number]

/** Scaled by tissue and with the atlas: what the U-Nets see. */
export const tissueChannels = ['flair-excess', 'flair-relative', 't1', 'white', 'cortex', 'lesions'] as const

/** The z-scores of the brain's voxels: what most published networks see. */
export const scoreChannels = ['flair-z', 't1-z'] as const

/** Which of these channels is which. */
export const rolesOf = (names: readonly string[]): ChannelRoles => {
  const at = (...wanted: string[]) => names.flatMap((name, i) => (wanted.includes(name) ? [i] : []))
  return {
    flair: at('flair-excess', 'flair-relative', 'flair-z'),
    t1: at('t1', 't1-z'),
    white: names.indexOf('white'),
  }
}

/**
 * Channels of a prepared study by means that need no training:
 * - `flair-excess`: FLAIR above the grey-matter mode, in widths of its peak / 2;
 * - `flair-relative`: FLAIR relative to the white-matter mode (0 there), times 3;
 * - `t1`: T1 relative to the median of certain white matter (0 there), times 3; all 0 where there is no T1;
 * - `white`, `cortex`, `lesions`: the atlas's probabilities, and the relative frequency of MS lesions;
 * - `flair-z`, `t1-z`: z-scores over the brain; all 0 where there is no T1.
 *
 * @throws MethodError without FLAIR, or when it does not vary
 */
export function networkChannels(
  study: PreparedStudy,
  names: readonly ChannelName[] = tissueChannels,
): Float32Array<ArrayBuffer>[] {
  const { images, brain, atlas } = study
  const { flair, t1 } = images
  if (!flair) throw new MethodError('This network needs a FLAIR image.')
  const scaled = names.some((name) => name.startsWith('flair-') && name !== 'flair-z')
  const modes = scaled ? tissueModes(flair, study) : { grey: 0, sigma: 1, white: 1 }
  const inside = (value: (i: number) => number, low: number, high: number) => {
    const out = new Float32Array(brain.data.length)
    // Exact zeros mark what lies outside.
    for (let i = 0; i < out.length; i++) if (brain.data[i]) out[i] = Math.min(high, Math.max(low, value(i))) || 1e-6
    return out
  }
  const nothing = () => new Float32Array(brain.data.length)
  const score = (image: Image) => {
    const { mean, deviation } = spread(image, brain)
    if (!(deviation > 0)) throw new MethodError('An image does not vary inside the brain: check it and the mask.')
    return inside((i) => (image.data[i] - mean) / deviation, -5, 8)
  }
  const t1White = t1 && names.includes('t1') ? median(t1, certain(atlas.wm, 0.85, brain)) : 0
  const make: Record<ChannelName, () => Float32Array<ArrayBuffer>> = {
    'flair-excess': () => inside((i) => (flair.data[i] - modes.grey) / modes.sigma / 2, -4, 8),
    'flair-relative': () => inside((i) => (flair.data[i] / modes.white - 1) * 3, -4, 8),
    t1: () => (t1 && t1White > 0 ? inside((i) => (t1.data[i] / t1White - 1) * 3, -4, 4) : nothing()),
    white: () => inside((i) => atlas.wm.data[i], 0, 1),
    cortex: () => inside((i) => atlas.cortex.data[i], 0, 1),
    lesions: () => inside((i) => atlas.lesionPrior.data[i], 0, 1),
    'flair-z': () => score(flair),
    't1-z': () => (t1 ? score(t1) : nothing()),
  }
  return names.map((name) => make[name]())
}

function tissueModes(flair: Image, { brain, atlas }: PreparedStudy) {
  const grey = smoothedMode(flair, certain(atlas.gm, 0.7, brain))
  const white = smoothedMode(flair, certain(atlas.wm, 0.8, brain))
  const sigma = sigmaAbove(grey)
  if (!(sigma > 0) || !(white.mode > 0))
    throw new MethodError('FLAIR has no spread inside the brain mask: check the image and the mask.')
  return { grey: grey.mode, sigma, white: white.mode }
}

function spread({ data }: Image, brain: Mask): { mean: number; deviation: number } {
  let [count, sum, squares] = [0, 0, 0]
  for (let i = 0; i < data.length; i++) {
    if (!brain.data[i]) continue
    count++
    sum += data[i]
    squares += data[i] * data[i]
  }
  const mean = sum / count
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) }
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
