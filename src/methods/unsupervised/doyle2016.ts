import { z } from 'zod'
import { keepFindings } from '../../learn/findings.js'
import { type Lattice, latticeOf, onGrid, onLattice } from '../../learn/lattice.js'
import { fitWeightedMixture, type WeightedMixture } from '../../learn/weighted-mixture.js'
import { gaussian } from '../../volume/filter.js'
import type { AtlasMaps, LesionMap, TissueMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, maskWhere } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked } from '../parameters.js'

/**
 * Tissues whose voxels have weights; what weighs little and is bright becomes a class of lesions.
 *
 * Source: Doyle et al. 2016 after Forbes et al. 2010 (P-LOCUS). Steps: mixture of fluid, grey and white matter with a
 * Markov random field and a weight of each voxel in each contrast, by variational EM → candidates: bright on FLAIR and of
 * low weight there → the same with a fourth class that starts from the candidates, which are expected to weigh ten times
 * as much as the rest → voxels of that class.
 *
 * Departures:
 * - the atlas is the prior of the tissues, and no voxel outside its white matter, smoothed by 3 mm, may be lesion: bright
 *   cortex weighs as little as lesions do. Nor may one darker than grey matter on FLAIR;
 * - candidates weigh less than 0.7 of the mean (not 0.5) and are 1.4 σ above grey matter (not 2): at weight 1 the σ is
 *   1.4 times that of the tissue, whose voxels weigh about 2, and a large lesion load widens it further;
 * - the strength of the random field is fixed and not estimated;
 * - white matter around a finding is the atlas's: the model's own has holes where lesions are.
 * Known weaknesses: large lesions are left out where they are no brighter than grey matter (half of 50 ml on one scan);
 * it takes strips of cortex at the depths of frontal sulci (thin slices too), and on thick slices bands along the
 * ventricles and temporal white matter, for lesions (28 of 44 findings of one scan); cortical and brainstem lesions are
 * missed.
 */
export const doyle2016 = defineMethod({
  id: 'doyle2016',
  title: 'Weighted tissue model (P-LOCUS)',
  describe:
    'A mixture of fluid, grey and white matter, smoothed by a Markov random field, gives each voxel a weight in each contrast: what no tissue explains weighs little. Bright voxels of low weight on FLAIR are candidates. A second run, in which they weigh much and have a class of their own, decides what is lesion.',
  use: {
    for: 'Scans with FLAIR and any of T1 and T2, of clear lesions; it says for each contrast how far a voxel is from all tissues.',
    not: 'Not where false findings count: more than half of them are strips of cortex at the depths of frontal sulci and bands along the ventricles. Not for cortical or brainstem lesions, nor for faint ones no brighter than the brightest tenth of grey matter.',
  },
  citation: {
    text: 'Doyle S, Forbes F, Dojat M. Automatic multiple sclerosis lesion segmentation with P-LOCUS. In: Proceedings of the 1st MICCAI Challenge on Multiple Sclerosis Lesions Segmentation (MSSEG) 2016.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'T2-FLAIR'],
  classifier: 'weighted Gaussian mixture',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    iterations: z.number().int().min(1).max(100).default(15).describe('most rounds of each of the two runs'),
    smoothness: z
      .number()
      .min(0)
      .max(5)
      .default(0.5)
      .describe('log-odds that a certain neighbour adds to its own class (β of the random field)'),
    weightCut: z
      .number()
      .min(0)
      .max(2)
      .default(0.7)
      .describe('candidates: weight on FLAIR below this part of the mean weight'),
    bright: z
      .number()
      .min(0)
      .max(10)
      .default(1.4)
      .describe('candidates: FLAIR above the mean of grey matter, in σ of a voxel of weight 1'),
    lesionWeight: z.number().min(0.1).max(100).default(10).describe('expert weight of candidates in the second run'),
    lesionRate: z
      .number()
      .min(0.01)
      .max(1e6)
      .default(10)
      .describe('how firmly candidates keep it (γ of the Gamma distribution)'),
    tissueRate: z.number().min(0.01).max(1e6).default(1000).describe('how firmly all others keep weight 1 then (γ)'),
    elsewhere: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.01)
      .describe('prior probability of the lesion class where there is no candidate'),
    white: whiteAsked(0.6),
    whiteAround: z
      .number()
      .min(0)
      .max(1)
      .default(0.4)
      .describe('part of the voxels around a finding that must be white matter'),
    smallest: smallestLesion(9),
  }),
  async segment({ images, brain, tissue, atlas }, params, context): Promise<LesionMap> {
    const { signal } = context
    signal.throwIfAborted()
    context.progress('Tissues and weights', 0)
    const lattice = latticeOf(brain)
    const given = [images.flair, images.t1, images.t2].filter((image) => image !== undefined)
    const channels = given.map((image) => onLattice(lattice, image))
    const { iterations, smoothness } = params
    const { start, logPrior } = fromAtlas(lattice, tissue, atlas)
    const tissues = fitWeightedMixture(
      { lattice, channels, logPrior },
      {
        start,
        experts: [{ weight: 1, rate: 1 }],
        smoothness,
        iterations,
        signal,
        onRound: (round) => context.progress('Tissues and weights', round / iterations),
      },
    )

    const whiteMap = await gaussian(atlas.wm, 3)
    const place = onLattice(lattice, whiteMap).map((p) => (p >= params.white ? 1 : 0))
    const { region, figures } = candidates(tissues, channels[0], place, params)
    if (!('greyMean' in figures)) return { mask: emptyMask(brain), figures, flags: [nothing] }
    context.show?.(
      'Weight of FLAIR: low where no tissue explains it',
      onGrid(brain, lattice.voxels, (v) => tissues.weights[0][v]),
    )
    context.show?.(
      'Candidates',
      onGrid(brain, lattice.voxels, (v) => region[v]),
    )
    // Frozen weights no longer spare what is odd in T1 or T2 alone: it would be nearest to the wide class of lesions.
    const possible = place.map((p, v) => (channels[0][v] > figures.greyMean ? p : 0))

    const withLesions = fitWeightedMixture(
      { lattice, channels, logPrior: lesionPrior(logPrior, region, possible, params.elsewhere) },
      {
        start: lesionStart(tissues.belief, region),
        experts: [
          { weight: 1, rate: params.tissueRate },
          { weight: params.lesionWeight, rate: params.lesionRate },
        ],
        region,
        smoothness,
        iterations,
        // So that few candidates do not lose their class before it has found its place.
        held: { class: 3, rounds: 3 },
        signal,
        onRound: (round) => context.progress('Lesions as a class', round / iterations),
      },
    )
    const probability = emptyImage(brain)
    const found = emptyMask(brain)
    lattice.voxels.forEach((at, v) => {
      const [csf, gm, wm, lesion] = withLesions.belief.subarray(4 * v, 4 * v + 4)
      probability.data[at] = lesion
      if (lesion > Math.max(csf, gm, wm)) found.data[at] = 1
    })
    const mask = keepFindings(
      found,
      { connectivity: 18, around: maskWhere(whiteMap, (p) => p >= params.white) },
      // A hair less: voxel sizes are float32.
      ({ mm3, around }) => mm3 >= params.smallest * (1 - 1e-6) && around >= params.whiteAround,
    )
    return { mask, probability, figures }
  },
})

