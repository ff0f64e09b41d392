import { z } from 'zod'
import { fitLogistic } from '../../learn/logistic.js'
import { type LabelledStudies, readTrainedModel } from '../../learn/trained-model.js'
import { seededRandom } from '../../random.js'
import { keepLargerThan, labelComponents } from '../../volume/components.js'
import { distanceTo } from '../../volume/distance.js'
import { gaussian, gaussianInPlane } from '../../volume/filter.js'
import type { AtlasMaps, PreparedStudy } from '../../volume/study.js'
import {
  countVoxels,
  emptyImage,
  emptyMask,
  type Image,
  type Mask,
  maskWhere,
  voxelsIn,
  voxelVolume,
} from '../../volume/volume.js'
import { greyNotBrighter } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { smallestLesion } from '../parameters.js'

export const coefficients = z.object({
  intercept: z.number(),
  /** Log-odds per unit of belief: FLAIR above the tissue means, in units of grey minus fluid. */
  belief: z.number(),
  /** Log-odds per unit of the logit of the atlas's lesion frequency. */
  place: z.number(),
})
export type Coefficients = z.output<typeof coefficients>

/**
 * Logistic regression on FLAIR with a place effect, then anatomical cleaning.
 *
 * Source: Schmidt 2017, the lesion prediction algorithm (LPA) of the LST toolbox. Steps: three rough tissue classes on
 * smoothed FLAIR → belief: how far a voxel is above the grey and the white mean, times the white-matter weight → log-odds
 * = intercept + b · belief + place effect → probabilities below 0.1 dropped, smoothed, cleaned near the outer fluid.
 *
 * Departures:
 * - the coefficients are fitted to our own labelled scans; those of the toolbox ship as binary data under its licence;
 * - the place effect is the logit of the atlas's lesion frequency times a fitted weight, and not a map of its own: a
 *   spatial intercept on a grid of 40 mm gained 0.01 in Dice on patients left out, for 85 numbers from twelve people;
 * - excess is measured in units of grey minus fluid, and not of the grey mean: this holds better on scanners left out
 *   (mean Dice of voxels 0.66 for 0.62), and an offset of the image's scale has no effect;
 * - the white-matter weight is the atlas's white matter smoothed by 3 mm, and not 1 − fluid − grey: an affine alone does
 *   not put the atlas's borders in place (0.65 for 0.62);
 * - there is no mask of places without lesions: where the atlas's frequency is low the place effect says so;
 * - outer fluid is what is nearer to the edge of the brain than to the atlas's ventricles, at most 20 mm from the edge;
 * - a lesion is what reaches 0.3, not 0.5: that is where Dice is best on scans left out, as most voxels at the border of
 *   a lesion are as often lesion as not.
 * Known weaknesses: b is one number for all scanners, so that lesions fainter against grey matter than in the scans it
 * was fitted to are missed (of an outlying scan with 50 ml, less than a third is found), and so are most below 0.1 ml;
 * cortical and most infratentorial lesions lie outside white matter; of the few false findings, some are bright rims of
 * the ventricles and the fornix, and remains of fluid or fat in front of the medulla.
 */
