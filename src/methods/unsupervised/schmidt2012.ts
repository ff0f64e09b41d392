import { z } from 'zod'
import { growLesions } from '../../learn/lesion-growth.js'
import { gaussian, gaussianInPlane } from '../../volume/filter.js'
import { percentiles, smoothedMode } from '../../volume/histogram.js'
import type { AtlasMaps, TissueMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, type Mask } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { flairSmoothing, whiteSigma } from '../parameters.js'

/**
 * Lesion growth: beliefs from tissue classes and FLAIR, seeds where the belief is high, growth
 * of the seeds by an odds of two intensity models and their neighbours.
 *
 * Source: Schmidt et al. 2012, the lesion growth algorithm (LGA) of the LST toolbox; constants after the toolbox.
 * Steps: partial-volume label from 1 (fluid) to 3 (white matter) → FLAIR scaled by its mode → belief of a class =
 * label · excess over the class mean · white-matter prior → seeds: initial belief above κ → growth.
 *
 * Departures: tissue classes are those of our own preparation, of T1 and FLAIR together, and FLAIR alone will do; the
 * white-matter prior is the atlas's, smoothed by `whiteSigma` mm; seeds may be labelled grey or white (the toolbox's
 * classes take lesions for grey matter, ours put them where they lie, mostly in white); fluid that is brighter than grey matter is not
 * relabelled, because our tissue classes keep bright lesions from being taken for fluid.
 * Known weaknesses: the seeds follow κ on an absolute scale of FLAIR, so that the best κ differs between scanners: with
 * one for all, lesions of one scan grew 14 ml beyond its 25 ml, large frontal and temporal lesions little brighter than
 * cortex were left without a seed on another, and 12 of 19 small ones missed on thick slices; remains of fluid or fat in
 * front of the medulla are seeds too. Cortical, brainstem and cerebellar lesions were missed.
 */
export const schmidt2012 = defineMethod({
  id: 'schmidt2012',
  title: 'Lesion growth algorithm (LST-LGA)',
  describe:
    'Each voxel gets a belief of being lesion: how much brighter it is on FLAIR than its tissue class, weighted by the white-matter prior. Certain voxels become seeds; the seeds grow into bright neighbours as long as a model of lesion intensity explains them better than the models of tissue.',
  use: {
    for: 'To compare with the many studies that used LST; scans whose lesions are clearly brighter than grey matter.',
    not: 'Not across scanners with one κ, which lets lesions grow far beyond their borders on one and misses small ones and large faint ones on another: choose it on a few scans of each. Not for infratentorial lesions.',
  },
  citation: {
    text: 'Schmidt P, Gaser C, Arsic M, et al. An automated tool for detection of FLAIR-hyperintense white-matter lesions in multiple sclerosis. NeuroImage 2012;59:3774–3783.',
    doi: '10.1016/j.neuroimage.2011.11.032',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'lesion growth',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    kappa: z
      .number()
      .min(0.01)
      .max(5)
      .default(0.3)
      .describe('seeds: initial belief times its mean over six neighbours above this (FLAIR in units of its mode)'),
    seeds: z
      .enum(['grey-and-white', 'grey'])
      .default('grey-and-white')
      .describe('tissue label of the voxels that may be seeds; grey in the toolbox, whose classes take lesions for it'),
    phi: z.number().min(0).max(5).default(1).describe('weight of the six neighbours during growth'),
    iterations: z.number().int().min(0).max(500).default(50).describe('most rounds of growth'),
    cut: z.number().min(0.01).max(1).default(0.5).describe('lesion probability from which a voxel is lesion'),
    whiteSigma: whiteSigma(2),
    smoothing: flairSmoothing(0.6),
  }),
  async segment({ images, brain, tissue, atlas }, params, context) {
    context.progress('Scaling FLAIR', 0)
    const { mode } = smoothedMode(images.flair, brain)
    const smooth = await gaussianInPlane(images.flair, params.smoothing)
    const flair = emptyImage(brain)
    for (let i = 0; i < flair.data.length; i++) flair.data[i] = brain.data[i] !== 0 ? smooth.data[i] / mode : 0
    context.signal.throwIfAborted()

    context.progress('Beliefs', 0.2)
    const label = partialVolumeLabel(tissue, brain)
    const white = await whitePrior(atlas, params.whiteSigma)
    const { belief, initial } = beliefs(flair, label, white, params.seeds === 'grey')

    context.show?.('Partial-volume label', label)
    context.show?.('Belief', belief)
    context.show?.('Belief of seeds', initial)
    context.progress('Growing lesions', 0.4)
    const probability = growLesions({ flair, label, belief, initial, ...params, signal: context.signal })
    const mask = emptyMask(brain)
    for (let i = 0; i < mask.data.length; i++) mask.data[i] = probability.data[i] >= params.cut ? 1 : 0
    return { mask, probability, figures: { flairMode: mode } }
  },
})

/** The most likely class, sharpened by its neighbour: fluid 1–1.5, grey matter 1.5–2.5, white matter 2.5–3; 0 outside. */
function partialVolumeLabel({ csf, gm, wm }: TissueMaps, brain: Mask): Image {
  const label = emptyImage(brain)
  for (let i = 0; i < label.data.length; i++) {
    if (brain.data[i] === 0) continue
    const [c, g, w] = [csf.data[i], gm.data[i], wm.data[i]]
    if (c >= g && c >= w) label.data[i] = 1.5 - 0.5 * c
    else if (w > g) label.data[i] = 2.5 + 0.5 * w
    // Grey matter leans to the side of its second class.
    else label.data[i] = w >= c ? 2 + 0.5 * (1 - g) : 2 - 0.5 * (1 - g)
  }
  return label
}

/** Where lesions may lie: smoothed white matter of the atlas, without its ventricles' inside and the cortical ribbon. */
async function whitePrior(atlas: AtlasMaps, sigma: number): Promise<Image> {
  return sigma > 0 ? await gaussian(atlas.wm, sigma) : atlas.wm
}

/** Belief = label · max(0, FLAIR − median FLAIR of the class) · prior; `initial` is that of the voxels that may be seeds. */
function beliefs(flair: Image, label: Image, white: Image, greyOnly: boolean): { belief: Image; initial: Image } {
  const classOf = (value: number) => (value === 0 ? -1 : value < 1.5 ? 0 : value <= 2.5 ? 1 : 2)
  const centre = [0, 1, 2].map((wanted) => {
    const inside = emptyMask(label)
    for (let i = 0; i < inside.data.length; i++) inside.data[i] = classOf(label.data[i]) === wanted ? 1 : 0
    const [median] = percentiles(flair, [50], inside)
    // An empty class excites nobody.
    return Number.isFinite(median) ? median : Number.POSITIVE_INFINITY
  })
  const belief = emptyImage(label)
  const initial = emptyImage(label)
  for (let i = 0; i < belief.data.length; i++) {
    const at = classOf(label.data[i])
    if (at < 0) continue
    belief.data[i] = label.data[i] * Math.max(0, flair.data[i] - centre[at]) * white.data[i]
    if (at === 1 || (at === 2 && !greyOnly)) initial.data[i] = belief.data[i]
  }
  return { belief, initial }
}
