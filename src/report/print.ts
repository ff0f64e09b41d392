import type { Lesion, Location } from '../lesions/types.js'
import type { ReportInput } from './input.js'
import { outline } from './outline.js'
import { caption, closeUp, type Scene, sceneOf, tallest } from './pictures.js'
import { grey, png, shrink } from './raster.js'
import { keySlice } from './slices.js'
import { looks, type Plane, planes, slice } from './view.js'
import { speech } from './words/languages.js'

/** A picture for paper: pixels, and outlines on top of them as lines. */
export interface PrintPicture {
  /** PNG of the slice as it was measured. */
  png: Uint8Array
  widthMm: number
  heightMm: number
  /** Outlines as SVG paths in mm from the upper left corner. */
  edges: { location: Location; path: string }[]
  caption: string
  /** Letters at the edges: left, right, top, bottom. */
  sides?: { left: string; right: string; top: string; bottom: string }
}

export interface PrintPictures {
  /** Key slices of the three planes. */
  key: PrintPicture[]
  /** Height of the tallest, in mm: all three are drawn at one scale. */
  tallestMm: number
  /** The largest lesions. */
  close: PrintPicture[]
}

/** Longest side of a stored picture, in pixels: paper shows no more. */
const mostPixels = 640

/** The pictures of a printed report; undefined without a FLAIR. */
export function printPictures(input: ReportInput, mostClose = 6): PrintPictures | undefined {
  const scene = sceneOf(input)
  if (!scene) return undefined
  const { words, figure } = speech(input.language)
  return {
    key: planes.map((plane) => {
      const index = keySlice(scene.labels, plane, scene.box)
      return { ...picture(scene, plane, index, scene.box, caption(scene, plane, index)), sides: looks[plane] }
    }),
    tallestMm: tallest(scene.flair, scene.box),
    close: input.lesions.slice(0, mostClose).map((lesion: Lesion) => {
      const { box, index } = closeUp(scene, lesion)
      return picture(
        scene,
        'axial',
        index,
        box,
        `${words.pictures.lesion(String(lesion.id))}: ${words.shortLocations[lesion.location ?? 'subcortical']}, ${figure(lesion.volumeMm3 / 1000)} ml`,
      )
    }),
  }
}

function picture(
  { flair, window, layers }: Scene,
  plane: Plane,
  index: number,
  box: Scene['box'],
  text: string,
): PrintPicture {
  const whole = slice(flair, plane, index, box)
  const { width, height, widthMm, heightMm } = whole
  const factor = Math.ceil(Math.max(width, height) / mostPixels)
  const stored = factor > 1 ? shrink(whole, factor) : whole
  const [x, y] = [widthMm / width, heightMm / height]
  return {
    png: png(grey(stored, window), stored.width, stored.height),
    // Averaging may add a rim: what is drawn keeps the size of what was stored.
    widthMm: stored.widthMm,
    heightMm: stored.heightMm,
    edges: layers
      .map(({ kind, labels, inside }) => ({
        location: kind as Location,
        path: inMm(outline(slice(labels, plane, index, box), inside), x, y),
      }))
      .filter(({ path }) => path !== ''),
    caption: text,
  }
}

/** A path of pixels, all `M x y`, `h` and `v`, in mm. */
const inMm = (path: string, x: number, y: number): string =>
  path.replace(/([Mhv])(-?\d+)(?: (-?\d+))?/g, (_, command: string, a: string, b: string | undefined) =>
    command === 'M'
      ? `M${short(Number(a) * x)} ${short(Number(b) * y)}`
      : `${command}${short(Number(a) * (command === 'h' ? x : y))}`,
  )

const short = (value: number): number => Math.round(value * 1000) / 1000
