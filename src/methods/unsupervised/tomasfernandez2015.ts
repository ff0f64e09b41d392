import { z } from 'zod'
import { type Flag, MethodError } from '../../errors.js'
import { chiSquareQuantile } from '../../evaluate/statistics/distributions.js'
import { Density, type Gaussian, variance, weightedGaussian } from '../../learn/density.js'
import { keepFindings } from '../../learn/findings.js'
import { onGrid, onLattice, thinning } from '../../learn/lattice.js'
import { type HealthyImages, type LocalModel, localModel } from '../../learn/local-model.js'
import { fitTrimmedMixture, leastKept, mixturePosterior, type TrimmedSamples } from '../../learn/trimmed-mixture.js'
import { compose, invert, scaling } from '../../volume/affine.js'
import { gaussian } from '../../volume/filter.js'
import { sigmaAbove, smoothedMode } from '../../volume/histogram.js'
import { resample } from '../../volume/resample.js'
import type { LesionMap, PreparedStudy } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, voxelsIn } from '../../volume/volume.js'
import { channelsFor } from '../contrasts.js'
import { defineMethod, type MethodContext } from '../define.js'
import { whiteAsked, whiteSigma } from '../parameters.js'

type MopsStudy = Pick<PreparedStudy, 'images' | 'brain' | 'atlas' | 'toAtlas'>

/** How well tissue explains each voxel of the brain, by the whole subject and by the place. */
export interface Typicality {
  /** Index in the volume of each voxel of the brain. */
  voxels: Uint32Array
  /** The images' values there. */
  channels: Float32Array[]
  /** Fluid, grey and white matter of the whole subject. */
  classes: Gaussian[]
  /** The most likely tissue, 0–2. */
  tissue: Uint8Array
  /** Squared Mahalanobis distances from it: of the subject's model alone, and of both models. */
  global: Float32Array
  joint: Float32Array
  /** 1 where the fit did not leave the voxel out. */
  kept: Uint8Array
}

const parameters = z.object({
  trim: z.number().min(0).max(0.5).default(0.05).describe('share of the voxels that the fits leave out'),
  window: z.number().min(0.5).max(50).default(6).describe('window of the local model, mm (Gaussian σ)'),
  shrink: z
    .number()
    .min(0.1)
    .max(10_000)
    .default(20)
    .describe('voxels that the covariance of the whole tissue counts for in the local one'),
  tau: z
    .number()
    .min(1e-12)
    .max(0.5)
    .default(0.05)
    .describe('a voxel of its own tissue is called an outlier with this chance'),
  bright: z
    .number()
    .min(0)
    .max(10)
    .default(1.5)
    .describe('least FLAIR of a lesion above the grey-matter mode, in σ of its peak'),
  brightT2: z
    .number()
    .min(0)
    .max(10)
    .default(1)
    .describe('least T2 of a lesion above the mean of white matter, in standard deviations'),
  white: whiteAsked(0.6),
  whiteSigma: whiteSigma(3),
  border: z.number().min(0).max(1).default(0.1).describe('largest share of a finding at the border of the brain'),
  smallest: z.number().min(0).max(1000).default(9).describe('smallest lesion kept, mm³ (and three voxels)'),
})

/**
 * Two models of healthy tissue at once, of the whole subject and of each place; lesions are what neither explains.
 *
 * Source: Tomas-Fernandez and Warfield 2015. As there: a voxel's likelihood is Σₖ πₖ · N(global) · N(local) over fluid,
 * grey and white matter, πₖ from an atlas; the global Gaussians are fitted by expectation–maximisation of the trimmed
 * likelihood with the local ones held; a voxel is an outlier when its two squared Mahalanobis distances from its most
 * likely tissue are together too large (χ²); outliers that are bright on FLAIR and T2, in white matter, are lesion.
 *
 * Departures:
 * - no healthy population can be shipped: without one (`mopsLesions` takes one) the local model is that of the subject's
 *   own typical voxels around the place and around its mirror image, drawn towards the whole tissue where there are few.
 *   It knows how tissue differs from place to place, but not what is normal in others: the flag `no-population` says so;
 * - a population's tissues are its labels, but one's own are weighted by the atlas: else a lesion called grey matter
 *   would make the local model of grey matter that explains it;
 * - "brighter than grey matter" is `bright` σ above the peak of FLAIR in grey matter, and white matter is asked of the
 *   atlas smoothed by a few millimetres: on real scans the mean of grey matter alone lets the cortex through;
 * - an outlier is already one of 5 % (`tau`): most lesion voxels are near to grey matter in all contrasts but FLAIR;
 * - no final graph cut.
 * Known weaknesses: where lesions are confluent, most of the tissue around is lesion and the local model says little:
 * half of 50 ml was left out on one scan, as holes and rims; lesions taken for grey matter are no outliers of it; on
 * thick slices more than half of the findings are none: bands along the ventricles, the fornix, temporal white matter,
 * frontal cortex; cortical and brainstem lesions are missed.
 */
