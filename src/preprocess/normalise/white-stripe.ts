import { histogram, percentiles, smoothed } from '../../volume/histogram.js'
import type { Modality, Study } from '../../volume/study.js'
import { emptyMask, type Image, type Mask, sameGrid } from '../../volume/volume.js'
import { isSpread, moments, type Normalised, regionOf, shiftedAndScaled } from './scaled.js'
import { zscore } from './zscore.js'

export interface StripeOptions {
  /** How far the stripe goes to either side of the white matter's mode, as a share of the brain's voxels. */
  width?: number
  /**
   * Which stripe an image is scaled by. `own`: each by its own. `hybrid`: all by what T1's stripe and that of T2 (or
   * FLAIR) share. `flair`: T1 by its own, all others by FLAIR's (Valcarcel et al. 2018).
   */
  stripe?: 'own' | 'hybrid' | 'flair'
}

/** `figures`: mean and sd of the stripe, its voxels, and of the image's own stripe mode, quantile, low and high. */
export interface StripeResult extends Normalised {
  stripe: Mask
}

/**
 * White-stripe normalisation (Shinohara et al. 2014, NeuroImage: Clinical 6:9): voxels whose intensity lies within
 * ± `width` of the quantile of normal-appearing white matter's mode get mean 0 and standard deviation 1. The mode is the
 * histogram's last peak on T1 and its largest on other contrasts. The unit is the stripe's spread, far below that of white
 * matter: no threshold of other z-scores holds. Without a stripe the image is z-scored over the mask, which `said` tells.
 *
 * @param images on the grid of `mask`, stripped or not
 */
export function whiteStripe(
  images: Study,
  mask: Mask,
  { width = 0.05, stripe = 'own' }: StripeOptions = {},
): Partial<Record<Modality, StripeResult>> {
  const names = Object.keys(images) as Modality[]
  for (const name of names)
    if (!sameGrid(images[name]!, mask)) throw new RangeError('whiteStripe: images and mask must share one grid.')
  const own = new Map(names.map((name) => [name, findStripe(images[name]!, name, mask, width)]))
  const out: Partial<Record<Modality, StripeResult>> = {}
  for (const name of names) {
    const found = own.get(name)!
    const said = [...found.said]
    out[name] = scaledBy(images[name]!, mask, chosen(name, own, stripe, said), found.figures, said)
  }
  return out
}

interface Stripe {
  mask: Mask
  said: string[]
  figures: Record<string, number>
}

function chosen(name: Modality, own: Map<Modality, Stripe>, stripe: StripeOptions['stripe'], said: string[]): Mask {
  const [t1, flair] = [own.get('t1'), own.get('flair')]
  const mine = own.get(name)!.mask
  if (stripe === 'own' || (stripe === 'flair' && (name === 't1' || name === 't1gd'))) return mine
  const other = stripe === 'hybrid' ? (own.get('t2') ?? flair) : flair
  if (other === undefined || (stripe === 'hybrid' && t1 === undefined)) {
    said.push(`The ${stripe} stripe needs ${stripe === 'hybrid' ? 'T1 and T2 or FLAIR' : 'FLAIR'}: its own was used.`)
    return mine
  }
  if (stripe === 'flair') return other.mask
  const shared = emptyMask(mine)
  for (let i = 0; i < shared.data.length; i++) shared.data[i] = t1!.mask.data[i] & other.mask.data[i]
  return shared
}

function scaledBy(
  image: Image,
  mask: Mask,
  stripe: Mask,
  figures: Record<string, number>,
  said: string[],
): StripeResult {
  const { mean, sd, voxels } = moments(image, finite(image, stripe))
  if (voxels > 1 && isSpread(sd, mean))
    return { image: shiftedAndScaled(image, mean, sd), stripe, figures: { mean, sd, voxels, ...figures }, said }
  const whole = zscore(image, mask, { variant: 'basic' })
  said.push('The white stripe is empty or constant: the whole mask was used.')
  said.push(...whole.said.filter((sentence) => !said.includes(sentence)))
  return { image: whole.image, stripe, figures: { ...whole.figures, ...figures }, said }
}

/** Mask voxels of exactly 0 show nothing: they are what the image's own mask left out. */
function findStripe(image: Image, modality: Modality, mask: Mask, width: number): Stripe {
  const out = emptyMask(mask)
  const said: string[] = []
  const { region } = regionOf(image, mask, said)
  const shown: Mask = { ...region, data: region.data.map((v, i) => (image.data[i] === 0 ? 0 : v)) }
  const mode = whiteMatterMode(image, shown, modality === 't1' || modality === 't1gd' ? 'last' : 'largest')
  if (mode === undefined) return { mask: out, figures: {}, said }
  let [below, all] = [0, 0]
  for (let i = 0; i < shown.data.length; i++)
    if (shown.data[i] !== 0) {
      all++
      if (image.data[i] < mode) below++
    }
  const quantile = below / all
  const share = [Math.max(0, quantile - width), Math.min(1, quantile + width)]
  const [low, high] = percentiles(
    image,
    share.map((q) => 100 * q),
    shown,
  )
  for (let i = 0; i < out.data.length; i++)
    if (shown.data[i] !== 0 && image.data[i] > low && image.data[i] < high) out.data[i] = 1
  return { mask: out, figures: { mode, quantile, low, high }, said }
}

/**
 * The white matter's mode: of 2000 bins smoothed by 15, peaks of at least a fifth of the highest that stand out by a
 * fiftieth of it; bright tails, vessels and ripples on a flank are no peaks then. Undefined for a constant image.
 */
function whiteMatterMode(image: Image, region: Mask, which: 'last' | 'largest'): number | undefined {
  const [low, high] = percentiles(image, [0.1, 99.5], region)
  if (!isSpread(high - low, high)) return undefined
  // a little beyond, so that the fall of a peak at the end is seen too
  const margin = 0.05 * (high - low)
  const { counts, min, width } = histogram(image, { bins: 2000, range: [low - margin, high + margin], mask: region })
  const smooth = smoothed(counts, 15)
  const most = smooth.reduce((a, b) => Math.max(a, b), 0)
  const peaks = peaksOf(smooth, most / 50).filter((bin) => smooth[bin] >= most / 5)
  if (peaks.length === 0) return undefined
  const bin = which === 'last' ? peaks[peaks.length - 1] : peaks.reduce((a, b) => (smooth[b] > smooth[a] ? b : a))
  return min + (bin + 0.5) * width
}

/** Bins of local maxima from which the curve falls by `prominence` on both sides before it rises above them. */
function peaksOf(curve: Float64Array, prominence: number): number[] {
  const falls = (from: number, step: number): boolean => {
    for (let at = from + step; at >= 0 && at < curve.length && curve[at] <= curve[from]; at += step)
      if (curve[from] - curve[at] >= prominence) return true
    return false
  }
  const out: number[] = []
  for (let at = 1; at < curve.length - 1; at++)
    if (curve[at] > curve[at - 1] && curve[at] >= curve[at + 1] && falls(at, -1) && falls(at, 1)) out.push(at)
  return out
}

function finite({ data }: Image, mask: Mask): Mask {
  return { ...mask, data: mask.data.map((v, i) => (Number.isFinite(data[i]) ? v : 0)) }
}
