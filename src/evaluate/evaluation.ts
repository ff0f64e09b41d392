import type { CaseResult, Protocol, Ranking, Scores } from './protocol.js'
import { describe as describeFigures, type Description as Figures } from './statistics/describe.js'

/** A case of a candidate, with what tables and plots need beside the protocol's scores. */
export interface ScoredCase {
  id: string
  /** Undefined: not handed in. */
  result?: CaseResult
  /** Lesion volume of the reference in ml; of several raters the mean. */
  referenceMl: number
  candidateMl: number
  /** Dice coefficient, whatever the protocol scores; of several raters the mean. */
  dice: number
}

/** What one team, or one method, handed in. */
export interface ScoredTeam {
  name: string
  cases: readonly ScoredCase[]
}

/** A measure over cases: `n` in which it is defined. */
export interface Description extends Omit<Figures, 'skipped'> {
  /** Cases handed in of which it was computed and is NaN. */
  undefined: number
}

export interface TeamSummary {
  name: string
  /** How many cases there are, and the ids of those not handed in. */
  cases: number
  missing: string[]
  measures: Record<string, Description>
  /** Of the right values where the original's are not what their names say. */
  corrected: Record<string, Description>
  /** Of protocols with several raters: against each. */
  raters?: Record<string, Description>[]
  /** The protocol's own figures over all cases. */
  overall: Scores
}

export interface Evaluation {
  protocol: Protocol
  teams: readonly ScoredTeam[]
  summaries: readonly TeamSummary[]
  /** Empty for a single candidate: there is nobody to compare it with. */
  rankings: readonly Ranking[]
}

/** What is said of scored cases: descriptive figures of each measure, the protocol's own ones, its rankings. */
export function evaluation(protocol: Protocol, teams: readonly ScoredTeam[]): Evaluation {
  const results = new Map(
    teams.map(({ name, cases }) => [name, new Map(cases.map(({ id, result }) => [id, result] as const))]),
  )
  const summaries = teams.map(({ name, cases }): TeamSummary => {
    const given = defined(cases.map(({ result }) => result))
    const raters = given[0]?.raters?.map((_, r) => describeAll(defined(given.map((one) => one.raters?.[r]))))
    return {
      name,
      cases: cases.length,
      missing: cases.filter(({ result }) => !result).map(({ id }) => id),
      measures: describeAll(given.map(({ scores }) => scores)),
      corrected: describeAll(defined(given.map(({ corrected }) => corrected))),
      ...(raters ? { raters } : {}),
      overall: protocol.overall(results.get(name)!),
    }
  })
  return { protocol, teams, summaries, rankings: teams.length > 1 ? protocol.rank(results) : [] }
}

const defined = <T>(list: readonly (T | undefined)[]): T[] => list.filter((one) => one !== undefined)

function describeAll(scores: readonly Scores[]): Record<string, Description> {
  const keys = new Set(scores.flatMap((one) => Object.keys(one)))
  return Object.fromEntries(
    [...keys].map((key) => [key, describe(scores.filter((one) => key in one).map((one) => one[key]))]),
  )
}

/** Mean, spread and ranks of the values that are not NaN; NaN where there are none (or, for the spread, fewer than two). */
export function describe(values: readonly number[]): Description {
  const { n, skipped, ...figures } = describeFigures(values)
  return { n, undefined: skipped, ...figures }
}
