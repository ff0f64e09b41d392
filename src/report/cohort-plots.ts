import { quantile } from '../evaluate/statistics/describe.js'
import { locations } from '../lesions/types.js'
import { type CohortFigure, type CohortVisit, figureNames, type GroupDifference } from './cohort-input.js'
import type { Html } from './html.js'
import { drawn } from './plot.js'
import { figure, locationNames } from './words.js'

const width = 440
const common = { width, marginRight: 16, marginTop: 14, marginBottom: 44, style: { fontSize: '12.5px' } }
const axis = { labelAnchor: 'center', labelArrow: 'none', labelOffset: 38 } as const
const upAxis = { ...axis, labelOffset: 60 } as const

/** Colours of groups; further groups share the last. */
const colours = Array.from({ length: 8 }, (_, n) => `var(--m${n + 1})`)
export const colourOf = (groups: readonly string[], group: string | undefined): string =>
  group === undefined ? 'var(--m8)' : colours[Math.min(7, Math.max(0, groups.indexOf(group)))]

/** Group names as they stand beside a plot: long ones are cut, their whole stands in the texts under the pointer. */
const longestLabel = 18
const shortened = (text: string): string => (text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text)
const leftOf = (rows: readonly string[]): number => 16 + 7.4 * Math.max(...rows.map((row) => shortened(row).length))

/** Loads are skewed and may be 0: their axis is that of square roots, with round ticks far enough apart. */
function loadAxis(name: CohortFigure, most: number, plotWidth: number) {
  if (name === 'brainMl') return { ticks: Math.floor(plotWidth / 80), nice: true, tickFormat: String }
  const end = 1.04 * (most || 1)
  const ticks = [0]
  for (let power = -3; power < 6; power++)
    for (const step of [1, 2, 5]) {
      const tick = step * 10 ** power
      if (name === 'lesionCount' && tick < 1) continue
      const gap = (Math.sqrt(tick) - Math.sqrt(ticks[ticks.length - 1])) / Math.sqrt(end)
      if (tick <= end && gap >= 36 / plotWidth) ticks.push(tick)
    }
  const tickFormat = (value: number) => String(Number(value.toPrecision(2)))
  return { type: 'sqrt' as const, domain: [0, end], ticks, tickFormat }
}

/** A row a group (one for all without groups): a dot a visit, and a box of the quartiles. */
export async function distributionPlot(
  visits: readonly CohortVisit[],
  name: CohortFigure,
  groups: readonly string[],
): Promise<Html> {
  const rows = groups.length > 0 ? groups : ['']
  const values = visits.filter((visit) => !Number.isNaN(visit[name]))
  const rowOf = ({ group }: CohortVisit) => (groups.length > 0 ? rows.indexOf(group ?? '') : 0)
  const boxes = rows.flatMap((group, at) => {
    const own = values.filter((visit) => rowOf(visit) === at).map((visit) => visit[name])
    if (own.length < 2) return []
    const [low, middle, high] = [0.25, 0.5, 0.75].map((p) => quantile(own, p))
    return [{ at, low, middle, high, colour: colourOf(groups, groups.length > 0 ? group : undefined) }]
  })
  const dots = values
    .filter((visit) => rowOf(visit) >= 0)
    .map((visit, n) => ({
      x: visit[name],
      y: rowOf(visit) + 0.18 + 0.26 * ((n * 0.618034) % 1),
      colour: colourOf(groups, groups.length > 0 ? visit.group : undefined),
      title: `${visit.id}: ${figure(visit[name])}`,
    }))
  const most = Math.max(...dots.map(({ x }) => x), 0)
  const marginLeft = groups.length > 0 ? leftOf(rows) : 16
  return await drawn((Plot) => ({
    ...common,
    height: 70 + 56 * rows.length,
    marginLeft,
    ariaLabel: `${figureNames[name]} of all visits${groups.length > 0 ? ' by group' : ''}`,
    x: {
      ...axis,
      label: figureNames[name],
      grid: true,
      ...loadAxis(name, most, width - marginLeft - common.marginRight),
    },
    y: {
      domain: [rows.length - 0.45, -0.4],
      ticks: rows.map((_, at) => at),
      tickSize: 0,
      label: null,
      tickFormat: (at: number) => shortened(rows[at] ?? ''),
    },
    color: { type: 'identity' },
    marks: [
      Plot.rect(boxes, {
        ...{ x1: 'low', x2: 'high', y1: (d) => d.at - 0.16, y2: (d) => d.at + 0.1 },
        ...{ fill: 'colour', fillOpacity: 0.28, stroke: 'colour' },
      }),
      Plot.ruleX(boxes, {
        ...{ x: 'middle', y1: (d) => d.at - 0.16, y2: (d) => d.at + 0.1, stroke: 'colour', strokeWidth: 3 },
      }),
      Plot.dot(dots, { x: 'x', y: 'y', r: 2.8, fill: 'colour', fillOpacity: 0.65, title: 'title' }),
    ],
  }))
}

