import { z } from 'zod'
import type { Flag } from '../../errors.js'
import { CosineBasis, thinnedVoxels, thinning, unthinned } from '../../learn/cosine-basis.js'
import { latticeOf } from '../../learn/lattice.js'
import { sampleLesions } from '../../learn/lesion-sampler.js'
import { fitTiedMixture, healthyDensities, logDiagonal } from '../../learn/tied-mixture.js'
import { registerDeformable } from '../../preprocess/deformable.js'
import { keepTouching } from '../../volume/components.js'
import { resampleDeformed } from '../../volume/deformation.js'
import { gaussian } from '../../volume/filter.js'
import { dilate } from '../../volume/morphology.js'
import { type AtlasMaps, type LesionMap, type Modality, modalities, type TissueMaps } from '../../volume/study.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere, voxelsIn, voxelVolume } from '../../volume/volume.js'
import { defineMethod, type MethodContext } from '../define.js'
import { structureLabels } from '../structures.js'

/** What the model tells apart, in this order: fluid (clear and mixed), cortex and cerebellum, deep grey, white matter. */
const gaussians = [2, 1, 1, 1]
const [fluid, grey, deep, white] = [0, 1, 2, 3]
const labelOf = [structureLabels.csf, structureLabels.gm, structureLabels.gm, structureLabels.wm]

const sign = (usual: number, contrast: string) =>
  z
    .number()
    .int()
    .min(-1)
    .max(1)
    .default(usual)
    .describe(`${contrast} of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either`)

/**
 * A generative model of the images: an atlas that bends, Gaussian structures, a smooth bias field, and a lesion class
 * tied to white matter; lesions are sampled.
 *
 * Source: Cerri et al. 2021, SAMSEG-Lesion; the structures' model is that of Puonti et al. 2016. As there: log-intensities
 * of whatever contrasts there are, with diagonal covariances; mean and variance of the lesion Gaussian are tied to white
 * matter by 500 pseudo-samples of 1 mm³, with 50 times its variance; lesions are brighter or darker than the mean of cortex
 * by a sign for each contrast; 50 sweeps of the sampler are dropped and 50 averaged; lesion is what is so in more than 0.3
 * of them, and the rest gets its most probable structure.
 *
 * Departures:
 * - fluid, grey and white matter of our own atlas on voxels, in place of a mesh of 40 structures; it is bent once, to the
 *   subject's tissue classes, and not again in turn with the Gaussians: the mesh and its atlas are not ours to ship;
 * - the brain is stripped before, so that no classes of skull and skin are needed;
 * - a random field of the six neighbours takes the part of the variational autoencoder of lesion shape, whose weights are
 *   not ours to ship. Like it, it only takes belief away from what has no lesion's shape;
 * - how often lesions are where is the atlas's map times white matter, scaled to a mean of `frequency`: the paper's own map
 *   is not ours to ship. With 0.15 throughout, the lesion Gaussian shrinks towards white matter;
 * - the fit uses at most 100 000 voxels on a regular grid, at one level, with the tie thinned alike.
 * Known weaknesses: bright rims of ventricles, the tips of their horns and the septum, which are in white matter and
 * above cortex; specks in cortex, insula and choroid plexus (78 of 115 findings of one scan, half of them 5 mm³ or
 * less); remains of skull that are bright; small lesions, which have no neighbours to speak for them; lesions of the
 * cerebellum and the brainstem; large lesions bend the atlas, because tissue classes take part of them for grey matter.
 */
