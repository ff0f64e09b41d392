import { emptyMask, type Grid, type Mask } from '../../volume/volume.js'
import { anyOverlapCounts } from '../detection.js'
import { overlap } from '../overlap.js'
import type { CaseResult, Protocol, Scores } from '../protocol.js'
import { aggregateThenRank, caseValues, handedIn, meanScores, withMissing } from '../ranking.js'
import { mean } from '../statistics/describe.js'
import { type SurfaceOptions, type SurfaceSamples, surfaceSamples } from '../surface.js'
import { assertReferences, measure } from './common.js'
import { overRaters } from './raters.js'

/** What one rater achieves against the other, and gets 90 points for: per cent, mm, per cent, per cent. */
const raterError = { volumeDifference: 68.29, surfaceDistance: 4.8464, lesionTpr: 100 - 68, lesionFpr: 32 }

const measures = [
  measure('score', 'Score', 'points', 'higher'),
  measure('volumeDifference', 'Volume difference', '%', 'lower'),
  measure('volumeDifferenceScore', 'Volume difference score', 'points', 'higher'),
  measure('surfaceDistance', 'Average distance', 'mm', 'lower'),
  measure('surfaceDistanceScore', 'Average distance score', 'points', 'higher'),
  measure('lesionTpr', 'True positive rate', '%', 'higher'),
  measure('lesionTprScore', 'True positive rate score', 'points', 'higher'),
  measure('lesionFpr', 'False positive rate', '%', 'lower'),
  measure('lesionFprScore', 'False positive rate score', 'points', 'higher'),
]

const worst: Scores = {
  score: 0,
  volumeDifferenceScore: 0,
  surfaceDistanceScore: 0,
  lesionTpr: 0,
  lesionTprScore: 0,
  lesionFpr: 100,
  lesionFprScore: 0,
}

/**
 * MS lesion segmentation challenge of MICCAI 2008: volume difference, average surface distance, true and false positive
 * rate of lesions against each of two raters; each error e gives 100 − 10·e / (one rater's error against the other)
 * points, at least 0, and the score is the plain mean of all.
 *
 * The surface is the mask minus its erosion by the 19-voxel ball of radius 1; distances of both directions are pooled.
 * Like the organisers' program, a mask without surface is given a voxel at index (1, 1, 1); `corrected` has the
 * distance without that, NaN. The organisers do not say how lesions are connected (here 18) nor what an undefined rate
 * counts (no candidate lesion: FPR; no reference: volume difference and TPR): here NaN, left out of the means. A case
 * that was not handed in scores 0 in the ranking.
 */
export const msseg2008: Protocol = createMsseg2008()

/** @param rounded every rater's points of a case are rounded to whole ones before they are averaged, as the organisers' files have them */
export function createMsseg2008({ rounded = false }: { rounded?: boolean } = {}): Protocol {
  return {
    id: 'msseg2008',
    title: 'MS lesion segmentation challenge 2008 (MICCAI)',
    citation: 'Styner et al. 2008, MIDAS Journal, 3D Segmentation in the Clinic: A Grand Challenge II',
    raters: 'several',
    measures,
    async score(references: readonly Mask[], candidate: Mask): Promise<CaseResult> {
      assertReferences(references, 'msseg2008')
      const raters: Scores[] = []
      const corrected: Scores[] = []
      for (const reference of references) {
        const errors = await errorsAgainst(reference, candidate)
        raters.push({ ...errors.asScored, ...points2008(errors.asScored, rounded) })
        corrected.push({ surfaceDistanceOfSurfaces: errors.surfaceDistanceOfSurfaces })
      }
      return { ...overRaters(raters), corrected: meanScores(corrected) }
    },
    overall: (cases) => meanScores(handedIn(cases)),
    rank: (teams) => [aggregateThenRank('Score', caseValues(withMissing(teams, measures, worst), 'score'), 'higher')],
  }
}

interface Errors2008 {
  volumeDifference: number
  surfaceDistance: number
  lesionTpr: number
  lesionFpr: number
}

/** Points of each measure and their mean, from errors in % and mm. */
export function points2008(errors: Errors2008, rounded = false): Scores {
  const points = (error: number, rater: number) => Math.max(0, 100 - (10 * error) / rater)
  const [volume, surface, tpr, fpr] = [
    points(errors.volumeDifference, raterError.volumeDifference),
    points(errors.surfaceDistance, raterError.surfaceDistance),
    points(100 - errors.lesionTpr, raterError.lesionTpr),
    points(errors.lesionFpr, raterError.lesionFpr),
  ]
  const kept = rounded ? roundHalfToEven : (value: number) => value
  return {
    volumeDifferenceScore: kept(volume),
    surfaceDistanceScore: kept(surface),
    lesionTprScore: kept(tpr),
    lesionFprScore: kept(fpr),
    score: kept(mean([volume, surface, tpr, fpr])),
  }
}

/** As C's printf rounds. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value)
  return value - below === 0.5 ? below + (below % 2) : Math.round(value)
}

async function errorsAgainst(reference: Mask, candidate: Mask) {
  const { absoluteVolumeError } = overlap(reference, candidate)
  const { ltpr, lfpr } = anyOverlapCounts(reference, candidate, 18)
  const surface = await surfaceDistance2008(reference, candidate)
  const asScored: Errors2008 = {
    volumeDifference: absoluteVolumeError,
    surfaceDistance: surface.asScored,
    lesionTpr: 100 * ltpr,
    lesionFpr: 100 * lfpr,
  }
  return { asScored, surfaceDistanceOfSurfaces: surface.ofSurfaces }
}

const ball: SurfaceOptions = { neighbourhood: 18, beyondEdge: 'mask' }

async function surfaceDistance2008(reference: Mask, candidate: Mask) {
  const samples = await surfaceSamples(reference, candidate, ball)
  const [r, c] = [samples.fromReference.length > 0, samples.fromCandidate.length > 0]
  if (r && c) return { asScored: pooledMean(samples), ofSurfaces: pooledMean(samples) }
  const substituted = await surfaceSamples(
    r ? reference : oneVoxel(reference),
    c ? candidate : oneVoxel(candidate),
    ball,
  )
  return { asScored: pooledMean(substituted), ofSurfaces: Number.NaN }
}

function pooledMean({ fromReference, fromCandidate }: SurfaceSamples): number {
  let sum = 0
  for (const distances of [fromReference, fromCandidate]) for (const d of distances) sum += d
  return sum / (fromReference.length + fromCandidate.length)
}

/** Only the voxel (1, 1, 1), or the nearest that a thinner grid has. */
function oneVoxel(grid: Grid): Mask {
  const mask = emptyMask(grid)
  const [i, j, k] = grid.dims.map((n) => Math.min(1, n - 1))
  mask.data[i + grid.dims[0] * (j + grid.dims[1] * k)] = 1
  return mask
}
