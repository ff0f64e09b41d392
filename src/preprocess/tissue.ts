import {
  distanceAt,
  type GaussianClass,
  type LogDensityForm,
  logDensityForm,
  standardDeviations,
} from '../learn/gaussian.js'
import { latticeOf, meanField } from '../learn/lattice.js'
import { fitMixture, type Mixture } from '../learn/mixture.js'
import { type Line, lineBetween, logLineDensityAt, moreOfB, upperTail } from '../learn/partial-volume.js'
import type { AtlasMaps, TissueMaps } from '../volume/study.js'
import { emptyImage, type Image, type Mask, sameGrid } from '../volume/volume.js'
import { brightFrom, scaledByWhiteMatter } from './tissue/scale.js'
import { startingClasses } from './tissue/start.js'

export type TissueChannel = 't1' | 'flair'
export type TissueName = 'csf' | 'gm' | 'wm'

/** Mean and standard deviation of a class in one contrast, in the image's units. Lesions are not part of them. */
export interface ClassFigures {
  mean: number
  sd: number
}

export interface TissueClasses extends TissueMaps {
  statistics: Record<TissueName, Partial<Record<TissueChannel, ClassFigures>>>
  /**
   * Chance, 0.5–1, that the images alone tell grey from white matter (from the distance of the two classes). Below
   * about 0.75 the atlas decides more than the images do.
   */
  confidence: number
  /** The same for each contrast by itself; below 0.5 never, at 0.5 the contrast does not tell them apart. */
  contrast: Partial<Record<TissueChannel, number>>
  /** Share of the brain's voxels that no class explains: lesions, vessels, leftovers of the skull. */
  outliers: number
}

export interface TissueOptions {
  /** How much the atlas counts: 1 as its probabilities say, 0 not at all. */
  priorWeight?: number
  /** Strength of the agreement with the six neighbours (mean field). */
  smoothness?: number
  /** Most voxels that the mixture is fitted to. */
  samples?: number
}

/**
 * Cerebrospinal fluid, grey and white matter: a robust mixture of three Gaussians in the given contrasts with the
 * atlas's probabilities as spatial prior (Ashburner and Friston 1997; Van Leemput et al. 1999), smoothed by a Markov
 * random field in mean-field approximation (Zhang et al. 2001), whose neighbours count less across thick slices. Voxels
 * that two classes share have classes of their own (Santago and Gage 1993) and go to the one they hold more of. Where the
 * atlas prefers no class anywhere, the intensities alone tell them apart.
 *
 * Lesions do not move the classes: what is brighter on FLAIR than nearly all of the grey matter takes no part in the
 * fit, and what lies far from every class counts little. They are classified by their place and their neighbours.
 *
 * @param images bias-corrected, both on the grid of `brain`; one of them is enough
 * @param atlas maps on the same grid
 */
