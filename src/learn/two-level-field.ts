import { z } from 'zod'
import { seededRandom } from '../random.js'
import { voxelSizes } from '../volume/affine.js'
import { gaussianInPlane, thickSlice } from '../volume/filter.js'
import type { Modality, PreparedStudy } from '../volume/study.js'
import { emptyImage, emptyMask, type Image } from '../volume/volume.js'
import { classFigures } from './class-figures.js'
import { Density, type Gaussian } from './density.js'
import { DifferenceCounts, differenceField } from './difference-field.js'
import { type Lattice, latticeOf, onLattice } from './lattice.js'
import { fitLogistic, type LogisticModel } from './logistic.js'
import { cutRegions, describeRegions, type Region, type Regions } from './region-field.js'
import { fitRegionModel, type JudgedRegion, rounded } from './region-model.js'
import type { LabelledStudies } from './trained-model.js'
import { fitTrimmedMixture } from './trimmed-mixture.js'

/** Fluid, grey matter, white matter, lesion. */
export const classes = 4
export const lesionClass = 3

const list = z.array(z.number())
const shape = z.object({ mean: list, covariance: list })
const pair = z.object({ means: z.tuple([list, list]), covariance: list })
const logistic = z.object({ mean: list, deviation: list, weights: list })
const channelName = z.enum(['flair', 't1', 't2', 'pd', 't1gd'])

/** The numbers of both levels, as they are stored. */
export const twoLevelNumbers = z.object({
  channels: z.array(channelName).min(1),
  /** Components of each class's mixture. */
  densities: z.array(z.array(shape.extend({ weight: z.number() }))).length(classes),
  /** Probability of lesion by place alone. */
  place: logistic,
  differences: z.object({
    classes: z.number(),
    bins: z.number(),
    reach: list,
    transition: list,
    differences: z.array(list),
  }),
  /** Null where the training gave too few findings of either kind. */
  regions: z
    .object({
      intensity: pair,
      texture: pair,
      around: z.tuple([list, list]),
      odds: logistic,
      adjacent: z.tuple([z.number(), z.number()]),
    })
    .nullable(),
})
export type TwoLevelModel = z.output<typeof twoLevelNumbers>

/** Largest differences told apart, in the units of `voxelInputs`. */
const reachOf = (modality: Modality): number => (modality === 't1' ? 2 : 1)

/** What the voxel level sees of a study. */
export interface VoxelInputs {
  lattice: Lattice
  /** The model's channels that the study has, by their place in the model. */
  kept: number[]
  /** Values relative to the subject's own white matter, on the lattice. */
  channels: Float32Array[]
  /** The same as images, 0 outside the brain. */
  images: Image[]
  /** Atlas: fluid, grey, white matter, and what tells where lesions are common. */
  place: Float32Array[]
}

/**
 * Intensities on a scale that scanners share: 0 at the median of the subject's white matter; one unit is that median,
 * and for T1, whose contrast differs most between sequences, the distance from white to grey matter. Clipped at −2 and 4.
 * @returns undefined where there is no white matter, or an image does not tell it from grey
 */
export function voxelInputs(study: PreparedStudy, wanted: readonly Modality[]): VoxelInputs | undefined {
  const { brain, tissue, atlas } = study
  const lattice = latticeOf(brain)
  const kept = wanted.flatMap((modality, c) => (study.images[modality] ? [c] : []))
  const images: Image[] = []
  for (const c of kept) {
    const image = study.images[wanted[c]]!
    const { gm, wm } = classFigures(image, tissue, brain)
    const unit = wanted[c] === 't1' ? Math.abs(wm.mean - gm.mean) : wm.mean
    // A hundredth of the level is no contrast but rounding.
    if (!(unit > 0) || !(Math.abs(wm.mean - gm.mean) > 0.01 * wm.mean)) return undefined
    const out = emptyImage(brain)
    for (const at of lattice.voxels) out.data[at] = Math.min(4, Math.max(-2, (image.data[at] - wm.mean) / unit))
    images.push(out)
  }
  return {
    lattice,
    kept,
    images,
    channels: images.map((image) => onLattice(lattice, image)),
    place: [atlas.csf, atlas.gm, atlas.wm, atlas.lesionPrior].map((map) => onLattice(lattice, map)),
  }
}

/** What is known of a lesion by place alone. */
const placeRow = ([csf, , wm, lesions]: readonly ArrayLike<number>[], v: number): number[] => [
  Math.log(lesions[v] + 0.01),
  wm[v],
  csf[v],
]

