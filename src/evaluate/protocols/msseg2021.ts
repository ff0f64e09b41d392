import type { Mask } from '../../volume/volume.js'
import { animaScores } from '../anima.js'
import type { Protocol } from '../protocol.js'
import { aggregateThenRank, caseValues, handedIn, meanScores, withMissing } from '../ranking.js'
import { emptyCaseMeasures, lesionCaseMeasures, worstByDefinition } from './anima-measures.js'
import { onlyReference } from './common.js'

const measures = [...lesionCaseMeasures, ...emptyCaseMeasures]

/**
 * MSSEG-2 (MICCAI 2021), masks of new lesions: patients with new lesions are scored by lesion F1 and Dice, patients
 * without by the number and the volume (mm³) of what is found all the same; figures are means over the patients of
 * each group, every one with a ranking of its own and none that joins them. A case that was not handed in counts as
 * F1 0 and Dice 0, or as the most that any team found at that patient.
 */
export const msseg2021: Protocol = {
  id: 'msseg2021',
  title: 'MSSEG-2 2021 (MICCAI), new lesions',
  citation:
    'Commowick et al. 2021, MSSEG-2 challenge proceedings: multiple sclerosis new lesions segmentation challenge',
  raters: 'one',
  measures,
  score: async (references: readonly Mask[], candidate: Mask) =>
    await animaScores(onlyReference(references, 'msseg2021'), candidate),
  overall: (cases) => meanScores(handedIn(cases)),
  rank(teams) {
    const complete = withMissing(teams, measures, worstByDefinition)
    const ranked = (title: string, key: string, better: 'higher' | 'lower') =>
      aggregateThenRank(title, caseValues(complete, key), better)
    return [
      ranked('Lesion F1, patients with new lesions', 'f1Score', 'higher'),
      ranked('Dice, patients with new lesions', 'dice', 'higher'),
      ranked('Lesions found, patients without new lesions', 'nbTestedLesions', 'lower'),
      ranked('Volume found, patients without new lesions', 'volTestedLesions', 'lower'),
    ]
  },
}
