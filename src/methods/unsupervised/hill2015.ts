import { inverse, Matrix } from 'ml-matrix'
import { z } from 'zod'
import type { Flag } from '../../errors.js'
import { robustFigure } from '../../learn/class-figures.js'
import { edgeRank } from '../../learn/edge-model.js'
import { keepFindings } from '../../learn/findings.js'
import { type JumpResult, jumpMethod, nearestCentre, withinCovariance } from '../../learn/k-means.js'
import { seededRandom } from '../../random.js'
import { keepLargerThan, keepTouching } from '../../volume/components.js'
import { gaussian } from '../../volume/filter.js'
import { percentiles } from '../../volume/histogram.js'
import { dilateSteps } from '../../volume/morphology.js'
import type { LesionMap, TissueMaps } from '../../volume/study.js'
import { countVoxels, emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { channelsFor } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked } from '../parameters.js'

/**
 * Rate–distortion theory counts the clusters of a picture whose colours are the contrasts; k-means finds them; what
 * stands apart from grey matter is lesion, its border drawn on the grey image that best tells it from white matter.
 *
 * Source: Hill et al. 2015; the jump method is that of Sugar & James 2003. Steps: contrasts rescaled → edges left out →
 * jump method and k-means → clusters named → lesion candidates split off the grey matter → contrast transformation
 * (Fisher's direction between white matter and candidates) and clustering of its grey values around the candidates →
 * findings judged by size and surroundings.
 *
 * Departures:
 * - the exponent of the jump method is not published in full: the number of clusters is that on which the widest range
 *   of exponents agrees. It is at least three, for fluid, grey and white matter: on real scans, whose tissues overlap, the
 *   largest jump is often that to one or two, which leaves no cluster to be grey matter and no level for lesions. It is
 *   counted once for the scan, so that it does not flicker from slice to slice;
 * - lesions are split off at 2.5 sd above grey matter, not at 3, which loses more than half of what 2.5 finds where
 *   lesions are little brighter than cortex; they always are, and a cluster of their own, which even 50 ml did not make,
 *   is not looked for. The smallest is 15 mm³, not three voxels, whose volume differs between scans;
 * - the transformed contrast is clustered with exponents of 0.5 to 1: of one contrast the textbook's range is a point;
 * - clusters are named by the tissue classes that their voxels have, so that FLAIR alone will do;
 * - FLAIR stands in for a missing T2 or PD. Then candidates need not lie between fluid and white matter on T1, and their
 *   surroundings need not be white matter by cluster, in which real lesions have a grey rim: both rules are there against
 *   partial volume at bright fluid;
 * - candidates lie in the atlas's white matter, smoothed by a few millimetres: bright cortex is no cluster of its own.
 * Known weaknesses: lesions are too few to be a cluster, so that finding them hangs on one level above grey matter:
 * whole frontal and temporal lesions little brighter than cortex were missed (half of 50 ml), and 11 of 19 small ones
 * on thick slices; bands along the ventricles and the fornix pass it. Borders run out into the haze around bright
 * lesions (16 ml beyond 25 ml on one scan). Without FLAIR, the rim of the ventricles remains.
 */
