import type { Lesion } from '../lesions/types.js'
import { type Location, locations } from '../lesions/types.js'
import { apply, invert, type Vec3, voxelSizes } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import { type FigureOptions, type Layer, maskLayer, sliceFigure } from './figure.js'
import { type Html, html } from './html.js'
import type { ReportInput } from './input.js'
import { probabilityFigure } from './probability.js'
import type { Window } from './raster.js'
import { checkerboard } from './registration.js'
import { keySlice, montageSlices } from './slices.js'
import { type Plane, planes, positionMm, upright } from './view.js'
import { frameOf, windowOf } from './window.js'
import type { Words } from './words/en.js'
import { languages } from './words/languages.js'

/** The volumes of a report, upright, with what every picture of them shares. */
export interface Scene {
  words: Words
  flair: Image
  labels: Volume<Int16Array>
  brain?: Mask
  window: Window
  /** Brain and a margin: what the pictures show. */
  box: Box
  /** One outline a location class, in its colour. */
  layers: Layer[]
}

/** What the pictures show; undefined without a FLAIR. */
export function sceneOf({ flair, labels, lesions, brain, language = 'en' }: ReportInput): Scene | undefined {
  if (!flair) return undefined
  const [image, ids, mask] = [upright(flair), upright(labels), brain && upright(brain)]
  const kindOf = new Map(lesions.map(({ id, location }) => [id, location ?? 'subcortical']))
  return {
    words: languages[language],
    flair: image,
    labels: ids,
    brain: mask,
    window: windowOf(image, mask),
    box: frameOf(image, mask),
    layers: locations
      .filter((location) => lesions.some((lesion) => kindOf.get(lesion.id) === location))
      .map((location) => layerOf(location, ids, kindOf)),
  }
}

const layerOf = (location: Location, labels: Volume, kindOf: Map<number, Location>): Layer => ({
  kind: location,
  labels,
  inside: (value) => value !== 0 && kindOf.get(value) === location,
})

/** For each plane the slice with most lesion, plain and outlined. Same scale in all three planes. */
export function keyPictures(scene: Scene): Html {
  const { words, flair, labels, window, box, layers } = scene
  return html`<div class="key" style="${sameScale(flair, box)}">${planes.map((plane) => {
    const index = keySlice(labels, plane, box)
    const label = sliceLabel(scene, plane, index)
    const common: FigureOptions = { label, window, box, frameMm: tallest(flair, box) }
    return html`<figure class="pair">${sliceFigure(flair, plane, index, { ...common, id: `key-${plane}` })}${sliceFigure(
      flair,
      plane,
      index,
      { ...common, label: `${label}, ${words.pictures.outlined}`, reuse: `key-${plane}`, layers },
    )}<figcaption>${caption(scene, plane, index)}</figcaption></figure>`
  })}</div>`
}

/** Axial slices through the whole brain, lesions and the edge of the brain mask outlined. */
export function montage(scene: Scene, most = 36): Html {
  const { flair, brain, window, box, layers } = scene
  const shown = montageSlices(brain, box, most)
  const edges = brain ? [maskLayer('brain', brain), ...layers] : layers
  return html`<div class="montage">${shown.map((index) =>
    sliceFigure(flair, 'axial', index, {
      label: sliceLabel(scene, 'axial', index),
      window,
      box,
      layers: edges,
      pixelMm: 0.9,
      letters: false,
      note: `${Math.round(positionMm(flair, 'axial', index))}`,
    }),
  )}</div>`
}

/** Side of the square around a lesion, in mm. */
const closeMm = 64

/** The square around a lesion and the axial slice that shows most of it. */
export function closeUp({ flair, labels }: Scene, lesion: Lesion): { box: Box; index: number } {
  const size = voxelSizes(flair.affine)
  const centre = apply(invert(flair.affine), lesion.centroid).map(Math.round)
  const half = size.map((mm, axis) => (axis === 2 ? 0 : Math.round(closeMm / 2 / mm)))
  const start = centre.map((at, axis) => Math.min(Math.max(0, at - half[axis]), flair.dims[axis] - 1))
  const end = centre.map((at, axis) => Math.min(flair.dims[axis], at + 1 + half[axis]))
  return {
    box: {
      start: start as unknown as Vec3,
      dims: end.map((n, axis) => Math.max(1, n - start[axis])) as unknown as Vec3,
    },
    index: Math.min(Math.max(0, fullestSlice(labels, lesion, centre[2])), flair.dims[2] - 1),
  }
}

