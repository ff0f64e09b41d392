import { type Mask, maskWhere } from '../../volume/volume.js'
import { anyOverlapCounts } from '../detection.js'
import { assertSameGrid, overlap } from '../overlap.js'
import type { Protocol, Ranking, Scores } from '../protocol.js'
import { caseValues, handedIn, meanScores, rankingOf, stretched, withMissing } from '../ranking.js'
import { mean } from '../statistics/describe.js'
import { surfaceDistances } from '../surface.js'
import { measure, onlyReference } from './common.js'

const measures = [
  measure('dsc', 'Dice', '', 'higher'),
  measure('h95', 'H95', 'mm', 'lower'),
  measure('avd', 'AVD', '%', 'lower'),
  measure('recall', 'Recall (lesions)', '', 'higher'),
  measure('f1', 'F1 (lesions)', '', 'higher'),
]

const worst: Scores = { dsc: 0, recall: 0, f1: 0 }

/**
 * WMH segmentation challenge (MICCAI 2017). Unlike elsewhere the reference's values count: 1 is a lesion, 2 other
 * pathology, whose voxels are removed from the result before anything is measured. H95 is the larger directed 95th
 * percentile between borders, a lesion minus its erosion by 3 × 3 voxels within the slice (voxel axes 1 and 2; NaN
 * where a mask has no border); lesions are 26-connected and one shared voxel detects them; recall is 1 when there is
 * nothing to find, precision 1 when nothing is found. AVD is NaN for an empty reference, Dice when both are empty.
 *
 * Ranking: each measure's mean over the cases where it is defined is stretched over the teams to 0 (best) … 1
 * (worst), and the five are averaged. The organisers ran the teams' programs themselves and say nothing of missing
 * results: here one counts as Dice, recall and F1 0, and as the worst H95 and AVD of any team at that case.
 */
export const wmh2017: Protocol = {
  id: 'wmh2017',
  title: 'WMH segmentation challenge 2017 (MICCAI)',
  citation: 'Kuijf et al. 2019, IEEE Transactions on Medical Imaging 38:2556',
  raters: 'one',
  keptLabels: [2],
  measures,
  async score(references: readonly Mask[], candidate: Mask) {
    const labels = onlyReference(references, 'wmh2017')
    assertSameGrid(labels, candidate)
    const reference = maskWhere(labels, (value) => value === 1)
    const result = maskWhere(candidate, (value, at) => value !== 0 && labels.data[at] !== 2)
    const { dice, absoluteVolumeError } = overlap(reference, result)
    const { hausdorff95 } = await surfaceDistances(reference, result, { neighbourhood: 8, tolerancesMm: [] })
    return {
      scores: {
        dsc: dice,
        h95: hausdorff95,
        avd: absoluteVolumeError,
        ...detection(reference, result),
      },
    }
  },
  overall: (cases) => meanScores(handedIn(cases)),
  rank(teams): Ranking[] {
    const complete = withMissing(teams, measures, worst)
    const stretchedMeans = measures.map(({ key, better }) => {
      const means = [...caseValues(complete, key)].map(([team, cases]) => [team, mean(cases.values())] as const)
      return stretched(new Map(means), better === 'higher' ? 'higher' : 'lower')
    })
    const average = (team: string) => mean(stretchedMeans.map((of) => of.get(team)!))
    return [
      rankingOf('Mean of the stretched measures', new Map([...teams.keys()].map((t) => [t, average(t)])), 'lower'),
    ]
  },
}

function detection(reference: Mask, result: Mask): { recall: number; f1: number } {
  const { ltpr, precision, referenceLesions, candidateLesions } = anyOverlapCounts(reference, result, 26)
  const recall = referenceLesions === 0 ? 1 : ltpr
  const right = candidateLesions === 0 ? 1 : precision
  return { recall, f1: recall + right === 0 ? 0 : (2 * recall * right) / (recall + right) }
}
