import type { SourceSeries } from '../../formats/dicom/segmentation.js'
import { invert } from '../../volume/affine.js'
import type { Image } from '../../volume/volume.js'
import { stepsOn } from './source-series.js'

export interface KeyImage {
  /** Index of the source's frame. */
  at: number
  width: number
  height: number
  /** Three bytes a pixel. */
  rgb: Uint8Array
  title: string
}

/** Planes of one class of lesions, and the colour of their outlines. */
export interface Outlined {
  label: string
  rgb: readonly [number, number, number]
  planes: readonly (Uint8Array | undefined)[]
}

/**
 * Pictures of the slices with most lesion in them, with outlines, in true proportions.
 *
 * @param image the source series as an image, on any grid
 */
export function keyImages(source: SourceSeries, image: Image, classes: readonly Outlined[], count = 6): KeyImage[] {
  const load = source.frames.map((_, at) => classes.reduce((sum, { planes }) => sum + pixels(planes[at]), 0))
  const order = load
    .map((_, at) => at)
    .filter((at) => load[at] > 0)
    .sort((a, b) => load[b] - load[a])
    .slice(0, count)
    .sort((a, b) => a - b)
  const [low, high] = greyRange(image)
  return order.map((at) => picture(source, image, classes, at, low, high))
}

function picture(
  source: SourceSeries,
  image: Image,
  classes: readonly Outlined[],
  at: number,
  low: number,
  high: number,
): KeyImage {
  const { rows, columns } = source
  const { place } = source.frames[at]
  const fine = Math.min(...place.spacing)
  // Outlines of one pixel need pixels finer than the voxels.
  const scale = Math.max(1, Math.ceil(512 / Math.max(rows, columns)))
  const width = Math.round((columns * place.spacing[1] * scale) / fine)
  const height = Math.round((rows * place.spacing[0] * scale) / fine)
  const { first, column, row } = stepsOn(place, invert(image.affine))
  const [nx, ny, nz] = image.dims
  const rgb = new Uint8Array(width * height * 3)
  const sourceAt = (x: number, y: number): [number, number] => [
    Math.min(columns - 1, Math.floor((x * columns) / width)),
    Math.min(rows - 1, Math.floor((y * rows) / height)),
  ]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [c, r] = sourceAt(x, y)
      const [i, j, k] = first.map((start, axis) => Math.round(start + c * column[axis] + r * row[axis]))
      const inside = i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz
      const value = inside ? image.data[i + nx * (j + ny * k)] : low
      const grey = Math.max(0, Math.min(255, Math.round((255 * (value - low)) / (high - low))))
      rgb.fill(grey, 3 * (x + width * y), 3 * (x + width * y) + 3)
    }
  for (const { planes, rgb: colour } of classes) {
    const plane = planes[at]
    if (!plane) continue
    const set = (x: number, y: number) => {
      if (x < 0 || y < 0 || x >= width || y >= height) return false
      const [c, r] = sourceAt(x, y)
      return plane[c + columns * r] > 0
    }
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        if (set(x, y) && !(set(x - 1, y) && set(x + 1, y) && set(x, y - 1) && set(x, y + 1)))
          rgb.set(colour, 3 * (x + width * y))
  }
  const names = classes.filter(({ planes }) => planes[at]).map(({ label }) => label.toLowerCase())
  return { at, width, height, rgb, title: `Slice ${at + 1}: ${names.join(', ')}; research only` }
}

/** From the 1st to the 99.5th percentile of what is not 0. */
function greyRange(image: Image): [number, number] {
  const sample: number[] = []
  const step = Math.max(1, Math.floor(image.data.length / 200_000))
  for (let i = 0; i < image.data.length; i += step) if (image.data[i] !== 0) sample.push(image.data[i])
  sample.sort((a, b) => a - b)
  const low = sample[Math.floor(sample.length * 0.01)] ?? 0
  const high = sample[Math.floor(sample.length * 0.995)] ?? 1
  return [low, high > low ? high : low + 1]
}

const pixels = (plane: Uint8Array | undefined) => plane?.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0) ?? 0
