import type { Measure, Ranking } from '../evaluate/protocol.js'
import type { BenchmarkInput, Comparison, Estimate, MethodAnalysis } from './benchmark-input.js'
import { mark } from './benchmark-looks.js'
import { binName, caseValuesOf, type Looks } from './benchmark-plots.js'
import { type Html, html } from './html.js'
import { figure, plain } from './words.js'

const signed = (value: number, decimals: number): string => figure(value, decimals).replace('-', '−')
const share = (value: number): string => (Number.isNaN(value) ? '–' : `${figure(100 * value, 0)} %`)

/** Methods in the order of their places in the first measure. */
export const byPlace = ({ analysis }: BenchmarkInput): MethodAnalysis[] => {
  const [main] = analysis.primary
  return [...analysis.methods].sort((a, b) => a.places[main] - b.places[main])
}

export function rankingTable(input: BenchmarkInput, measures: readonly Measure[], looks: Looks): Html {
  const several = input.methods.length > 1
  const [main] = measures
  const stoodIn = input.runs.some(({ standIns }) => standIns && standIns.length > 0)
  return html`<div class="scroll free"><table class="list"><thead><tr>${several && html`<th class="n">Place</th>`}<th>Method</th>${measures.map(
    ({ label }) => html`<th class="n">${label}</th>`,
  )}${several && html`<th class="n">First in</th>`}<th class="n">Lesions found</th><th class="n">Lesions right</th><th class="n">Method alone</th><th class="n">Failed</th>${stoodIn && html`<th class="long">In place of a contrast</th>`}</tr></thead><tbody>${byPlace(
    input,
  ).map(
    ({ id, places, first, estimates, seconds, failed }) =>
      html`<tr>${several && html`<td class="n">${placeText(places[main.key])}</td>`}<th>${mark(looks.get(id)!)} ${id}</th>${measures.map(
        ({ key }) => html`<td class="n">${withInterval(estimates[key])}</td>`,
      )}${several && html`<td class="n">${share(first[main.key])}</td>`}<td class="n">${figure(estimates.lesion_sensitivity.mean, 3)}</td><td class="n">${figure(estimates.lesion_precision.mean, 3)}</td><td class="n">${secondsText(seconds.method)}</td><td class="n">${failed}</td>${stoodIn && html`<td class="long">${standInsText(input, id)}</td>`}</tr>`,
  )}</tbody></table></div>`
}

