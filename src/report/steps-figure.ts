import { percentiles } from '../volume/histogram.js'
import { type Image, type Mask, maskWhere } from '../volume/volume.js'
import { escapeHtml } from './html.js'
import { paint } from './overlay.js'
import { dataUri, png, type Window } from './raster.js'
import { keySlice } from './slices.js'
import { upright } from './view.js'
import { frameOf, windowOf } from './window.js'

export interface StepsFigure {
  flair: Image
  brain: Mask
  /** Inner maps of the method in the order in which they were made, on FLAIR's grid. */
  steps: readonly { name: string; map: Image | Mask }[]
  mask: Mask
  truth: Mask
}

const [tile, gap, caption] = [200, 8, 22]

/** How a method comes to its mask: the axial slice with most lesion, in FLAIR, each step and the result, as SVG. */
export function stepsFigure({ flair, brain, steps, mask, truth }: StepsFigure): string {
  const [upFlair, upBrain, ours, theirs] = [upright(flair), upright(brain), upright(mask), upright(truth)]
  const box = frameOf(upFlair, upBrain, 4)
  const k = keySlice(theirs, 'axial', box)
  const flairWindow = windowOf(upFlair, upBrain)
  const painted = [
    { name: 'FLAIR', ...paint(k, upFlair, undefined, undefined, flairWindow, box, tile) },
    ...steps.map(({ name, map }) => {
      const image: Image = { ...map, data: Float32Array.from(map.data, (v, i) => (brain.data[i] !== 0 ? v : 0)) }
      return { name, ...paint(k, upright(image), undefined, undefined, windowOfStep(image, brain), box, tile) }
    }),
    { name: 'Result', ...paint(k, upFlair, ours, theirs, flairWindow, box, tile) },
  ]
  const height = Math.max(...painted.map((one) => one.height))
  const width = painted.length * (tile + gap) - gap
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + caption}" viewBox="0 0 ${width} ${height + caption}" font-family="system-ui, sans-serif" font-size="13">`,
    `<rect width="${width}" height="${height + caption}" fill="#fff"/>`,
    ...painted.map(({ name, rgb, height: h }, n) => {
      const x = n * (tile + gap)
      return `<text x="${x + tile / 2}" y="15" text-anchor="middle" fill="#222">${escapeHtml(name)}</text><image x="${x}" y="${caption}" width="${tile}" height="${h}" href="${dataUri(png(rgb, tile, h, 3))}"/>`
    }),
    '</svg>',
    '',
  ].join('\n')
}

/** From the least to nearly the greatest value within the brain: a few bright voxels do not make the rest black. */
function windowOfStep(image: Image, brain: Mask): Window {
  const [low, high] = percentiles(image, [1, 99.8], brain)
  if (high > low) return { low, high }
  // Nearly constant, as a mask with few voxels: black to its greatest value.
  const [most] = percentiles(
    image,
    [100],
    maskWhere(brain, (v) => v !== 0),
  )
  return { low: Math.min(low, 0), high: Math.max(most, low + 1e-6) }
}