export const schmidt2017 = defineMethod({
  id: 'schmidt2017',
  title: 'Lesion prediction algorithm (LST-LPA)',
  describe:
    'Logistic regression on FLAIR alone: how much brighter a voxel is than white and grey matter, weighted by the white-matter atlas, and how often lesions lie at its place in other people. The probability is smoothed and cleaned near the outer surface of the brain.',
  use: {
    for: 'Scans with FLAIR alone, of moderate to high lesion loads in white matter, on slices of any thickness.',
    not: 'Not for small lesions (most below 0.1 ml are missed), cortical or infratentorial ones, nor for scanners whose lesions are faint against grey matter: of 50 ml there, less than a third was found.',
  },
  citation: {
    text: 'Schmidt P. Bayesian inference for structured additive regression models for large-scale problems with applications to medical imaging. PhD thesis, Ludwig-Maximilians-Universität München, 2017.',
    doi: '10.5282/edoc.20373',
  },
  supervision: 'supervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T2-FLAIR'],
  classifier: 'logistic regression',
  needs: { contrasts: [['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    model: z
      .string()
      .default('schmidt2017')
      .describe('fitted coefficients: schmidt2017 for those of the package, else the folder of a model.json'),
    threshold: z.number().min(0.05).max(0.95).default(0.3).describe('lesion probability from which a voxel is lesion'),
    outerMargin: z
      .number()
      .min(0)
      .max(20)
      .default(4)
      .describe('distance to the outer fluid within which nothing is lesion, mm; 0 keeps juxtacortical lesions'),
    smallest: smallestLesion(15),
  }),
  async segment({ images, brain, atlas }, params, context) {
    context.signal.throwIfAborted()
    const model = await readTrainedModel('schmidt2017', params.model, coefficients)
    context.progress('Rough tissue classes', 0)
    const found = await covariates({ images, brain, atlas })
    if (!found)
      return {
        mask: emptyMask(brain),
        probability: emptyImage(brain),
        flags: [
          {
            code: 'no-tissue-contrast',
            severity: 'serious',
            message: 'FLAIR shows no fluid, grey and white matter where the atlas has them; nothing was looked for.',
          },
        ],
      }
    context.signal.throwIfAborted()

    context.show?.('belief', found.belief)
    context.progress('Lesion probability', 0.4)
    const raw = predict(found, model)
    const smooth = await gaussianInPlane(raw, 1 / fwhmPerSigma)
    context.signal.throwIfAborted()

    context.show?.('probability before cleaning', smooth)
    context.progress('Cleaning', 0.7)
    const clean = await cleaned(smooth, found.label, brain, atlas, params.outerMargin)
    const mask = keepLargerThan(
      maskWhere(clean, (p) => p >= params.threshold),
      params.smallest,
      18,
    )
    return {
      mask,
      probability: clean,
      figures: { greyMean: found.mean.grey, whiteMean: found.mean.white, fluidMean: found.mean.fluid },
      flags:
        found.mean.grey > found.mean.white
          ? []
          : [
              {
                ...greyNotBrighter,
                message:
                  'Grey matter is not brighter than white matter on this FLAIR; the coefficients were fitted where it is.',
              },
            ],
    }
  },
})

const fwhmPerSigma = 2.3548

/** Labels of the rough tissue model: fluid, grey matter, and 3 for white matter. */
const fluid = 1
const grey = 2

export interface Covariates {
  /** Excess of FLAIR over the grey and over the white mean, in units of grey minus fluid, times the white-matter weight. */
  belief: Image
  /** Logit of the atlas's lesion frequency. */
  place: Image
  /** Where lesions are possible at all. */
  candidates: Mask
  /** 1 fluid, 2 grey, 3 white matter, 0 outside the brain. */
  label: Mask
  /** Means of the classes, in the units of FLAIR. */
  mean: { fluid: number; grey: number; white: number }
}

/** What the regression sees of a study; undefined where FLAIR does not tell tissues apart. */
export async function covariates({
  images,
  brain,
  atlas,
}: Pick<PreparedStudy, 'images' | 'brain' | 'atlas'>): Promise<Covariates | undefined> {
  const flair = await gaussianInPlane(images.flair!, 1.5 / fwhmPerSigma)
  const classes = roughTissue(flair, brain, atlas)
  if (!classes || !(classes.mean.grey > classes.mean.fluid)) return undefined
  const { label, mean } = classes
  // 3 mm: so that the atlas's borders, which an affine alone puts, cut off no lesion beside the cortex or the ventricles.
  const white = await gaussian(atlas.wm, 3)
  const [belief, place] = [emptyImage(brain), emptyImage(brain)]
  const candidates = maskWhere(brain, (v, i) => v !== 0 && atlas.wm.data[i] >= 0.05)
  for (let i = 0; i < belief.data.length; i++) {
    if (candidates.data[i] === 0) continue
    const [overGrey, overWhite] = [flair.data[i] - mean.grey, flair.data[i] - mean.white]
    const excess = (Math.max(0, overGrey) + Math.max(0, overWhite)) / (mean.grey - mean.fluid)
    belief.data[i] = excess * white.data[i]
    const often = Math.min(0.98, Math.max(0.02, atlas.lesionPrior.data[i]))
    place.data[i] = Math.log(often / (1 - often))
  }
  return { belief, place, candidates, label, mean }
}

