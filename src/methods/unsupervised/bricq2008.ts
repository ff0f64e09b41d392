import { z } from 'zod'
import { MethodError } from '../../errors.js'
import { chiSquareQuantile } from '../../evaluate/statistics/distributions.js'
import { Density, type Gaussian, variance, weightedGaussian } from '../../learn/density.js'
import { keepFindings } from '../../learn/findings.js'
import { type ChainSamples, chainBeliefs, fitHiddenMarkovChain } from '../../learn/hidden-markov-chain.js'
import { type HilbertChain, hilbertChain } from '../../learn/hilbert.js'
import { onGrid } from '../../learn/lattice.js'
import { gaussian } from '../../volume/filter.js'
import { sigmaAbove, smoothedMode } from '../../volume/histogram.js'
import type { AtlasMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image } from '../../volume/volume.js'
import { channelsFor } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked, whiteSigma } from '../parameters.js'

/**
 * One hidden Markov chain through the whole brain: lesions are what its tissues do not explain, bright on FLAIR.
 *
 * Source: Bricq, Collet and Armspach 2008 (MICCAI lesion challenge; the chain: Med Image Anal 12:639). As there: the
 * volume is read along a Hilbert curve, so that neighbours in the chain are neighbours in space; three tissues with
 * Gaussian intensities and an atlas as prior are fitted by forward–backward recursions and a trimmed likelihood; voxels
 * far from their own tissue (Mahalanobis), brighter than grey matter on FLAIR and in white matter, are lesion.
 *
 * Departures:
 * - the numbers of the trimming, the outlier test and the rules are not in the paper's short text: `trim` and `tau` are
 *   those that leave tissues narrow on scans with 50 ml of lesions, where less trimming takes lesions for grey matter;
 * - "brighter than grey matter" is measured from the peak of FLAIR in what the chain calls grey, with σ from its upper
 *   half: the class's own covariance is widened by partial volume with fluid until no lesion reaches it;
 * - white matter is asked of the atlas smoothed by a few millimetres, at each voxel: white matter "near by" alone lets
 *   through the bright rims of the cortex;
 * - the chain is fitted to runs of it (each a cube of eight voxels) spread over the brain, and then read as a whole.
 * Known weaknesses: lesions in the cortex and most below the tentorium lie outside the smoothed white matter; confluent
 * lesions as grey as the cortex are called grey matter, so that half of a load of 50 ml was left out, as rims and holes;
 * small lesions in thick slices drown in the neighbouring tissue's partial volume, and half of the findings there are
 * none: bands along the ventricles, the fornix, bright temporal white matter.
 */
