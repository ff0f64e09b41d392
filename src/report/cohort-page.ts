import { median, quantile } from '../evaluate/statistics/describe.js'
import { locations } from '../lesions/types.js'
import { benchmarkStyle } from './benchmark-style.js'
import { pText } from './benchmark-tables.js'
import {
  type CohortFigure,
  type CohortInput,
  type CohortVisit,
  figureNames,
  type GroupComparison,
} from './cohort-input.js'
import { colourOf, coursePlot, distributionPlot, locationPlot, ratioPlot } from './cohort-plots.js'
import { type Html, html } from './html.js'
import { page } from './page.js'
import type { Section } from './sections.js'
import { count, figure, listed, locationNames } from './words.js'

/**
 * The page of a cohort: how loads are spread, who stands out, how people change, whether groups differ, and what has no
 * result and why. One file that needs no network; it links to the pages of the visits.
 */
export async function buildCohortPage(input: CohortInput): Promise<string> {
  const { visits, software, date, dataset } = input
  const done = visits.filter(({ status }) => status === 'done')
  const people = new Set(visits.map(({ subject }) => subject)).size
  const groups = input.comparison.groups.map(({ name }) => name)
  const courses = withCourse(done)
  const sections: (Section | undefined | false)[] = [
    { id: 'result', title: 'Result', body: overview(input, done) },
    done.length > 0 && {
      id: 'spread',
      title: 'How the visits are spread',
      lead: `A dot is a visit; the box runs from the first to the third quartile with the median as a thick line. Loads are skewed: their axes are stretched near 0.`,
      body: html`${groupKey(groups)}${await panels(['lesionMl', 'lesionCount', 'percentOfBrain', 'brainMl'], (name) => distributionPlot(done, name, groups))}`,
    },
    done.length > 0 && {
      id: 'location',
      title: 'Where the lesions are',
      body: html`<p class="legend">${locations.map((name) => html`<span><i class="dot ${name}"></i>${locationNames[name]}</span>`)}</p><div class="panels"><figure class="panel">${await locationPlot(done, groups)}</figure>${locationTable(done)}</div>`,
    },
    {
      id: 'outliers',
      title: 'Who stands out',
      lead: 'Figures far from the others (robust z beyond 3.5), leaps between visits, and doubts that were noticed in the run. A reason to look, not a verdict.',
      body: outliers(input),
    },
    courses.length > 0 && {
      id: 'course',
      title: 'The course of each person',
      lead: 'Each visit was segmented by itself: part of a change is noise between scans.',
      body: html`${groupKey(groups)}${await panels(['lesionMl', 'lesionCount', 'percentOfBrain', 'brainMl'], (name) => coursePlot(courses, name, groups))}`,
    },
    { id: 'groups', title: 'Do groups differ?', ...(await comparison(input.comparison)) },
    {
      id: 'visits',
      title: 'All visits',
      lead: 'Press a heading to sort; a name leads to the page of the visit.',
      body: visitTable(input),
    },
    { id: 'failed', title: 'Without a result', body: failures(visits) },
    input.problems.length > 0 && {
      id: 'input',
      title: 'The raw data set',
      lead: 'What breaks the rules of BIDS. The images were used all the same.',
      body: problems(input),
    },
    { id: 'method', title: 'How it was done', body: howItWasDone(input) },
  ]
  return page({
    title: 'Cohort of MS lesions',
    facts: [
      dataset,
      `${count(visits.length, 'visit')} of ${people === 1 ? '1 person' : `${people} people`}`,
      `${done.length} with a result`,
      date,
    ],
    sections: sections.filter((section) => section !== false && section !== undefined),
    software,
    style: benchmarkStyle,
  })
}

/** Visits of people who have several. */
const withCourse = (done: readonly CohortVisit[]): CohortVisit[] =>
  done.filter(({ subject }) => done.filter((other) => other.subject === subject).length > 1)

const stat = (value: string, unit: string, small: string): Html =>
  html`<div class="stat"><b>${value}</b><span>${unit}</span><small>${small}</small></div>`