export const cerri2021 = defineMethod({
  id: 'cerri2021',
  title: 'Contrast-adaptive whole-brain and lesion model (SAMSEG-Lesion)',
  describe:
    'A model of how the images arise: each structure has Gaussian log-intensities, a smooth bias field lies over them, and an atlas says where each structure is likely. Lesions have a wide Gaussian of their own that is tied to white matter, so that no contrast has to be trained for. Lesions are then sampled given their place, their intensity and their neighbours. It labels the other structures too.',
  use: {
    for: 'Contrasts or scanners that nothing was trained on, and when the other structures are wanted too.',
    not: 'Not for small, few or infratentorial lesions: most findings are specks of cortex and choroid plexus, the septum, tips of the ventricles and remains of skull. Not when it must be quick: the atlas is deformed and lesions are sampled.',
  },
  citation: {
    text: 'Cerri S, Puonti O, Meier DS, et al. A contrast-adaptive method for simultaneous whole-brain and lesion segmentation in multiple sclerosis. NeuroImage 2021;225:117471.',
    doi: '10.1016/j.neuroimage.2020.117471',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T1-w Gd', 'T2-FLAIR'],
  classifier: 'GMM',
  needs: {
    contrasts: [
      ['flair', 't1', 't1gd'],
      ['flair', 't1', 't2', 'pd'],
      ['flair', 't1', 't2'],
      ['flair', 't1'],
      ['flair'],
    ],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    frequency: z
      .number()
      .min(0.001)
      .max(0.3)
      .default(0.05)
      .describe('how often white matter is lesion, 0-1, on average over it; places differ as in the atlas of lesions'),
    strength: z
      .number()
      .min(1)
      .max(1e9)
      .default(500)
      .describe('pseudo-samples of 1 mm³ that tie the lesion Gaussian to white matter'),
    inflation: z
      .number()
      .min(1)
      .max(1000)
      .default(50)
      .describe('lesion variance that is expected, in variances of white matter'),
    cohesion: z
      .number()
      .min(0)
      .max(10)
      .default(3)
      .describe('log-odds that a voxel with no lesion around loses against one with nothing else around'),
    burnIn: z.number().int().min(0).max(1000).default(50).describe('sweeps of the sampler that are not counted'),
    samples: z.number().int().min(1).max(1000).default(50).describe('sweeps of the sampler that are averaged'),
    threshold: z.number().min(0.01).max(1).default(0.3).describe('lesion probability above which a voxel is lesion'),
    biasZero: z
      .number()
      .min(10)
      .max(1000)
      .default(50)
      .describe('stiffness of the bias field: mm to the first zero of its low-pass filter'),
    flairSign: sign(1, 'FLAIR'),
    t1Sign: sign(0, 'T1'),
    t2Sign: sign(1, 'T2'),
    pdSign: sign(1, 'PD'),
    t1gdSign: sign(0, 'T1 with gadolinium'),
  }),
  async segment({ images, brain, tissue, atlas: placed }, params, context): Promise<LesionMap> {
    const { signal } = context
    signal.throwIfAborted()
    context.progress('Log-intensities and atlas', 0)
    const { names, channels, voxels, flags } = logIntensities(images, brain)
    if (!names.includes('flair') || !hasWhiteMatter(placed, voxels)) return nothing(brain, flags)
    const atlas = await deformed(placed, tissue, brain, context)
    const priors = await structurePriors(atlas, voxels)
    const often = lesionFrequency(atlas, voxels, params.frequency)

    context.progress('Fitting structures and bias field', 0.3)
    const grid = thinning(brain, voxels.length, 100_000)
    const samples = thinnedVoxels(brain, voxels, grid)
    const sampled = (from: Float32Array) => Float32Array.from(samples.chosen, (v) => from[v])
    const basis = new CosineBasis(brain, params.biasZero)
    const fit = fitTiedMixture(
      { channels: channels.map(sampled), structures: priors.map(sampled), lesion: sampled(often) },
      {
        gaussians,
        white,
        strength: params.strength / (voxelVolume(brain) * grid.stride[0] * grid.stride[1] * grid.stride[2]),
        inflation: params.inflation,
        bias: { basis, thinning: grid, places: samples.places },
        signal,
      },
    )
    channels.forEach((channel, c) => {
      const field = basis.field(fit.bias[c], unthinned(brain))
      for (let v = 0; v < voxels.length; v++) channel[v] -= field[voxels[v]]
    })

    context.progress('Sampling lesions', 0.6)
    const healthy = healthyDensities(fit.structures, channels, priors)
    const signOf = {
      flair: params.flairSign,
      t1: params.t1Sign,
      t2: params.t2Sign,
      pd: params.pdSign,
      t1gd: params.t1gdSign,
    }
    const cortex = fit.structures[grey][0].mean
    const allowed = (v: number) => names.every((name, c) => signOf[name] * (channels[c][v] - cortex[c]) >= 0)
    const chosen = voxels.map((_, v) => v).filter((v) => often[v] > 0 && allowed(v))
    const candidates = emptyMask(brain)
    for (const v of chosen) candidates.data[voxels[v]] = 1
    context.show?.('Atlas after bending: white matter', atlas.wm)
    context.show?.('Brighter than cortex, where lesions may be', candidates)
    const ofChosen = (from: Float32Array) => Float32Array.from(chosen, (v) => from[v])
    const density = logDiagonal(fit.lesion)
    const { belief, lesion } = sampleLesions(
      {
        lattice: latticeOf(candidates),
        channels: channels.map(ofChosen),
        prior: ofChosen(often),
        healthy: ofChosen(healthy.log),
        // Lesion is the most probable of all labels.
        start: Uint8Array.from(chosen, (v) =>
          Math.log(often[v] / (1 - often[v])) + density(channels, v) > healthy.best[v] ? 1 : 0,
        ),
      },
      {
        ...params,
        white: fit.structures[white][0],
        strength: params.strength / voxelVolume(brain),
        seed: context.seed,
        signal,
        progress: (fraction) => context.progress('Sampling lesions', 0.6 + 0.3 * fraction),
      },
    )

    context.progress('Labels', 0.9)
    const probability = emptyImage(brain)
    chosen.forEach((v, i) => {
      probability.data[voxels[v]] = belief[i]
    })
    const mask = maskWhere(probability, (p) => p > params.threshold)
    const flair = names.indexOf('flair')
    return {
      mask,
      probability,
      maps: { structures: await structuresOf(brain, atlas, voxels, healthy.structure, mask) },
      figures: {
        whiteMean: Math.exp(fit.structures[white][0].mean[flair]),
        cortexMean: Math.exp(cortex[flair]),
        lesionMean: Math.exp(lesion.mean[flair]),
        rounds: fit.iterations,
      },
      flags,
    }
  },
})