/** Share of every class that is spread over the range of intensities: what was not seen is unlikely, not impossible. */
const unseen = 0.01
const range = 6

/** log P(y | class) + log P(class at this place), `classes` values per voxel of the lattice. */
export function voxelEvidence({ lattice, channels, kept, place }: VoxelInputs, model: TwoLevelModel): Float32Array {
  const n = lattice.voxels.length
  const mixtures = model.densities.map((parts) =>
    parts.map((part) => ({ log: Math.log(part.weight), density: new Density(marginal(part, kept)) })),
  )
  const floor = unseen / range ** kept.length
  const evidence = new Float32Array(classes * n)
  // The regression written out: a call per voxel would be most of the time.
  const { mean, deviation, weights } = model.place
  const slopes = deviation.map((d, j) => (d > 0 ? weights[j + 1] / d : 0))
  const intercept = slopes.reduce((sum, slope, j) => sum - slope * mean[j], weights[0])
  const [csf, , wm, often] = place
  for (let v = 0; v < n; v++) {
    const odds = intercept + slopes[0] * Math.log(often[v] + 0.01) + slopes[1] * wm[v] + slopes[2] * csf[v]
    const lesion = Math.min(0.5, 1 / (1 + Math.exp(-odds)))
    let tissue = 0
    for (let c = 0; c < lesionClass; c++) tissue += 0.02 + place[c][v]
    for (let c = 0; c < classes; c++) {
      let p = floor
      for (const { log, density } of mixtures[c]) p += (1 - unseen) * Math.exp(log + density.log(channels, v))
      const prior = c === lesionClass ? lesion : ((1 - lesion) * (0.02 + place[c][v])) / tissue
      evidence[classes * v + c] = Math.log(prior) + Math.log(p)
    }
  }
  return evidence
}

export interface Candidates {
  regions: Regions
  described: Region[]
}

/**
 * Candidate regions where the belief in lesion reaches `cut`, described for the region level by FLAIR, the first channel:
 * T1 is dark in old lesions and in grey matter alike, and where a scan's lesions are darker than those of the fitted
 * scans it speaks against them.
 * @param belief `classes` values per voxel of the lattice
 * @param depth below which two peaks of FLAIR are one region, as a part of the white matter's level
 */
export async function candidateRegions(
  { lattice, images }: VoxelInputs,
  belief: Float32Array,
  { cut, depth }: { cut: number; depth: number },
): Promise<Candidates> {
  const [first] = images
  const candidates = emptyMask(first)
  const classOf = new Uint8Array(first.data.length).fill(255)
  lattice.voxels.forEach((at, v) => {
    if (belief[classes * v + lesionClass] >= cut) candidates.data[at] = 1
    let best = 0
    for (let c = 1; c < lesionClass; c++) if (belief[classes * v + c] > belief[classes * v + best]) best = c
    classOf[at] = best
  })
  const thin = voxelSizes(first.affine).map((mm) => mm < thickSlice)
  const regions = cutRegions(candidates, await gaussianInPlane(first, 1), depth)
  return { regions, described: describeRegions(regions, [first], classOf, lesionClass, thin) }
}

export interface FitOptions {
  channels?: readonly Modality[]
  /** Gaussians per class. */
  components?: number
  /** Voxels of each class taken from each study. */
  perClass?: number
  /** As the method's parameters of the same names. */
  neighbourWeight?: number
  cut?: number
  depth?: number
  sweeps?: number
  seed?: number
}

/**
 * Fits both levels. Studies weigh the same: from each, as many voxels of each class. Classes are the study's own tissue
 * classes, and lesion where the reference says so. The region level learns from the candidates that the fitted voxel
 * level finds in the same studies; a candidate is lesion where a quarter of its voxels is.
 */
