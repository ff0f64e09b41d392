import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { z } from 'zod'
import { edgeRank, fractionByEdges, type Pure } from '../../learn/edge-model.js'
import { fuzzyCMeans, membershipIn } from '../../learn/fuzzy-c-means.js'
import { apply, compose, type Vec3, voxelSizes } from '../../volume/affine.js'
import { fillHoles, labelComponents } from '../../volume/components.js'
import { distanceTo } from '../../volume/distance.js'
import { gaussian, gaussianInPlane } from '../../volume/filter.js'
import { histogram, percentiles, sigmaAbove, smoothedMode } from '../../volume/histogram.js'
import { erode } from '../../volume/morphology.js'
import type { LesionMap, PreparedStudy } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere, voxelVolume } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { flairSmoothing, smallestLesion, whiteAsked, whiteSigma } from '../parameters.js'

/**
 * The fraction of lesion in a voxel from its FLAIR intensity, by how often that intensity is met at edges, sharpened by
 * fuzzy clustering; what is more than half lesion is kept.
 *
 * Source: Knight & Khademi 2016; the edge model is that of Khademi et al. 2012. Steps: smoothed FLAIR → edge strength as
 * a rank → mean edge strength ρ of each intensity → lesion fraction α(y) = ∫ρ from brain to y / ∫ρ from brain to lesion
 * → geometric mean with the membership in the lesion cluster, if there is one → threshold → false findings removed.
 *
 * Departures:
 * - brain and lesion intensity and ρ are measured where lesions may lie (the atlas's white matter, smoothed), and only
 *   there is lesion looked for: over the whole brain the brightest voxels are choroid plexus, vessels and remains of
 *   skull, and most bright findings lie in cortex;
 * - the fraction is not smoothed over 3 × 3 × 3 voxels, which on 2 mm voxels erases lesions of 8: FLAIR is smoothed, in
 *   mm, and across thin slices only; gradients too are taken in-plane where slices are thick;
 * - no rescaling of intensities before: nothing that follows depends on their scale.
 * The paper's constants are not published in full; those here are ours.
 * Known weaknesses: cortical lesions are not looked for, and brainstem and cerebellar ones were missed; the lesion
 * intensity is the brightest thousandth of the white matter, so that with few lesions it falls to that of the bands
 * along the ventricles, their frontal and occipital horns, insula and temporal white matter (20 of 35 findings of a
 * scan with 3 ml; nothing was right on one with 0.8 ml), and faint ones are not told from a healthy scan.
 */