export const tomasfernandez2015 = defineMethod({
  id: 'tomasfernandez2015',
  title: 'Model of population and subject intensities (MOPS)',
  describe:
    'Each voxel is compared with two models of healthy tissue at once: the intensities of fluid, grey and white matter in the whole subject, and those of the same tissue at the same place. What neither explains, is bright on FLAIR and lies in white matter is lesion. No healthy population is shipped: the local model comes from the typical tissue around each voxel and on the other side of the brain.',
  use: {
    for: 'Scans whose healthy tissue differs from place to place, as where white matter is brighter at the back of the brain.',
    not: 'Not for volumes of confluent lesions as grey as the cortex, which come out with holes, nor for cortical or brainstem lesions; on thick slices bands along the ventricles and the fornix come in. Not a replacement for the published method where a healthy population of the same scanner is at hand.',
  },
  citation: {
    text: 'Tomas-Fernandez X, Warfield SK. A model of population and subject (MOPS) intensities with application to multiple sclerosis lesion segmentation. IEEE Trans Med Imaging 2015;34:1349–1361. PMC4506921.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'T2-FLAIR'],
  classifier: 'MOPS',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: parameters,
  segment: async (study, params, context) => await mopsLesions(study, params, context),
})

/** The method with a healthy population, where there is one: heads on the subject's grid and intensity scale. */
export async function mopsLesions(
  { images, brain, atlas, toAtlas }: MopsStudy,
  params: z.output<typeof parameters>,
  context: MethodContext,
  population?: readonly HealthyImages[],
): Promise<LesionMap> {
  const { channels, flags } = channelsFor(images, ['flair', 't1', 't2'])
  const found = await typicality({ images, brain, atlas, toAtlas }, params, context, population)
  context.progress('Lesions', 0.9)
  const { voxels, tissue, classes } = found
  const flair = found.channels[0]
  const t2 = channels.findIndex(({ role }) => role === 't2')
  const grey = emptyMask(brain)
  for (let i = 0; i < voxels.length; i++) grey.data[voxels[i]] = tissue[i] === 1 ? found.kept[i] : 0
  // Above the mode fluid does not widen the peak.
  const peak = smoothedMode(images.flair!, grey)
  const sigma = sigmaAbove(peak)
  const threshold = peak.mode + params.bright * sigma
  const white = classes[2]
  const t2Least = t2 < 0 ? 0 : white.mean[t2] + params.brightT2 * Math.sqrt(white.covariance[t2 * channels.length + t2])
  const limit = chiSquareQuantile(1 - params.tau, 2 * channels.length)
  context.show?.(
    'Tissues of the subject',
    onGrid(brain, voxels, (i) => tissue[i] + 1),
  )
  context.show?.(
    'Distance from the joint model',
    onGrid(brain, voxels, (i) => Math.sqrt(found.joint[i])),
  )
  const whitePrior = await gaussian(atlas.wm, params.whiteSigma)
  const candidates = emptyMask(brain)
  const probability = emptyImage(brain)
  for (let i = 0; i < voxels.length; i++) {
    const at = voxels[i]
    if (whitePrior.data[at] < params.white || flair[i] <= peak.mode || found.joint[i] <= limit) continue
    // What is nearest to fluid may still be a black hole: that is bright on FLAIR, and fluid is not.
    if (tissue[i] === 0 && flair[i] < threshold) continue
    if (t2 >= 0 && found.channels[t2][i] < t2Least) continue
    probability.data[at] = 1 / (1 + Math.exp((-2 * (flair[i] - threshold)) / sigma))
    if (flair[i] > threshold) candidates.data[at] = 1
  }
  const mask = keepFindings(
    candidates,
    { connectivity: 18, brain },
    ({ voxels: count, mm3, border }) => count >= 3 && mm3 >= params.smallest && border <= params.border,
  )
  return {
    mask,
    probability,
    figures: { threshold, greyMode: peak.mode, greySigma: sigma, whiteMean: white.mean[0] },
    flags: [...flags, ...(population ? [] : [noPopulation])],
  }
}

const noPopulation: Flag = {
  code: 'no-population',
  severity: 'info',
  message: 'No healthy population was given: local intensities come from the subject itself.',
}

/** Fits the subject's tissues together with the local model, and measures how far each voxel is from its own. */
export async function typicality(
  study: MopsStudy,
  { trim, window, shrink }: Pick<z.output<typeof parameters>, 'trim' | 'window' | 'shrink'>,
  { signal, progress }: Pick<MethodContext, 'signal' | 'progress'>,
  population?: readonly HealthyImages[],
): Promise<Typicality> {
  signal.throwIfAborted()
  const { brain, atlas } = study
  const images = channelsFor(study.images, ['flair', 't1', 't2']).channels.map(({ image }) => image)
  const voxels = voxelsIn(brain)
  const on = (image: Image) => onLattice({ voxels }, image)
  const samples = { channels: images.map(on), prior: [atlas.csf, atlas.gm, atlas.wm].map(on) }

  progress('Tissues of the subject', 0)
  const { every, thinned } = thinning(voxels.length)
  const part = { channels: samples.channels.map(thinned), prior: samples.prior.map(thinned) }
  const ridge = 1e-4 * Math.min(...part.channels.map(variance))
  const initial = part.prior.map((p) => weightedGaussian(part.channels, p, ridge)).filter((c) => c !== undefined)
  if (!(ridge > 0) || initial.length < 3)
    throw new MethodError('No fit: an image is constant in the brain, or the atlas lacks a tissue there.')
  const options = { trim, ridge, iterations: 40, tolerance: 1e-4, signal }
  const subject = fitTrimmedMixture(part, { ...options, initial })

  progress('Tissues of each place', 0.3)
  const heads = population ?? (await typicalTissue(study, images, voxels, samples, subject.classes))
  const local = await localModel(heads, {
    channels: images,
    mask: brain,
    classes: subject.classes,
    window,
    shrink,
    signal,
  })

  progress('Both together', 0.6)
  const { classes } = fitTrimmedMixture(part, {
    ...options,
    initial: subject.classes,
    local: (k, i) => local.log(k, every * i),
  })
  signal.throwIfAborted()
  return { voxels, channels: samples.channels, classes, ...distances(samples, classes, trim, local) }
}

/** The most likely tissue of each voxel, and how far the voxel is from it. */
function distances(
  samples: Required<TrimmedSamples>,
  classes: readonly Gaussian[],
  trim: number,
  local: LocalModel,
): Pick<Typicality, 'tissue' | 'global' | 'joint' | 'kept'> {
  const { posterior, logLikelihood } = mixturePosterior(samples, classes, local.log)
  const densities = classes.map((c) => new Density(c))
  const cut = leastKept(logLikelihood, trim)
  const tissue = mostLikely(posterior)
  const global = Float32Array.from(tissue, (k, i) => densities[k].distance(samples.channels, i))
  return {
    tissue,
    global,
    joint: global.map((far, i) => far + local.distance(tissue[i], i)),
    kept: Uint8Array.from(logLikelihood, (log) => (log >= cut ? 1 : 0)),
  }
}

/**
 * The subject in the place of a population: what its own tissues explain, where the atlas expects that tissue, and the
 * same of the other side of the brain.
 */
async function typicalTissue(
  { brain, toAtlas }: MopsStudy,
  images: readonly Image[],
  voxels: Uint32Array,
  samples: Required<TrimmedSamples>,
  classes: readonly Gaussian[],
): Promise<HealthyImages[]> {
  // All but one in a thousand of a tissue's voxels: fewer would make the local model narrower than the tissue.
  const limit = chiSquareQuantile(0.999, images.length)
  const densities = classes.map((c) => new Density(c))
  const { posterior } = mixturePosterior(samples, classes)
  const typical = classes.map(() => emptyImage(brain))
  mostLikely(posterior).forEach((k, i) => {
    if (densities[k].distance(samples.channels, i) > limit) return
    for (let c = 0; c < typical.length; c++) typical[c].data[voxels[i]] = posterior[c][i] * samples.prior[c][i]
  })
  const flip = compose(invert(toAtlas), scaling([-1, 1, 1]), toAtlas)
  const mirrored = async (all: readonly Image[]) => {
    const out: Image[] = []
    for (const image of all) out.push(await resample(image, brain, { map: flip }))
    return out
  }
  return [
    { channels: images, tissue: typical },
    { channels: await mirrored(images), tissue: await mirrored(typical) },
  ]
}

function mostLikely(posterior: readonly Float32Array[]): Uint8Array {
  const out = new Uint8Array(posterior[0].length)
  for (let i = 0; i < out.length; i++)
    for (let k = 1; k < posterior.length; k++) if (posterior[k][i] > posterior[out[i]][i]) out[i] = k
  return out
}
