import type { Measure } from '../evaluate/protocol.js'
import { quantile } from '../evaluate/statistics/describe.js'
import type { BenchmarkInput, MethodAnalysis } from './benchmark-input.js'
import type { Look } from './benchmark-looks.js'
import type { Html } from './html.js'
import { drawn } from './plot.js'
import { figure } from './words.js'

/** All plots are this wide: legible on a phone, two beside each other on a screen. */
const width = 440
const common = { width, marginRight: 16, marginTop: 16, marginBottom: 44, style: { fontSize: '12.5px' } }
const axis = { labelAnchor: 'center', labelArrow: 'none', labelOffset: 38 } as const
const upAxis = { ...axis, labelOffset: 46 } as const

/** A logarithmic axis with a margin by a factor on either side and few round ticks. */
function logAxis(values: readonly number[], margin = 1.4) {
  const [least, most] = values.length > 0 ? [Math.min(...values), Math.max(...values)] : [1, 10]
  const domain = [least / margin, most * margin]
  const within = (steps: readonly number[]) =>
    Array.from({ length: 14 }, (_, n) => steps.map((step) => step * 10 ** (n - 5)))
      .flat()
      .filter((value) => value >= domain[0] && value <= domain[1])
  const ticks = [[1], [1, 3], [1, 2, 5]].map(within).find(({ length }) => length >= 4) ?? within([1, 1.5, 2, 3, 5, 7])
  const tickFormat = (value: number) => String(Number(value.toPrecision(2)))
  return { type: 'log' as const, domain, ticks, tickFormat, grid: true }
}

export type Looks = ReadonlyMap<string, Look>

/** A method's value of a measure on a case: the mean over its repeats; 0 where it failed and others did not. */
export interface CaseValue {
  method: string
  case: string
  value: number
  failed: boolean
}

/** Values of one measure on the cases that count. */
export function caseValuesOf({ methods, runs, analysis }: BenchmarkInput, key: string): CaseValue[] {
  return methods.flatMap(({ id }) =>
    analysis.cases.map((name) => {
      const own = runs.filter((run) => run.method === id && run.case === name)
      const values = own.flatMap(({ status, scores }) => (status === 'failed' ? [0] : [scores?.[key] ?? Number.NaN]))
      return {
        method: id,
        case: name,
        value: values.reduce((sum, value) => sum + value, 0) / values.length,
        failed: own.every(({ status }) => status === 'failed'),
      }
    }),
  )
}

/** Box (quartiles, median), whiskers to the ends, and a dot a case; the mean with its interval above. */
export async function distributionPlot(input: BenchmarkInput, measure: Measure, looks: Looks): Promise<Html> {
  const rows = input.analysis.methods
  const values = caseValuesOf(input, measure.key).filter(({ value }) => !Number.isNaN(value))
  const boxes = rows.flatMap(({ id, estimates }, at) => {
    const own = values.filter(({ method }) => method === id).map(({ value }) => value)
    if (own.length === 0) return []
    const [least, low, middle, high, most] = [0, 0.25, 0.5, 0.75, 1].map((p) => quantile(own, p))
    return [{ at, least, low, middle, high, most, ...looks.get(id)!, estimate: estimates[measure.key] }]
  })
  const dots = values.map(({ method, case: name, value }, n) => ({
    x: value,
    // Golden-ratio steps spread neighbours without random numbers.
    y: rows.findIndex(({ id }) => id === method) + 0.16 + 0.3 * ((n * 0.618034) % 1),
    title: `${method}, ${name}: ${figure(value, 3)}`,
    ...looks.get(method)!,
  }))
  return await drawn((Plot) => ({
    ...common,
    height: 64 + 62 * rows.length,
    marginLeft: 12 + 7.4 * Math.max(...rows.map(({ id }) => id.length)),
    ariaLabel: `${measure.label} of all cases by method`,
    x: { ...axis, label: measure.label, domain: [0, 1], ticks: 6, grid: true },
    y: {
      domain: [rows.length - 0.4, -0.5],
      ticks: rows.map((_, at) => at),
      tickSize: 0,
      label: null,
      tickFormat: (at: number) => rows[at]?.id ?? '',
    },
    color: { type: 'identity' },
    marks: [
      Plot.ruleY(boxes, { y: 'at', x1: 'least', x2: 'most', stroke: 'colour', strokeWidth: 1 }),
      Plot.rect(boxes, {
        x1: 'low',
        x2: 'high',
        y1: (d) => d.at - 0.12,
        y2: (d) => d.at + 0.12,
        fill: 'colour',
        fillOpacity: 0.28,
        stroke: 'colour',
        insetTop: 0,
      }),
      Plot.ruleX(boxes, {
        x: 'middle',
        y1: (d) => d.at - 0.12,
        y2: (d) => d.at + 0.12,
        stroke: 'colour',
        strokeWidth: 3,
      }),
      Plot.dot(dots, { x: 'x', y: 'y', r: 2.7, fill: 'colour', fillOpacity: 0.65, title: 'title' }),
      Plot.ruleY(boxes, {
        y: (d) => d.at - 0.28,
        x1: (d) => d.estimate.low,
        x2: (d) => d.estimate.high,
        stroke: 'currentColor',
        strokeWidth: 1.6,
      }),
      Plot.dot(boxes, { y: (d) => d.at - 0.28, x: (d) => d.estimate.mean, r: 3.2, fill: 'currentColor' }),
    ],
  }))
}