/** The largest lesions, each in a square of 64 mm around it, plain and outlined. */
export function closeUps(scene: Scene, lesions: readonly Lesion[]): Html {
  const { words, flair, window, layers } = scene
  return html`<div class="close">${lesions.map((lesion) => {
    const { box, index } = closeUp(scene, lesion)
    const id = `lesion-${lesion.id}`
    const label = words.pictures.lesion(String(lesion.id))
    const common: FigureOptions = { label, window, box, letters: false }
    return html`<figure class="pair">${sliceFigure(flair, 'axial', index, { ...common, id })}${sliceFigure(flair, 'axial', index, { ...common, label: `${label}, ${words.pictures.outlined}`, reuse: id, layers })}<figcaption>${label}</figcaption></figure>`
  })}</div>`
}

/** The key slices with the probability in colour. */
export function probabilityPictures(scene: Scene, probability: Image): Html {
  const { words, flair, labels, window, box } = scene
  const belief = upright(probability)
  return html`<div class="boards" style="${sameScale(flair, box)}">${planes.map((plane) => {
    const index = keySlice(labels, plane, box)
    return html`<figure>${probabilityFigure(flair, belief, plane, index, box, window, tallest(flair, box), `${sliceLabel(scene, plane, index)}: ${words.probability.title}`)}<figcaption>${caption(scene, plane, index)}</figcaption></figure>`
  })}</div>`
}

/** FLAIR against T1 in the three planes. */
export function registrationPictures(scene: Scene, t1: Image): Html {
  const { flair, brain, window, box } = scene
  const moved = upright(t1)
  const windows = { flair: window, t1: windowOf(moved, brain) }
  return html`<div class="boards" style="${sameScale(flair, box)}">${planes.map((plane: Plane) => {
    const through = { axial: 2, coronal: 1, sagittal: 0 }[plane]
    // A little off the middle for the sagittal plane, where the gap between the halves tells nothing.
    const part = plane === 'sagittal' ? 0.42 : plane === 'axial' ? 0.55 : 0.5
    const index = box.start[through] + Math.floor(part * box.dims[through])
    return html`<figure>${checkerboard(flair, moved, plane, index, box, windows, tallest(flair, box))}<figcaption>${caption(scene, plane, index)}</figcaption></figure>`
  })}</div>`
}

/** Column widths that give the three planes one scale. */
function sameScale({ affine }: Image, { dims }: Box): string {
  const size = voxelSizes(affine)
  const [x, y] = [0, 1].map((axis) => Math.round(dims[axis] * size[axis]))
  return `--a:${x}fr;--c:${x}fr;--s:${y}fr`
}

/** Height in mm of the tallest of the three planes. */
export function tallest({ affine }: Image, { dims }: Box): number {
  const size = voxelSizes(affine)
  return Math.max(dims[1] * size[1], dims[2] * size[2])
}

/** "Axial, z = +24 mm" */
export const caption = ({ words, flair }: Scene, plane: Plane, index: number): string =>
  `${words.planes[plane]}, ${place(flair, plane, index)}`

const sliceLabel = ({ words, flair }: Scene, plane: Plane, index: number): string =>
  words.pictures.slice(words.planes[plane], place(flair, plane, index))

/** "z = +24 mm" */
function place(image: Image, plane: Plane, index: number): string {
  const mm = Math.round(positionMm(image, plane, index))
  return `${{ axial: 'z', coronal: 'y', sagittal: 'x' }[plane]} = ${mm > 0 ? '+' : mm < 0 ? '−' : ''}${Math.abs(mm)} mm`
}

/** The axial slice that shows most of a lesion. */
function fullestSlice(labels: Volume<Int16Array>, { id }: Lesion, otherwise: number): number {
  const [nx, ny, nz] = labels.dims
  let best = otherwise
  let most = 0
  for (let k = 0; k < nz; k++) {
    let n = 0
    const end = nx * ny * (k + 1)
    for (let i = nx * ny * k; i < end; i++) if (labels.data[i] === id) n++
    if (n > most) [most, best] = [n, k]
  }
  return best
}
