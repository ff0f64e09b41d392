import type { Flag } from '../errors.js'
import type { Description, Evaluation } from '../evaluate/evaluation.js'
import { groupsOf } from '../evaluate/every-measure.js'
import type { CaseResult, Measure, Protocol, Scores } from '../evaluate/protocol.js'
import { type Cell, writeTsv } from '../formats/tsv.js'

/** What summary.json holds and `--json` prints for folders; NaN is null. */
export interface ScoreSummary {
  schemaVersion: 1
  protocol: { id: string; title: string; citation: string }
  measures: readonly Measure[]
  cases: number
  candidates: {
    name: string
    missing: string[]
    /** The protocol's own figures over all cases. */
    overall: Nullable
    measures: Record<string, Nullable>
    corrected?: Record<string, Nullable>
    raters?: Record<string, Nullable>[]
  }[]
  rankings: { title: string; places: { team: string; place: number; value: number | null }[] }[]
  flags: Flag[]
  seconds: number
}

type Nullable = Record<string, number | null>

/** NaN, and what is infinite, as null: JSON knows neither. */
export const nullable = (scores: Scores): Nullable =>
  Object.fromEntries(Object.entries(scores).map(([key, value]) => [key, Number.isFinite(value) ? value : null]))

/**
 * A pair as `--json` prints it: the protocol's keys, `corrected` and `raters` nested; without a protocol the measures by
 * kind.
 */
export function pairJson(protocol: Protocol, { scores, corrected = {}, raters }: CaseResult): Record<string, unknown> {
  const groups = groupsOf(protocol)
  const shaped = (one: Scores) =>
    groups.length === 1
      ? nullable(one)
      : Object.fromEntries(
          groups.map(({ id, measures }) => [
            id,
            nullable(Object.fromEntries(measures.filter(({ key }) => key in one).map(({ key }) => [key, one[key]]))),
          ]),
        )
  return {
    ...shaped(scores),
    ...(Object.keys(corrected).length > 0 ? { corrected: nullable(corrected) } : {}),
    ...(raters ? { raters: raters.map(shaped) } : {}),
  }
}

export function scoreSummary(
  { protocol, teams, summaries, rankings }: Evaluation,
  flags: Flag[],
  seconds: number,
): ScoreSummary {
  const { id, title, citation } = protocol
  return {
    schemaVersion: 1,
    protocol: { id, title, citation },
    measures: protocol.measures,
    cases: teams[0].cases.length,
    candidates: summaries.map(({ name, missing, overall, measures, corrected, raters }) => ({
      name,
      missing,
      overall: nullable(overall),
      measures: descriptions(measures),
      ...(Object.keys(corrected).length > 0 ? { corrected: descriptions(corrected) } : {}),
      ...(raters ? { raters: raters.map(descriptions) } : {}),
    })),
    rankings: rankings.map(({ title: of, places }) => ({
      title: of,
      places: places.map(({ team, place, value }) => ({ team, place, value: Number.isFinite(value) ? value : null })),
    })),
    flags,
    seconds,
  }
}

const descriptions = (measures: Record<string, Description>): Record<string, Nullable> =>
  Object.fromEntries(Object.entries(measures).map(([key, description]) => [key, nullable({ ...description })]))

/**
 * scores.tsv (a row for each case, and team where there are several), raters.tsv of protocols with several raters,
 * ranking.tsv of several teams, summary.json.
 */
export function scoreFiles(evaluation: Evaluation, summary: ScoreSummary): Map<string, string | Uint8Array> {
  const { protocol, teams, rankings } = evaluation
  const files = new Map<string, string | Uint8Array>()
  const several = teams.length > 1
  const cases = teams.flatMap(({ name, cases: own }) => own.map((one) => ({ team: name, ...one })))
  const keys = protocol.measures.map(({ key }) => key)
  const corrected = [...new Set(cases.flatMap(({ result }) => Object.keys(result?.corrected ?? {})))]
  files.set(
    'scores.tsv',
    writeTsv(
      [
        'id',
        ...(several ? ['team'] : []),
        'status',
        'reference_ml',
        'candidate_ml',
        ...keys,
        ...corrected.map((key) => `corrected.${key}`),
      ],
      cases.map(({ id, team, result, referenceMl, candidateMl }) => [
        id,
        ...(several ? [team] : []),
        result ? 'scored' : 'missing',
        cell(referenceMl),
        cell(candidateMl),
        ...keys.map((key) => cell(result?.scores[key])),
        ...corrected.map((key) => cell(result?.corrected?.[key])),
      ]),
    ),
  )
  if (cases.some(({ result }) => result?.raters))
    files.set(
      'raters.tsv',
      writeTsv(
        ['id', ...(several ? ['team'] : []), 'rater', ...keys],
        cases.flatMap(({ id, team, result }) =>
          (result?.raters ?? []).map((scores, r) => [
            id,
            ...(several ? [team] : []),
            r + 1,
            ...keys.map((key) => cell(scores[key])),
          ]),
        ),
      ),
    )
  if (several)
    files.set(
      'ranking.tsv',
      writeTsv(
        ['ranking', 'place', 'team', 'value'],
        rankings.flatMap(({ title, places }) =>
          places.map(({ team, place, value }) => [title, place, team, cell(value)]),
        ),
      ),
    )
  files.set('summary.json', `${JSON.stringify(summary, null, 2)}\n`)
  return files
}

/** Ten digits: more than any mask can bear, without the tail of binary fractions. */
const cell = (value: number | undefined): Cell =>
  value === undefined || !Number.isFinite(value) ? undefined : Number(value.toPrecision(10))