/** Differences between methods with their intervals; on the zero line two methods are alike. */
export async function differencePlot(input: BenchmarkInput, measure: Measure): Promise<Html> {
  const rows = input.analysis.comparisons.filter((one) => one.measure === measure.key && !Number.isNaN(one.difference))
  const ends = rows
    .flatMap(({ low, high, difference }) => [low, high, difference])
    .filter((value) => !Number.isNaN(value))
  const [least, most] = [Math.min(0, ...ends), Math.max(0.02, ...ends)]
  const names = rows.map(({ better, other }) => `${better} − ${other}`)
  const longest = Math.max(...names.map((name) => name.length))
  return await drawn((Plot) => ({
    ...common,
    height: 70 + 30 * rows.length,
    marginLeft: Math.min(230, 16 + 7.7 * longest),
    ariaLabel: `Differences in ${measure.label} between methods with 95 % intervals`,
    x: { ...axis, label: `Difference in ${measure.label}`, domain: [least - 0.01, most + 0.01], ticks: 5, grid: true },
    y: { domain: rows.map((_, n) => n), type: 'band', tickSize: 0, label: null, tickFormat: (n: number) => names[n] },
    marks: [
      Plot.ruleX([0], { stroke: 'currentColor', strokeDasharray: '3 3' }),
      Plot.link(rows, {
        y1: (_, n) => n,
        y2: (_, n) => n,
        x1: 'low',
        x2: 'high',
        stroke: 'var(--accent)',
        strokeWidth: 2,
      }),
      Plot.dot(rows, {
        y: (_, n) => n,
        x: 'difference',
        r: 4.5,
        fill: (d) => (d.adjusted < 0.05 ? 'var(--accent)' : 'var(--paper)'),
        stroke: 'var(--accent)',
        strokeWidth: 2,
      }),
    ],
  }))
}

/** Dice of each case against its lesion load, on a logarithmic axis; dots of one case stand above each other. */
export async function loadPlot(input: BenchmarkInput, measure: Measure, looks: Looks): Promise<Html> {
  const load = new Map(input.cases.map(({ id, referenceMl }) => [id, referenceMl]))
  const dots = caseValuesOf(input, measure.key).flatMap(({ method, case: name, value }) => {
    const ml = load.get(name) ?? Number.NaN
    if (!(ml > 0) || Number.isNaN(value)) return []
    return [
      { ml, value, name, title: `${method}, ${name}: ${figure(value, 3)}, ${figure(ml)} ml`, ...looks.get(method)! },
    ]
  })
  return await drawn((Plot) => ({
    ...common,
    height: 320,
    marginLeft: 52,
    ariaLabel: `${measure.label} against the lesion load of the reference`,
    x: {
      ...axis,
      label: 'Lesion load of the reference, ml',
      ...logAxis(dots.map(({ ml }) => ml)),
    },
    y: { ...upAxis, label: measure.label, domain: [0, 1], ticks: 6, grid: true },
    color: { type: 'identity' },
    symbol: { type: 'identity' },
    marks: [
      Plot.line(dots, { x: 'ml', y: 'value', z: 'name', stroke: 'currentColor', strokeOpacity: 0.2 }),
      Plot.dot(dots, {
        x: 'ml',
        y: 'value',
        symbol: 'symbol',
        r: 4,
        fill: 'colour',
        fillOpacity: 0.85,
        title: 'title',
      }),
    ],
  }))
}

