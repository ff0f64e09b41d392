import type { Flag } from '../errors.js'
import type { Description, Evaluation, ScoredCase, TeamSummary } from '../evaluate/evaluation.js'
import { groupsOf, measureOf } from '../evaluate/every-measure.js'
import type { Measure, Ranking } from '../evaluate/protocol.js'
import { type Html, html } from './html.js'
import { page } from './page.js'
import { distributionFigure, volumeFigure } from './scores-figures.js'
import { flagList, type Section } from './sections.js'
import { count, figure, listed } from './words.js'

export interface ScoresPage extends Evaluation {
  flags: readonly Flag[]
  software: { name: string; version: string }
  date?: string
}

/** The page of an evaluation: figures over all cases, how they are spread, each case. One file, no network. */
export async function buildScoresPage(input: ScoresPage): Promise<string> {
  const { protocol, teams, rankings, flags, software, date } = input
  const sections: (Section | undefined)[] = [
    { id: 'scores', title: 'Scores', body: scores(input) },
    { id: 'quality', title: 'Doubts', body: flagList(flags) },
    rankings.length > 0
      ? {
          id: 'ranking',
          title: rankings.length > 1 ? 'Rankings' : 'Ranking',
          lead: 'As the organisers rank. Teams that tie share the mean of their places.',
          body: html`<div class="columns">${rankings.map(rankingTable)}</div>`,
        }
      : undefined,
    {
      id: 'measures',
      title: 'Measures over all cases',
      lead: `${teams.length > 1 ? 'Mean ± standard deviation' : 'Figures'} of the cases in which a measure is defined.`,
      body: measuresTable(input),
    },
    {
      id: 'spread',
      title: 'How the cases are spread',
      lead: `A dot is a case. The box runs from the first to the third quartile, the line is the median. ↑ more is better, ↓ less is better.`,
      body: await distributions(input),
    },
    await againstVolume(input),
    {
      id: 'cases',
      title: 'Cases',
      lead: `${worstFirst(input)} Press a heading to sort.`,
      body: casesTable(input),
    },
    { id: 'method', title: 'How it was done', body: method(input) },
  ]
  const { cases } = input.summaries[0]
  return page({
    title: 'Scores of lesion masks',
    facts: [protocol.title, count(cases, 'case'), teams.length > 1 ? `${teams.length} candidates` : undefined, date],
    sections: sections.filter((section) => section !== undefined),
    software,
  })
}

/** The measure by which cases are told apart: Dice where cases have it, else the first that is better one way. */
function headline({ protocol, summaries }: ScoresPage): Measure {
  const ofCases = protocol.measures.filter(({ key }) => summaries.some(({ measures }) => key in measures))
  return (
    ofCases.find(({ key }) => key === 'dice' || key === 'dsc') ??
    ofCases.find(({ better }) => better !== 'neither') ??
    protocol.measures[0]
  )
}

/** Counts say in their name what they count. */
const unitOf = ({ unit }: Measure): string => (unit === 'lesions' ? '' : unit)

/** Volumes and counts of the reference tell of the case, not of the candidate. */
const isTold = (measure: Measure): boolean => measure.better === 'neither' && measure.unit !== '%'

/** Volumes stand beside every case as it is. */
const isVolume = ({ key }: Measure): boolean => key === 'referenceMl' || key === 'candidateMl'

function scores(input: ScoresPage): Html {
  const { protocol, teams, summaries, rankings } = input
  if (teams.length > 1)
    return html`<div class="stats">${rankings.slice(0, 4).map(({ title, places }) => {
      const winners = places.filter(({ place }) => place === places[0].place)
      return stat(listed(winners.map(({ team }) => team)), '', `first in ${title}, ${number(places[0].value, 3)}`, true)
    })}</div>`
  const [{ cases, missing, measures, overall }] = summaries
  const main = headline(input)
  const second = protocol.measures.filter(
    ({ key, better }) => key !== main.key && better !== 'neither' && measures[key]?.n > 0,
  )
  const lesion = second.find(({ key }) => /f1/i.test(key)) ?? second[0]
  const own = protocol.measures.filter(({ key }) => key in overall && !(key in measures))
  return html`<div class="stats">
${stat(String(cases - missing.length), cases - missing.length === 1 ? 'case' : 'cases', missing.length > 0 ? `${missing.length} more missing` : 'all that the reference has')}
${own.slice(0, 1).map((measure) => stat(withDecimals(measure, overall[measure.key]), measure.unit, `${measure.label}, over all cases`))}
${[main, lesion].filter((measure) => measure !== undefined).map((measure) => meanStat(measure, measures[measure.key]))}
</div>`
}

const meanStat = (measure: Measure, description: Description | undefined): Html | undefined =>
  description &&
  stat(
    withDecimals(measure, description.mean),
    measure.unit,
    `mean ${measure.label}, ± ${withDecimals(measure, description.sd)}`,
  )