export async function tissueClasses(
  images: { t1?: Image; flair?: Image },
  brain: Mask,
  atlas: Pick<AtlasMaps, 'csf' | 'gm' | 'wm'>,
  { priorWeight = 0.7, smoothness = 0.35, samples = 60_000 }: TissueOptions = {},
): Promise<TissueClasses> {
  const channels = (['t1', 'flair'] as const).filter((name) => images[name] !== undefined)
  if (channels.length === 0) throw new RangeError('tissueClasses needs a T1 or a FLAIR image.')
  for (const volume of [atlas.csf, ...channels.map((name) => images[name]!)])
    if (!sameGrid(volume, brain))
      throw new RangeError('tissueClasses: images, brain and atlas maps must share one grid.')

  const lattice = latticeOf(brain)
  const { voxels } = lattice
  const priors = softPriors(atlas, voxels, priorWeight)
  const values = channels.map((name) => scaledByWhiteMatter(images[name]!, voxels, priors[2]))
  const flair = channels.indexOf('flair')
  const bright = flair < 0 ? Infinity : brightFrom(values[flair].data, priors)
  const fit = fitClasses(
    values.map(({ data }) => data),
    priors,
    flair < 0 ? undefined : { channel: flair, above: bright },
    samples,
    // on T1 fluid, grey, white matter; on FLAIR white matter is the darker of the two
    channels[0] === 't1' ? [0, 1, 2] : [0, 2, 1],
  )

  const maps = [emptyImage(brain), emptyImage(brain), emptyImage(brain)]
  const evidence = logEvidence(
    values.map(({ data }) => data),
    fit.mixture,
    priors,
    flair < 0 ? undefined : { channel: flair, above: bright },
  )
  const belief = meanField(lattice, evidence, 3, { smoothness, rounds: 5 })
  voxels.forEach((at, v) => {
    for (let k = 0; k < 3; k++) maps[k].data[at] = belief[3 * v + k]
  })

  const names: TissueName[] = ['csf', 'gm', 'wm']
  const statistics: TissueClasses['statistics'] = { csf: {}, gm: {}, wm: {} }
  const contrast: TissueClasses['contrast'] = {}
  channels.forEach((channel, c) => {
    const { scale } = values[c]
    names.forEach((name, k) => {
      statistics[name][channel] = {
        mean: fit.mixture.classes[k].mean[c] * scale,
        sd: standardDeviations(fit.mixture.classes[k])[c] * scale,
      }
    })
    const [gm, wm] = [statistics.gm[channel]!, statistics.wm[channel]!]
    contrast[channel] = normalBelow(Math.abs(gm.mean - wm.mean) / (gm.sd + wm.sd))
  })
  const confidence = normalBelow(separation(fit.mixture.classes[1], fit.mixture.classes[2], channels.length) / 2)
  return { csf: maps[0], gm: maps[1], wm: maps[2], statistics, confidence, contrast, outliers: fit.outliers }
}

/**
 * The atlas's probabilities of the voxels, raised to `weight` and with a little of everything everywhere: an affine
 * alone does not put every sulcus in its place, so that there may be fluid wherever the atlas has grey matter. Where
 * the atlas has no tissue it is taken for fluid first.
 */
function softPriors({ csf, gm, wm }: Pick<AtlasMaps, TissueName>, voxels: Uint32Array, weight: number): Float32Array[] {
  const floor = 0.02
  const sulci = 0.3
  const out = [csf, gm, wm].map(() => new Float32Array(voxels.length))
  const p = [0, 0, 0]
  voxels.forEach((at, v) => {
    p[0] = csf.data[at]
    p[1] = gm.data[at]
    p[2] = wm.data[at]
    const known = Math.min(1, p[0] + p[1] + p[2])
    p[0] += 0.6 * (1 - known)
    p[1] += 0.3 * (1 - known)
    p[2] += 0.1 * (1 - known)
    p[0] = Math.max(p[0], sulci * p[1])
    let sum = 0
    for (let k = 0; k < 3; k++) sum += p[k] = Math.max(0, p[k] + floor) ** weight
    for (let k = 0; k < 3; k++) out[k][v] = p[k] / sum
  })
  return out
}

/** Fluid and grey, grey and white, fluid and white matter: what meets within voxels. */
const pairs = [
  [0, 1],
  [1, 2],
  [0, 2],
] as const

interface Bright {
  channel: number
  above: number
}

/** The mixture, fitted to every n-th voxel; voxels of bright FLAIR take no part. */
function fitClasses(
  values: Float32Array[],
  priors: Float32Array[],
  bright: Bright | undefined,
  samples: number,
  order: readonly [number, number, number],
) {
  const n = priors[0].length
  const every = Math.max(1, Math.floor(n / samples))
  const chosen: number[] = []
  for (let v = 0; v < n; v += every) chosen.push(v)
  const take = (from: Float32Array) => Float32Array.from(chosen, (v) => from[v])
  const weights = bright && Float32Array.from(chosen, (v) => (values[bright.channel][v] > bright.above ? 0 : 1))
  const [channels, prior] = [values.map(take), priors.map(take)]
  const initial = startingClasses(channels, prior, weights, order)
  const fit = fitMixture({ channels, prior, weights }, { robust: 3, between: pairs, initial })
  const left = weights ? weights.reduce((sum, w) => sum + w, 0) / Math.max(1, chosen.length) : 1
  return { mixture: fit, outliers: 1 - left * (1 - fit.outliers) }
}