/** Mean volume at each location, stacked, a bar a group. */
export async function locationPlot(visits: readonly CohortVisit[], groups: readonly string[]): Promise<Html> {
  const rows = groups.length > 0 ? groups : ['all']
  const parts = rows.flatMap((group) => {
    const own = visits.filter((visit) => groups.length === 0 || visit.group === group)
    return locations.map((location) => ({
      group,
      location: locationNames[location],
      colour: `var(--${location})`,
      ml: own.reduce((sum, { byLocation }) => sum + (byLocation[location]?.volumeMl ?? 0), 0) / Math.max(1, own.length),
    }))
  })
  return await drawn((Plot) => ({
    ...common,
    height: 70 + 40 * rows.length,
    marginLeft: leftOf(rows),
    ariaLabel: 'Mean lesion volume by location',
    x: { ...axis, label: 'Mean lesion volume, ml', ticks: Math.floor((width - leftOf(rows)) / 60), grid: true },
    y: { domain: rows, label: null, tickSize: 0, tickFormat: shortened },
    color: { type: 'identity' },
    marks: [
      Plot.barX(parts, {
        ...{ x: 'ml', y: 'group', fill: 'colour', insetTop: 6, insetBottom: 6 },
        title: (d) => `${d.group}, ${d.location}: ${figure(d.ml)} ml`,
      }),
    ],
  }))
}

/** A line a person over the visits: by months where the data set tells the time of all, else by their number. */
export async function coursePlot(
  visits: readonly CohortVisit[],
  name: CohortFigure,
  groups: readonly string[],
): Promise<Html> {
  const timed = visits.every(({ months }) => !Number.isNaN(months))
  const dots = visits.map((visit) => ({
    x: timed ? visit.months : visit.visit,
    y: visit[name],
    subject: visit.subject,
    colour: groups.length > 0 ? colourOf(groups, visit.group) : 'var(--accent)',
    title: `${visit.id}: ${figure(visit[name])}`,
  }))
  const last = [...new Map(dots.map((dot) => [dot.subject, dot])).values()]
  const most = Math.max(...dots.map(({ y }) => y), 0)
  const labelled = last.length <= 12
  return await drawn((Plot) => ({
    ...common,
    height: 300,
    marginLeft: 74,
    marginRight: labelled ? 64 : 16,
    ariaLabel: `${figureNames[name]} over the visits of each person`,
    x: {
      ...axis,
      label: timed ? 'Months since the first visit' : 'Visit',
      ...(timed ? { ticks: 6 } : { ticks: [...new Set(dots.map(({ x }) => x))], tickFormat: (n: number) => String(n) }),
    },
    y: {
      ...{ ...upAxis, label: figureNames[name], grid: true, ticks: 6, tickFormat: String },
      ...(name === 'brainMl' ? {} : { domain: [0, 1.04 * (most || 1)] }),
    },
    color: { type: 'identity' },
    marks: [
      Plot.line(dots, { x: 'x', y: 'y', z: 'subject', stroke: 'colour', strokeWidth: 1.5, strokeOpacity: 0.6 }),
      Plot.dot(dots, { x: 'x', y: 'y', r: 3, fill: 'colour', title: 'title' }),
      ...(labelled
        ? [
            Plot.text(last, {
              x: 'x',
              y: 'y',
              text: (d) => `sub-${d.subject}`,
              textAnchor: 'start',
              dx: 7,
              fontSize: 11,
            }),
          ]
        : []),
    ],
  }))
}

/** Ratios between groups with their intervals; on the line at 1 two groups are alike. */
export async function ratioPlot(differences: readonly GroupDifference[]): Promise<Html> {
  const names = differences.map(
    ({ figure: name, group, reference }) => `${figureNames[name]}: ${shortened(group)} / ${shortened(reference)}`,
  )
  const rows = differences.map((one, at) => ({ ...one, at }))
  const ends = differences.flatMap(({ low, high }) => [low, high]).filter((value) => value > 0)
  const domain = [Math.min(0.8, ...ends) / 1.05, Math.max(1.25, ...ends) * 1.05]
  const ticks = [0.1, 0.2, 0.33, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10].filter((t) => t >= domain[0] && t <= domain[1])
  return await drawn((Plot) => ({
    ...common,
    width: Math.max(560, 280 + 6.9 * Math.max(...names.map((name) => name.length))),
    height: 70 + 30 * rows.length,
    marginLeft: 16 + 6.9 * Math.max(...names.map((name) => name.length)),
    ariaLabel: 'Adjusted ratios between groups with 95 % intervals',
    x: {
      ...axis,
      label: 'Adjusted ratio',
      type: 'log',
      domain,
      ticks,
      tickFormat: (t: number) => String(t),
      grid: true,
    },
    y: {
      domain: rows.map(({ at }) => at),
      type: 'band',
      tickSize: 0,
      label: null,
      tickFormat: (n: number) => names[n],
    },
    marks: [
      Plot.ruleX([1], { stroke: 'currentColor', strokeDasharray: '3 3' }),
      Plot.link(rows, { y1: 'at', y2: 'at', x1: 'low', x2: 'high', stroke: 'var(--accent)', strokeWidth: 2 }),
      Plot.dot(rows, {
        ...{ y: 'at', x: 'estimate', r: 4.5, stroke: 'var(--accent)', strokeWidth: 2 },
        fill: (d) => (d.adjusted < 0.05 ? 'var(--accent)' : 'var(--paper)'),
      }),
    ],
  }))
}