interface LogIntensities {
  names: Modality[]
  /** One array per name, a value per voxel. */
  channels: Float32Array[]
  /** Index in the volume of each voxel of the brain where every contrast is above 0. */
  voxels: Uint32Array
  flags: Flag[]
}

/** Logarithms of the contrasts that vary in the brain: a bias field adds to them. */
function logIntensities(images: Partial<Record<Modality, Image>>, brain: Mask): LogIntensities {
  const flags: Flag[] = []
  const names = modalities.filter((name) => {
    const image = images[name]
    if (!image) return false
    if (varies(image, brain)) return true
    flags.push({
      code: `constant-${name}`,
      severity: 'warning',
      message: `${name.toUpperCase()} is the same everywhere in the brain; the method ran without it.`,
    })
    return false
  })
  const seen = maskWhere(brain, (v, i) => v !== 0 && names.every((name) => images[name]!.data[i] > 0))
  const voxels = voxelsIn(seen)
  const channels = names.map((name) => Float32Array.from(voxels, (at) => Math.log(images[name]!.data[at])))
  return { names, channels, voxels, flags }
}

function varies({ data }: Image, brain: Mask): boolean {
  let first = Number.NaN
  for (let i = 0; i < data.length; i++) {
    if (brain.data[i] === 0 || !(data[i] > 0)) continue
    if (Number.isNaN(first)) first = data[i]
    else if (data[i] !== first) return true
  }
  return false
}

function hasWhiteMatter({ wm, lesionPrior }: AtlasMaps, voxels: Uint32Array): boolean {
  let [matter, lesions] = [0, 0]
  for (const at of voxels) {
    matter += wm.data[at]
    lesions += wm.data[at] * lesionPrior.data[at]
  }
  return matter > 0.01 * voxels.length && lesions > 0
}

/**
 * The atlas, bent to the subject: its tissue (1 fluid to 3 white matter) is matched with the subject's own tissue classes,
 * so that no contrast matters. Patients' ventricles and sulci are wider than the atlas's.
 */