export async function fitTwoLevels(
  studies: LabelledStudies,
  {
    channels = ['flair', 't1'],
    components = 3,
    perClass = 4000,
    neighbourWeight = 0.15,
    cut = 0.25,
    depth = 0.15,
    sweeps = 5,
    seed = 1,
  }: FitOptions = {},
): Promise<TwoLevelModel> {
  const random = seededRandom(seed)
  const counts = new DifferenceCounts(classes, channels.map(reachOf))
  const samples = Array.from({ length: classes }, () => channels.map(() => [] as number[]))
  const rows: number[][] = []
  const truths: (0 | 1)[] = []
  const importance: number[] = []
  // Kept on the lattice: the second level needs what the first one finds in every study.
  const held: { inputs: VoxelInputs; labels: Uint8Array }[] = []
  for await (const { study, truth } of studies) {
    const inputs = voxelInputs(study, channels)
    if (!inputs || inputs.kept.length < channels.length) continue
    const { lattice, channels: values, place } = inputs
    const labels = labelsOf(study, truth.data, lattice)
    counts.add(lattice, values, labels)
    const total = new Array<number>(classes).fill(0)
    for (const label of labels) total[label]++
    labels.forEach((label, v) => {
      if (random() * total[label] < perClass) values.forEach((channel, c) => samples[label][c].push(channel[v]))
      const lesion = label === lesionClass
      const share = Math.min(1, (lesion ? 1000 : 3000) / (lesion ? total[lesionClass] : labels.length))
      if (random() >= share) return
      rows.push(placeRow(place, v))
      truths.push(lesion ? 1 : 0)
      importance.push(1 / share / labels.length)
    })
    held.push({ inputs, labels })
  }
  if (samples.some(([first]) => first.length < 10 * components))
    throw new RangeError('A two-level field needs voxels of every class to be fitted to.')
  const model: TwoLevelModel = {
    channels: [...channels],
    densities: samples.map((values) =>
      mixtureOf(
        values.map((v) => Float32Array.from(v)),
        components,
      ),
    ),
    place: roundedLogistic(
      fitLogistic(rows, truths, { importance: importance.map((w) => (w * rows.length) / held.length) }),
    ),
    differences: counts.model(),
    regions: null,
  }
  const judged: JudgedRegion[][] = []
  for (const { inputs, labels } of held) {
    const { lattice } = inputs
    const belief = differenceField(lattice, voxelEvidence(inputs, model), inputs.channels, model.differences, {
      weight: neighbourWeight,
      rounds: sweeps,
    })
    const { regions, described } = await candidateRegions(inputs, belief, { cut, depth })
    const inside = new Uint32Array(regions.count)
    const size = new Uint32Array(regions.count)
    lattice.voxels.forEach((at, v) => {
      const label = regions.labels.data[at]
      if (label === 0) return
      size[label - 1]++
      if (labels[v] === lesionClass) inside[label - 1]++
    })
    judged.push(described.map((region, r) => ({ ...region, lesion: inside[r] >= 0.25 * size[r] ? 1 : 0 })))
  }
  return { ...model, regions: fitRegionModel(judged) ?? null }
}

/** Class of each voxel of the lattice: lesion by the reference, else the likeliest tissue. */
function labelsOf({ tissue }: PreparedStudy, truth: Uint8Array, { voxels }: Lattice): Uint8Array {
  const maps = [tissue.csf.data, tissue.gm.data, tissue.wm.data]
  return Uint8Array.from(voxels, (at) => {
    if (truth[at] !== 0) return lesionClass
    let best = 0
    for (let c = 1; c < maps.length; c++) if (maps[c][at] > maps[best][at]) best = c
    return best
  })
}

/** A Gaussian of some of its channels only. */
export const marginal = (
  { mean, covariance }: Pick<Gaussian, 'mean' | 'covariance'>,
  kept: readonly number[],
): Pick<Gaussian, 'mean' | 'covariance'> => ({
  mean: kept.map((r) => mean[r]),
  covariance: kept.flatMap((r) => kept.map((c) => covariance[r * mean.length + c])),
})

/** A mixture of full Gaussians, started from equal parts along the first channel. */
function mixtureOf(channels: readonly Float32Array[], components: number): Gaussian[] {
  const n = channels[0].length
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => channels[0][a] - channels[0][b])
  const initial = Array.from({ length: components }, (_, part) => {
    const members = order.subarray(Math.floor((part * n) / components), Math.floor(((part + 1) * n) / components))
    const mean = channels.map((values) => members.reduce((sum, at) => sum + values[at], 0) / members.length)
    const covariance = channels.flatMap((values, r) =>
      channels.map((_, c) =>
        r === c ? 1e-3 + members.reduce((sum, at) => sum + (values[at] - mean[r]) ** 2, 0) / members.length : 0,
      ),
    )
    return { weight: 1 / components, mean, covariance }
  })
  // A deviation of 0.03 is less than any scanner's noise.
  const { classes: parts } = fitTrimmedMixture({ channels }, { initial, trim: 0, ridge: 1e-3, iterations: 40 })
  return parts.map(({ weight, mean, covariance }) => ({
    weight: rounded(weight),
    mean: mean.map(rounded),
    covariance: covariance.map(rounded),
  }))
}

const roundedLogistic = ({ mean, deviation, weights }: LogisticModel): LogisticModel => ({
  mean: mean.map(rounded),
  deviation: deviation.map(rounded),
  weights: weights.map(rounded),
})
