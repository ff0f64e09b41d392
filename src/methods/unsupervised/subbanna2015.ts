import { z } from 'zod'
import type { Flag } from '../../errors.js'
import { differenceField } from '../../learn/difference-field.js'
import { type Lattice, onGrid } from '../../learn/lattice.js'
import type { Regions } from '../../learn/region-field.js'
import { regionField } from '../../learn/region-model.js'
import { type LabelledStudies, readTrainedModel } from '../../learn/trained-model.js'
import {
  candidateRegions,
  classes,
  fitTwoLevels,
  lesionClass,
  type TwoLevelModel,
  twoLevelNumbers,
  voxelEvidence,
  voxelInputs,
} from '../../learn/two-level-field.js'
import { keepLargerThan } from '../../volume/components.js'
import type { LesionMap, PreparedStudy } from '../../volume/study.js'
import { emptyImage, emptyMask, maskWhere } from '../../volume/volume.js'
import { defineMethod, type MethodContext } from '../define.js'

const parameters = z.object({
  model: z
    .string()
    .min(1)
    .default('subbanna2015')
    .describe('fitted model: subbanna2015 for the one of the package, else the folder of a model.json'),
  iterations: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(3)
    .describe('rounds between the two levels; 0 leaves the voxel level alone'),
  sweeps: z.number().int().min(1).max(50).default(5).describe('sweeps of the voxel level in each round'),
  neighbourWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0.15)
    .describe('what each of the six neighbours counts beside the voxel itself, 1 as much'),
  differences: z
    .boolean()
    .default(true)
    .describe('neighbours are compared in intensity too, and not in their labels only'),
  cut: z.number().min(0.01).max(0.9).default(0.25).describe('belief in lesion from which a voxel is a candidate'),
  depth: z
    .number()
    .min(0)
    .max(10)
    .default(0.15)
    .describe(
      'two peaks in a candidate are two regions if the FLAIR between them is darker by this, in white-matter levels',
    ),
  clamp: z
    .number()
    .min(1)
    .max(1000)
    .default(100)
    .describe('most odds by which a round of the region level moves a voxel'),
  threshold: z.number().min(0.05).max(0.95).default(0.5).describe('lesion probability from which a voxel is lesion'),
  smallest: z.number().min(0).max(1000).default(3).describe('smallest lesion kept, mm³; 3 voxels at least'),
})
export type SubbannaParameters = Omit<z.output<typeof parameters>, 'model'>

/**
 * Two Markov random fields in turn: one over voxels proposes lesions, one over regions judges them.
 *
 * Source: Subbanna et al. 2015 (IMaGe). Steps: belief in fluid, grey matter, white matter and lesion of every voxel from
 * its intensities (mixtures of Gaussians), the atlas, and its neighbours' classes and intensity differences → candidates
 * from a low cut → regions judged by intensity, texture and what lies around → the verdict moves the prior of their
 * voxels → again, until the levels agree. All distributions are fitted to scans with reference masks.
 *
 * Departures:
 * - FLAIR and T1, or FLAIR alone by the fitted model's marginals: the scans to fit to have no more;
 * - intensities are relative to the subject's own white (T1: and grey) matter, in place of a histogram match, so that
 *   scanners agree; differences are histograms of each channel by itself, not joint;
 * - four classes, without one of partial volume: our tissue classes give no labels to fit it to;
 * - a neighbour counts `neighbourWeight` of the full clique: the differences of six neighbours in two channels repeat the
 *   voxel's own intensities, and at full weight no verdict of the region level could outweigh them;
 * - the three factors of a region have fitted exponents, for they are not independent, and lesions count as often as
 *   other regions: the voxels' prior says already how rare they are;
 * - a verdict only lowers the prior: raised every round, accepted lesions grew by a rim each time;
 * - what is left of a rejected region is judged on top of the verdict on the whole: stumps look like lesions;
 * - intensity and texture of a region are those of FLAIR alone: with T1, large dark lesions of one development scan were
 *   taken for grey matter when its patient was left out (98 % of their volume; with FLAIR alone 11 %); texture is the
 *   histogram of gradient directions about the region's centre.
 * Known weaknesses: bright rims along the ventricles, above all on thick slices, look like lesions in intensity and lie
 * where lesions lie: on a scan with 3 ml of small lesions the whole outline of the lateral ventricles, from frontal
 * caps to occipital horns, and the fornix came in, 9 ml in all; regions that hold a lesion and such a rim are judged as
 * one. Infratentorial lesions, and large ones little brighter than cortex, are missed. Fitted to 15 scans of three
 * centres (the paper: 660 of 174), it expects their contrast.
 */
export const subbanna2015 = defineMethod({
  id: 'subbanna2015',
  title: 'Iterative multilevel probabilistic graphical model (IMaGe)',
  describe:
    'Two Markov random fields. In the first, voxels are fluid, grey matter, white matter or lesion by their intensities, their place, and how they differ from their neighbours. Connected candidates are the nodes of the second, which judges each by its intensities, its texture and what lies around it. Its verdict moves the prior of the voxels, and the two are repeated.',
  use: {
    for: 'FLAIR with or without T1, from scanners like those it was fitted to; it says which regions it judged and how.',
    not: 'Not for volumes at low loads on thick slices: the whole outline of the ventricles may be taken for lesion, three times what is there. Not for infratentorial lesions. Where scans of your own with reference masks are at hand, a network fitted to them does better.',
  },
  citation: {
    text: 'Subbanna N, Precup D, Arnold D, Arbel T. IMaGe: iterative multilevel probabilistic graphical model for detection and segmentation of multiple sclerosis lesions in brain MRI. IPMI 2015, LNCS 9123:514–526.',
    doi: '10.1007/978-3-319-19992-4_40',
  },
  supervision: 'supervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T1-w', 'T2-w', 'PD-w', 'T2-FLAIR'],
  classifier: 'two-level MRF',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: parameters,
  async segment(study, { model, ...params }, context) {
    context.signal.throwIfAborted()
    const fitted = await readTrainedModel('subbanna2015', model, twoLevelNumbers)
    return await segmentWith(fitted, study, params, context)
  },
})

