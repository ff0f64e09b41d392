import type { Mask } from '../../volume/volume.js'
import { dice } from '../overlap.js'
import type { Protocol } from '../protocol.js'
import { aggregateThenRank, caseValues, handedIn, meanScores, withMissing } from '../ranking.js'
import { measure, onlyReference } from './common.js'

const measures = [measure('dice', 'Dice', '', 'higher')]

/**
 * MSLesSeg (ICPR 2024): the mean Dice over the test scans decides. A scan that was not handed in counts as 0 (the
 * organisers ask for all scans). Dice is NaN, and the scan skipped, where reference and candidate are both empty.
 */
export const mslesseg2024: Protocol = {
  id: 'mslesseg2024',
  title: 'MSLesSeg 2024',
  citation: 'Rondinella et al. 2024, ICPR 2024 Competition on Multiple Sclerosis Lesion Segmentation, arXiv:2410.07924',
  raters: 'one',
  measures,
  score: async (references: readonly Mask[], candidate: Mask) => ({
    scores: { dice: dice(onlyReference(references, 'mslesseg2024'), candidate) },
  }),
  overall: (cases) => meanScores(handedIn(cases)),
  rank: (teams) => [aggregateThenRank('Dice', caseValues(withMissing(teams, measures, { dice: 0 }), 'dice'), 'higher')],
}
