import { percentiles } from '../volume/histogram.js'
import { gridOf, type Image, type Mask, type Volume } from '../volume/volume.js'
import { type Html, trusted } from './html.js'

/** Number of bars over the shown range. */
const bins = 90

/**
 * Intensities of the brain and of the lesions as an SVG, each scaled to its own area, with the method's threshold.
 *
 * Plot, and outside a browser a document for it to draw into, are loaded here and nowhere else: they are large, and
 * only a report needs them.
 */
export async function histogramFigure(
  image: Image,
  brain: Mask,
  labels: Volume<Int16Array>,
  threshold?: number,
): Promise<Html> {
  const [least, most] = percentiles(image, [0.1, 99.95], brain)
  const lesions: Mask = { ...gridOf(labels), data: Uint8Array.from(labels.data, (id) => (id !== 0 ? 1 : 0)) }
  const [brightest] = percentiles(image, [99.5], lesions)
  const high = Math.max(most, threshold ?? most, Number.isFinite(brightest) ? brightest : most)
  const width = (high - least) / bins
  if (!(width > 0)) return trusted('')
  const brainBars = density(image, least, width, (i) => brain.data[i] !== 0 && labels.data[i] === 0)
  const lesionBars = density(image, least, width, (i) => labels.data[i] !== 0)

  const Plot = await import('@observablehq/plot')
  const document = globalThis.document ?? (await import('linkedom')).parseHTML('<html><body></body></html>').document
  const rows = (bars: number[]) => bars.map((y, n) => ({ x: least + (n + 0.5) * width, y }))
  const figure = Plot.plot({
    document: document as Document,
    width: 720,
    height: 260,
    marginLeft: 14,
    marginRight: 14,
    marginTop: 26,
    marginBottom: 42,
    x: {
      label: 'FLAIR intensity, in the image’s own units',
      labelAnchor: 'center',
      labelArrow: 'none',
      labelOffset: 38,
      domain: [least, high],
      ticks: 7,
    },
    y: { axis: null },
    style: { background: 'none', overflow: 'visible', fontSize: '12px' },
    marks: [
      Plot.areaY(rows(brainBars), { x: 'x', y: 'y', fill: 'var(--brain)', fillOpacity: 0.35, curve: 'monotone-x' }),
      Plot.lineY(rows(brainBars), { x: 'x', y: 'y', stroke: 'var(--brain)', strokeWidth: 1.5, curve: 'monotone-x' }),
      ...(lesionBars.some((y) => y > 0)
        ? [
            Plot.areaY(rows(lesionBars), {
              x: 'x',
              y: 'y',
              fill: 'var(--lesion)',
              fillOpacity: 0.3,
              curve: 'monotone-x',
            }),
            Plot.lineY(rows(lesionBars), {
              x: 'x',
              y: 'y',
              stroke: 'var(--lesion)',
              strokeWidth: 1.5,
              curve: 'monotone-x',
            }),
          ]
        : []),
      ...(threshold === undefined
        ? []
        : [
            Plot.ruleX([threshold], { stroke: 'currentColor', strokeDasharray: '4 3' }),
            Plot.text([threshold], { x: (x: number) => x, frameAnchor: 'top', dy: -16, text: () => 'threshold' }),
          ]),
      Plot.ruleY([0], { strokeOpacity: 0.3 }),
    ],
  })
  return trusted(figure.outerHTML)
}

/** Shares per bar, smoothed over three bars, so that the tallest bar is 1. */
function density(image: Image, least: number, width: number, inside: (i: number) => boolean): number[] {
  const bars = new Float64Array(bins)
  for (let i = 0; i < image.data.length; i++) {
    if (!inside(i)) continue
    const bar = Math.floor((image.data[i] - least) / width)
    if (bar >= 0 && bar < bins) bars[bar]++
  }
  const smooth = Array.from(bars, (n, b) => (bars[Math.max(0, b - 1)] + 2 * n + bars[Math.min(bins - 1, b + 1)]) / 4)
  const tallest = Math.max(...smooth)
  return tallest > 0 ? smooth.map((n) => n / tallest) : smooth
}
