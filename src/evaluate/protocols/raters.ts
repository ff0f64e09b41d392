import type { CaseResult, Scores, TeamResults } from '../protocol.js'
import { meanScores } from '../ranking.js'

/** A case of several raters: the scores against each, and their mean. */
export const overRaters = (raters: readonly Scores[]): CaseResult => ({ scores: meanScores(raters), raters })

/** The scores against each rater over the cases that were handed in: rater → case. */
export function byRater(cases: TeamResults): Scores[][] {
  const out: Scores[][] = []
  for (const result of cases.values())
    result?.raters?.forEach((scores, rater) => {
      out[rater] ??= []
      out[rater].push(scores)
    })
  return out
}
