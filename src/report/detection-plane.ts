import type { SurveyRow } from '../evaluate/survey.js'
import { escapeHtml } from './html.js'
import { placeLabels, textWidth } from './label-placement.js'
import { svgOf } from './plot.js'

export interface PlanePoint {
  row: SurveyRow
  challenge: string
  label: string
  /** 1 − LFPR and LTPR. */
  x: number
  y: number
}

/** What colour says. Shape always says the kind of method; a hollow mark is an entry of the challenge itself. */
export interface Colouring {
  colour: (point: PlanePoint) => string
  /** Colours of the two kinds, where they have one. */
  kinds?: Record<SurveyRow['kind'], string>
  keys?: readonly { label: string; colour: string }[]
  /** A strip of colours from one word to another. */
  ramp?: { from: string; to: string; colours: readonly string[] }
}

export interface Plane {
  title: string
  points: readonly PlanePoint[]
  colouring: Colouring
  /** Places marked with a cross. */
  centres?: readonly { x: number; y: number; colour: string; label: string }[]
}

const [width, height] = [900, 720]
const frame = { left: 66, right: width - 44, top: 82, bottom: height - 60 }
const fontSize = 12
const font = 'Helvetica, Arial, sans-serif'
const ink = '#222'

/**
 * Methods in the plane of lesion-wise true positive rate against 1 − lesion-wise false positive rate, each with its
 * name, as a whole SVG file on white. The best corner is the top right.
 */
export async function detectionPlane({ title, points, colouring, centres = [] }: Plane): Promise<string> {
  const x = axis(
    [...points, ...centres].map((p) => p.x),
    frame.left,
    frame.right,
  )
  const y = axis(
    [...points, ...centres].map((p) => p.y),
    frame.bottom,
    frame.top,
  )
  const named = [
    ...points.map(({ x, y, label, row }) => ({ x, y, label, colour: ink, radius: row.own ? 9 : 6 })),
    ...centres.map(({ x, y, label, colour }) => ({ x, y, label, colour, radius: 8 })),
  ]
  const places = placeLabels(
    named.map((p) => ({ x: x.pixel(p.x), y: y.pixel(p.y), text: p.label, radius: p.radius })),
    frame,
    fontSize,
  )
  const labels = named.map((point, i) => ({ ...places[i], point }))
  const svg = await svgOf((Plot) => ({
    width,
    height,
    marginLeft: frame.left,
    marginRight: width - frame.right,
    marginTop: frame.top,
    marginBottom: height - frame.bottom,
    x: { ...x.scale, label: '1 − LFPR (share of marked lesions that are lesions)', labelOffset: 46 },
    y: { ...y.scale, label: 'LTPR (share of lesions that are found)', labelOffset: 50 },
    style: { background: '#fff', color: ink, fontFamily: font, fontSize: '13px', overflow: 'visible' },
    marks: [
      Plot.frame({ stroke: '#c8c8c8' }),
      ...equalMeans(x.scale.domain, y.scale.domain).map(({ curve }) =>
        Plot.line(curve, { x: 'x', y: 'y', stroke: '#c9c9c9', strokeDasharray: '3 4' }),
      ),
      Plot.text(equalMeans(x.scale.domain, y.scale.domain), {
        x: ({ curve }) => curve[curve.length - 1].x,
        y: ({ curve }) => curve[curve.length - 1].y,
        text: ({ mean }) => mean.toFixed(1),
        dx: 6,
        textAnchor: 'start',
        fill: '#8a8a8a',
        fontSize: 11,
      }),
      Plot.link(
        labels.filter(({ leader }) => leader),
        {
          x1: ({ point }) => point.x,
          y1: ({ point }) => point.y,
          x2: ({ leader }) => x.value(leader![0]),
          y2: ({ leader }) => y.value(leader![1]),
          stroke: '#9a9a9a',
          strokeWidth: 0.8,
        },
      ),
      Plot.dot(centres, { x: 'x', y: 'y', symbol: 'times', r: 8, stroke: 'colour', strokeWidth: 4 }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        symbol: { value: ({ row }: PlanePoint) => symbolOf(row) },
        r: ({ row }: PlanePoint) => (row.own ? 6 : 5.5),
        fill: (p: PlanePoint) => (p.row.challengeEntry ? '#fff' : colouring.colour(p)),
        stroke: (p: PlanePoint) => (p.row.own ? '#111' : colouring.colour(p)),
        strokeWidth: (p: PlanePoint) => (p.row.own ? 1.2 : 2),
        title: hover,
      }),
      ...(['start', 'middle', 'end'] as const).map((textAnchor) =>
        Plot.text(
          labels.filter(({ anchor }) => anchor === textAnchor),
          {
            x: (label) => x.value(label.x),
            y: (label) => y.value(label.y),
            text: ({ point }) => point.label,
            textAnchor,
            fontSize,
            fill: ({ point }) => point.colour,
            stroke: '#fff',
            strokeWidth: 3,
          },
        ),
      ),
    ],
    r: { type: 'identity' },
    color: { type: 'identity' },
    symbol: { type: 'identity' } as never,
  }))
  return asFile(svg, title, legend(title, points, colouring))
}

