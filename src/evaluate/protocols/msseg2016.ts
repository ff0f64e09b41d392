import type { Mask } from '../../volume/volume.js'
import { animaScores } from '../anima.js'
import type { Protocol } from '../protocol.js'
import { aggregateThenRank, caseValues, handedIn, meanScores, withMissing } from '../ranking.js'
import { emptyCaseMeasures, lesionCaseMeasures, worstByDefinition } from './anima-measures.js'
import { onlyReference } from './common.js'

const measures = [...lesionCaseMeasures, ...emptyCaseMeasures]

/**
 * MSSEG (MICCAI 2016): every case is scored by animaSegPerfAnalyzer against the experts' consensus; two rankings, of
 * segmentation (Dice) and of detection (lesion F1), here by the mean over the patients (public sources do not tell it
 * from ranks averaged over patients, which `rankThenAggregate` gives). A case that was not handed in
 * counts as Dice 0 and F1 0. A patient whose consensus is empty has no Dice and no F1, only what was found there.
 */
export const msseg2016: Protocol = {
  id: 'msseg2016',
  title: 'MSSEG 2016 (MICCAI)',
  citation: 'Commowick et al. 2018, Scientific Reports 8:13650',
  raters: 'one',
  measures,
  score: async (references: readonly Mask[], candidate: Mask) =>
    await animaScores(onlyReference(references, 'msseg2016'), candidate),
  overall: (cases) => meanScores(handedIn(cases)),
  rank(teams) {
    const complete = withMissing(teams, measures, worstByDefinition)
    return [
      aggregateThenRank('Segmentation (Dice)', caseValues(complete, 'dice'), 'higher'),
      aggregateThenRank('Detection (lesion F1)', caseValues(complete, 'f1Score'), 'higher'),
    ]
  },
}