/**
 * Three Gaussians with the atlas as fixed prior, refitted to their own hard labels until hardly a label changes; then
 * once more with the shares of the classes. Bright fluid is taken for grey matter: fluid is dark on FLAIR, and lesions
 * beside it are not. Undefined where a class has no voxels or no spread.
 */
function roughTissue(flair: Image, brain: Mask, atlas: AtlasMaps) {
  const voxels = voxelsIn(brain)
  const values = Float32Array.from(voxels, (at) => flair.data[at])
  const logPrior = [atlas.csf, atlas.gm, atlas.wm].map(({ data }) =>
    Float32Array.from(voxels, (at) => Math.log(Math.max(1e-6, data[at]))),
  )
  const labels = new Uint8Array(voxels.length)
  relabel(
    labels,
    values,
    logPrior,
    [0, 1, 2].map(() => ({ share: 1, mean: 0, variance: Number.POSITIVE_INFINITY })),
  )
  let classes = hardClasses(values, labels)
  for (let round = 0; round < 30 && classes; round++) {
    const changed = relabel(
      labels,
      values,
      logPrior,
      classes.map((one) => ({ ...one, share: 1 })),
    )
    classes = hardClasses(values, labels)
    if (changed < 1e-4 * labels.length) break
  }
  if (!classes) return undefined
  relabel(labels, values, logPrior, classes)
  for (let v = 0; v < labels.length; v++) if (labels[v] === fluid && values[v] > classes[1].mean) labels[v] = grey
  classes = hardClasses(values, labels)
  if (!classes) return undefined
  const label = emptyMask(brain)
  voxels.forEach((at, v) => {
    label.data[at] = labels[v]
  })
  return { label, mean: { fluid: classes[0].mean, grey: classes[1].mean, white: classes[2].mean } }
}

/** Gives each value the label of its likeliest class, 1 to 3. @returns how many labels changed */
function relabel(
  labels: Uint8Array,
  values: Float32Array,
  logPrior: readonly Float32Array[],
  classes: readonly HardClass[],
): number {
  const constant = classes.map(({ share, variance }) =>
    Number.isFinite(variance) ? Math.log(share) - 0.5 * Math.log(variance) : 0,
  )
  let changed = 0
  for (let v = 0; v < labels.length; v++) {
    let best = 0
    let most = Number.NEGATIVE_INFINITY
    for (let k = 0; k < 3; k++) {
      const away = values[v] - classes[k].mean
      const score = logPrior[k][v] + constant[k] - (0.5 * away * away) / classes[k].variance
      if (score > most) {
        best = k + 1
        most = score
      }
    }
    if (labels[v] !== best) changed++
    labels[v] = best
  }
  return changed
}

interface HardClass {
  share: number
  mean: number
  variance: number
}

/** Share, mean and variance of the labels 1 to 3; undefined when one of them has no voxels or no spread. */
function hardClasses(values: Float32Array, labels: Uint8Array): HardClass[] | undefined {
  const count = new Float64Array(4)
  const sum = new Float64Array(4)
  const squares = new Float64Array(4)
  for (let v = 0; v < labels.length; v++) {
    count[labels[v]]++
    sum[labels[v]] += values[v]
    squares[labels[v]] += values[v] ** 2
  }
  const classes = [1, 2, 3].map((k) => {
    const mean = sum[k] / count[k]
    return { share: count[k] / labels.length, mean, variance: squares[k] / count[k] - mean * mean }
  })
  return classes.every(({ mean, variance }) => variance > 1e-8 * mean * mean) ? classes : undefined
}