export const hill2015 = defineMethod({
  id: 'hill2015',
  title: 'Clusters counted by the jump method, and contrast transformation',
  describe:
    'The contrasts are taken as the colours of one picture. Rate–distortion theory says into how many clusters its flat parts fall, k-means finds them, and they are named fluid, grey and white matter. What is much brighter than grey matter is a lesion candidate; the mixture of the contrasts that best tells candidates from white matter, clustered once more around them, draws their borders.',
  use: {
    for: 'FLAIR and T1, with moderate to high lesion loads; it says how many kinds of tissue the contrasts can tell apart.',
    not: 'Not for volumes: borders run far out around bright lesions, and large lesions little brighter than cortex are missed whole. Not for few and small lesions, nor for cortical ones; without FLAIR it takes rims of the ventricles for lesions.',
  },
  citation: {
    text: 'Hill J, Matlock K, Nutter B, Mitra S. Automated segmentation of MS lesions in MR images based on an information theoretic clustering and contrast transformations. Technologies 2015;3(2):142–161.',
    doi: '10.3390/technologies3020142',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '2d',
  modalities: ['T1-w', 'T2-w', 'PD-w'],
  classifier: 'jump method clustering',
  needs: {
    contrasts: [['flair', 't1', 't2', 'pd'], ['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    fewest: z.number().int().min(1).max(8).default(3).describe('fewest clusters that are tried, a number'),
    most: z.number().int().min(3).max(8).default(8).describe('most clusters that are tried, a number'),
    flat: z
      .number()
      .min(0.2)
      .max(1)
      .default(0.8)
      .describe('fraction of the brain that is clustered, the steepest edges left out; 1 keeps them'),
    k: z
      .number()
      .min(0.5)
      .max(20)
      .default(2.5)
      .describe('candidates are brighter than the median of grey matter by this many of its sd'),
    refine: z.boolean().default(true).describe('draw the borders of lesions on the transformed contrast'),
    white: whiteAsked(0.6),
    shell: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('without FLAIR: part of the voxels around a finding that must be of a white-matter cluster, 0–1'),
    smallest: smallestLesion(15),
  }),
  async segment({ images, brain, tissue, atlas }, params, context) {
    const { signal } = context
    signal.throwIfAborted()
    context.progress('Rescaling the contrasts', 0)
    const { channels, flags } = channelsFor(images, ['t1', 't2', 'pd'])
    const colours = channels.map(({ image }) => rescaled(image, brain))
    const flair = channels.findIndex(({ modality }) => modality === 'flair')
    const bright = flair >= 0 ? flair : channels.findIndex(({ role }) => role !== 't1')
    const t1 = channels.findIndex(({ role }) => role === 't1')
    const flat = await flatParts(colours, brain, params.flat)
    if (countVoxels(flat) < 100 || colours.every(({ data }) => data.every((v) => v === 0))) return nothing(brain, flags)

    context.progress('Counting the clusters', 0.2)
    // A few values far out would be clusters of their own.
    const samples = samplesOf(colours, flat, 6000).map((values) => values.map((v) => Math.min(1, Math.max(0, v))))
    const random = seededRandom(context.seed)
    const jump = jumpMethod(samples, {
      fewest: Math.min(params.fewest, params.most),
      most: params.most,
      random,
      signal,
    })
    const clusters = clusterOf(colours, brain, jump)
    const { grey, white, fluid } = namedTissue(clusters, tissue, jump.clusters)
    const figures: Record<string, number> = { clusters: jump.clusters, exponent: jump.power }
    for (const [k, value] of jump.jumps.entries()) figures[`jump${k + 1}`] = value
    context.show?.('clusters', clusters)

    context.progress('Finding candidates', 0.6)
    const level = above(colours[bright], grey, params.k)
    const allowed = await gaussian(atlas.wm, 3)
    const inside = maskWhere(brain, (v, i) => v !== 0 && (params.white === 0 || allowed.data[i] > params.white))
    const between = flair < 0 && t1 >= 0 ? betweenFluidAndWhite(colours[t1], fluid, white) : () => true
    const judged = (mask: Mask) =>
      keepLargerThan(
        flair >= 0
          ? mask
          : keepFindings(mask, { connectivity: 18, around: white }, ({ around }) => around >= params.shell),
        params.smallest,
        18,
      )
    const candidates = judged(maskWhere(inside, (v, i) => v !== 0 && colours[bright].data[i] > level && between(i)))
    figures.level = level
    context.show?.('candidates', candidates)
    if (!params.refine || countVoxels(candidates) === 0) return { mask: candidates, figures, flags }

    context.progress('Transforming the contrast', 0.8)
    const normal = maskWhere(white, (v, i) => v !== 0 && candidates.data[i] === 0)
    const contrast = transformed(colours, candidates, normal)
    if (!contrast) return { mask: candidates, figures, flags }
    context.show?.('transformed contrast', contrast)
    const grown = dilateSteps(candidates, 18, 2)
    const zone = maskWhere(
      grown,
      (v, i) => v !== 0 && inside.data[i] !== 0 && (fluid.data[i] === 0 || candidates.data[i] !== 0),
    )
    const lesion = lesionPart(contrast, zone, candidates, normal, { random, signal })
    return { mask: judged(keepTouching(lesion, candidates, 18)), figures, flags }
  },
})

function nothing(brain: Mask, flags: Flag[]): LesionMap {
  const message = 'The images are constant inside the brain, or there is no brain: no tissue could be told apart.'
  return { mask: emptyMask(brain), flags: [...flags, { code: 'no-contrast', severity: 'warning', message }] }
}

/** The 0.5th percentile in the brain becomes 0, the 99.5th 1; 0 outside the brain. */
function rescaled(image: Image, brain: Mask): Image {
  const [low, high] = percentiles(image, [0.5, 99.5], brain)
  const out = emptyImage(image)
  if (!(high > low)) return out
  for (let i = 0; i < out.data.length; i++) if (brain.data[i] !== 0) out.data[i] = (image.data[i] - low) / (high - low)
  return out
}

/** The brain without its steepest edges in any contrast: mixed voxels would be clusters of their own. */
async function flatParts(colours: readonly Image[], brain: Mask, part: number): Promise<Mask> {
  if (part === 1) return brain
  const steepest = emptyImage(brain)
  for (const colour of colours) {
    const rank = await edgeRank(colour, brain, 0.5)
    for (let i = 0; i < rank.data.length; i++) steepest.data[i] = Math.max(steepest.data[i], rank.data[i])
  }
  const [cut] = percentiles(steepest, [100 * part], brain)
  return maskWhere(brain, (v, i) => v !== 0 && steepest.data[i] <= cut)
}

/** The values of up to `most` voxels of the mask, evenly over storage order: an array per contrast. */
function samplesOf(colours: readonly Image[], mask: Mask, most: number): Float32Array[] {
  const every = Math.max(1, countVoxels(mask) / most)
  const places: number[] = []
  let seen = 0
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i] !== 0 && seen++ >= every * places.length) places.push(i)
  return colours.map(({ data }) => Float32Array.from(places, (at) => data[at]))
}

