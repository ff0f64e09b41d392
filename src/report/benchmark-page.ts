import type { Measure } from '../evaluate/protocol.js'
import type { BenchmarkInput, CriticalDifference } from './benchmark-input.js'
import { key, looksOf } from './benchmark-looks.js'
import * as plots from './benchmark-plots.js'
import { benchmarkStyle } from './benchmark-style.js'
import * as tables from './benchmark-tables.js'
import { type Html, html } from './html.js'
import { page } from './page.js'
import { rankDiagram } from './rank-diagram.js'
import { dataUri } from './raster.js'
import type { Section } from './sections.js'
import { count, figure, listed } from './words.js'

/**
 * The page of a benchmark: who is best and how sure that is, where methods fail and what they cost, with pictures. One
 * file that needs no network; it links to the tables and the reports of single runs beside it.
 */
export async function buildBenchmarkPage(input: BenchmarkInput): Promise<string> {
  const { analysis, methods, software, date, protocol } = input
  const sections = analysis.cases.length > 0 ? await resultSections(input) : []
  return page({
    title: 'Benchmark of lesion segmentation',
    facts: [
      listed(methods.map(({ id }) => id)),
      `${count(analysis.cases.length, 'case')} of ${count(analysis.groups, 'patient')}`,
      protocol.title,
      date,
    ],
    sections: [
      ...(sections.length > 0 ? sections : [noResult]),
      {
        id: 'failed',
        title: 'What failed',
        lead: 'A run that failed where another method gave a result counts as 0 in Dice and lesion F1; a case on which every method failed counts for nobody.',
        body: tables.failures(input),
      },
      { id: 'method', title: 'How it was done', body: howItWasDone(input) },
    ],
    software,
    style: benchmarkStyle,
  })
}

const noResult: Section = {
  id: 'ranking',
  title: 'Result',
  body: html`<p>No method gave a result on any case; below are the reasons.</p>`,
}

async function resultSections(input: BenchmarkInput): Promise<Section[]> {
  const { analysis, measures, methods, protocol } = input
  const looks = looksOf(input)
  const primary = analysis.primary.map((name) => measures.find((measure) => measure.key === name)!)
  const ordered = tables.byPlace(input)
  const several = methods.length > 1
  const legend = several ? key(looks) : undefined
  const panels = async (make: (measure: Measure) => Promise<Html>) =>
    await each(primary, async (m) => panel(m.label, await make(m)))
  const spans = ordered.flatMap(({ id, volume: { blandAltman } }) => [
    ...plots.volumePairs(input, id).map(({ reference, candidate }) => candidate - reference),
    blandAltman.lower.value,
    blandAltman.upper.value,
  ])
  const finite = spans.filter(Number.isFinite)
  const reach = 1.08 * Math.max(1, ...finite.map(Math.abs))
  const span = [Math.min(...finite, 0) < 0 ? -reach : 0, reach] as const

  const all: (Section | undefined)[] = [
    {
      id: 'ranking',
      title: 'Result',
      lead: `Means over ${count(analysis.cases.length, 'case')} with 95 % confidence intervals, whole patients resampled.${several ? ' “First in”: the share of resampled data sets in which no other method has a higher mean Dice.' : ''}`,
      body: html`${tables.rankingTable(input, primary, looks)}${
        analysis.rankings.length > 0 &&
        html`<h3>As ${protocol.title} ranks</h3>${tables.officialRankings(analysis.rankings)}`
      }`,
    },
    {
      id: 'spread',
      title: 'How the cases are spread',
      lead: 'A dot is a case; the box runs from the first to the third quartile with the median as a thick line. Above it the mean with its 95 % interval.',
      body: await panels((measure) => plots.distributionPlot(input, measure, looks)),
    },
    several
      ? {
          id: 'comparison',
          title: 'Do they differ?',
          lead: 'Methods compared patient by patient: Wilcoxon’s signed-rank test, adjusted for the number of comparisons (Holm). A filled dot differs at 5 %; what is not shown to differ is not thereby alike.',
          body: html`${await panels((measure) => plots.differencePlot(input, measure))}${tables.comparisonTable(analysis.comparisons, primary)}<h3>Critical-difference diagram</h3>${await rankDiagrams(input, primary)}`,
        }
      : undefined,
    {
      id: 'cases',
      title: 'Case by case',
      lead: 'The smallest lesion load first; the fuller the colour, the better. A figure leads to the report of its run. Press a heading to sort.',
      body: await panels(async (measure) => tables.heatMap(input, measure)),
    },
    {
      id: 'load',
      title: 'Against the lesion load',
      lead: `Few lesions are harder: one voxel more or less weighs more.${several ? ' Lines join the methods’ results on one case.' : ''}`,
      body: html`${legend}${await panels((measure) => plots.loadPlot(input, measure, looks))}`,
    },
    {
      id: 'size',
      title: 'Detection by lesion size',
      lead: 'Lesions of all cases together (18-connected); one shared voxel is enough.',
      body: html`${legend}<div class="panels">${panel('Found of the reference’s lesions', await plots.sizePlot(ordered, 'found', looks))}${panel('Confirmed of the methods’ lesions', await plots.sizePlot(ordered, 'right', looks))}</div>${tables.sizeTable(ordered, looks)}`,
    },
    {
      id: 'volume',
      title: 'Volumes',
      lead: 'Bland–Altman: the difference of the volumes against their mean. Dashed: the bias and the limits within which 95 % of the differences are expected.',
      body: html`${await each(ordered, async (method) => panel(method.id, await plots.blandAltmanPlot(input, method, looks.get(method.id)!, span)))}${tables.volumeTable(ordered, looks)}`,
    },
    {
      id: 'cost',
      title: 'Cost against accuracy',
      lead: 'Medians over the cases. Preparation is done once and shared by the methods that need the same; “images to report” is what a single run takes that finds nothing prepared.',
      body: html`${legend}${await panels((measure) => plots.costPlot(input, measure, looks))}${tables.costTable(ordered, looks)}`,
    },
    pictures(input),
    {
      id: 'measures',
      title: 'All measures',
      lead: `Means with 95 % intervals over the cases in which a measure is defined. ↑ more is better, ↓ less is better. Keys as in results.tsv; those of ${protocol.title} are named (${protocol.id}).`,
      body: tables.measuresTable(input, looks),
    },
  ]
  return all.filter((section) => section !== undefined)
}