const symbolOf = ({ kind, own }: SurveyRow) => (own ? 'star' : kind === 'deep' ? 'circle' : 'square')

/** An axis between 0 and 1 that ends on tenths, and its way to pixels and back. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.max(0, Math.floor(10 * (Math.min(...values) - 0.03)) / 10)
  const high = Math.min(1, Math.ceil(10 * (Math.max(...values) + 0.03)) / 10)
  const domain: [number, number] = [low, high]
  return {
    scale: {
      domain,
      ticks: Math.round(10 * (high - low)),
      tickFormat: '.1f',
      labelAnchor: 'center',
      labelArrow: 'none',
    } as const,
    pixel: (value: number) => from + ((value - low) / (high - low)) * (to - from),
    value: (pixel: number) => low + ((pixel - from) / (to - from)) * (high - low),
  }
}

/** Curves of equal harmonic mean, as far as they reach from the top or the left to the right of the plane. */
function equalMeans([left, right]: [number, number], [bottom, top]: [number, number]) {
  return [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].flatMap((mean) => {
    const at = (one: number) => (mean * one) / (2 * one - mean)
    const start = Math.max(left, at(top), mean / 2 + 1e-6)
    if (!(at(right) > bottom && at(right) < top && start < right)) return []
    const curve = Array.from({ length: 61 }, (_, i) => start + (i / 60) ** 2 * (right - start)).map((x) => ({
      x,
      y: at(x),
    }))
    return [{ mean, curve }]
  })
}

/** What a reader sees on pointing at a mark. */
function hover({ row, challenge }: PlanePoint): string {
  const told = ({ mean, sd }: { mean: number; sd: number }) =>
    mean.toFixed(2) + (Number.isNaN(sd) ? '' : ` ± ${sd.toFixed(2)}`)
  const score = Number.isNaN(row.score) ? '' : `score ${row.score.toFixed(2)}, `
  return `${row.method} in ${challenge}: ${score}LTPR ${told(row.ltpr)}, LFPR ${told(row.lfpr)}`
}

/** Title and keys above the plane. */
function legend(title: string, points: readonly PlanePoint[], { kinds, keys = [], ramp }: Colouring): string {
  const parts = [`<text x="${frame.left}" y="26" font-size="17" font-weight="700">${escapeHtml(title)}</text>`]
  let at = frame.left + 6
  const key = (mark: (x: number) => string, label: string, space = 0) => {
    parts.push(mark(at + space / 2), `<text x="${at + space + 12}" y="58" font-size="13">${escapeHtml(label)}</text>`)
    at += space + 12 + textWidth(label, 13) + 24
  }
  const [statistical, deep] = kinds ? [kinds.statistical, kinds.deep] : ['#555', '#555']
  key((x) => `<rect x="${x - 5}" y="49" width="10" height="10" fill="${statistical}"/>`, 'statistical')
  key((x) => `<circle cx="${x}" cy="54" r="5.5" fill="${deep}"/>`, 'deep learning')
  if (points.some(({ row }) => row.challengeEntry))
    key(
      (x) =>
        `<rect x="${x - 4.5}" y="49.5" width="9" height="9" fill="#fff" stroke="${statistical}" stroke-width="2"/>`,
      'challenge entry',
    )
  if (points.some(({ row }) => row.own))
    key((x) => `<path d="${star(x, 54)}" fill="#fff" stroke="#111"/>`, 'own result')
  for (const { label, colour } of keys)
    key((x) => `<rect x="${x - 9}" y="49" width="18" height="10" rx="2" fill="${colour}"/>`, label, 8)
  if (ramp) {
    const stops = ramp.colours.map((c, i) => `<stop offset="${i / (ramp.colours.length - 1)}" stop-color="${c}"/>`)
    parts.push(`<defs><linearGradient id="years">${stops.join('')}</linearGradient></defs>`)
    key(() => `<text x="${at}" y="58" font-size="13">${escapeHtml(ramp.from)}</text>`, '', 12)
    key((x) => `<rect x="${x - 70}" y="49" width="130" height="10" rx="2" fill="url(#years)"/>`, ramp.to, 130)
  }
  return `<g fill="${ink}" font-family="${font}" text-anchor="start">${parts.join('')}</g>`
}

/** Outline of a five-pointed star. */
function star(x: number, y: number): string {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const [r, angle] = [i % 2 === 0 ? 7.5 : 3, (i * Math.PI) / 5]
    return `${(x + r * Math.sin(angle)).toFixed(1)},${(y - r * Math.cos(angle)).toFixed(1)}`
  })
  return `M${corners.join('L')}Z`
}

/** An SVG that stands alone: name space, title, a white ground, the keys. */
function asFile(svg: string, title: string, keys: string): string {
  const open = svg.indexOf('>')
  const head = svg.slice(0, open).includes('xmlns=') ? '' : ' xmlns="http://www.w3.org/2000/svg"'
  const ground = `<title>${escapeHtml(title)}</title><rect width="${width}" height="${height}" fill="#fff"/>`
  return `${svg.slice(0, open)}${head} role="img">${ground}${svg.slice(open + 1).replace(/<\/svg>$/, `${keys}</svg>`)}\n`
}