/** What stood in for which contrast, and on how many cases. */
function standInsText({ runs }: BenchmarkInput, method: string): string {
  const own = runs.filter((run) => run.method === method && run.repeat === 1 && run.status === 'done')
  const counts = new Map<string, number>()
  for (const { standIns = [] } of own)
    for (const { given, for: role } of standIns) {
      const text =
        given === 'nothing' ? `without ${role.toUpperCase()}` : `${given.toUpperCase()} for ${role.toUpperCase()}`
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  return (
    [...counts].map(([text, n]) => (n === own.length ? text : `${text} on ${n} of ${own.length}`)).join(', ') || '–'
  )
}

const placeText = (place: number): string => (Number.isInteger(place) ? String(place) : figure(place, 1))

const withInterval = ({ mean, low, high }: Estimate): Html =>
  html`<strong>${figure(mean, 3)}</strong>${!Number.isNaN(low) && html`<span class="ci">${figure(low, 3)} to ${figure(high, 3)}</span>`}`

export const secondsText = (seconds: number): string =>
  Number.isNaN(seconds)
    ? '–'
    : seconds < 0.95
      ? `${figure(seconds, 2)} s`
      : `${figure(seconds, seconds < 9.95 ? 1 : 0)} s`

/** As the protocol's organisers rank. */
export const officialRankings = (rankings: readonly Ranking[]): Html =>
  html`<div class="methods">${rankings.map(
    ({ title, places }) =>
      html`<div><h3>${title}</h3><table class="facts"><tbody>${places.map(
        ({ team, place, value }) =>
          html`<tr><td class="n">${placeText(place)}</td><th>${team}</th><td class="n">${signed(value, 4)}</td></tr>`,
      )}</tbody></table></div>`,
  )}</div>`

export function comparisonTable(comparisons: readonly Comparison[], measures: readonly Measure[]): Html {
  const label = new Map(measures.map((measure) => [measure.key, measure.label]))
  return html`<div class="scroll free"><table class="list"><thead><tr><th>Measure</th><th>Better</th><th>Other</th><th class="n">Difference</th><th class="n">95 % interval</th><th class="n">Patients</th><th class="n">p, Wilcoxon</th><th class="n">p, Holm</th><th>Differ at 5 %</th></tr></thead><tbody>${comparisons.map(
    ({ measure, better, other, difference, low, high, n, p, adjusted }) =>
      html`<tr><td>${label.get(measure) ?? measure}</td><th>${better}</th><td>${other}</td><td class="n">${signed(difference, 3)}</td><td class="n">${Number.isNaN(low) ? '–' : `${signed(low, 3)} to ${signed(high, 3)}`}</td><td class="n">${n}</td><td class="n">${pText(p)}</td><td class="n">${pText(adjusted)}</td><td>${Number.isNaN(adjusted) ? '–' : adjusted < 0.05 ? 'yes' : 'not shown'}</td></tr>`,
  )}</tbody></table></div>`
}

export const pText = (p: number): string => (Number.isNaN(p) ? '–' : p < 0.001 ? '< 0.001' : figure(p, p < 0.1 ? 3 : 2))

/** Every case by every method, the smallest lesion load first; the fuller the colour, the better. */
export function heatMap(input: BenchmarkInput, { key }: Measure): Html {
  const { methods, cases, runs, analysis } = input
  const shown = cases.filter(({ id }) => analysis.cases.includes(id)).sort((a, b) => a.referenceMl - b.referenceMl)
  const values = new Map(caseValuesOf(input, key).map((one) => [`${one.method} ${one.case}`, one]))
  const cell = (method: string, id: string) => {
    const found = values.get(`${method} ${id}`)
    if (!found || found.failed) return html`<td class="h none" data-v="-1">failed</td>`
    if (Number.isNaN(found.value)) return html`<td class="h none" data-v="">–</td>`
    const text = figure(found.value, 2)
    const report = runs.find((run) => run.method === method && run.case === id)?.report
    return html`<td class="h" data-v="${found.value}" style="--v:${found.value.toFixed(2)}">${report ? html`<a href="${report}">${text}</a>` : text}</td>`
  }
  return html`<div class="scroll free"><table class="list fit heat" data-sortable><thead><tr><th>Case</th><th class="n">Load, ml</th>${methods.map(
    ({ id }) => html`<th class="c">${id}</th>`,
  )}</tr></thead><tbody>${shown.map(
    ({ id, referenceMl }, n) =>
      html`<tr><th data-v="${n}">${id}</th><td class="n" data-v="${referenceMl}">${figure(referenceMl, 1)}</td>${methods.map((method) => cell(method.id, id))}</tr>`,
  )}</tbody></table></div>`
}

/** Lesions met by size, as counts. */
export function sizeTable(methods: readonly MethodAnalysis[], looks: Looks): Html {
  const bins = methods[0]?.bySize ?? []
  const of = (hit: number, n: number) => (n === 0 ? '–' : `${hit} / ${n}`)
  return html`<div class="scroll free"><table class="list"><thead><tr><th>Method</th><th></th>${bins.map(({ from, to }) => html`<th class="n">${binName(from, to)} mm³</th>`)}</tr></thead><tbody>${methods.map(
    ({ id, bySize }) =>
      html`<tr><th>${mark(looks.get(id)!)} ${id}</th><td>found of the reference’s</td>${bySize.map(({ detected, reference }) => html`<td class="n">${of(detected, reference)}</td>`)}</tr><tr><th></th><td>confirmed of its own</td>${bySize.map(({ confirmed, candidate }) => html`<td class="n">${of(confirmed, candidate)}</td>`)}</tr>`,
  )}</tbody></table></div>`
}

export const volumeTable = (methods: readonly MethodAnalysis[], looks: Looks): Html =>
  html`<div class="scroll free"><table class="list"><thead><tr><th>Method</th><th class="n">Cases</th><th class="n">Bias, ml</th><th class="n">Limits of agreement, ml</th><th class="n">ICC(2,1)</th><th class="n">Concordance (Lin)</th><th class="n">Correlation (Pearson)</th></tr></thead><tbody>${methods.map(
    ({ id, volume: { n, blandAltman, icc21, concordance, pearson } }) =>
      html`<tr><th>${mark(looks.get(id)!)} ${id}</th><td class="n">${n}</td><td class="n">${signed(blandAltman.bias.value, 2)}</td><td class="n">${signed(blandAltman.lower.value, 1)} to ${signed(blandAltman.upper.value, 1)}</td>${[
        icc21,
        concordance,
        pearson,
      ].map(
        ({ value, low, high }) =>
          html`<td class="n">${signed(value, 2)}${Number.isFinite(low) && html`<span class="ci">${signed(low, 2)} to ${signed(high, 2)}</span>`}</td>`,
      )}</tr>`,
  )}</tbody></table></div>`

export const costTable = (methods: readonly MethodAnalysis[], looks: Looks): Html =>
  html`<div class="scroll free"><table class="list fit"><thead><tr><th>Method</th><th class="n">Preparation</th><th class="n">Method alone</th><th class="n">Images to report</th><th class="n">Peak memory</th><th class="n">Repeats</th></tr></thead><tbody>${methods.map(
    ({ id, seconds, peakMegabytes, repeatable }) =>
      html`<tr><th>${mark(looks.get(id)!)} ${id}</th><td class="n">${secondsText(seconds.prepare)}</td><td class="n">${secondsText(seconds.method)}</td><td class="n">${secondsText(seconds.total)}</td><td class="n">${figure(peakMegabytes, 0)} MB</td><td class="n">${repeatable === undefined ? '–' : repeatable ? 'same masks' : 'masks differ'}</td></tr>`,
  )}</tbody></table></div>`

/** The other measures, the protocol's own among them. */
export function measuresTable({ measures, analysis }: BenchmarkInput, looks: Looks): Html {
  const rows = measures.filter(({ key }) => analysis.methods.some(({ estimates }) => estimates[key]?.n > 0))
  const way = { higher: '↑', lower: '↓', neither: '' }
  const text = (estimate: Estimate | undefined, unit: Measure['unit']) => {
    if (!estimate || estimate.n === 0) return '–'
    const decimals = unit === '' ? 3 : unit === 'lesions' || unit === '%' ? 1 : 2
    return html`${signed(estimate.mean, decimals)}${!Number.isNaN(estimate.low) && html`<span class="ci">${signed(estimate.low, decimals)} to ${signed(estimate.high, decimals)}</span>`}`
  }
  return html`<div class="scroll free"><table class="list fit measures"><thead><tr><th>Mean over cases</th>${analysis.methods.map(({ id }) => html`<th class="n">${mark(looks.get(id)!)} ${id}</th>`)}</tr></thead><tbody>${rows.map(
    ({ key, label, unit, better }) =>
      html`<tr><th>${label}${unit && `, ${unit}`} <span class="way">${way[better]}</span></th>${analysis.methods.map(({ estimates }) => html`<td class="n">${text(estimates[key], unit)}</td>`)}</tr>`,
  )}</tbody></table></div>`
}

export function failures({ runs, leftOut }: BenchmarkInput): Html {
  const failed = runs.filter(({ status }) => status === 'failed')
  if (failed.length + leftOut.length === 0) return html`<p class="fine">Every method gave a result on every case.</p>`
  return html`<div class="scroll free"><table class="list fit"><thead><tr><th>Case</th><th>Method</th><th class="n">Exit code</th><th>Reason</th></tr></thead><tbody>${failed.map(
    (run) =>
      html`<tr><th>${run.case}</th><td>${run.method}${run.repeat > 1 && `, run ${run.repeat}`}</td><td class="n">${run.exitCode ?? '–'}</td><td class="long">${run.reason}</td></tr>`,
  )}${leftOut.map(
    ({ id, reason }) =>
      html`<tr><th>${id}</th><td>left out</td><td class="n">–</td><td class="long">${reason}</td></tr>`,
  )}</tbody></table></div>`
}

export const methodCards = ({ methods }: BenchmarkInput, looks: Looks): Html =>
  html`<div class="methods">${methods.map(
    ({ id, title, citation, params, notes }) =>
      html`<div><h3>${mark(looks.get(id)!)} ${title} (${id})</h3><p class="cite">${citation}</p><table class="facts"><tbody>${Object.entries(
        params,
      ).map(
        ([name, value]) =>
          html`<tr><th>${name}${notes[name] && html`<small>${notes[name]}</small>`}</th><td class="n">${plain(value)}</td></tr>`,
      )}</tbody></table></div>`,
  )}</div>`