/** The fitted probability where lesions are possible; below 0.1 it is taken for 0. */
export function predict({ belief, place, candidates }: Covariates, model: Coefficients): Image {
  const out = emptyImage(belief)
  for (let i = 0; i < out.data.length; i++) {
    if (candidates.data[i] === 0) continue
    const logOdds = model.intercept + model.belief * belief.data[i] + model.place * place.data[i]
    const p = 1 / (1 + Math.exp(-logOdds))
    if (p >= 0.1) out.data[i] = p
  }
  return out
}

/**
 * Drops voxels without a neighbour and what lies near the outer fluid or the edge of the brain. A component of which
 * something is left, and that is likely as a whole, keeps its part in the margin.
 */
async function cleaned(probability: Image, label: Mask, brain: Mask, atlas: AtlasMaps, margin: number): Promise<Image> {
  const out = emptyImage(probability)
  const far = margin > 0 ? await distanceTo(await outside(label, brain, atlas)) : undefined
  const { labels, sizes } = labelComponents(
    maskWhere(probability, (p) => p > 0),
    6,
  )
  const [before, after] = [new Float64Array(sizes.length), new Float64Array(sizes.length)]
  const stays = (i: number) => !far || far.data[i] > margin
  for (let i = 0; i < out.data.length; i++) {
    const at = labels.data[i]
    if (at === 0) continue
    before[at] += probability.data[i] / sizes[at]
    if (stays(i)) after[at] += probability.data[i] / sizes[at]
  }
  for (let i = 0; i < out.data.length; i++) {
    const at = labels.data[i]
    if (at === 0 || sizes[at] < 2) continue
    const restored = before[at] > 0.5 && after[at] > 0 && after[at] < 0.5
    if (restored || stays(i)) out.data[i] = probability.data[i]
  }
  return out
}

/** What is not brain, and the fluid that is nearer to it than to the ventricles of the atlas. */
async function outside(label: Mask, brain: Mask, { ventricles }: AtlasMaps): Promise<Mask> {
  const toEdge = await distanceTo(maskWhere(brain, (v) => v === 0))
  const toVentricle = await distanceTo(ventricles)
  return maskWhere(
    brain,
    (v, i) => v === 0 || (label.data[i] === fluid && toEdge.data[i] < Math.min(20, toVentricle.data[i])),
  )
}

/**
 * Fits the coefficients to labelled studies. Of each study so many lesion voxels and so many others are drawn; each
 * counts as the volume that it stands for, so that probabilities keep their meaning.
 */
export async function fit(cases: LabelledStudies, { draws = 2000, seed = 1 } = {}): Promise<Coefficients> {
  const random = seededRandom(seed)
  const rows: number[][] = []
  const truths: (0 | 1)[] = []
  const importance: number[] = []
  for await (const { study, truth } of cases) {
    const found = await covariates(study)
    if (!found) continue
    const { belief, place, candidates } = found
    const ml = voxelVolume(belief) / 1000
    for (const kind of [0, 1] as const) {
      const is = maskWhere(candidates, (v, i) => v !== 0 && truth.data[i] === kind)
      const count = countVoxels(is)
      const part = Math.min(1, draws / count)
      for (let i = 0; i < is.data.length; i++) {
        if (is.data[i] === 0 || random() >= part) continue
        rows.push([belief.data[i], place.data[i]])
        truths.push(kind)
        importance.push(ml / part)
      }
    }
  }
  const { mean, deviation, weights } = fitLogistic(rows, truths, { importance, ridge: 0.01 })
  const [b, s] = [1, 2].map((j) => (deviation[j - 1] > 0 ? weights[j] / deviation[j - 1] : 0))
  return { intercept: weights[0] - b * mean[0] - s * mean[1], belief: b, place: s }
}
