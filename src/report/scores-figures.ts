import type { Measure } from '../evaluate/protocol.js'
import type { Html } from './html.js'
import { drawn } from './plot.js'

/** A case's value in a figure. */
export interface Point {
  id: string
  value: number
}

export interface DistributionRow {
  name: string
  points: readonly Point[]
  /** First quartile, median, third quartile. */
  quartiles: readonly [number, number, number]
}

/** As wide as a phone's page, so that letters stay readable there. */
const width = 340

/** A measure over cases: a dot for each, and behind them the box from first to third quartile with the median. */
export async function distributionFigure(measure: Measure, rows: readonly DistributionRow[]): Promise<Html> {
  const points = rows.flatMap(({ points: own, name }, row) =>
    own
      .filter(({ value }) => Number.isFinite(value))
      .map(({ id, value }, n) => ({
        x: value,
        y: row + spread(n),
        title: `${rows.length > 1 ? `${name}, ` : ''}${id}: ${short(value)}`,
      })),
  )
  const boxes = rows
    .map(({ quartiles: [q1, median, q3] }, row) => ({ q1, median, q3, top: row - 0.34, bottom: row + 0.34 }))
    .filter(({ median }) => Number.isFinite(median))
  const domain = domainOf(
    measure,
    points.map(({ x }) => x),
  )
  const longest = Math.max(...rows.map(({ name }) => shortName(name).length))
  return await drawn((Plot) => ({
    width,
    height: 34 + rows.length * (rows.length > 1 ? 26 : 44),
    marginLeft: rows.length > 1 ? 14 + 6.6 * longest : 12,
    marginRight: 20,
    marginTop: 6,
    marginBottom: 24,
    ariaLabel: `${measure.label} of all cases`,
    x: {
      label: null,
      domain,
      // Close to 1 the numbers are long.
      ticks: domain[1] - domain[0] < 0.06 ? 2 : 5,
      nice: true,
      grid: true,
    },
    y: {
      domain: [-0.5, rows.length - 0.5],
      reverse: true,
      label: null,
      ...(rows.length > 1
        ? { ticks: rows.map((_, row) => row), tickSize: 0, tickFormat: (row: number) => shortName(rows[row].name) }
        : { axis: null }),
    },
    marks: [
      Plot.rect(boxes, {
        x1: 'q1',
        x2: 'q3',
        y1: 'top',
        y2: 'bottom',
        fill: 'var(--accent)',
        fillOpacity: 0.22,
        rx: 2,
      }),
      Plot.ruleX(boxes, { x: 'median', y1: 'top', y2: 'bottom', stroke: 'var(--accent)', strokeWidth: 2.5 }),
      Plot.dot(points, { x: 'x', y: 'y', r: 2.6, fill: 'var(--ink)', fillOpacity: 0.6, title: 'title' }),
    ],
  }))
}

/** Dice against the reference's lesion volume, logarithmic where volumes differ much; the lowest are named. */
export async function volumeFigure(points: readonly (Point & { ml: number })[]): Promise<Html> {
  const shown = points
    .filter(({ ml, value }) => ml > 0 && Number.isFinite(value))
    .map((point) => ({ ...point, title: `${point.id}: ${short(point.value)}, ${short(point.ml)} ml` }))
  const volumes = shown.map(({ ml }) => ml)
  const [least, most] = [Math.min(...volumes), Math.max(...volumes)]
  const log = most > 5 * least
  const lowest = [...shown].sort((a, b) => a.value - b.value).slice(0, 3)
  const toLeft = (ml: number) => (log ? ml * ml > least * most : ml > (least + most) / 2)
  const text = {
    x: 'ml',
    y: 'value',
    text: (one: Point) => shortName(one.id),
    fontSize: 11,
    fillOpacity: 0.75,
  } as const
  return await drawn((Plot) => ({
    width: 420,
    height: 300,
    marginLeft: 40,
    marginRight: 20,
    marginTop: 28,
    marginBottom: 44,
    ariaLabel: 'Dice against lesion volume',
    x: {
      ...(log ? { type: 'log' as const } : {}),
      domain: least === most ? [0, 2 * most] : log ? [least / 1.3, most * 1.3] : [0, 1.05 * most],
      label: 'Lesion volume of the reference, ml',
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: 38,
      tickFormat: (ml: number) => String(Number(ml.toPrecision(3))),
      ticks: log ? 4 : 6,
    },
    y: { label: 'Dice', labelArrow: 'none', domain: [0, 1], ticks: 5, grid: true },
    marks: [
      Plot.dot(shown, { x: 'ml', y: 'value', r: 3.6, fill: 'var(--accent)', fillOpacity: 0.75, title: 'title' }),
      Plot.text(
        lowest.filter(({ ml }) => !toLeft(ml)),
        { ...text, textAnchor: 'start', dx: 8 },
      ),
      Plot.text(
        lowest.filter(({ ml }) => toLeft(ml)),
        { ...text, textAnchor: 'end', dx: -8 },
      ),
    ],
  }))
}

/** From −0.26 to 0.26, neighbours far apart: so that dots of equal value are seen as several. */
const spread = (n: number): number => 0.52 * ((n * 0.618034) % 1) - 0.26

/** Shares run from 0 to 1, unless all are close to 1 (specificity is); of other measures what is there, from 0 where less is better. */
function domainOf({ unit, better }: Measure, values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (values.length === 0 || (unit === '' && least >= 0 && most <= 1))
    return [least >= 0.95 && least < 1 ? least : 0, 1]
  const low = better === 'lower' && least >= 0 ? 0 : least
  return low === most ? [low === 0 && better === 'lower' ? 0 : low - 1, most + 1] : [low, most]
}

const short = (value: number): string => String(Number(value.toPrecision(3))).replace('-', '−')
const shortName = (name: string): string => (name.length > 16 ? `${name.slice(0, 15)}…` : name)