/** What share of the lesions of each size was found, or of the method's own lesions was right. */
export async function sizePlot(
  methods: readonly MethodAnalysis[],
  which: 'found' | 'right',
  looks: Looks,
): Promise<Html> {
  const dots = methods.flatMap(({ id, bySize }) =>
    bySize.flatMap(({ from, to, reference, detected, candidate, confirmed }, at) => {
      const [n, hit] = which === 'found' ? [reference, detected] : [candidate, confirmed]
      return n === 0
        ? []
        : [{ id, at, share: hit / n, title: `${id}, ${binName(from, to)} mm³: ${hit} of ${n}`, ...looks.get(id)! }]
    }),
  )
  const bins = methods[0]?.bySize ?? []
  return await drawn((Plot) => ({
    ...common,
    height: 290,
    marginLeft: 52,
    ariaLabel:
      which === 'found'
        ? 'Share of the reference’s lesions that was found, by size'
        : 'Share of the methods’ lesions that the reference confirms, by size',
    x: {
      ...axis,
      label: 'Size of the lesion, mm³',
      type: 'point',
      domain: bins.map((_, at) => at),
      padding: 0.4,
      tickFormat: (at: number) => binName(bins[at].from, bins[at].to),
      tickSize: 0,
    },
    y: {
      ...upAxis,
      label: which === 'found' ? 'Share found' : 'Share confirmed',
      domain: [0, 1],
      ticks: 6,
      grid: true,
    },
    color: { type: 'identity' },
    symbol: { type: 'identity' },
    marks: [
      Plot.line(dots, { x: 'at', y: 'share', z: 'id', stroke: 'colour', strokeWidth: 1.6 }),
      Plot.dot(dots, { x: 'at', y: 'share', symbol: 'symbol', r: 4.5, fill: 'colour', title: 'title' }),
    ],
  }))
}

export const binName = (from: number, to?: number): string =>
  to === undefined ? `≥ ${from}` : from === 0 ? `< ${to}` : `${from}–${to}`

/** Difference of the volumes against their mean (Bland & Altman 1986) with bias and limits of agreement. */
export async function blandAltmanPlot(
  input: BenchmarkInput,
  { id, volume }: MethodAnalysis,
  look: Look,
  span: readonly [number, number],
): Promise<Html> {
  const dots = volumePairs(input, id).map(({ name, reference, candidate }) => ({
    x: (reference + candidate) / 2,
    y: candidate - reference,
    title: `${name}: reference ${figure(reference)} ml, method ${figure(candidate)} ml`,
  }))
  const { lower, bias, upper } = volume.blandAltman
  const lines = [lower, bias, upper].map(({ value }) => value).filter((value) => !Number.isNaN(value))
  return await drawn((Plot) => ({
    ...common,
    height: 290,
    marginLeft: 50,
    marginRight: 66,
    ariaLabel: `Bland–Altman plot of the lesion volumes of ${id}`,
    x: {
      ...axis,
      label: 'Mean of method and reference, ml',
      domain: [0, 1.05 * Math.max(1, ...dots.map(({ x }) => x))],
      ticks: 6,
    },
    y: { ...upAxis, label: 'Method − reference, ml', domain: [...span], ticks: 6, grid: true },
    marks: [
      Plot.ruleY([0], { stroke: 'currentColor', strokeOpacity: 0.4 }),
      Plot.ruleY(lines, { stroke: look.colour, strokeDasharray: '5 3', strokeWidth: 1.4 }),
      Plot.text(lines, {
        y: (value: number) => value,
        frameAnchor: 'right',
        dx: 8,
        textAnchor: 'start',
        text: (value: number) => signed(value),
        fill: look.colour,
      }),
      Plot.dot(dots, {
        x: 'x',
        y: 'y',
        symbol: look.symbol,
        r: 4,
        fill: look.colour,
        fillOpacity: 0.85,
        title: 'title',
      }),
    ],
  }))
}

/** Reference and candidate volume of each case that a method has done; the first of the repeats. */
export const volumePairs = ({ runs }: BenchmarkInput, id: string) =>
  runs
    .filter((run) => run.method === id && run.status === 'done' && run.repeat === 1 && run.scores)
    .map((run) => ({ name: run.case, reference: run.scores!.reference_ml, candidate: run.scores!.candidate_ml }))

const signed = (ml: number): string => `${ml < 0 ? '−' : '+'}${figure(Math.abs(ml), 1)} ml`

/** Mean of a measure with its interval against the time that the method itself takes. */
export async function costPlot(input: BenchmarkInput, measure: Measure, looks: Looks): Promise<Html> {
  const dots = input.analysis.methods
    .filter(({ seconds, estimates }) => seconds.method > 0 && !Number.isNaN(estimates[measure.key].mean))
    .map(({ id, seconds, estimates }) => ({ id, x: seconds.method, ...estimates[measure.key], ...looks.get(id)! }))
  const times = dots.map(({ x }) => x)
  return await drawn((Plot) => ({
    ...common,
    height: 290,
    marginLeft: 52,
    ariaLabel: `Mean ${measure.label} against the time that a method takes`,
    x: {
      ...axis,
      label: 'Time of the method alone, s (median)',
      ...logAxis(times, 2),
    },
    y: { ...upAxis, label: `Mean ${measure.label}`, domain: [0, 1], ticks: 6, grid: true },
    color: { type: 'identity' },
    symbol: { type: 'identity' },
    marks: [
      Plot.ruleX(dots, { x: 'x', y1: 'low', y2: 'high', stroke: 'colour', strokeWidth: 1.6 }),
      Plot.dot(dots, { x: 'x', y: 'mean', symbol: 'symbol', r: 5.5, fill: 'colour' }),
    ],
  }))
}
