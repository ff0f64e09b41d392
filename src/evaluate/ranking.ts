import type { CaseResult, Measure, Placed, Ranking, Scores, TeamResults } from './protocol.js'
import { mean } from './statistics/describe.js'

/** Teams by name with their cases by name. */
export type Teams = ReadonlyMap<string, TeamResults>
/** One figure of each team's cases: team → case → value; NaN or absent where it is not defined. */
export type CaseValues = ReadonlyMap<string, ReadonlyMap<string, number>>
type Direction = 'higher' | 'lower'

/** Each key's mean over the results in which it stands and is defined: the usual figures of a team. */
export function meanScores(results: Iterable<Scores | undefined>): Scores {
  const values = new Map<string, number[]>()
  for (const scores of results)
    for (const [key, value] of Object.entries(scores ?? {})) {
      if (!values.has(key)) values.set(key, [])
      values.get(key)!.push(value)
    }
  return Object.fromEntries([...values].map(([key, list]) => [key, mean(list)]))
}

/** The scores of the cases that were handed in. */
export const handedIn = (cases: TeamResults): Scores[] => [...cases.values()].flatMap((c) => (c ? [c.scores] : []))

/**
 * Places for values, best first: 1 is best, teams of equal value share the mean of their places (two firsts are both
 * 1.5), and NaN is worse than any value, all NaN alike.
 */
export function placesOf(values: ReadonlyMap<string, number>, better: Direction): Placed[] {
  const merit = (value: number) =>
    Number.isNaN(value) ? Number.NEGATIVE_INFINITY : better === 'higher' ? value : -value
  const sorted = [...values]
    .map(([team, value]) => ({ team, value, merit: merit(value), place: 0 }))
    .sort((a, b) => (a.merit === b.merit ? 0 : b.merit > a.merit ? 1 : -1))
  for (let from = 0, to: number; from < sorted.length; from = to) {
    for (to = from; to < sorted.length && sorted[to].merit === sorted[from].merit; ) to++
    for (let at = from; at < to; at++) sorted[at].place = (from + 1 + to) / 2
  }
  return sorted.map(({ team, place, value }) => ({ team, place, value }))
}

/** The teams' places for one figure of each. */
export const rankingOf = (title: string, values: ReadonlyMap<string, number>, better: Direction): Ranking => ({
  title,
  places: placesOf(values, better),
})

/** Ranks teams by their mean over the cases where the figure is defined. */
export function aggregateThenRank(title: string, values: CaseValues, better: Direction): Ranking {
  const means = new Map([...values].map(([team, cases]) => [team, mean(cases.values())]))
  return rankingOf(title, means, better)
}

/**
 * Ranks teams case by case, then by their mean place over the cases. A case where no team has a value places nobody;
 * a team without one, where others have one, is last there. `value` of a place is the mean place.
 */
export function rankThenAggregate(title: string, values: CaseValues, better: Direction): Ranking {
  const cases = new Set([...values.values()].flatMap((c) => [...c.keys()]))
  const places = new Map<string, number[]>([...values.keys()].map((team) => [team, []]))
  for (const name of cases) {
    const here = new Map([...values].map(([team, c]) => [team, c.get(name) ?? Number.NaN]))
    if ([...here.values()].every(Number.isNaN)) continue
    for (const { team, place } of placesOf(here, better)) places.get(team)!.push(place)
  }
  return rankingOf(title, new Map([...places].map(([team, list]) => [team, mean(list)])), 'lower')
}

/**
 * Values stretched so that the best is 0 and the worst 1 (all 0 when they are equal); NaN becomes 1, the worst.
 * Source: ranking of the WMH segmentation challenge (Kuijf et al. 2019, IEEE TMI 38:2556).
 */
export function stretched(values: ReadonlyMap<string, number>, better: Direction): Map<string, number> {
  const defined = [...values.values()].filter((value) => !Number.isNaN(value))
  const [low, high] = [Math.min(...defined), Math.max(...defined)]
  const best = better === 'higher' ? high : low
  const place = (value: number) => (Number.isNaN(value) ? 1 : low === high ? 0 : Math.abs(value - best) / (high - low))
  return new Map([...values].map(([team, value]) => [team, place(value)]))
}

/** One measure of all teams and cases. */
export const caseValues = (teams: ReadonlyMap<string, ReadonlyMap<string, CaseResult>>, key: string): CaseValues =>
  new Map(
    [...teams].map(([team, cases]) => [
      team,
      new Map([...cases].map(([name, { scores }]) => [name, scores[key] ?? Number.NaN])),
    ]),
  )

/**
 * The teams with all cases of all teams: a case that a team did not hand in gets, for every figure that other teams
 * have there, the bound of the measure where `worst` names one, else the worst that any team got at this case. Figures
 * that are `neither` better nor worse are those of the first team that has the case.
 */
export function withMissing(
  teams: Teams,
  measures: readonly Measure[],
  worst: Scores,
): Map<string, Map<string, CaseResult>> {
  const names = new Set([...teams.values()].flatMap((cases) => [...cases.keys()]))
  const worstHere = (given: readonly (Scores | undefined)[]) =>
    worstOf(
      given.filter((scores) => scores !== undefined),
      measures,
      worst,
    )
  const substitute = new Map<string, CaseResult>()
  for (const name of names) {
    const given = [...teams.values()].map((cases) => cases.get(name)).filter((result) => result !== undefined)
    const raters = given[0]?.raters?.map((_, rater) => worstHere(given.map((result) => result.raters?.[rater])))
    const scores = worstHere(given.map((result) => result.scores))
    substitute.set(name, raters ? { scores, raters } : { scores })
  }
  return new Map(
    [...teams].map(([team, cases]) => [
      team,
      new Map([...names].map((name) => [name, cases.get(name) ?? substitute.get(name)!])),
    ]),
  )
}

function worstOf(given: readonly Scores[], measures: readonly Measure[], worst: Scores): Scores {
  const better = new Map(measures.map((m) => [m.key, m.better]))
  const keys = given.length > 0 ? new Set(given.flatMap((scores) => Object.keys(scores))) : Object.keys(worst)
  const out: Scores = {}
  for (const key of keys) {
    const values = given.map((scores) => scores[key]).filter((value) => value !== undefined && !Number.isNaN(value))
    if (key in worst) out[key] = worst[key]
    else if (values.length === 0) out[key] = Number.NaN
    else if (better.get(key) === 'higher') out[key] = Math.min(...values)
    else if (better.get(key) === 'lower') out[key] = Math.max(...values)
    else out[key] = values[0]
  }
  return out
}
