import type { Image } from '../volume/volume.js'
import type { Html } from './html.js'
import { drawn } from './plot.js'

/** Number of bars over the shown range. */
const bins = 90

export interface Curves {
  /** Intensities at the left and right end. */
  range: readonly [number, number]
  /** What the intensities are. */
  label: string
  curves: readonly { colour: string; heights: readonly number[]; fill?: boolean }[]
  /** A vertical line with a word above it. */
  mark?: { at: number; text: string }
  height?: number
}

/** Distributions of intensities over each other, as an SVG. */
export async function curvesFigure({ range, label, curves, mark, height = 260 }: Curves): Promise<Html> {
  const [least, high] = range
  const width = (high - least) / bins
  const place = { x: 'x', y: 'y', curve: 'monotone-x' } as const
  return await drawn((Plot) => ({
    width: 720,
    height,
    marginLeft: 14,
    marginRight: 14,
    marginTop: 26,
    marginBottom: 42,
    x: { label, labelAnchor: 'center', labelArrow: 'none', labelOffset: 38, domain: [least, high], ticks: 7 },
    y: { axis: null },
    marks: [
      ...curves
        .filter(({ heights }) => heights.some((y) => y > 0))
        .flatMap(({ colour, heights, fill = true }) => {
          const rows = heights.map((y, n) => ({ x: least + (n + 0.5) * width, y }))
          return [
            ...(fill ? [Plot.areaY(rows, { ...place, fill: colour, fillOpacity: 0.3 })] : []),
            Plot.lineY(rows, { ...place, stroke: colour, strokeWidth: 1.5 }),
          ]
        }),
      ...(mark
        ? [
            Plot.ruleX([mark.at], { stroke: 'currentColor', strokeDasharray: '4 3' }),
            Plot.text([mark.at], { x: (x: number) => x, frameAnchor: 'top', dy: -16, text: () => mark.text }),
          ]
        : []),
      Plot.ruleY([0], { strokeOpacity: 0.3 }),
    ],
  }))
}

/** Shares per bar of the voxels that are `inside`, smoothed over three bars, so that the tallest bar is 1. */
export function density(
  image: Image,
  [least, high]: readonly [number, number],
  inside: (i: number) => boolean,
): number[] {
  const bars = new Float64Array(bins)
  const width = (high - least) / bins
  for (let i = 0; i < image.data.length; i++) {
    if (!inside(i)) continue
    const bar = Math.floor((image.data[i] - least) / width)
    if (bar >= 0 && bar < bins) bars[bar]++
  }
  const smooth = Array.from(bars, (n, b) => (bars[Math.max(0, b - 1)] + 2 * n + bars[Math.min(bins - 1, b + 1)]) / 4)
  const tallest = Math.max(...smooth)
  return tallest > 0 ? smooth.map((n) => n / tallest) : smooth
}
