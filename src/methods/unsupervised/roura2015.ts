import { z } from 'zod'
import { MethodError } from '../../errors.js'
import { keepFindings } from '../../learn/findings.js'
import { anisotropicDiffusion } from '../../preprocess/denoise.js'
import { keepLargerThan, keepTouching } from '../../volume/components.js'
import { gaussian, gaussianInPlane } from '../../volume/filter.js'
import { percentiles, sigmaAbove, smoothedMode } from '../../volume/histogram.js'
import type { AtlasMaps, LesionMap, TissueMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { greyNotBrighter, greyWithoutSpread } from '../contrasts.js'
import { defineMethod, type MethodContext } from '../define.js'
import { flairSmoothing, smallestLesion, whiteSigma } from '../parameters.js'

/**
 * Threshold on FLAIR from the grey-matter peak, at two levels, kept where the tissue around is white matter.
 *
 * Source: Roura et al. 2015, the SLS toolbox. As there: FLAIR is smoothed, the peak of grey matter gives mode and width
 * (σ from the full width at half maximum), T = mode + α·σ, a strict pass finds lesions and a finer one completes them,
 * and what is too small or not in white matter is dropped.
 *
 * Departures, each because it did better on the development scans with patients left out (docs/accuracy.md):
 * - the finer pass keeps only what is connected to a finding of the strict one (hysteresis);
 * - the level of the finer pass is set by the scan: between normal white matter and the median of the lesions found;
 * - "mostly white matter around" is asked of the atlas's white matter, smoothed by a few millimetres, and not of the
 *   subject's own labels, in which lesions are holes;
 * - smoothing is Gaussian, and in-plane only where slices are thick.
 * `preset: paper` runs the toolbox's own two passes with its values, on the tissue classes of the preparation in the place
 * of SPM's; its sizes, in voxels of 1 mm³, are kept as mm³.
 * Known weaknesses: flow artefacts and bright cortex inside the smoothed white matter; bright bands along the lateral
 * ventricles that touch a lesion, and the fornix (2.8 ml of false volume beside lesions of 3.2 ml on a scan of thick
 * slices); lesions of a few voxels beside the cortex; lesions in the cortex and the brainstem lie outside the smoothed
 * white matter and are missed.
 */
export const roura2015 = defineMethod({
  id: 'roura2015',
  title: 'Two-level FLAIR threshold from the grey-matter peak (SLS)',
  describe:
    'The peak of grey matter in the FLAIR histogram gives a mode and a width. Voxels far above it, inside white matter, are certain lesion; they grow into neighbouring voxels down to a second level, which lies between the white matter and the lesions of the scan itself. Small findings are dropped.',
  use: {
    for: 'The default: fast, holds on scanners that nothing was chosen on, on FLAIR with or without T1, thin or thick slices.',
    not: 'Not for cortical or brainstem lesions, nor for those of a few voxels. With care on thick slices: bright bands along the ventricles that touch a lesion are taken along, and can be nearly as large as all lesions.',
  },
  citation: {
    text: 'Roura E, Oliver A, Cabezas M, et al. A toolbox for multiple sclerosis lesion segmentation. Neuroradiology 2015;57:1031–1043.',
    doi: '10.1007/s00234-015-1552-2',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'thresholding',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    preset: z
      .enum(['tuned', 'paper'])
      .default('tuned')
      .describe(
        "tuned: this project's rules and the parameters below; paper: the two passes and values of the SLS toolbox",
      ),
    alpha: z
      .number()
      .min(0.5)
      .max(10)
      .default(2.25)
      .describe('strict level above the grey-matter mode, in σ of its peak'),
    alphaGrow: z.number().min(0.5).max(10).default(1.75).describe('first guess of the finer level, in the same σ'),
    edge: z
      .number()
      .min(0.2)
      .max(1)
      .default(0.66)
      .describe('finer level as a fraction of the way from the white-matter mode to the median lesion'),
    whiteSeed: z
      .number()
      .min(0)
      .max(1)
      .default(0.75)
      .describe('smoothed white-matter probability asked of certain lesion'),
    whiteGrow: z
      .number()
      .min(0)
      .max(1)
      .default(0.6)
      .describe('smoothed white-matter probability asked of any lesion voxel'),
    whiteSigma: whiteSigma(3),
    smoothing: flairSmoothing(0.6),
    smallest: smallestLesion(10),
  }),
  async segment({ images, brain, atlas, tissue }, params, context) {
    if (params.preset === 'paper') return await asPublished(images.flair, brain, tissue, context)
    context.progress('Measuring the grey-matter peak', 0)
    const scale = await peakScale(images.flair, brain, atlas)
    context.signal.throwIfAborted()

    context.progress('Finding lesions', 0.3)
    const excess = scaled(await gaussianInPlane(images.flair, params.smoothing), scale)
    const white = await gaussian(atlas.wm, params.whiteSigma)
    context.show?.('FLAIR above grey matter, in σ', excess)
    context.show?.('White-matter prior', white)
    const certain = above(excess, params.alpha, white, params.whiteSeed, brain)
    context.show?.('Certain lesion', certain)
    let level = params.alphaGrow
    let found = keepTouching(above(excess, level, white, params.whiteGrow, brain), certain, 18)
    // The level follows the lesions and the lesions the level: three rounds settle it.
    for (let round = 0; round < 3; round++) {
      context.signal.throwIfAborted()
      const [median] = percentiles(excess, [50], found)
      if (!Number.isFinite(median)) break
      level = Math.max(1, scale.white + params.edge * (median - scale.white))
      found = keepTouching(above(excess, level, white, params.whiteGrow, brain), certain, 18)
    }
    return {
      mask: keepLargerThan(found, params.smallest, 18),
      probability: likelihood(excess, white, params.whiteGrow, brain, level, params.alpha),
      figures: {
        threshold: scale.mode + level * scale.sigma,
        strictThreshold: scale.mode + params.alpha * scale.sigma,
      },
      flags: scale.greyAboveWhite ? [] : [greyNotBrighter],
    }
  },
})