export const knight2016 = defineMethod({
  id: 'knight2016',
  title: 'Fuzzy clustering and an edge model of partial volume on FLAIR',
  describe:
    'From FLAIR alone, each intensity is given the fraction of lesion that it stands for. Intensities that are met mostly at edges are mixtures of brain and lesion, those met inside flat regions are pure; the fraction rises from brain to lesion with the edge strength on the way. Fuzzy c-means sharpens it where lesions form a cluster of their own. Voxels of more than half lesion are kept, and findings where FLAIR has its artefacts are dropped.',
  use: {
    for: 'Scans with FLAIR alone, of moderate to high lesion loads, on slices of any thickness; one of the fastest methods.',
    not: 'Not for cortical or infratentorial lesions, nor for low loads: at 3 ml more than half of the findings are bands and horns of the ventricles, insula and temporal white matter, and below 1 ml all may be.',
  },
  citation: {
    text: 'Knight J, Khademi A. MS lesion segmentation using FLAIR MRI only. Proceedings of the 1st MICCAI Challenge on Multiple Sclerosis Lesions Segmentation (MSSEG). 2016:21–28.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T2-FLAIR'],
  classifier: 'fuzzy clustering, edge model and threshold',
  needs: { contrasts: [['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    threshold: z
      .number()
      .min(0.05)
      .max(0.95)
      .default(0.5)
      .describe('lesion fraction from which a voxel is lesion, 0–1'),
    clusters: z.number().int().min(3).max(6).default(4).describe('clusters of the fuzzy c-means, a number'),
    fuzzifier: z.number().min(1.1).max(5).default(2).describe('exponent m of the fuzzy c-means, softer when larger'),
    edgeSigma: z.number().min(0.3).max(3).default(1).describe('scale of the gradient, voxels (Gaussian σ)'),
    lesionPercentile: z
      .number()
      .min(95)
      .max(100)
      .default(99.9)
      .describe('percentile of FLAIR in white matter taken for pure lesion'),
    contrast: z
      .number()
      .min(0)
      .max(20)
      .default(4)
      .describe('pure lesion must lie this many σ of grey matter above its mode, else nothing is found'),
    white: whiteAsked(0.6),
    whiteSigma: whiteSigma(3),
    smoothing: flairSmoothing(0.7),
    smallest: smallestLesion(10),
    rules: z.boolean().default(true).describe('drop findings at the midline, the surface and below the tentorium'),
  }),
  async segment({ images, brain, atlas, toAtlas }, params, context) {
    context.signal.throwIfAborted()
    context.progress('Smoothing FLAIR', 0)
    const flair = await gaussianInPlane(images.flair, params.smoothing)
    const white = await gaussian(atlas.wm, params.whiteSigma)
    const region = maskWhere(brain, (v, i) => v !== 0 && (params.white === 0 || white.data[i] > params.white))
    // Remains of skull at the surface have the strongest edges of all.
    const inner = await erode(brain, 2)
    const measured = maskWhere(region, (v, i) => v !== 0 && inner.data[i] !== 0)
    context.signal.throwIfAborted()

    context.progress('Edge strength of each intensity', 0.3)
    const grey = smoothedMode(
      flair,
      maskWhere(atlas.gm, (p, i) => p > 0.7 && brain.data[i] !== 0),
    )
    const sigma = sigmaAbove(grey)
    const levels: Pure = {
      from: smoothedMode(flair, measured).mode,
      to: percentiles(flair, [params.lesionPercentile], measured)[0],
    }
    const figures = { brainLevel: levels.from, lesionLevel: levels.to }
    if (!(sigma > 0 && levels.to - Math.max(grey.mode, levels.from) > params.contrast * sigma))
      return noContrast(brain, Number.isFinite(levels.to) ? figures : {})
    const edge = await edgeRank(flair, brain, params.edgeSigma)
    context.show?.('edge strength', edge)
    const fraction = fractionByEdges(flair, edge, measured, levels)
    context.signal.throwIfAborted()

    context.progress('Lesion fraction', 0.6)
    const membership = lesionMembership(flair, measured, grey.mode + params.contrast * sigma, params, context.signal)
    const belief = (value: number) => {
      const alpha = fraction(value)
      return membership ? Math.sqrt(alpha * membership(value)) : alpha
    }
    const probability = emptyImage(brain)
    for (let i = 0; i < probability.data.length; i++)
      if (region.data[i] !== 0) probability.data[i] = belief(flair.data[i])
    context.show?.('lesion fraction', probability)
    const candidates = fillHoles(maskWhere(probability, (p) => p >= params.threshold))
    context.signal.throwIfAborted()

    context.progress('Removing false findings', 0.8)
    const { mask, removed } = await withoutFalse(candidates, probability, { brain, atlas, toAtlas }, params)
    return {
      mask,
      probability,
      figures: { ...figures, threshold: crossing(belief, params.threshold, levels), ...removed },
    }
  },
})

function noContrast(brain: Mask, figures: Record<string, number>): LesionMap {
  return {
    mask: emptyMask(brain),
    figures,
    flags: [
      {
        code: 'no-bright-lesions',
        severity: 'info',
        message: 'Nothing in white matter is clearly brighter than grey matter on FLAIR: no lesion was looked for.',
      },
    ],
  }
}

/** Membership in the brightest cluster; undefined where that is no lesion cluster, its centre not above `least`. */
function lesionMembership(
  flair: Image,
  measured: Mask,
  least: number,
  { clusters, fuzzifier }: { clusters: number; fuzzifier: number },
  signal: AbortSignal,
): ((value: number) => number) | undefined {
  // Fluid, white and grey matter, lesion.
  const places = Array.from({ length: clusters }, (_, k) => (k === clusters - 1 ? 99.5 : 2 + (66 * k) / (clusters - 2)))
  const start = percentiles(flair, places, measured)
  const [low, high] = percentiles(flair, [0.1, 99.99], measured)
  const { counts, min, width } = histogram(flair, { bins: 1024, range: [low, high], mask: measured })
  const middles = counts.map((_, bin) => min + (bin + 0.5) * width)
  const found = fuzzyCMeans(middles, counts, { start, fuzzifier, signal })
  const top = found.centres[clusters - 1]
  if (!(top > least)) return undefined
  // Beyond its centre a value does not belong to the cluster any less.
  return (value) => (value >= top ? 1 : membershipIn(found, clusters - 1, value))
}

/** The intensity at which the belief reaches the threshold, for the report. */
function crossing(belief: (value: number) => number, threshold: number, { from, to }: Pure): number {
  let [low, high] = [from, to]
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (belief(middle) >= threshold) high = middle
    else low = middle
  }
  return high
}