const nothing = {
  code: 'no-candidates',
  severity: 'info' as const,
  message: 'Nothing in white matter is bright on FLAIR and unlike every tissue: no lesion was looked for.',
}

/** Beliefs to start from, and the log of the prior of each tissue: three values per voxel. */
function fromAtlas({ voxels }: Lattice, { csf, gm, wm }: TissueMaps, atlas: AtlasMaps) {
  const start = new Float32Array(3 * voxels.length)
  const logPrior = new Float32Array(3 * voxels.length)
  voxels.forEach((at, v) => {
    start[3 * v] = csf.data[at]
    start[3 * v + 1] = gm.data[at]
    start[3 * v + 2] = wm.data[at]
    // A little of everything everywhere: an affine alone does not put every sulcus in its place.
    const [c, g, w] = [atlas.csf.data[at] + 0.05, atlas.gm.data[at] + 0.05, atlas.wm.data[at] + 0.05]
    const total = Math.log(c + g + w)
    logPrior[3 * v] = Math.log(c) - total
    logPrior[3 * v + 1] = Math.log(g) - total
    logPrior[3 * v + 2] = Math.log(w) - total
  })
  return { start, logPrior }
}

/** 1 where FLAIR is bright, weighs little and `place` is 1. A FLAIR without spread in grey matter has no candidates. */
function candidates(
  { classes, weights: [weights] }: WeightedMixture,
  flair: Float32Array,
  place: Float32Array,
  { bright, weightCut }: { bright: number; weightCut: number },
) {
  const region = new Uint8Array(flair.length)
  const none = { region, figures: { candidates: 0 } }
  if (flair.length === 0) return none
  const [mean, sigma] = [classes[1].mean[0], Math.sqrt(classes[1].variance[0])]
  if (!(sigma > 1e-3 * Math.abs(mean))) return none
  const meanWeight = weights.reduce((sum, w) => sum + w, 0) / weights.length
  const threshold = mean + bright * sigma
  let [count, sum] = [0, 0]
  for (let v = 0; v < region.length; v++) {
    if (place[v] === 0 || flair[v] <= threshold || weights[v] >= weightCut * meanWeight) continue
    region[v] = 1
    sum += weights[v]
    count++
  }
  if (count === 0) return none
  // How little the candidates weigh on FLAIR, the mean of all being 1.
  return { region, figures: { candidates: count, threshold, greyMean: mean, weight: sum / count / meanWeight } }
}

/** Candidates start as lesion, all others as the tissues that they were: four values per voxel. */
function lesionStart(belief: Float32Array, region: Uint8Array): Float32Array {
  const start = new Float32Array(4 * region.length)
  region.forEach((candidate, v) => {
    if (candidate === 1) start[4 * v + 3] = 1
    else start.set(belief.subarray(3 * v, 3 * v + 3), 4 * v)
  })
  return start
}

/** Lesion is as likely as not where there are candidates, unlikely where else it is possible, and nowhere else. */
function lesionPrior(
  logPrior: Float32Array,
  region: Uint8Array,
  possible: Float32Array,
  elsewhere: number,
): Float32Array {
  const out = new Float32Array(4 * region.length)
  region.forEach((candidate, v) => {
    const lesion = candidate === 1 ? 0.5 : possible[v] * elsewhere
    for (let k = 0; k < 3; k++) out[4 * v + k] = logPrior[3 * v + k] + Math.log(1 - lesion)
    out[4 * v + 3] = Math.log(Math.max(1e-30, lesion))
  })
  return out
}
