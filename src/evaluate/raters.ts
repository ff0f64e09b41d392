import { boundingBox, crop } from '../volume/crop.js'
import { type Mask, voxelVolume } from '../volume/volume.js'
import { decisionPatterns, type Patterns } from './consensus/patterns.js'
import { unionOf } from './consensus/region.js'
import { type LesionRule, lesionF1, msseg } from './lesionwise.js'

export interface RaterAgreementOptions {
  /** Over which voxels Fleiss' kappa is taken: around what anybody drew, see `decisionPatterns`; 0: the whole image. Default 2. */
  dilation?: number
  /** What counts as a lesion, and as found. Default: the MSSEG challenge's rule. */
  lesions?: LesionRule
}

/** How alike the masks of several raters are. Matrices are symmetric, `[rater][rater]`, with 1 on the diagonal. */
export interface RaterAgreement {
  /** Dice of each pair; NaN where both masks are empty. */
  dice: number[][]
  /** Over the pairs for which it is defined; NaN where there is none. */
  meanDice: number
  /** Lesion-wise F1 of each pair (it is the same in both directions); NaN where neither has a lesion. */
  lesionF1: number[][]
  meanLesionF1: number
  /** 1: all the same; 0: as alike as chance makes raters who label so often. NaN where all say one label everywhere. */
  fleissKappa: number
  /** Voxels over which kappa is taken: it falls as less background is counted. */
  kappaVoxels: number
  /** Overlap of all pairs over union of all pairs: the Jaccard index for any number of raters. NaN where all are empty. */
  generalisedConformity: number
  /** Volume of each rater's mask, in ml. */
  volumesMl: number[]
  /** Standard deviation of the volumes (n − 1) over their mean; NaN where all are empty. */
  volumeVariation: number
}

/**
 * Agreement between raters' masks; any label but 0 is lesion in the pairwise measures, kappa keeps labels apart.
 * Sources: Fleiss 1971, Psychol Bull 76:378 (kappa); Kouwenhoven et al. 2009, Acta Oncol (generalised conformity index).
 *
 * @throws RangeError when there are fewer than two masks, or they are not on one grid
 */
export function raterAgreement(
  masks: readonly Mask[],
  { dilation = 2, lesions = msseg }: RaterAgreementOptions = {},
): RaterAgreement {
  const patterns = decisionPatterns(masks, dilation)
  const { raters } = patterns
  const { both, drawn } = pairs(patterns)
  const each = (figure: (i: number, j: number) => number) => symmetric(raters, figure)
  const dice = each((i, j) => (2 * both[i][j]) / (drawn[i] + drawn[j]))
  const box = boundingBox(unionOf(masks))
  const small = box ? masks.map((mask) => crop(mask, box)) : masks
  const f1 = each((i, j) => {
    const found = lesionF1(small[i], small[j], lesions)
    return found.referenceLesions + found.candidateLesions === 0 ? Number.NaN : found.f1
  })
  let [overlaps, unions] = [0, 0]
  for (let i = 0; i < raters; i++)
    for (let j = 0; j < i; j++) {
      overlaps += both[i][j]
      unions += drawn[i] + drawn[j] - both[i][j]
    }
  const mm3 = voxelVolume(masks[0])
  const volumesMl = drawn.map((n) => (n * mm3) / 1000)
  const mean = volumesMl.reduce((sum, v) => sum + v, 0) / raters
  const variance = volumesMl.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (raters - 1)
  return {
    dice,
    meanDice: meanOfPairs(dice),
    lesionF1: f1,
    meanLesionF1: meanOfPairs(f1),
    fleissKappa: fleissKappa(patterns),
    kappaVoxels: patterns.region.voxels,
    generalisedConformity: overlaps / unions,
    volumesMl,
    volumeVariation: Math.sqrt(variance) / mean,
  }
}

/** Voxels that both raters of a pair drew, and those of each. */
function pairs({ raters, said, counts }: Patterns): { both: number[][]; drawn: number[] } {
  const both = Array.from({ length: raters }, () => new Array<number>(raters).fill(0))
  for (let row = 0; row < counts.length; row++)
    for (let i = 0; i < raters; i++)
      if (said[row * raters + i] !== 0)
        for (let j = 0; j < raters; j++) if (said[row * raters + j] !== 0) both[i][j] += counts[row]
  return { both, drawn: both.map((row, i) => row[i]) }
}

/** Fleiss' kappa: voxels are the subjects, labels the categories. */
function fleissKappa({ raters, labels, said, counts, region }: Patterns): number {
  const share = new Float64Array(labels)
  let agreement = 0
  for (let row = 0; row < counts.length; row++) {
    const votes = new Float64Array(labels)
    for (let rater = 0; rater < raters; rater++) votes[said[row * raters + rater]]++
    let agreeing = 0
    for (let label = 0; label < labels; label++) {
      agreeing += votes[label] * (votes[label] - 1)
      share[label] += counts[row] * votes[label]
    }
    agreement += (counts[row] * agreeing) / (raters * (raters - 1))
  }
  const observed = agreement / region.voxels
  const chance = share.reduce((sum, n) => sum + (n / (raters * region.voxels)) ** 2, 0)
  return chance === 1 ? Number.NaN : (observed - chance) / (1 - chance)
}

function symmetric(n: number, figure: (i: number, j: number) => number): number[][] {
  const out = Array.from({ length: n }, () => new Array<number>(n).fill(1))
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[i][j] = out[j][i] = figure(i, j)
  return out
}

function meanOfPairs(matrix: readonly (readonly number[])[]): number {
  const defined = matrix.flatMap((row, i) => row.slice(0, i)).filter((value) => !Number.isNaN(value))
  return defined.reduce((sum, value) => sum + value, 0) / defined.length
}
