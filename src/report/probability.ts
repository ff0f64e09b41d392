import type { Box } from '../volume/crop.js'
import type { Image } from '../volume/volume.js'
import { paintedFigure } from './figure.js'
import type { Html } from './html.js'
import { grey, type Window } from './raster.js'
import { type Plane, slice } from './view.js'

/** Colours of probability 0, ½ and 1; the style sheet's scale bar has the same. */
const ramp = [
  [43, 60, 180],
  [214, 62, 108],
  [255, 222, 80],
] as const

/** A slice in grey, coloured the more the likelier it is lesion: below 5 % not at all. Upright volumes of one grid. */
export function probabilityFigure(
  flair: Image,
  probability: Image,
  plane: Plane,
  index: number,
  box: Box,
  window: Window,
  frameMm: number,
  label: string,
): Html {
  const cut = slice(flair, plane, index, box)
  const levels = grey(cut, window)
  const belief = slice(probability, plane, index, box).data
  const rgb = new Uint8Array(3 * levels.length)
  for (let i = 0; i < levels.length; i++) {
    const p = Math.min(1, belief[i])
    const strength = p >= 0.05 ? 0.75 : 0
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = (1 - strength) * levels[i] + strength * colour(p, c)
  }
  return paintedFigure(plane, rgb, cut, label, frameMm)
}

function colour(p: number, channel: number): number {
  const [from, part] = p < 0.5 ? [0, 2 * p] : [1, 2 * p - 1]
  return ramp[from][channel] + part * (ramp[from + 1][channel] - ramp[from][channel])
}
