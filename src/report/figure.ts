import type { Box } from '../volume/crop.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import { type Html, html, trusted } from './html.js'
import { outline } from './outline.js'
import { dataUri, grey, png, shrink, type Window } from './raster.js'
import { looks, type Plane, slice } from './view.js'

/** The outline of one kind of region: `inside` of the label map's values, drawn in the style class `kind`. */
export interface Layer {
  kind: string
  labels: Volume
  inside(value: number): boolean
}

export interface FigureOptions {
  /** What the picture shows, for readers that cannot see it. */
  label: string
  window: Window
  box?: Box
  layers?: readonly Layer[]
  /** Smallest pixel to store, in mm: finer slices are averaged. Default 0, all pixels. */
  pixelMm?: number
  /** Letters R, L, A, P, S, I at the edges. Default true. */
  letters?: boolean
  /** Height of the frame in mm, the slice in its middle: for panels of equal height beside each other. */
  frameMm?: number
  /** A short text in the lower left corner. */
  note?: string
  /** Id under which later figures of this slice can show the same pixels again. */
  id?: string
  /** Id of an earlier figure of this very slice and box: its pixels are used, none are stored. */
  reuse?: string
}

/**
 * One slice as an SVG in mm: the pixels as they were measured, stretched to their true size, outlines on top. All
 * volumes are upright (view.ts) and on one grid.
 */
export function sliceFigure(image: Image, plane: Plane, index: number, options: FigureOptions): Html {
  const { window, box, layers = [], pixelMm = 0, letters = true, frameMm = 0, note, id, reuse, label } = options
  const whole = slice(image, plane, index, box)
  const { width, height, widthMm, heightMm } = whole
  const factor = Math.max(1, Math.floor((1.05 * pixelMm) / Math.min(widthMm / width, heightMm / height)))
  const stored = factor > 1 ? shrink(whole, factor) : whole
  const picture = reuse
    ? html`<use href="#${reuse}"/>`
    : pixels(dataUri(png(grey(stored, window), stored.width, stored.height)), stored.widthMm, stored.heightMm, id)
  const paths = layers.map(({ kind, labels, inside }) => {
    const d = outline(slice(labels, plane, index, box), inside)
    return d && html`<path class="edge ${kind}" d="${d}"/>`
  })
  return frame(
    plane,
    { width: widthMm, height: heightMm, frameMm, letters, note, label },
    html`${picture}<g transform="scale(${short(widthMm / width)} ${short(heightMm / height)})">${paths}</g>`,
  )
}

/** A slice that was painted elsewhere (RGB), framed like the others. */
export function paintedFigure(
  plane: Plane,
  rgb: Uint8Array,
  size: { width: number; height: number; widthMm: number; heightMm: number },
  label: string,
  frameMm = 0,
): Html {
  const uri = dataUri(png(rgb, size.width, size.height, 3))
  return frame(
    plane,
    { width: size.widthMm, height: size.heightMm, frameMm, letters: true, label },
    pixels(uri, size.widthMm, size.heightMm),
  )
}

/** The outline of a mask as a figure layer. */
export const maskLayer = (kind: string, mask: Mask): Layer => ({ kind, labels: mask, inside: (value) => value !== 0 })

const pixels = (uri: string, width: number, height: number, id?: string): Html =>
  html`<image${id ? html` id="${id}"` : ''} width="${short(width)}" height="${short(height)}" preserveAspectRatio="none" href="${trusted(uri)}"/>`

interface Frame {
  width: number
  height: number
  frameMm: number
  letters: boolean
  note?: string
  label: string
}

function frame(plane: Plane, { width, height, frameMm, letters, note, label }: Frame, content: Html): Html {
  const { left, right, top, bottom } = looks[plane]
  const over = Math.max(0, (frameMm - height) / 2)
  const letter = (text: string, x: number, y: number) =>
    html`<text class="letter" x="${short(x)}" y="${short(y)}">${text}</text>`
  return html`<svg class="slice" viewBox="0 ${short(-over)} ${short(width)} ${short(height + 2 * over)}" role="img" aria-label="${label}">${content}${
    letters && [
      letter(left, 5, height / 2),
      letter(right, width - 5, height / 2),
      letter(top, width / 2, 6 - over),
      letter(bottom, width / 2, height - 6 + over),
    ]
  }${note && html`<text class="note" x="3" y="${short(height - 3)}">${note}</text>`}</svg>`
}

const short = (value: number): string => String(Math.round(value * 1000) / 1000 || 0)
