import type { Mask } from '../../volume/volume.js'
import { pearson } from '../agreement.js'
import { anyOverlapCounts } from '../detection.js'
import { overlap } from '../overlap.js'
import type { Protocol, Scores, TeamResults } from '../protocol.js'
import { meanScores, rankingOf, withMissing } from '../ranking.js'
import { assertReferences, measure } from './common.js'
import { byRater, overRaters } from './raters.js'

/**
 * The site's score is linear in the raw one, 100 at 1; its other end, 90 at the raw score of one rater against the
 * other, was never published. This slope was fitted to five rows of the leaderboard and is good to about 0.1 points
 * near 90.
 */
const fittedSlope = 28.5

const measures = [
  measure('score', 'ISBI-like score (fitted scale)', 'points', 'higher'),
  measure('rawScore', 'Raw weighted score', '', 'higher'),
  measure('dsc', 'DSC', '', 'higher'),
  measure('ppv', 'PPV', '', 'higher'),
  measure('tpr', 'TPR', '', 'higher'),
  measure('lfpr', 'LFPR', '', 'lower'),
  measure('ltpr', 'LTPR', '', 'higher'),
  measure('volumeDifference', 'VD', '', 'lower'),
  measure('volumeCorrelation', 'VC', '', 'higher'),
  measure('referenceMl', 'Reference volume', 'ml', 'neither'),
  measure('candidateMl', 'Candidate volume', 'ml', 'neither'),
]

const worst: Scores = { dsc: 0, ppv: 0, tpr: 0, ltpr: 0, lfpr: 1, candidateMl: 0 }

/**
 * ISBI 2015 longitudinal challenge. Against each rater and for each scan: DSC, PPV, TPR, volume difference
 * |A − R| / R; lesions are 18-connected and of any size, and one shared voxel is enough for LTPR and (as a false
 * discovery rate) LFPR. Over all scans: VC, Pearson's correlation of the volumes. The raw score of a rater is
 * DSC/8 + PPV/8 + (1 − LFPR)/4 + LTPR/4 + VC/4 with means over scans, the final one the mean of the raters.
 *
 * What is undefined is NaN and left out of the mean of its figure: PPV and LFPR of an empty candidate, TPR, LTPR and
 * VD of an empty reference, DSC when both are empty, VC with fewer than two scans or without spread (and then there is
 * no score). The challenge says nothing of these cases; its site refuses incomplete submissions. Here a scan that is
 * not handed in counts in the ranking as an empty mask with PPV 0 and LFPR 1.
 */
export const isbi2015: Protocol = {
  id: 'isbi2015',
  title: 'ISBI 2015 longitudinal MS lesions',
  citation: 'Carass et al. 2017, NeuroImage 148:77',
  raters: 'several',
  measures,
  async score(references: readonly Mask[], candidate: Mask) {
    assertReferences(references, 'isbi2015')
    return overRaters(references.map((reference) => againstRater(reference, candidate)))
  },
  overall: overScans,
  rank(teams) {
    const complete = withMissing(teams, measures, worst)
    const scores = new Map([...complete].map(([team, cases]) => [team, overScans(cases).score]))
    return [rankingOf('ISBI-like score (fitted scale)', scores, 'higher')]
  },
}

function againstRater(reference: Mask, candidate: Mask): Scores {
  const { dice, precision, sensitivity, absoluteVolumeError, referenceMl, candidateMl } = overlap(reference, candidate)
  const { lfpr, ltpr } = anyOverlapCounts(reference, candidate, 18)
  const volumeDifference = absoluteVolumeError / 100
  return { dsc: dice, ppv: precision, tpr: sensitivity, lfpr, ltpr, volumeDifference, referenceMl, candidateMl }
}

function overScans(cases: TeamResults): Scores {
  const raters = byRater(cases).map((scans) => {
    const means = meanScores(scans)
    const volumes = (key: string) => scans.map((scan) => scan[key])
    const volumeCorrelation = pearson(volumes('candidateMl'), volumes('referenceMl')).value
    return { ...means, volumeCorrelation, rawScore: rawScore({ ...means, volumeCorrelation }) }
  })
  const overall: Scores = meanScores(raters)
  // Every rater counts: without a score against one of them there is none.
  overall.rawScore = raters.reduce((sum, rater) => sum + rater.rawScore, 0) / raters.length
  return { ...overall, score: fittedScore(overall.rawScore) }
}

/** The challenge's weights, of figures over all scans; 1 is perfect. */
export const rawScore = ({ dsc, ppv, lfpr, ltpr, volumeCorrelation }: Scores): number =>
  dsc / 8 + ppv / 8 + (1 - lfpr) / 4 + ltpr / 4 + volumeCorrelation / 4

/** Points as on the leaderboard, on a scale that was fitted to it (± 0.1 near 90); 100 is perfect, 90 a human rater. */
export const fittedScore = (raw: number): number => 100 - fittedSlope * (1 - raw)