/** The toolbox's passes, v2.1: α, shares of brain tissue within and of white matter around a finding, smallest in mm³. */
const passes = [
  { alpha: 2.5, within: 0.6, around: 0.55, smallest: 30 },
  { alpha: 2, within: 0.75, around: 0.7, smallest: 20 },
]

/**
 * Two passes, each: T = mode + α·σ of grey matter on FLAIR, 6-connected findings above it, kept by size, by the tissue
 * they hold and by the white matter in their shell. The second does not see what the first found.
 */
async function asPublished(image: Image, brain: Mask, tissue: TissueMaps, context: MethodContext): Promise<LesionMap> {
  context.progress('Smoothing FLAIR', 0)
  const flair = await anisotropicDiffusion(image, { iterations: 1 })
  const labels = hardLabels(tissue, brain)
  const mask = emptyMask(brain)
  const figures: Record<string, number> = {}
  for (const [index, { alpha, within, around, smallest }] of passes.entries()) {
    context.signal.throwIfAborted()
    context.progress('Finding lesions', (index + 1) / 3)
    const { mode, halfWidth } = smoothedMode(
      flair,
      maskWhere(labels, (label) => label === 2),
      { bins: 512 },
    )
    if (!(halfWidth > 0)) return { mask, figures, flags: [greyWithoutSpread] }
    // σ from the full width at half maximum, 2·√(2·ln 2)·σ.
    const threshold = mode + (alpha * halfWidth) / Math.sqrt(2 * Math.LN2)
    figures[`threshold${index + 1}`] = threshold
    const candidates = maskWhere(flair, (value, i) => labels.data[i] !== 0 && value >= threshold)
    context.show?.(`Candidates of pass ${index + 1}`, candidates)
    const found = keepFindings(
      candidates,
      {
        connectivity: 6,
        within: maskWhere(labels, (label) => label > 1),
        around: maskWhere(labels, (label) => label === 3),
      },
      (finding) => finding.mm3 >= smallest && finding.within >= within && finding.around >= around,
    )
    for (let i = 0; i < found.data.length; i++)
      if (found.data[i] !== 0) {
        mask.data[i] = 1
        labels.data[i] = 0
      }
  }
  return { mask, figures }
}

/** 1 fluid, 2 grey, 3 white matter: the likeliest at each voxel of the brain. */
function hardLabels({ csf, gm, wm }: TissueMaps, brain: Mask): Mask {
  const labels = emptyMask(brain)
  for (let i = 0; i < labels.data.length; i++) {
    if (brain.data[i] === 0) continue
    const [c, g, w] = [csf.data[i], gm.data[i], wm.data[i]]
    labels.data[i] = w >= g && w >= c ? 3 : g >= c ? 2 : 1
  }
  return labels
}

interface PeakScale {
  mode: number
  sigma: number
  /** White-matter mode on the scale (value − mode) / sigma. */
  white: number
  greyAboveWhite: boolean
}

/** Mode and σ of FLAIR where the atlas is sure of grey matter: the width above the mode, which fluid does not widen. */
async function peakScale(flair: Image, brain: Mask, atlas: AtlasMaps): Promise<PeakScale> {
  const grey = smoothedMode(flair, sure(atlas.gm, 0.7, brain))
  const white = smoothedMode(flair, sure(atlas.wm, 0.8, brain))
  const sigma = sigmaAbove(grey)
  if (!(sigma > 0)) throw new MethodError('FLAIR has no spread inside the brain mask: check the image and the mask.')
  return { mode: grey.mode, sigma, white: (white.mode - grey.mode) / sigma, greyAboveWhite: grey.mode > white.mode }
}

function sure(probability: Image, least: number, brain: Mask): Mask {
  const mask = emptyMask(brain)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = brain.data[i] !== 0 && probability.data[i] > least ? 1 : 0
  return mask
}

function scaled(image: Image, { mode, sigma }: PeakScale): Image {
  const out = emptyImage(image)
  for (let i = 0; i < out.data.length; i++) out.data[i] = (image.data[i] - mode) / sigma
  return out
}

function above(excess: Image, level: number, white: Image, least: number, brain: Mask): Mask {
  const mask = emptyMask(brain)
  for (let i = 0; i < mask.data.length; i++)
    mask.data[i] = brain.data[i] !== 0 && excess.data[i] > level && white.data[i] > least ? 1 : 0
  return mask
}

/** A belief for the viewer: 0.5 at the finer level, 0.95 at the strict one (logistic), 0 outside white matter. */
function likelihood(excess: Image, white: Image, least: number, brain: Mask, level: number, strict: number): Image {
  const out = emptyImage(brain)
  const slope = Math.log(19) / Math.max(0.25, strict - level)
  for (let i = 0; i < out.data.length; i++)
    if (brain.data[i] !== 0 && white.data[i] > least)
      out.data[i] = 1 / (1 + Math.exp(-slope * (excess.data[i] - level)))
  return out
}
