import { z } from 'zod'
import { MethodError } from '../../errors.js'
import { chiSquareUpper } from '../../evaluate/statistics/distributions.js'
import { Density, type Gaussian, weightedGaussian } from '../../learn/density.js'
import { keepFindings } from '../../learn/findings.js'
import { cutLattice } from '../../learn/grid-cut.js'
import { type Lattice, latticeOf, onGrid, onLattice, thinning } from '../../learn/lattice.js'
import { spectralInvariants } from '../../learn/spectral-gradient.js'
import { fitTrimmedMixture } from '../../learn/trimmed-mixture.js'
import { gaussian } from '../../volume/filter.js'
import { percentiles } from '../../volume/histogram.js'
import type { AtlasMaps, TissueMaps } from '../../volume/study.js'
import { countVoxels, emptyImage, emptyMask, type Image, type Mask } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked } from '../parameters.js'

/**
 * Graph cut between lesion and tissue, fed by a robust mixture of the tissues.
 *
 * Source: Catanese et al. 2015 after García-Lorenzo et al. 2009 and 2011. Steps: a mixture of fluid, grey and white
 * matter by trimmed likelihood → p-value of each voxel under each tissue → towards the sink (tissue): the highest of them;
 * towards the source (lesion): being an outlier and brighter than white matter in all contrasts but T1 → links between
 * neighbours that are weak across edges of the spectral gradient → least cut → rules of brightness, surroundings, size.
 *
 * Departures:
 * - the mixture starts from the tissue classes of the preparation, not from histograms of T1, and has the atlas as prior
 *   throughout: without, what is trimmed is mostly fluid, whose class then wanders into white matter;
 * - a tenth of the voxels is trimmed, not a fifth, and brightness counts from 2 and 3 σ over white matter, not from 1 and 2
 *   (there lies all of the grey matter of real scans);
 * - only voxels in the atlas's white matter, smoothed by 3 mm, may be lesion: lesions would be cut out together with
 *   bright cortex, and the rules drop or keep them as one;
 * - a finding need have no white matter around (`whiteAround`): the rim of a large lesion is none by its p-value;
 * - with fewer than three contrasts the spectral gradient gives way to the differences of the contrasts themselves;
 *   FLAIR, or FLAIR and T2, will do without T1.
 * Known weaknesses: many small false findings where bright grey matter reaches into the atlas's white matter, above all
 * at the depths of frontal sulci (40 of 51 findings of one scan of thin slices), and bands along the ventricles, the
 * fornix and temporal white matter (27 of 37 of one of thick slices); half of a confluent load of 50 ml was left out
 * where it was as grey as the cortex, while the borders of brighter lesions run too far out; cortical and brainstem
 * lesions are missed.
 */
