import { z } from 'zod'
import { keepFindings } from '../../learn/findings.js'
import { distanceAt, logDensityAt, logDensityForm } from '../../learn/gaussian.js'
import { latticeOf, onLattice, thinning } from '../../learn/lattice.js'
import { fitMixture } from '../../learn/mixture.js'
import { lineBetween, logLineDensityAt } from '../../learn/partial-volume.js'
import { toggleContrast } from '../../learn/toggle-contrast.js'
import { gaussian, gaussianInPlane } from '../../volume/filter.js'
import type { AtlasMaps } from '../../volume/study.js'
import { emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { channelsFor, greyNotBrighter, greyWithoutSpread } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { flairSmoothing, smallestLesion, whiteAsked } from '../parameters.js'

/**
 * Tissue classes with partial volume on T1 and T2; a threshold on FLAIR from the grey matter among them.
 *
 * Source: Souplet et al. 2008 (MICCAI lesion challenge); the tissue model is that of Dugas-Phocion et al. 2004. Steps:
 * robust mixture of fluid, grey and white matter with an atlas as prior and a class between fluid and grey matter →
 * mean and σ of FLAIR in pure grey matter, T = mean + k·σ → FLAIR enhanced by a toggle contrast, voxels above T →
 * findings in white matter.
 *
 * Departures:
 * - the class between two tissues has all shares of them alike, not nine, and there is one between grey and white matter
 *   too: at 1 mm as many voxels hold both, and they would widen the grey matter;
 * - mean and σ are those of FLAIR before the toggle contrast, which doubles the noise of what is flat;
 * - candidates lie in the atlas's white matter, smoothed by 3 mm, before findings are judged one by one: bright cortex
 *   and a lesion that touches it would be judged as one;
 * - FLAIR stands in for a missing T2, as grey and white matter differ on it too.
 * Known weaknesses: it finds too much, as in the challenge (three quarters of its findings were none; 39 of 53 on a
 * scan of thick slices here): caps and bands along the ventricles, temporal white matter, and cortex of the insula, the
 * cingulate gyrus and the depths of frontal sulci. Large lesion loads, taken for grey matter on T1 and T2, raise σ and
 * T.
 */
export const souplet2008 = defineMethod({
  id: 'souplet2008',
  title: 'Tissue model with partial volume and an automatic FLAIR threshold',
  describe:
    'Fluid, grey and white matter are told apart on T1 and T2, with a class of its own for voxels that hold both fluid and grey matter. The grey matter gives mean and spread on FLAIR; what is brighter than the mean by k standard deviations is a candidate, and candidates are kept where the tissue around is white matter.',
  use: {
    for: 'Scans with FLAIR, T1 and, best, T2, where few lesions may be missed and someone looks the findings through.',
    not: 'Not where false findings count: up to three quarters are caps and bands along the ventricles and cortex of the insula, the cingulate gyrus and the depths of frontal sulci. Not for cortical or brainstem lesions.',
  },
  citation: {
    text: 'Souplet J-C, Lebrun C, Ayache N, Malandain G. An automatic segmentation of T2-FLAIR multiple sclerosis lesions. The MIDAS Journal – MICCAI 2008 MS Lesion Segmentation Challenge.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'T2-FLAIR'],
  classifier: 'EM and thresholding',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    k: z.number().min(0).max(10).default(2).describe('threshold above the mean of grey matter on FLAIR, in its σ'),
    trim: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.05)
      .describe('share of the grey voxels, those farthest from the median, that mean and σ leave out'),
    smoothing: flairSmoothing(0.6),
    enhance: z.boolean().default(true).describe('toggle contrast: blurred edges of FLAIR become steps'),
    white: whiteAsked(0.6),
    whiteAround: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('part of the voxels around a finding that must hold white matter'),
    border: z.number().min(0).max(1).default(0.2).describe('largest share of a finding at the border of the brain'),
    smallest: smallestLesion(5),
  }),
  async segment({ images, brain, atlas }, params, context) {
    context.signal.throwIfAborted()
    context.progress('Tissue classes with partial volume', 0)
    const { channels, flags } = channelsFor(images, ['t1', 't2'])
    const labels = tissueLabels(
      channels.map(({ image }) => image),
      brain,
      atlas,
    )
    context.signal.throwIfAborted()

    context.progress('Threshold on FLAIR', 0.5)
    const flair = await gaussianInPlane(images.flair, params.smoothing, brain)
    const grey = trimmedMoments(flair, are(labels, label.gm), params.trim)
    const white = trimmedMoments(flair, are(labels, label.wm), params.trim)
    const figures = { threshold: grey.mean + params.k * grey.sd, greyMean: grey.mean, greySigma: grey.sd }
    if (!(grey.sd > 1e-3 * Math.abs(grey.mean)))
      return {
        mask: emptyMask(brain),
        flags: [...flags, greyWithoutSpread],
      }
    if (grey.mean <= white.mean) flags.push(greyNotBrighter)

    context.progress('Findings in white matter', 0.7)
    const sharp = params.enhance ? toggleContrast(flair) : flair
    const prior = await gaussian(atlas.wm, 3)
    context.show?.('Tissues with partial volume', labels)
    context.show?.('Toggle contrast', sharp)
    const candidates = maskWhere(
      sharp,
      (v, i) => brain.data[i] !== 0 && v >= figures.threshold && prior.data[i] >= params.white,
    )
    context.show?.('Above the threshold', candidates)
    const mask = keepFindings(
      candidates,
      { connectivity: 18, around: maskWhere(labels, (l) => l === label.wm || l === label.whiteRim), brain },
      ({ mm3, around, border }) =>
        // A hair less: voxel sizes are float32.
        mm3 >= params.smallest * (1 - 1e-6) && around >= params.whiteAround && border <= params.border,
    )
    return { mask, figures, flags }
  },
})