function overview({ visits, mixed }: CohortInput, done: readonly CohortVisit[]): Html {
  const of = (status: CohortVisit['status']) => visits.filter((visit) => visit.status === status).length
  const ml = done.map(({ lesionMl }) => lesionMl)
  const lesions = done.map(({ lesionCount }) => lesionCount)
  const others = [
    [of('failed'), 'failed'],
    [of('left out'), 'left out'],
    [of('not run'), 'not run'],
  ].flatMap(([n, word]) => (n ? [`${n} ${word}`] : []))
  return html`<div class="stats">${stat(String(done.length), `of ${visits.length}`, `visits with a result${others.length > 0 ? `; ${listed(others)}` : ''}`)}${stat(figure(median(ml)), 'ml', `median lesion volume; quartiles ${figure(quantile(ml, 0.25))} and ${figure(quantile(ml, 0.75))}`)}${stat(figure(median(lesions), 0), 'lesions', `median; quartiles ${figure(quantile(lesions, 0.25), 0)} and ${figure(quantile(lesions, 0.75), 0)}`)}${stat(figure(median(done.map(({ brainMl }) => brainMl)), 0), 'ml', 'median brain volume')}</div>${
    mixed.length > 0 &&
    html`<ul class="flags"><li class="serious"><b>Mixed</b><span>The visits were not all made alike (${listed(mixed)}): do not compare them. Run the participant level again with one choice.</span></li></ul>`
  }`
}

const groupKey = (groups: readonly string[]): Html | false =>
  groups.length > 1 &&
  html`<p class="legend">${groups.map((group) => html`<span><i class="dot" style="--c:${colourOf(groups, group)}"></i>${group}</span>`)}</p>`

async function panels(names: readonly CohortFigure[], make: (name: CohortFigure) => Promise<Html>): Promise<Html> {
  const made: Html[] = []
  for (const name of names)
    made.push(html`<figure class="panel"><h3>${figureNames[name]}</h3>${await make(name)}</figure>`)
  return html`<div class="panels">${made}</div>`
}

function locationTable(done: readonly CohortVisit[]): Html {
  const rows = locations.map((location) => {
    const of = (key: 'count' | 'volumeMl') => done.map(({ byLocation }) => byLocation[location]?.[key] ?? 0)
    return html`<tr><td><i class="dot ${location}"></i>${locationNames[location]}</td><td class="n">${figure(median(of('count')), 0)}</td><td class="n">${figure(median(of('volumeMl')))}</td><td class="n">${done.filter(({ byLocation }) => (byLocation[location]?.count ?? 0) > 0).length}</td></tr>`
  })
  return html`<table class="by"><thead><tr><th>Location</th><th class="n">Median lesions</th><th class="n">Median ml</th><th class="n">Visits with any</th></tr></thead><tbody>${rows}</tbody></table>`
}

function outliers({ outliers: found, visits }: CohortInput): Html {
  if (found.length === 0) return html`<p>Nobody does.</p>`
  const pages = new Map(visits.map(({ id, report }) => [id, report]))
  const shown = found.slice(0, 200)
  return html`<div class="scroll"><table class="list fit"><thead><tr><th>Visit</th><th>Why</th></tr></thead><tbody>${shown.map(
    ({ id, why }) => html`<tr><th>${linked(id, pages.get(id))}</th><td class="long">${why}</td></tr>`,
  )}</tbody></table></div>${found.length > shown.length && html`<p class="fine">and ${found.length - shown.length} more, in cohort.tsv</p>`}`
}

const linked = (text: string, address: string | undefined): Html | string =>
  address === undefined ? text : html`<a href="${address}">${text}</a>`

async function comparison({
  column,
  groups,
  covariates,
  differences,
  joint,
  leftOut,
  none,
}: GroupComparison): Promise<Pick<Section, 'lead' | 'body'>> {
  if (none !== undefined) return { body: html`<p>Not compared: ${none}.</p>` }
  const ratios = differences.filter(({ figure: name }) => name !== 'brainMl')
  const adjusted = covariates.length > 0 ? `adjusted for ${listed(covariates)}` : 'not adjusted for anything'
  return {
    lead: `First visit of each person, by ${column} (${listed(groups.map(({ name, n }) => `${name} ${n}`))}), ${adjusted}. Linear model; of lesion figures on the logarithm, after adding 1 ml, 1 lesion or 0.1 %, so that the estimate is a ratio; of the brain the difference in ml. The p on ranks comes from the same model on ranks.${leftOut > 0 ? ` ${count(leftOut, 'person', 'people')} without group or covariates left out.` : ''}`,
    body: html`<figure class="panel">${await ratioPlot(ratios)}</figure><div class="scroll free"><table class="list fit"><thead><tr><th>Figure</th><th>Group</th><th>Against</th><th class="n">Estimate</th><th class="n">95 % interval</th><th class="n">People</th><th class="n">p</th><th class="n">p, Holm</th><th class="n">p, ranks</th></tr></thead><tbody>${differences.map(
      (one) =>
        html`<tr><th>${figureNames[one.figure]}</th><td>${one.group}</td><td>${one.reference}</td><td class="n">${one.figure === 'brainMl' ? `${signed(one.estimate, 0)} ml` : `× ${figure(one.estimate, 2)}`}</td><td class="n">${signed(one.low, one.figure === 'brainMl' ? 0 : 2)} to ${signed(one.high, one.figure === 'brainMl' ? 0 : 2)}</td><td class="n">${one.n}</td><td class="n">${pText(one.p)}</td><td class="n">${pText(one.adjusted)}</td><td class="n">${pText(one.rankP)}</td></tr>`,
    )}</tbody></table></div>${
      groups.length > 2 &&
      html`<p class="fine">All groups together: ${joint.map(({ figure: name, f, df1, df2, p }, i) => `${i > 0 ? '; ' : ''}${figureNames[name]} F(${df1}, ${df2}) = ${figure(f, 2)}, p ${p < 0.001 ? '' : '= '}${pText(p)}`)}.</p>`
    }`,
  }
}

