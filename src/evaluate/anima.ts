import { type Mask, maskWhere } from '../volume/volume.js'
import { lesionF1 } from './lesionwise.js'
import { type Overlap, overlap } from './overlap.js'
import type { CaseResult, Scores } from './protocol.js'
import { summarise, surfaceSamples } from './surface.js'

/**
 * The values that the official program of the MSSEG 2016 and MSSEG-2 2021 challenges (animaSegPerfAnalyzer of
 * Anima-Public; Commowick et al. 2018, Sci Rep 8:13650) prints for these masks, unrounded, and what is right beside
 * them. Volumes are as stored in the files: the defect of `surfaceDistance` depends on their storage order.
 *
 * What the program does and its names do not say:
 * - The lowest value of each image is its background, so that a mask of ones only is empty.
 * - When the reference is empty it prints nothing but the number and volume (mm³) of the candidate's lesions above
 *   3 mm³, keys `nbTestedLesions` and `volTestedLesions`, which exist in this case only.
 * - When the candidate is empty, distances and `ppv` are NaN, `ppvL`, `sensL` and `f1Score` 0.
 * - When no lesion of the reference is above 3 mm³, `sensL` is NaN and `f1Score` 0.
 * - Specificity and negative predictive value count the whole grid.
 * - `contourMeanDistance` is the larger of the two directed means.
 * - `surfaceDistance`, meant as the average symmetric surface distance, never forgets the smallest distance found so
 *   far, and falls towards zero once the surfaces touch. `corrected.assd` is the average.
 *
 * `corrected` also has the voxel-wise values where a mask of ones only was taken for an empty one. Two label maps that
 * hold the same number of labels, above two, are scored label by label by the program, and as lesion or not here.
 *
 * @throws RangeError when the masks are not on one grid
 */
export async function animaScores(reference: Mask, candidate: Mask): Promise<CaseResult> {
  const [r, c] = [recoded(reference), recoded(candidate)]
  const voxels = overlap(r, c)
  // Only a mask that lost its ones has anything to correct here.
  const misread = isFull(reference) || isFull(candidate) ? voxelScores(overlap(reference, candidate)) : {}
  const lesions = lesionF1(r, c)
  if (voxels.referenceMl === 0) {
    const { candidateLesions: nbTestedLesions, candidateMm3: volTestedLesions } = lesions
    return { scores: { nbTestedLesions, volTestedLesions }, corrected: misread }
  }
  const samples = await surfaceSamples(r, c)
  const surface = summarise(samples, [])
  return {
    scores: {
      ...voxelScores(voxels),
      hausdorffDistance: surface.hausdorff,
      contourMeanDistance: surface.contourMean,
      surfaceDistance: neverForgetting(samples.fromReference, samples.fromCandidate),
      ppvL: lesions.precision,
      sensL: lesions.sensitivity,
      f1Score: lesions.f1,
    },
    corrected: { ...misread, assd: surface.assd },
  }
}

const voxelScores = (o: Overlap): Scores => ({
  dice: o.dice,
  jaccard: o.jaccard,
  sensitivity: o.sensitivity,
  specificity: o.specificity,
  ppv: o.precision,
  npv: o.negativePredictiveValue,
  relativeVolumeError: o.relativeVolumeError,
})

const isFull = ({ data }: Mask): boolean => !data.includes(0)

/** As the program sees a mask: 0 for the lowest value that occurs, 1 for any other. */
function recoded(mask: Mask): Mask {
  if (!isFull(mask)) return mask
  const lowest = mask.data.reduce((least, value) => Math.min(least, value), 255)
  return maskWhere(mask, (value) => value !== lowest)
}

/** The mean over both contours of the smallest distance met so far, the contours walked in storage order. */
function neverForgetting(...directions: Float64Array[]): number {
  let [sum, count] = [0, 0]
  for (const distances of directions) {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < distances.length; i++) {
      least = Math.min(least, distances[i])
      sum += least
    }
    count += distances.length
  }
  return Number.isFinite(sum) ? sum / count : Number.NaN
}