const stat = (value: string, unit: string, note: string, words = false): Html =>
  html`<div class="stat"><b${words && html` class="words"`}>${value}</b> <span>${unit}</span> <small>${note}</small></div>`

const rankingTable = ({ title, places }: Ranking): Html =>
  html`<div><h3>${title}</h3><table class="facts"><tbody>${places.map(
    ({ team, place, value }) =>
      html`<tr><td class="n place">${Number.isInteger(place) ? place : place.toFixed(1)}</td><th>${team}</th><td class="n">${number(value, 4)}</td></tr>`,
  )}</tbody></table></div>`

function measuresTable({ protocol, summaries }: ScoresPage): Html {
  const several = summaries.length > 1
  const columns = several
    ? summaries.map(({ name }) => name)
    : ['Mean', 'SD', 'Median', 'Least', 'Most', 'Cases', 'Undefined']
  const cells = (measure: Measure, of: (summary: TeamSummary) => Description | undefined): Html[] => {
    const text = (value: number) => withDecimals(measure, value, true)
    if (several)
      return summaries.map((summary) => {
        const d = of(summary)
        return html`<td class="n">${d && d.n > 0 ? `${text(d.mean)} ± ${text(d.sd)}` : '–'}</td>`
      })
    const d = of(summaries[0])
    if (!d) return [html`<td class="n" colspan="7">–</td>`]
    return [
      ...[d.mean, d.sd, d.median, d.min, d.max].map((value) => html`<td class="n">${text(value)}</td>`),
      html`<td class="n">${d.n}</td><td class="n">${d.undefined}</td>`,
    ]
  }
  const corrected = [...new Set(summaries.flatMap((summary) => Object.keys(summary.corrected)))]
  const overall = protocol.measures.filter(
    ({ key }) => summaries.some((one) => key in one.overall) && !summaries.some(({ measures }) => key in measures),
  )
  const groups = groupsOf(protocol).map(({ title, measures }) => ({
    title,
    rows: measures.filter(({ key }) => summaries.some((summary) => key in summary.measures)),
  }))
  const row = (measure: Measure, of: (summary: TeamSummary) => Description | undefined) =>
    html`<tr><th>${measure.label}${unitOf(measure) && html` <span class="fine">${unitOf(measure)}</span>`}</th>${cells(measure, of)}</tr>`
  return html`<div class="scroll whole"><table class="list wide"><thead><tr><th>Measure</th>${columns.map((name) => html`<th class="n">${name}</th>`)}</tr></thead><tbody>
${groups.map(
  ({ title, rows }) =>
    html`${title && rows.length > 0 && headRow(title, columns.length)}${rows.map((measure) => row(measure, ({ measures }) => measures[measure.key]))}`,
)}
${groups.length === 1 && (summaries[0].raters ?? []).map((_, r) => html`${headRow(`Against rater ${r + 1}`, columns.length)}${groups[0].rows.filter((measure) => !isVolume(measure)).map((measure) => row(measure, ({ raters }) => raters?.[r]?.[measure.key]))}`)}
${
  corrected.length > 0 &&
  html`${headRow('The right value, where the original program prints another', columns.length)}${corrected.map((key) =>
    row(measureOf(protocol, key), (summary) => summary.corrected[key]),
  )}`
}
${
  overall.length > 0 &&
  html`${headRow('Over all cases at once', columns.length)}${overall.map(
    (measure) =>
      html`<tr><th>${measure.label}</th>${summaries.map((summary) => html`<td class="n">${withDecimals(measure, summary.overall[measure.key])}</td>`)}${!several && html`<td colspan="6"></td>`}</tr>`,
  )}`
}</tbody></table></div>`
}

const headRow = (title: string, columns: number): Html =>
  html`<tr class="group"><th colspan="${columns + 1}">${title}</th></tr>`

async function distributions({ protocol, teams, summaries }: ScoresPage): Promise<Html> {
  const blocks: Html[] = []
  for (const { title, measures } of groupsOf(protocol)) {
    const figures: Html[] = []
    for (const measure of measures.filter((one) => !isTold(one))) {
      const rows = teams.map(({ name, cases }, t) => {
        const d = summaries[t].measures[measure.key]
        const points = cases.flatMap(({ id, result }) =>
          result && measure.key in result.scores ? [{ id, value: result.scores[measure.key] }] : [],
        )
        return { name, points, quartiles: d ? ([d.q1, d.median, d.q3] as const) : ([NaN, NaN, NaN] as const) }
      })
      if (rows.some(({ points }) => points.some(({ value }) => Number.isFinite(value))))
        figures.push(
          html`<figure class="plot"><figcaption>${measure.label}${unitOf(measure) && html` <span class="fine">${unitOf(measure)}</span>`}${arrow(measure)}</figcaption>${await distributionFigure(measure, rows)}</figure>`,
        )
    }
    if (figures.length > 0) blocks.push(html`${title && html`<h3>${title}</h3>`}<div class="plots">${figures}</div>`)
  }
  return html`${blocks}`
}