/** Two of partial volume, between fluid and grey and between grey and white matter; outliers are no tissue. */
const label = { csf: 1, gm: 2, wm: 3, greyRim: 4, whiteRim: 5, outlier: 6 } as const

const are = (labels: Mask, wanted: number): Mask => maskWhere(labels, (l) => l === wanted)

/** Tissues that share voxels. */
const pairs = [
  [0, 1],
  [1, 2],
] as const

/** The likeliest pure or partial class of each voxel; three standard deviations from a pure class it is an outlier. */
function tissueLabels(images: readonly Image[], brain: Mask, atlas: AtlasMaps): Mask {
  const lattice = latticeOf(brain)
  const n = lattice.voxels.length
  const channels = images.map((image) => onLattice(lattice, image))
  // A little of everything everywhere: an affine alone does not put every sulcus in its place.
  const prior = [atlas.csf, atlas.gm, atlas.wm].map((map) => onLattice(lattice, map).map((p) => p + 0.05))
  const labels = emptyMask(brain)
  if (n === 0) return labels
  const { thinned } = thinning(n)
  const { classes } = fitMixture({ channels: channels.map(thinned), prior: prior.map(thinned) }, { between: pairs })
  const forms = classes.map((c) => logDensityForm(c, channels.length))
  const lines = pairs.map(([a, b]) => lineBetween(classes[a], classes[b], channels.length))
  for (let v = 0; v < n; v++) {
    const x = channels[0][v]
    const y = channels.length > 1 ? channels[1][v] : 0
    let best = Number.NEGATIVE_INFINITY
    let at = 0
    for (let k = 0; k < 3; k++) {
      const log = Math.log(prior[k][v]) + logDensityAt(forms[k], x, y)
      if (!(log > best)) continue
      best = log
      at = k + 1
    }
    if (at > 0 && distanceAt(forms[at - 1], x, y) > 9) at = label.outlier
    for (let p = 0; p < 2; p++) {
      const [a, b] = pairs[p]
      const log = 0.5 * Math.log(prior[a][v] * prior[b][v]) + logLineDensityAt(lines[p], x, y)
      if (!(log > best)) continue
      best = log
      at = label.greyRim + p
    }
    labels.data[lattice.voxels[v]] = at
  }
  return labels
}

/** Mean and standard deviation without the share `trim` of the values that lies farthest from the median. */
function trimmedMoments(image: Image, mask: Mask, trim: number): { mean: number; sd: number } {
  const values = image.data.filter((_, i) => mask.data[i] !== 0).sort()
  const median = values[values.length >> 1]
  const limit = values.map((v) => Math.abs(v - median)).sort()[Math.ceil((1 - trim) * values.length) - 1]
  let [count, sum, squares] = [0, 0, 0]
  for (const v of values) {
    if (Math.abs(v - median) > limit) continue
    count++
    sum += v - median
    squares += (v - median) ** 2
  }
  const mean = sum / count
  return { mean: median + mean, sd: Math.sqrt(Math.max(0, squares / count - mean * mean)) }
}