const signed = (value: number, decimals: number): string => figure(value, decimals).replace('-', '−')

function visitTable({ visits }: CohortInput): Html {
  return html`<div class="scroll"><table class="list" data-sortable><thead><tr><th>Visit</th><th class="n">Lesions</th><th class="n">Lesion ml</th><th class="n">% of brain</th><th class="n">Brain ml</th>${locations.map((name) => html`<th class="n">${locationNames[name].split(/[ ,]/)[0]} ml</th>`)}<th class="n">Doubts</th><th class="n">Minutes</th></tr></thead><tbody>${visits.map(
    (visit) =>
      html`<tr${visit.status === 'done' ? '' : html` class="missing"`}><th>${linked(visit.id, visit.report)}</th><td class="n">${figure(visit.lesionCount, 0)}</td><td class="n">${figure(visit.lesionMl)}</td><td class="n">${figure(visit.percentOfBrain, 2)}</td><td class="n">${figure(visit.brainMl, 0)}</td>${locations.map((name) => html`<td class="n">${figure(visit.byLocation[name]?.volumeMl ?? Number.NaN)}</td>`)}<td class="n">${visit.status === 'done' ? visit.doubts.length : visit.status}</td><td class="n">${figure(visit.minutes, 1)}</td></tr>`,
  )}</tbody></table></div>`
}

function failures(visits: readonly CohortVisit[]): Html {
  const without = visits.filter(({ status }) => status !== 'done')
  if (without.length === 0) return html`<p>Every visit has a result.</p>`
  return html`<div class="scroll"><table class="list fit"><thead><tr><th>Visit</th><th>How it ended</th><th>Why</th></tr></thead><tbody>${without.map(
    ({ id, status, reason }) => html`<tr><th>${id}</th><td>${status}</td><td class="long">${reason ?? '–'}</td></tr>`,
  )}</tbody></table></div>`
}

function problems({ problems: found }: CohortInput): Html {
  const shown = found.slice(0, 100)
  return html`<div class="scroll"><table class="list fit"><thead><tr><th>File</th><th>Problem</th></tr></thead><tbody>${shown.map(
    ({ file, problem }) => html`<tr><td><code>${file}</code></td><td class="long">${problem}</td></tr>`,
  )}</tbody></table></div>${found.length > shown.length && html`<p class="fine">and ${found.length - shown.length} more, in logs/input-problems.tsv</p>`}`
}

function howItWasDone({ methods, visits, software }: CohortInput): Html {
  const minutes = visits.map((visit) => visit.minutes).filter((value) => !Number.isNaN(value))
  const memory = visits.map(({ peakMegabytes }) => peakMegabytes).filter((value) => !Number.isNaN(value))
  return html`<p>Everything in a table: <a href="cohort.tsv">cohort.tsv</a>, a row a visit; what the columns mean: <a href="cohort.json">cohort.json</a>. Made from the results that are there; nothing was run again.</p><blockquote>${methods.map(
    ({ id, citation, n }) =>
      html`${count(n, 'visit')} ${n === 1 ? 'was' : 'were'} segmented with ${software.name} ${software.version}, method ${id}${citation ? ` (${citation})` : ''}. `,
  )}Each visit was segmented by itself in the space of its FLAIR.</blockquote><table class="facts"><tbody><tr><th>Time of a visit, median</th><td class="n">${figure(60 * median(minutes), 0)} s</td></tr><tr><th>Memory of a visit, most</th><td class="n">${memory.length > 0 ? figure(Math.max(...memory), 0) : '–'} MB</td></tr></tbody></table>`
}