export const catanese2015 = defineMethod({
  id: 'catanese2015',
  title: 'Graph cut on a robust tissue model',
  describe:
    'A mixture of fluid, grey and white matter is fitted while the voxels that it explains worst are left out. Being unlike every tissue and brighter than white matter speaks for lesion, being like a tissue speaks against it. A graph cut weighs both with the agreement of neighbours, and simple rules of surroundings and size prune what it finds.',
  use: {
    for: 'Scans with FLAIR, T1 and, best, T2, of lesions that are plainly brighter than grey matter; borders come out smooth.',
    not: 'Not for counting lesions: up to three quarters of the findings are specks of cortex at the depths of frontal sulci, or bands along the ventricles. Not for cortical or brainstem lesions, nor for faint ones: what a tissue explains is not lesion.',
  },
  citation: {
    text: 'Catanese L, Commowick O, Barillot C. Automatic graph cut segmentation of multiple sclerosis lesions. ISBI 2015 Longitudinal Multiple Sclerosis Lesion Segmentation Challenge.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'PD-w', 'T2-FLAIR'],
  classifier: 'EM and graph cut',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1', 'pd'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    trim: z.number().min(0).max(0.5).default(0.1).describe('share of the voxels that the mixture leaves out'),
    brightFrom: z
      .number()
      .min(-5)
      .max(10)
      .default(2)
      .describe('no sign of lesion up to here: σ of white matter above its mean'),
    brightTo: z
      .number()
      .min(-5)
      .max(20)
      .default(3)
      .describe('full sign of lesion from here: σ of white matter above its mean'),
    alpha: z.number().min(0).max(1e6).default(10).describe('weight of the single voxels against the links'),
    edge: z
      .number()
      .min(0.01)
      .max(100)
      .default(0.6)
      .describe('σ of the links in the spectral gradient, three contrasts'),
    edgeGrey: z
      .number()
      .min(0.1)
      .max(255)
      .default(8)
      .describe('σ of the links with fewer contrasts, on a scale of 0–255'),
    priorRate: z
      .number()
      .min(0)
      .max(1)
      .default(0.23)
      .describe('share that the prior map of lesions has in both weights'),
    least: z
      .number()
      .min(-5)
      .max(20)
      .default(3)
      .describe('least brightness of a lesion voxel: σ of white matter above its mean'),
    white: whiteAsked(0.6),
    whiteAround: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('part of the voxels around a finding that must be white matter'),
    smallest: smallestLesion(9),
  }),
  async segment({ images, brain, tissue, atlas }, params, context) {
    const { signal } = context
    signal.throwIfAborted()
    context.progress('Fitting the tissues', 0)
    const lattice = latticeOf(brain)
    const n = lattice.voxels.length
    // T1, and two of those in which lesions are bright.
    const bright = [images.flair, images.t2, images.pd].filter((image) => image !== undefined).slice(0, 2)
    const scales = [...bright, ...(images.t1 ? [images.t1] : [])].map((image) => to255(image, brain, lattice))
    const channels = scales.map(({ data }) => data)
    const classes = fitTissues(channels, tissue, atlas, lattice, params.trim, signal)
    signal.throwIfAborted()

    context.progress('Weights of the graph', 0.3)
    const white = await gaussian(atlas.wm, 3)
    const prior = params.priorRate > 0 ? onLattice(lattice, atlas.lesionPrior) : undefined
    const densities = classes.map((c) => new Density(c))
    const d = channels.length
    const whiteMean = classes[2].mean
    const whiteSigma = whiteMean.map((_, c) => Math.sqrt(classes[2].covariance[c * d + c]))
    const excess = bright.map((_, c) => channels[c].map((v) => (v - whiteMean[c]) / whiteSigma[c]))
    /** Brightness over white matter in the contrast that speaks least for a lesion. */
    const signOf = (v: number) => Math.min(...excess.map((e) => e[v]))
    const pull = new Float32Array(n)
    const whiteLike = emptyMask(brain)
    const probability = emptyImage(brain)
    const ramp = Math.max(1e-6, params.brightTo - params.brightFrom)
    for (let v = 0; v < n; v++) {
      const distances = densities.map((density) => density.distance(channels, v))
      let tissueLike = chiSquareUpper(Math.min(...distances), d)
      if (chiSquareUpper(distances[2], d) >= 0.2) whiteLike.data[lattice.voxels[v]] = 1
      let unlike = 1 - tissueLike
      if (prior) {
        unlike += params.priorRate * (prior[v] - unlike)
        tissueLike += params.priorRate * (1 - prior[v] - tissueLike)
      }
      const at = lattice.voxels[v]
      const hot = Math.min(1, Math.max(0, (signOf(v) - params.brightFrom) / ramp))
      const lesionLike = white.data[at] >= params.white ? Math.min(unlike, hot) : 0
      pull[v] = params.alpha * (lesionLike - tissueLike)
      probability.data[at] = lesionLike / Math.max(1e-6, lesionLike + tissueLike)
    }
    signal.throwIfAborted()

    context.progress('Cutting the graph', 0.6)
    const cut = cutLattice(lattice, pull, linksOf(channels, params))
    context.show?.('Lesion against tissue, voxel by voxel', probability)
    context.show?.(
      'Cut',
      onGrid(brain, lattice.voxels, (v) => cut[v]),
    )
    const candidates = emptyMask(brain)
    let cutVoxels = 0
    cut.forEach((lesion, v) => {
      cutVoxels += lesion
      if (lesion === 1 && signOf(v) >= params.least) candidates.data[lattice.voxels[v]] = 1
    })
    signal.throwIfAborted()

    context.progress('Rules', 0.9)
    const mask = keepFindings(
      candidates,
      { connectivity: 18, around: whiteLike },
      ({ mm3, around }) => mm3 >= params.smallest * (1 - 1e-6) && around >= params.whiteAround,
    )
    const figures = {
      // Of FLAIR, in its units.
      threshold: scales[0].low + scales[0].unit * (whiteMean[0] + params.least * whiteSigma[0]),
      cutVoxels,
      candidates: countVoxels(candidates),
    }
    return { mask, probability, figures }
  },
})

/** The lattice's values on a scale of 0–255, the brightest thousandth cut off, and what 0 and 1 are in the image's units. */
function to255(image: Image, brain: Mask, lattice: Lattice): { data: Float32Array; low: number; unit: number } {
  const [low, high] = percentiles(image, [0, 99.9], brain)
  const unit = (high - low) / 255
  return { data: onLattice(lattice, image).map((v) => Math.min(255, (v - low) / unit)), low, unit }
}

/** Fluid, grey and white matter of a regular part of the voxels. */
function fitTissues(
  channels: readonly Float32Array[],
  tissue: TissueMaps,
  atlas: AtlasMaps,
  lattice: Lattice,
  trim: number,
  signal: AbortSignal,
): Gaussian[] {
  const { thinned } = thinning(lattice.voxels.length)
  const sampled = channels.map(thinned)
  const initial = [tissue.csf, tissue.gm, tissue.wm].map((map) =>
    weightedGaussian(sampled, thinned(onLattice(lattice, map))),
  )
  const constant = sampled.some((values) => !values.some((v) => Math.abs(v - values[0]) > 1e-3))
  if (constant || !initial.every((c) => c !== undefined))
    throw new MethodError('No fit: an image is constant in the brain, or a tissue is missing there.')
  // A little of everything everywhere: an affine alone does not put every sulcus in its place.
  const prior = [atlas.csf, atlas.gm, atlas.wm].map((map) => thinned(onLattice(lattice, map)).map((p) => p + 0.05))
  return fitTrimmedMixture({ channels: sampled, prior }, { initial, trim, iterations: 100, signal }).classes
}

/** Links of neighbours: strong where the contrasts agree, and never nothing. */
function linksOf(channels: readonly Float32Array[], { edge, edgeGrey }: { edge: number; edgeGrey: number }) {
  const spectral = channels.length === 3
  const features = spectral ? spectralInvariants(channels) : channels
  const scale = 1 / (2 * (spectral ? edge : edgeGrey) ** 2)
  return (a: number, b: number): number => {
    let squared = 0
    for (const feature of features) squared += (feature[a] - feature[b]) ** 2
    return 0.1 + Math.exp(-squared * scale)
  }
}