/**
 * Log of the belief in each class (three values per voxel) from place and intensities. What mixes two classes is shared
 * out by the chance that it holds more of the one or the other. Nothing is more unlikely for a class than a voxel five standard deviations
 * away, so that place and neighbours decide about what no class explains; and what is bright on FLAIR is no fluid, and
 * says nothing else. Where one contrast is missing the other one is used by itself.
 */
function logEvidence(values: Float32Array[], fit: Mixture, priors: Float32Array[], bright?: Bright): Float32Array {
  const two = values.length > 1
  const judges = two ? [new Judge(fit), new Judge(fit, 0), new Judge(fit, 1)] : [new Judge(fit)]
  const n = priors[0].length
  const out = new Float32Array(3 * n)
  const belief = [0, 0, 0]
  for (let v = 0; v < n; v++) {
    for (let k = 0; k < 3; k++) belief[k] = priors[k][v]
    const x = values[0][v]
    const y = two ? values[1][v] : 0
    if (bright !== undefined && values[bright.channel][v] > bright.above) belief[0] *= 3e-4
    else if (!Number.isNaN(x) && !Number.isNaN(y)) judges[0].judge(belief, x, y)
    else if (two && !Number.isNaN(x)) judges[1].judge(belief, x, 0)
    else if (two && !Number.isNaN(y)) judges[2].judge(belief, y, 0)
    for (let k = 0; k < 3; k++) out[3 * v + k] = Math.log(Math.max(1e-5, belief[k]))
  }
  return out
}

/** Judges intensities by a mixture's classes, in all of its channels or in one. */
class Judge {
  private readonly forms: LogDensityForm[]
  private readonly lines: Line[]
  private readonly logs = new Float64Array(3 + pairs.length)

  constructor({ classes }: Mixture, channel?: number) {
    const seen = (c: GaussianClass): GaussianClass =>
      channel === undefined ? c : { ...c, mean: [c.mean[channel]], covariance: [c.covariance[3 * channel]] }
    const pure = classes.map(seen)
    const d = pure[0].mean.length
    this.forms = pure.map((c) => logDensityForm(c, d))
    this.lines = pairs.map(([a, b]) => lineBetween(pure[a], pure[b], d))
  }

  /** Turns the prior probabilities of three classes into beliefs that sum to 1. */
  judge(belief: number[], x: number, y: number): void {
    const { forms, lines, logs } = this
    let most = Number.NEGATIVE_INFINITY
    for (let k = 0; k < logs.length; k++) {
      logs[k] =
        k < 3
          ? Math.log(belief[k]) + forms[k][0] - 0.5 * Math.min(25, distanceAt(forms[k], x, y))
          : 0.5 * Math.log(belief[pairs[k - 3][0]] * belief[pairs[k - 3][1]]) + logLineDensityAt(lines[k - 3], x, y)
      if (logs[k] > most) most = logs[k]
    }
    let sum = 0
    for (let k = 0; k < 3; k++) sum += belief[k] = Math.exp(logs[k] - most)
    for (let p = 0; p < pairs.length; p++) {
      const both = Math.exp(logs[3 + p] - most)
      const part = moreOfB(lines[p], x, y)
      sum += both
      belief[pairs[p][0]] += (1 - part) * both
      belief[pairs[p][1]] += part * both
    }
    for (let k = 0; k < 3; k++) belief[k] /= sum
  }
}

/** Mahalanobis distance of two classes' means under the mean of their covariances. */
function separation(a: GaussianClass, b: GaussianClass, channels: number): number {
  const covariance = a.covariance.map((v, i) => (v + b.covariance[i]) / 2)
  const form = logDensityForm({ ...a, covariance }, channels)
  return Math.sqrt(Math.max(0, distanceAt(form, b.mean[0], b.mean[1] ?? 0)))
}

/** Standard normal distribution function, for x ≥ 0; 0.5 for anything else. */
const normalBelow = (x: number): number => (x >= 0 ? 1 - upperTail(x) : 0.5)