/** Fits the model; the studies are read one after the other. */
export const fit = (studies: LabelledStudies): Promise<TwoLevelModel> => fitTwoLevels(studies)

/** What a round of the two levels found, for whoever wants to follow it. */
export interface Round {
  /** Voxels of lesion after the voxel level. */
  voxels: number
  /** Probability of lesion of each candidate region, and its label in `labels`. */
  regions: Float64Array
  labels: Int32Array
}

/** Runs a model that is at hand. */
export async function segmentWith(
  model: TwoLevelModel,
  study: PreparedStudy,
  params: SubbannaParameters,
  context: Pick<MethodContext, 'progress' | 'signal' | 'show'>,
  onRound: (round: Round) => void = () => {},
): Promise<LesionMap> {
  const { progress, signal } = context
  signal.throwIfAborted()
  progress('Scaling intensities', 0)
  const inputs = voxelInputs(study, model.channels)
  if (!inputs) return nothing(study)
  const { lattice, channels, kept } = inputs
  progress('Evidence of each voxel', 0.1)
  const evidence = voxelEvidence(inputs, model)
  const shares = { ...model.differences, ...marginalDifferences(model, kept) }
  const field = (start?: Float32Array, active?: Uint8Array) =>
    differenceField(lattice, evidence, channels, shares, {
      weight: params.neighbourWeight,
      differences: params.differences,
      rounds: params.sweeps,
      start,
      active,
      signal,
    })
  progress('Voxel level', 0.2)
  let belief = field()
  const map = (value: (v: number) => number) => onGrid(study.brain, lattice.voxels, value)
  const lesionBelief = () => map((v) => belief[classes * v + lesionClass])
  context.show?.('Belief of the voxels', lesionBelief())
  let found = lesionVoxels(belief, params.threshold)
  /** Log-odds that each voxel was given: what is left of a rejected region is not judged afresh. */
  const moved = new Float32Array(lattice.voxels.length)
  let rounds = 0
  let candidates = 0
  for (; rounds < params.iterations && model.regions; rounds++) {
    progress('Region level', 0.3 + (0.7 * rounds) / params.iterations)
    const { regions, described } = await candidateRegions(inputs, belief, params)
    signal.throwIfAborted()
    candidates = described.length
    const lesion = regionField(described, model.regions, { before: meansOf(regions, lattice, moved) })
    if (rounds === 0)
      context.show?.(
        'Verdict on the regions',
        map((v) => lesion[regions.labels.data[lattice.voxels[v]] - 1] ?? 0),
      )
    onRound({ voxels: found.count, regions: lesion, labels: regions.labels.data })
    const least = -Math.log(params.clamp)
    const active = new Uint8Array(lattice.voxels.length)
    lattice.voxels.forEach((at, v) => {
      const label = regions.labels.data[at]
      if (label === 0) return
      const p = lesion[label - 1]
      if (p >= 0.5) return
      const odds = Math.max(least, Math.log(p / (1 - p)))
      evidence[classes * v + lesionClass] += odds
      moved[v] += odds
      active[v] = 1
    })
    belief = field(belief, active)
    const now = lesionVoxels(belief, params.threshold)
    const changed = now.is.reduce((sum, is, v) => sum + (is === found.is[v] ? 0 : 1), 0)
    found = now
    // The levels agree: no label moves, and no region that the second one rejects is lesion in the first.
    const against = lattice.voxels.some((at, v) => now.is[v] !== 0 && lesion[regions.labels.data[at] - 1] < 0.5)
    if (changed <= 0.001 * now.count && !against) {
      rounds++
      break
    }
  }
  const probability = lesionBelief()
  const mask = maskWhere(probability, (p) => p >= params.threshold)
  return {
    mask: keepLargerThan(mask, params.smallest, 26, 3),
    probability,
    figures: { rounds, candidates },
    flags: [],
  }
}

/** The differences of the channels that there are. */
const marginalDifferences = ({ differences: { reach, differences } }: TwoLevelModel, kept: readonly number[]) => ({
  reach: kept.map((c) => reach[c]),
  differences: kept.map((c) => differences[c]),
})

/** Mean of a value of the voxels over each region. */
function meansOf({ labels, count }: Regions, { voxels }: Lattice, values: Float32Array): Float64Array {
  const sum = new Float64Array(count)
  const size = new Uint32Array(count)
  voxels.forEach((at, v) => {
    if (labels.data[at] === 0) return
    sum[labels.data[at] - 1] += values[v]
    size[labels.data[at] - 1]++
  })
  return sum.map((s, r) => s / size[r])
}

function lesionVoxels(belief: Float32Array, threshold: number): { is: Uint8Array; count: number } {
  const is = new Uint8Array(belief.length / classes)
  let count = 0
  for (let v = 0; v < is.length; v++) if (belief[classes * v + lesionClass] >= threshold) count += is[v] = 1
  return { is, count }
}

function nothing({ brain }: PreparedStudy): LesionMap {
  const flag: Flag = {
    code: 'no-tissue-contrast',
    severity: 'serious',
    message: 'White and grey matter cannot be told apart on these images; nothing was looked for.',
  }
  return { mask: emptyMask(brain), probability: emptyImage(brain), flags: [flag] }
}