const arrow = ({ better }: Measure): string => (better === 'higher' ? ' ↑' : better === 'lower' ? ' ↓' : '')

async function againstVolume({ teams }: ScoresPage): Promise<Section | undefined> {
  const figures: Html[] = []
  for (const { name, cases } of teams) {
    const points = cases.map(({ id, dice, referenceMl }) => ({ id, value: dice, ml: referenceMl }))
    if (points.filter(({ value, ml }) => ml > 0 && Number.isFinite(value)).length < 2) continue
    figures.push(
      html`<figure class="plot">${teams.length > 1 && html`<figcaption>${name}</figcaption>`}${await volumeFigure(points)}</figure>`,
    )
  }
  if (figures.length === 0) return undefined
  const free = teams[0].cases.filter(({ referenceMl }) => referenceMl === 0).length
  return {
    id: 'volume',
    title: 'Dice against lesion volume',
    lead: `Few lesions are harder: at a small volume one voxel more or less weighs much. The lowest are named.${free > 0 ? ` ${count(free, 'case')} without lesions ${free === 1 ? 'is' : 'are'} not shown.` : ''}`,
    body: html`<div class="plots volumes">${figures}</div>`,
  }
}

const worstFirst = (input: ScoresPage): string =>
  `The worst ${headline(input).label} first; what is missing stands above all.`

function casesTable(input: ScoresPage): Html {
  const { protocol, teams } = input
  const main = headline(input)
  const several = teams.length > 1
  const rows = teams.flatMap(({ name, cases }, t) => cases.map((one, n) => ({ name, t, n, one })))
  const merit = ({ result }: ScoredCase): number => {
    if (!result) return Number.NEGATIVE_INFINITY
    const value = result.scores[main.key] ?? Number.NaN
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : main.better === 'lower' ? -value : value
  }
  const ordered = rows
    .map((row) => ({ ...row, merit: merit(row.one) }))
    .sort((a, b) => (a.merit < b.merit ? -1 : a.merit > b.merit ? 1 : 0))
  const measures = [main, ...protocol.measures.filter((measure) => measure !== main && !isVolume(measure))].filter(
    ({ key }) => rows.some(({ one }) => one.result && key in one.result.scores),
  )
  const value = (measure: Measure, one: ScoredCase): Html => {
    const given = one.result?.scores[measure.key]
    return html`<td class="n" data-v="${given === undefined || !Number.isFinite(given) ? '' : given}">${given === undefined ? '' : withDecimals(measure, given)}</td>`
  }
  return html`<div class="scroll"><table class="list wide" data-sortable><thead><tr><th>Case</th>${several && html`<th>Candidate</th>`}<th class="n">Reference, ml</th><th class="n">Candidate, ml</th>${measures.map(
    (measure) => html`<th class="n">${[measure.label, unitOf(measure)].filter(Boolean).join(', ')}</th>`,
  )}</tr></thead><tbody>${ordered.map(
    ({ name, t, n, one }) =>
      html`<tr${!one.result && html` class="missing"`}><th data-v="${n}">${one.id}</th>${several && html`<td data-v="${t}">${name}</td>`}<td class="n" data-v="${one.referenceMl}">${number(one.referenceMl, 2)}</td>${
        one.result
          ? html`<td class="n" data-v="${one.candidateMl}">${number(one.candidateMl, 2)}</td>${measures.map((measure) => value(measure, one))}`
          : html`<td class="n" data-v="">missing</td>${measures.map(() => html`<td class="n" data-v="">–</td>`)}`
      }</tr>`,
  )}</tbody></table></div>`
}

function method({ protocol, software, summaries, teams }: ScoresPage): Html {
  const missing = summaries.reduce((sum, one) => sum + one.missing.length, 0)
  return html`<p>${protocol.title}. ${protocol.citation}</p>
<h3>For the Methods section</h3>
<blockquote>Lesion masks of ${count(summaries[0].cases, 'case')} were scored with ${software.name} ${software.version}, ${protocol.title} (${protocol.citation}).${
    missing > 0 &&
    ` ${count(missing, 'mask')} ${missing === 1 ? 'was' : 'were'} missing${teams.length > 1 ? '; the rankings count this as the organisers do' : ''}.`
  }</blockquote>
<p class="version">Undefined (–): the measure has no value for the case, for example a distance to an empty mask. Means leave such cases out. scores.tsv and summary.json hold every figure.</p>`
}

const decimals: Readonly<Record<Measure['unit'], number>> = {
  '': 3,
  '%': 1,
  mm: 2,
  ml: 2,
  'mm³': 1,
  lesions: 0,
  points: 1,
}

/** A measure's value with as many decimals as its unit bears; means of counts get one more. */
const withDecimals = ({ unit }: Measure, value: number, mean = false): string =>
  number(value, mean && unit === 'lesions' ? 1 : decimals[unit])

const number = (value: number, places: number): string => figure(value, places).replace('-', '−')