type Reason = 'removedSmall' | 'removedSurface' | 'removedRibbon' | 'removedMidline' | 'removedInfratentorial'

/** Drops findings that look like artefacts of FLAIR, and counts them by reason. */
async function withoutFalse(
  candidates: Mask,
  probability: Image,
  { brain, atlas, toAtlas }: Pick<PreparedStudy, 'brain' | 'atlas' | 'toAtlas'>,
  { smallest, rules }: { smallest: number; rules: boolean },
): Promise<{ mask: Mask; removed: Record<Reason, number> }> {
  const { labels, count, sizes } = labelComponents(candidates, 18)
  const depth = await distanceTo(maskWhere(brain, (v) => v === 0))
  const ventricle = await distanceTo(atlas.ventricles)
  const size = voxelSizes(candidates.affine)
  const [nx, ny] = candidates.dims
  /** Sums over the voxels of each finding: depth, ventricle distance, infratentorial voxels, belief, i, j, k, and products. */
  const sums = Array.from({ length: 13 }, () => new Float64Array(count + 1))
  for (let at = 0; at < labels.data.length; at++) {
    const label = labels.data[at]
    if (label === 0) continue
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    const values = [depth.data[at], ventricle.data[at], atlas.infratentorial.data[at] !== 0 ? 1 : 0]
    values.push(probability.data[at], i, j, k, i * i, i * j, i * k, j * j, j * k, k * k)
    for (const [place, value] of values.entries()) sums[place][label] += value
  }
  const toMni = compose(toAtlas, candidates.affine)
  const reasonFor = (label: number): Reason | undefined => {
    const [deep, beside, below, belief, x, y, z, xx, xy, xz, yy, yz, zz] = sums.map((sum) => sum[label] / sizes[label])
    if (sizes[label] * voxelVolume(candidates) < smallest * (1 - 1e-6)) return 'removedSmall'
    if (!rules) return undefined
    if (deep < 3) return 'removedSurface'
    if (below > 0.5 && belief <= 0.8) return 'removedInfratentorial'
    if (Math.abs(apply(toMni, [x, y, z])[0]) < 5 && beside < 5) return 'removedMidline'
    if (deep >= 5) return undefined
    const products = [xx - x * x, xy - x * y, xz - x * z, yy - y * y, yz - y * z, zz - z * z]
    return elongation(products, size) > 5 ? 'removedRibbon' : undefined
  }
  const removed: Record<Reason, number> = {
    removedSmall: 0,
    removedSurface: 0,
    removedRibbon: 0,
    removedMidline: 0,
    removedInfratentorial: 0,
  }
  const kept = new Uint8Array(count + 1)
  for (let label = 1; label <= count; label++) {
    const reason = reasonFor(label)
    if (reason) removed[reason]++
    else kept[label] = 1
  }
  return { mask: maskWhere(labels, (label) => kept[label] !== 0), removed }
}

/** Longest over shortest extent of a finding, from the covariance of its voxels (xx, xy, xz, yy, yz, zz; voxels²). */
function elongation([xx, xy, xz, yy, yz, zz]: readonly number[], [sx, sy, sz]: Vec3): number {
  // A voxel has an extent of its own: the twelfth of its square is the variance of a uniform density.
  const own = 1 / 12
  const matrix = new Matrix([
    [(xx + own) * sx * sx, xy * sx * sy, xz * sx * sz],
    [xy * sx * sy, (yy + own) * sy * sy, yz * sy * sz],
    [xz * sx * sz, yz * sy * sz, (zz + own) * sz * sz],
  ])
  const spread = new EigenvalueDecomposition(matrix).realEigenvalues
  return Math.sqrt(Math.max(...spread) / Math.max(1e-9, Math.min(...spread)))
}