/** The nearest cluster of each voxel of the brain, counted from 1; 0 outside. */
function clusterOf(colours: readonly Image[], brain: Mask, { scale, clustering }: JumpResult): Mask {
  const d = colours.length
  const scaled = new Float64Array(d)
  return {
    ...brain,
    data: brain.data.map((inside, at) => {
      if (inside === 0) return 0
      scaled.fill(0)
      for (let r = 0; r < d; r++) for (let c = 0; c < d; c++) scaled[r] += scale[r * d + c] * colours[c].data[at]
      return 1 + nearestCentre(clustering.centres, scaled)
    }),
  }
}

/** A cluster is of the tissue of which it holds the largest part. */
function namedTissue(
  clusters: Mask,
  { csf, gm, wm }: TissueMaps,
  count: number,
): { fluid: Mask; grey: Mask; white: Mask } {
  const held = [csf, gm, wm].map(({ data }) => {
    const sums = new Float64Array(count + 1)
    for (let i = 0; i < data.length; i++) sums[clusters.data[i]] += data[i]
    sums[0] = 0
    const total = sums.reduce((sum, value) => sum + value, 0)
    return sums.map((sum) => (total > 0 ? sum / total : 0))
  })
  const name = Array.from({ length: count + 1 }, (_, k) => {
    const parts = held.map((sums) => sums[k])
    return k === 0 ? -1 : parts.indexOf(Math.max(...parts))
  })
  const [fluid, grey, white] = [0, 1, 2].map((which) => maskWhere(clusters, (k) => name[k] === which))
  return { fluid, grey, white }
}

function above(image: Image, mask: Mask, k: number): number {
  const { mean, sd } = robustFigure(image, mask)
  // Without grey matter, or without spread, nothing is above it.
  return sd > 0 ? mean + k * sd : Number.POSITIVE_INFINITY
}

/** Whether a voxel lies between fluid and white matter on T1, an eighth of the way from either. */
function betweenFluidAndWhite(t1: Image, fluid: Mask, white: Mask): (at: number) => boolean {
  const [low, high] = [robustFigure(t1, fluid).mean, robustFigure(t1, white).mean]
  const margin = (high - low) / 8
  return (at) => t1.data[at] > low + margin && t1.data[at] < high - margin
}

/**
 * The mixture of the contrasts with the largest ratio of the difference between lesion and white matter to the spread
 * within either (Fisher 1936); undefined when one of them has next to no voxels.
 */
function transformed(colours: readonly Image[], lesion: Mask, white: Mask): Image | undefined {
  const [a, b] = [samplesOf(colours, lesion, 20000), samplesOf(colours, white, 20000)]
  if (a[0].length < 2 || b[0].length < 2) return undefined
  const within = [a, b].map((one) => withinCovariance(one, new Uint8Array(one[0].length), 1))
  const d = colours.length
  const pooled = new Matrix(
    Array.from({ length: d }, (_, r) =>
      Array.from({ length: d }, (_, c) => (within[0][r * d + c] + within[1][r * d + c]) / 2 + (r === c ? 1e-6 : 0)),
    ),
  )
  const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length
  const apart = Matrix.columnVector(colours.map((_, c) => mean(a[c]) - mean(b[c])))
  const weights = inverse(pooled).mmul(apart).to1DArray()
  const out = emptyImage(lesion)
  for (const [c, { data }] of colours.entries())
    for (let i = 0; i < data.length; i++) out.data[i] += weights[c] * data[i]
  return out
}

/** The voxels of the zone in clusters of the transformed contrast that lie nearer to lesion than to white matter. */
function lesionPart(
  contrast: Image,
  zone: Mask,
  candidates: Mask,
  white: Mask,
  { random, signal }: { random: () => number; signal: AbortSignal },
): Mask {
  const jump = jumpMethod(samplesOf([contrast], zone, 6000), { fewest: 2, most: 4, random, signal, powers: [0.5, 1] })
  const { centres } = jump.clustering
  const [scale] = jump.scale
  const middle = (scale * (robustFigure(contrast, candidates).mean + robustFigure(contrast, white).mean)) / 2
  return maskWhere(zone, (v, i) => v !== 0 && centres[nearestCentre(centres, [scale * contrast.data[i]])][0] > middle)
}
