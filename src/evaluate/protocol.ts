import type { Mask } from '../volume/volume.js'

/** Figures by the key of their measure. NaN: not defined for this case; absent: the original program prints none. */
export type Scores = Record<string, number>

/** What a number of a protocol is. */
export interface Measure {
  key: string
  /** As tables and figures name it. */
  label: string
  unit: '' | '%' | 'mm' | 'ml' | 'mm³' | 'lesions' | 'points'
  /** Which way is better; `neither` for what is only told. */
  better: 'higher' | 'lower' | 'neither'
}

/** What a protocol says of one candidate mask. */
export interface CaseResult {
  /** As the challenge's own program has them, its defects included. */
  scores: Scores
  /** The right value, under a name of its own, where the original's is not what its name says. */
  corrected?: Scores
  /** Of protocols with several raters: the scores against each; `scores` then holds their mean. */
  raters?: readonly Scores[]
}

/** A team's cases by name; a case that was not handed in is undefined. */
export type TeamResults = ReadonlyMap<string, CaseResult | undefined>

export interface Placed {
  team: string
  /** 1 is best; teams that tie share the mean of their places. */
  place: number
  /** What the place was given for. */
  value: number
}

export interface Ranking {
  /** What is ranked, e.g. `Dice` or `total score`: some challenges publish several rankings. */
  title: string
  places: readonly Placed[]
}

/** A challenge's way of scoring. */
export interface Protocol {
  id: string
  title: string
  citation: string
  /** How many reference masks a case has: one consensus, or one of each rater. */
  raters: 'one' | 'several'
  /** Values of a reference beside lesion that the protocol treats by itself; masks keep them. */
  keptLabels?: readonly number[]
  /** The measures in the order in which the challenge lists them. */
  measures: readonly Measure[]
  /**
   * Scores one candidate. Masks are on one grid; any value but zero is lesion, save where the protocol says otherwise.
   * @throws RangeError when the masks are not on one grid
   */
  score(references: readonly Mask[], candidate: Mask): Promise<CaseResult>
  /** A team's figures over all cases (mean of what is defined, and what only exists over cases, e.g. volume correlation). */
  overall(cases: TeamResults): Scores
  /** Rankings as the organisers made them, teams with missing cases included. */
  rank(teams: ReadonlyMap<string, TeamResults>): readonly Ranking[]
}
