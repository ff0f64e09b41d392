import type { Box } from '../volume/crop.js'
import { type Image, type Mask, sameGrid } from '../volume/volume.js'
import { grey, png, type Window } from './raster.js'
import { spread } from './slices.js'
import { type Slice, slice, upright } from './view.js'
import { frameOf, windowOf } from './window.js'

/** Colours of the edges: where both masks have one, the mask's alone, the reference's alone. */
const colours = { both: [64, 220, 110], mask: [255, 72, 60], reference: [255, 214, 40] } as const

export interface OverlayOptions {
  /** Most slices shown; they are spread over those that hold lesion. Default 24. */
  slices?: number
  columns?: number
  /** Width of one slice in pixels. Default 280. */
  tile?: number
  brain?: Mask
}

/**
 * A montage of axial slices with outlines, as PNG bytes: red for `mask`, yellow for `reference`, green where both run
 * along the same edge. Without a reference only the mask is drawn. Radiological convention, true proportions.
 *
 * @throws RangeError when image and masks are not on one grid
 */
export function overlayPng(image: Image, mask: Mask, reference?: Mask, options: OverlayOptions = {}): Uint8Array {
  for (const other of [mask, reference])
    if (other && !sameGrid(image, other, 0.01)) throw new RangeError('Image and masks must be on one grid.')
  const { slices: most = 24, columns = 6, tile = 280 } = options
  const [flair, ours, theirs] = [upright(image), upright(mask), reference && upright(reference)]
  const brain = options.brain && upright(options.brain)
  const [window, box] = [windowOf(flair, brain), frameOf(flair, brain, 4)]

  const shown = spread(slicesWith([ours, theirs], box), most)
  const tiles = shown.map((k) => paint(k, flair, ours, theirs, window, box, tile))
  const across = Math.min(columns, tiles.length)
  const [width, height] = [tiles[0].width, tiles[0].height]
  const [allWidth, allHeight] = [across * width, Math.ceil(tiles.length / across) * height]
  const out = new Uint8Array(allWidth * allHeight * 3)
  tiles.forEach(({ rgb }, n) => {
    const [left, top] = [(n % across) * width, Math.floor(n / across) * height]
    for (let y = 0; y < height; y++)
      out.set(rgb.subarray(3 * y * width, 3 * (y + 1) * width), 3 * (left + (top + y) * allWidth))
  })
  return png(out, allWidth, allHeight, 3)
}

/** From the head downwards, the axial slices in which one of the masks has a voxel; all slices of the box if there are none. */
function slicesWith(masks: (Mask | undefined)[], box: Box): number[] {
  const all = Array.from({ length: box.dims[2] }, (_, n) => box.start[2] + box.dims[2] - 1 - n)
  const held = all.filter((k) => masks.some((m) => m && slice(m, 'axial', k).data.some((v) => v !== 0)))
  return held.length > 0 ? held : all
}

/** One axial slice with the outlines of the masks, `width` pixels wide; all volumes upright. */
export function paint(
  k: number,
  flair: Image,
  ours: Mask | undefined,
  theirs: Mask | undefined,
  window: Window,
  box: Box,
  width: number,
): { rgb: Uint8Array; width: number; height: number } {
  const picture = slice(flair, 'axial', k, box)
  const levels = grey(picture, window)
  const height = Math.round((width * picture.heightMm) / picture.widthMm)
  const row = (y: number) => picture.width * Math.floor(((y + 0.5) * picture.height) / height)
  const column = (x: number) => Math.floor(((x + 0.5) * picture.width) / width)
  const edge = (mask?: Slice<Uint8Array>) => {
    if (!mask) return () => false
    const at = (x: number, y: number) =>
      x >= 0 && y >= 0 && x < width && y < height && mask.data[column(x) + row(y)] !== 0
    return (x: number, y: number) => at(x, y) && !(at(x - 1, y) && at(x + 1, y) && at(x, y - 1) && at(x, y + 1))
  }
  const oursEdge = edge(ours && slice(ours, 'axial', k, box))
  const theirsEdge = edge(theirs && slice(theirs, 'axial', k, box))
  const rgb = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [a, b] = [oursEdge(x, y), theirsEdge(x, y)]
      const level = levels[column(x) + row(y)]
      rgb.set(a || b ? colours[a && b ? 'both' : a ? 'mask' : 'reference'] : [level, level, level], 3 * (x + width * y))
    }
  return { rgb, width, height }
}