export const bricq2008 = defineMethod({
  id: 'bricq2008',
  title: 'Hidden Markov chain with trimmed likelihood',
  describe:
    'The brain is unfolded along a space-filling curve into one chain of voxels. A hidden Markov chain of fluid, grey and white matter is fitted to it with an atlas as prior, leaving out the voxels that it explains worst. Voxels far from their own tissue that are brighter than grey matter on FLAIR, in white matter, are lesion.',
  use: {
    for: 'Scans with FLAIR, best with T1 and T2, whose tissues are noisy but plainly apart: the chain smooths as it classifies.',
    not: 'Not for cortical or brainstem lesions, nor for volumes where confluent lesions are as grey as the cortex: their rims and parts of their inside are left out. On thick slices half of the findings are bands along the ventricles, the fornix and temporal white matter.',
  },
  citation: {
    text: 'Bricq S, Collet C, Armspach JP. MS lesion segmentation based on hidden Markov chains. In: 3D Segmentation in the Clinic: A Grand Challenge II, MICCAI Workshop 2008.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'T2-FLAIR'],
  classifier: 'hidden Markov chain',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    trim: z.number().min(0).max(0.5).default(0.1).describe('share of the voxels that the fit leaves out'),
    iterations: z.number().int().min(1).max(200).default(20).describe('rounds of the fit'),
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
      .default(2)
      .describe('least FLAIR of a lesion above the grey-matter mode, in σ of its peak'),
    white: whiteAsked(0.6),
    whiteSigma: whiteSigma(3),
    border: z.number().min(0).max(1).default(0.1).describe('largest share of a finding at the border of the brain'),
    smallest: smallestLesion(10),
  }),
  async segment({ images, brain, atlas }, params, context) {
    context.signal.throwIfAborted()
    const { channels, flags } = channelsFor(images, ['flair', 't1', 't2'])
    context.progress('Unfolding the brain', 0)
    const chain = hilbertChain(brain)
    const samples = chainSamples(
      chain,
      channels.map(({ image }) => image),
      atlas,
    )
    const part = runsOf(samples)
    const ridge = 1e-4 * Math.min(...part.channels.map(variance))
    const initial = part.prior!.map((p) => weightedGaussian(part.channels, p, ridge))
    if (!(ridge > 0) || !initial.every((c) => c !== undefined))
      throw new MethodError('No fit: an image is constant in the brain, or the atlas lacks a tissue there.')

    context.progress('Fitting the chain', 0.1)
    const model = fitHiddenMarkovChain(part, {
      ...params,
      initial: initial as Gaussian[],
      ridge,
      signal: context.signal,
    })
    context.progress('Tissues', 0.6)
    const { posterior, kept } = chainBeliefs(samples, model)
    context.signal.throwIfAborted()

    context.progress('Lesions', 0.8)
    const flair = samples.channels[0]
    const states = statesOf(posterior)
    const grey = emptyMask(brain)
    chain.voxels.forEach((at, n) => {
      grey.data[at] = states[n] === 1 ? kept[n] : 0
    })
    // Above the mode fluid does not widen the peak.
    const peak = smoothedMode(images.flair, grey)
    const [mode, sigma] = [peak.mode, sigmaAbove(peak)]
    const threshold = mode + params.bright * sigma
    const limit = chiSquareQuantile(1 - params.tau, channels.length)
    const white = await gaussian(atlas.wm, params.whiteSigma)
    const densities = model.classes.map((c) => new Density(c))
    context.show?.(
      'Tissues along the chain',
      onGrid(brain, chain.voxels, (n) => states[n] + 1),
    )
    context.show?.(
      'Distance from its own tissue',
      onGrid(brain, chain.voxels, (n) => Math.sqrt(densities[states[n]].distance(samples.channels, n))),
    )
    const candidates = emptyMask(brain)
    const probability = emptyImage(brain)
    chain.voxels.forEach((at, n) => {
      if (white.data[at] < params.white || flair[n] <= mode) return
      if (densities[states[n]].distance(samples.channels, n) <= limit) return
      probability.data[at] = 1 / (1 + Math.exp((-2 * (flair[n] - threshold)) / sigma))
      if (flair[n] > threshold) candidates.data[at] = 1
    })
    const mask = keepFindings(
      candidates,
      { connectivity: 18, brain },
      ({ mm3, border }) => mm3 > params.smallest && border <= params.border,
    )
    return {
      mask,
      probability,
      figures: { threshold, greyMode: mode, greySigma: sigma, whiteMean: model.classes[2].mean[0] },
      flags,
    }
  },
})

function chainSamples({ voxels, starts }: HilbertChain, images: readonly Image[], atlas: AtlasMaps): ChainSamples {
  const along = ({ data }: Image) => Float32Array.from(voxels, (at) => data[at])
  return { channels: images.map(along), prior: [atlas.csf, atlas.gm, atlas.wm].map(along), starts }
}

/** Runs of 512 voxels (a cube of eight) spread over a long chain, about 60 000 voxels in all. */
function runsOf(samples: ChainSamples): ChainSamples {
  const n = samples.starts.length
  const every = Math.ceil(n / 60_000)
  if (every <= 1) return samples
  const taken: number[] = []
  for (let run = 0; run < n; run += 512 * every) for (let i = run; i < Math.min(n, run + 512); i++) taken.push(i)
  const of = (values: Float32Array) => Float32Array.from(taken, (i) => values[i])
  return {
    channels: samples.channels.map(of),
    prior: samples.prior?.map(of),
    starts: Uint8Array.from(taken, (i, at) => (at % 512 === 0 ? 1 : samples.starts[i])),
  }
}

/** The most likely of the three tissues at each element. */
function statesOf(posterior: Float32Array): Uint8Array {
  const states = new Uint8Array(posterior.length / 3)
  for (let n = 0; n < states.length; n++)
    for (const k of [1, 2]) if (posterior[3 * n + k] > posterior[3 * n + states[n]]) states[n] = k
  return states
}