const panel = (title: string, plot: Html): Html => html`<figure class="panel"><h3>${title}</h3>${plot}</figure>`

async function each<T>(items: readonly T[], make: (item: T) => Promise<Html>): Promise<Html> {
  const made: Html[] = []
  for (const item of items) made.push(await make(item))
  return html`<div class="panels">${made}</div>`
}

async function rankDiagrams({ analysis }: BenchmarkInput, primary: readonly Measure[]): Promise<Html> {
  const isDiagram = (one: (typeof analysis.criticalDifferences)[number]): one is CriticalDifference => 'ranks' in one
  const drawn = analysis.criticalDifferences.filter(isDiagram)
  const [first] = analysis.criticalDifferences
  if (drawn.length === 0 || !first)
    return html`<p class="fine">Not drawn: ${first && !isDiagram(first) ? first.reason : 'there is nothing to rank'}.</p>`
  return html`<p class="lead">Mean ranks over the patients, 1 is best. Bars join methods of which no two differ (Nemenyi, 5 %).</p>${await each(
    drawn,
    async (one) => {
      const label = primary.find((measure) => measure.key === one.measure)?.label ?? one.measure
      const described = [...one.ranks]
        .sort((a, b) => a.rank - b.rank)
        .map(({ method, rank }) => `${method} ${figure(rank, 2)}`)
      return html`<figure class="panel"><h3>${label}</h3>${rankDiagram(one, `Mean ranks in ${label}: ${listed(described)}`)}<figcaption>Friedman’s test over ${count(one.n, 'patient')}: p ${one.p < 0.001 ? '' : '= '}${tables.pText(one.p)}</figcaption></figure>`
    },
  )}`
}

function pictures({ pictures: given }: BenchmarkInput): Section | undefined {
  if (given.length === 0) return undefined
  return {
    id: 'pictures',
    title: 'Best and worst cases',
    lead: 'By Dice. Axial slices spread over those with lesions, from the top; the patient’s right is on the left of the image.',
    body: html`<p class="legend"><span><i class="swatch" style="background:var(--both)"></i>edge of both</span><span><i class="swatch" style="background:var(--only)"></i>method alone</span><span><i class="swatch" style="background:var(--missed)"></i>reference alone</span></p><div class="pictures">${given.map(
      ({ method, case: name, dice, which, png }) =>
        html`<figure><img src="${dataUri(png)}" alt="Slices of case ${name} with the outlines of ${method} and the reference" loading="lazy"><figcaption><strong>${method}</strong>, its ${which} case: ${name}, Dice ${figure(dice, 3)}</figcaption></figure>`,
    )}</div>`,
  }
}

function howItWasDone(input: BenchmarkInput): Html {
  const { settings, machine, software, protocol, analysis, methods } = input
  return html`<p>Everything in tables: <a href="results.tsv">results.tsv</a> (a row a run), <a href="benchmark.json">benchmark.json</a> (also parameters, versions, sha256 of all files, figures behind this page); masks and reports of single runs in <code>runs/</code>.</p>
<h3>For the Methods section</h3>
<blockquote>${listed(methods.map(({ id, citation }) => `${id} (${citation})`))} ${methods.length === 1 ? 'was' : 'were'} run with ${software.name} ${software.version} on ${count(analysis.cases.length, 'case')} of ${count(analysis.groups, 'patient')} and scored by ${protocol.title} (${protocol.citation}). Confidence intervals are bias-corrected and accelerated bootstrap intervals from 2,000 resamples of patients.${methods.length > 1 && ' Methods were compared by Wilcoxon’s signed-rank test on the means of the patients, with Holm’s correction.'} Failed runs count as 0.</blockquote>
<h3>Methods and parameters</h3>${tables.methodCards(input, looksOf(input))}
<h3>Settings</h3><table class="facts"><tbody>${Object.entries(settings).map(([name, value]) => html`<tr><th>${name}</th><td class="n">${value}</td></tr>`)}<tr><th>Machine</th><td class="n">${machine}</td></tr></tbody></table>`
}