async function deformed(atlas: AtlasMaps, tissue: TissueMaps, brain: Mask, context: MethodContext): Promise<AtlasMaps> {
  const { signal } = context
  const [own, theirs] = [tissue, atlas].map(({ csf, gm, wm }) => ({
    ...csf,
    data: csf.data.map((p, i) => p + 2 * gm.data[i] + 3 * wm.data[i]),
  }))
  const progress = (part: number) => context.progress('Deforming the atlas', 0.1 + 0.2 * part)
  const deformation = await registerDeformable(own, theirs, { levels: [8, 4], fixedMask: brain, signal, progress })
  const image = (map: Image) => resampleDeformed(map, brain, deformation)
  const mask = async (map: Mask): Promise<Mask> => {
    const { data } = await resampleDeformed({ ...map, data: Float32Array.from(map.data) }, brain, deformation, {
      method: 'nearest',
    })
    return { ...map, data: Uint8Array.from(data) }
  }
  return {
    csf: await image(atlas.csf),
    gm: await image(atlas.gm),
    wm: await image(atlas.wm),
    ventricles: await mask(atlas.ventricles),
    infratentorial: await mask(atlas.infratentorial),
    deepGrey: await mask(atlas.deepGrey),
    cortex: await image(atlas.cortex),
    lesionPrior: await image(atlas.lesionPrior),
  }
}

/**
 * Atlas probabilities of the structures at the voxels, summing to 1. Fluid, cortex and white matter are possible
 * everywhere; where the atlas has no tissue there is fluid, because brain masks end in sulci.
 */
async function structurePriors({ csf, gm, wm, deepGrey }: AtlasMaps, voxels: Uint32Array): Promise<Float32Array[]> {
  const inDeep = await gaussian(deepGrey, 2)
  const priors = gaussians.map(() => new Float32Array(voxels.length))
  voxels.forEach((at, v) => {
    const known = csf.data[at] + gm.data[at] + wm.data[at]
    const floor = 0.005
    priors[fluid][v] = csf.data[at] + Math.max(0, 1 - known) + floor
    priors[grey][v] = gm.data[at] * (1 - inDeep.data[at]) + floor
    priors[deep][v] = gm.data[at] * inDeep.data[at]
    priors[white][v] = wm.data[at] + floor
    const sum = Math.max(1, known) + 3 * floor
    for (const prior of priors) prior[v] /= sum
  })
  return priors
}

/** How often there is lesion: as in the atlas, `mean` on average over white matter, and less where there is other tissue. */
function lesionFrequency({ wm, lesionPrior }: AtlasMaps, voxels: Uint32Array, mean: number): Float32Array {
  let [matter, lesions] = [0, 0]
  for (const at of voxels) {
    matter += wm.data[at]
    lesions += wm.data[at] * lesionPrior.data[at]
  }
  const scale = (mean * matter) / lesions
  return Float32Array.from(voxels, (at) => Math.min(0.5, scale * lesionPrior.data[at] * wm.data[at]))
}

/**
 * The structure map. Ventricles are fluid within 8 mm of the atlas's and connected with them, because those of patients
 * are wider; what the atlas has below the tent is infratentorial, unless it is fluid.
 */
async function structuresOf(
  brain: Mask,
  { ventricles, infratentorial }: AtlasMaps,
  voxels: Uint32Array,
  structure: Uint8Array,
  lesion: Mask,
): Promise<Mask> {
  // Voxels without signal are fluid.
  const out = maskWhere(brain, (v) => v !== 0)
  voxels.forEach((at, v) => {
    out.data[at] = labelOf[structure[v]]
  })
  const near = await dilate(ventricles, 8)
  const inside = keepTouching(
    maskWhere(out, (v, i) => v === structureLabels.csf && near.data[i] !== 0),
    ventricles,
    6,
  )
  for (let i = 0; i < out.data.length; i++) {
    if (lesion.data[i] !== 0) out.data[i] = structureLabels.lesion
    else if (inside.data[i] !== 0) out.data[i] = structureLabels.ventricles
    else if (infratentorial.data[i] !== 0 && (out.data[i] === structureLabels.gm || out.data[i] === structureLabels.wm))
      out.data[i] = structureLabels.infratentorial
  }
  return out
}

function nothing(brain: Mask, flags: Flag[]): LesionMap {
  return {
    mask: emptyMask(brain),
    probability: emptyImage(brain),
    maps: { structures: emptyMask(brain) },
    flags: [
      ...flags,
      {
        code: 'nothing-to-model',
        severity: 'warning',
        message: 'FLAIR does not vary in the brain, or the atlas has no white matter there: no lesion was looked for.',
      },
    ],
  }
}
