import type { Flag } from '../errors.js'
import { contrastName } from '../preprocess/context.js'
import type { Located } from '../preprocess/locate.js'
import type { Placed } from '../preprocess/place.js'
import type { Recipe } from '../preprocess/recipe.js'
import { trustThreshold } from '../preprocess/register.js'
import type { Space } from '../preprocess/space.js'
import { compose, voxelSizes } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import { percentiles } from '../volume/histogram.js'
import { resample } from '../volume/resample.js'
import type { Modality } from '../volume/study.js'
import { type Image, type Mask, volumeMl } from '../volume/volume.js'
import { curvesFigure, density } from './curves.js'
import { type Layer, maskLayer, sliceFigure } from './figure.js'
import { type Html, html } from './html.js'
import { page } from './page.js'
import { checkerboard } from './registration.js'
import type { Section } from './sections.js'
import { flagList } from './sections.js'
import { montageSlices } from './slices.js'
import { looks, planes, positionMm, upright } from './view.js'
import { frameOf, windowOf } from './window.js'
import { figure, listed } from './words.js'

export interface QcVisit extends Placed {
  located: Located
  space: Space
  /** Registration checks by contrast, 0–1. */
  checks: Partial<Record<Modality, number>>
}

export interface QcInput {
  visits: readonly QcVisit[]
  recipe: Recipe
  flags: readonly Flag[]
  software: { name: string; version: string }
  date?: string
}

/**
 * The page to judge a preparation by: what was noticed, whether the images fit each other, each image before and after,
 * the bias field, the edge of the brain mask, tissue and intensities. One file, no network, no names.
 */
export async function buildQc({ visits, recipe, flags, software, date }: QcInput): Promise<string> {
  const sections: Section[] = [{ id: 'doubts', title: 'Doubts', body: doubts(flags, visits) }]
  for (const [i, visit] of visits.entries()) {
    const which = visits.length > 1 ? `Visit ${i + 1}: ` : ''
    for (const section of await visitSections(visit))
      sections.push({ ...section, id: `${section.id}-${i + 1}`, title: upperFirst(which + section.title) })
  }
  if (visits.length > 1) sections.splice(1, 0, acrossVisits(visits))
  sections.push({ id: 'steps', title: 'How it was done', body: steps(recipe) })
  const [{ space, images }] = visits
  const size = voxelSizes(space.world.affine).map((mm) => figure(mm, 2).replace(/\.?0+$/, ''))
  return page({
    title: 'Preparation of MR images',
    facts: [
      listed((Object.keys(images) as Modality[]).map(contrastName)),
      visits.length > 1 ? `${visits.length} visits` : undefined,
      `space ${space.name}, ${space.world.dims.join(' × ')} voxels of ${size.join(' × ')} mm`,
      date,
    ],
    sections,
    software,
  })
}

function doubts(flags: readonly Flag[], visits: readonly QcVisit[]): Html {
  const rows = visits.flatMap(({ checks, brain }, i) => [
    html`<tr><td>${visits.length > 1 ? `Visit ${i + 1}: b` : 'B'}rain mask</td><td class="n">${figure(volumeMl(brain), 0)} ml</td><td>adults: about 1000–1900 ml</td></tr>`,
    ...Object.entries(checks).map(
      ([modality, trust]) =>
        html`<tr><td>${visits.length > 1 ? `Visit ${i + 1}: ` : ''}${contrastName(modality as Modality)}, registration check</td><td class="n">${figure(trust, 2)}</td><td>trusted from ${figure(trustThreshold, 2)}</td></tr>`,
    ),
  ])
  return html`${flagList(flags)}<table class="facts"><tbody>${rows}</tbody></table>`
}

/** One visit, upright, with what its pictures share. */
interface Scene {
  box: Box
  brain: Mask
  edge: Layer
  /** Slice of each plane. */
  at: Record<(typeof planes)[number], number>
  frameMm: number
  widths: string
}

function sceneOf(brainMask: Mask, image: Image): Scene {
  const brain = upright(brainMask)
  const box = frameOf(upright(image), brain)
  const size = voxelSizes(brain.affine)
  const mm = box.dims.map((n, axis) => n * size[axis])
  const middle = (axis: 0 | 1 | 2, part: number) => box.start[axis] + Math.floor(part * (box.dims[axis] - 1))
  return {
    box,
    brain,
    edge: maskLayer('brain strong', brain),
    // A little off the middle where the gap between the halves tells nothing.
    at: { axial: middle(2, 0.55), coronal: middle(1, 0.5), sagittal: middle(0, 0.42) },
    frameMm: Math.max(mm[1], mm[2]),
    widths: `--a:${Math.round(mm[0])}fr;--c:${Math.round(mm[0])}fr;--s:${Math.round(mm[1])}fr`,
  }
}

async function visitSections(visit: QcVisit): Promise<Section[]> {
  const { located, space, images, fields, brain, tissue } = visit
  const { anchor } = located
  const scene = sceneOf(brain, images[anchor]!)
  const sections: Section[] = []
  const others = (Object.keys(images) as Modality[]).filter((modality) => modality !== anchor)
  for (const modality of others)
    sections.push({
      id: `fit-${modality}`,
      title: `does the ${contrastName(modality)} fit the ${contrastName(anchor)}?`,
      lead: 'The two in turns, the second bluish. Where they fit, ventricles and cortex run on across the borders of the squares.',
      body: boards(scene, images[anchor]!, images[modality]!, `${contrastName(anchor)} and ${contrastName(modality)}`),
    })
  sections.push({
    id: 'brain',
    title: 'edge of the brain mask',
    lead: 'Axial slices from top to bottom; numbers are heights in mm.',
    body: montage(scene, upright(images[anchor]!)),
  })
  for (const modality of Object.keys(images) as Modality[]) {
    const before = await resample(located.given[modality]!, space.grid, {
      map: compose(located.maps[modality]!, space.toAnchor),
    })
    const raw = { ...before, affine: space.world.affine }
    sections.push({
      id: `image-${modality}`,
      title: `${contrastName(modality)}, before and after`,
      lead: `First as given, then as prepared${fields[modality] ? ', with the bias field that was divided out, and the intensities of the brain before (grey) and after' : ''}.`,
      body: html`${pairs(scene, raw, images[modality]!)}${fields[modality] && fieldPictures(scene, fields[modality])}${await intensities(raw, images[modality]!, brain, tissue)}`,
    })
  }
  if (tissue)
    sections.push({
      id: 'tissue',
      title: 'tissue classes',
      lead: 'Edges of where each class is more likely than not.',
      body: html`<p class="legend"><span><i class="dot csf"></i>fluid</span><span><i class="dot gm"></i>grey matter</span><span><i class="dot wm"></i>white matter</span></p>${tissuePictures(scene, images.t1 ?? images[anchor]!, tissue)}`,
    })
  return sections
}

const boards = (scene: Scene, a: Image, b: Image, names: string): Html => {
  const [first, second] = [upright(a), upright(b)]
  const windows = { flair: windowOf(first, scene.brain), t1: windowOf(second, scene.brain) }
  return inPlanes(scene, 'boards', (plane, index) =>
    checkerboard(first, second, plane, index, scene.box, windows, scene.frameMm, names),
  )
}

function pairs(scene: Scene, before: Image, after: Image): Html {
  const shown = [upright(before), upright(after)]
  const windows = shown.map((image) => windowOf(image, scene.brain))
  return html`<div class="key" style="${scene.widths}">${planes.map(
    (plane) =>
      html`<figure class="pair">${shown.map((image, i) =>
        sliceFigure(image, plane, scene.at[plane], {
          label: `${plane} slice, ${i === 0 ? 'as given' : 'as prepared'}`,
          window: windows[i],
          box: scene.box,
          frameMm: scene.frameMm,
          pixelMm: 0.9,
        }),
      )}</figure>`,
  )}</div>`
}

function fieldPictures(scene: Scene, logField: Image): Html {
  const field = upright({ ...logField, data: logField.data.map(Math.exp) })
  const [low, high] = percentiles(field, [0.5, 99.5], scene.brain)
  // Fields of a few per cent are not blown up to look like much.
  const reach = Math.max(0.2, 1 - low, high - 1)
  return html`<h3>Bias field</h3><p class="fine">In the brain ${figure(100 * low, 0)}–${figure(100 * high, 0)} %; black is ${figure(100 * (1 - reach), 0)} %, white ${figure(100 * (1 + reach), 0)} %.</p>${inPlanes(
    scene,
    'boards',
    (plane, index) =>
      sliceFigure(field, plane, index, {
        label: `${plane} slice of the bias field`,
        window: { low: 1 - reach, high: 1 + reach },
        box: scene.box,
        frameMm: scene.frameMm,
        pixelMm: 2,
        layers: [scene.edge],
      }),
  )}`
}

async function intensities(before: Image, after: Image, brain: Mask, tissue: Placed['tissue']): Promise<Html> {
  const inside = (i: number) => brain.data[i] !== 0
  const [low, high] = percentiles(after, [0.5, 99.8], brain)
  if (!(high > low)) return html``
  const range = [low - 0.05 * (high - low), high + 0.05 * (high - low)] as const
  // Before, on the same scale: what counts is the shape.
  const [from, to] = percentiles(before, [0.5, 99.8], brain)
  const scale = to > from ? (high - low) / (to - from) : 1
  const scaled = { ...before, data: before.data.map((v) => low + (v - from) * scale) }
  const classes = tissue
    ? (['csf', 'gm', 'wm'] as const).map((name) => ({
        colour: { csf: '#3f8fe8', gm: '#4fb04f', wm: '#d9a320' }[name],
        heights: density(after, range, (i) => tissue[name].data[i] > 0.5).map((y) => 0.6 * y),
      }))
    : []
  const curves = [
    { colour: 'var(--brain)', heights: density(scaled, range, inside), fill: false },
    { colour: 'var(--accent)', heights: density(after, range, inside), fill: false },
    ...classes,
  ]
  return html`<h3>Intensities</h3><div class="plot">${await curvesFigure({ range, curves, label: 'Intensity in the brain as prepared (before: grey, scaled to the same range)', height: 220 })}</div>`
}

function tissuePictures(scene: Scene, image: Image, tissue: NonNullable<Placed['tissue']>): Html {
  const shown = upright(image)
  const window = windowOf(shown, scene.brain)
  const layers: Layer[] = (['csf', 'gm', 'wm'] as const).map((name) => ({
    kind: name,
    labels: upright(tissue[name]),
    inside: (p) => p > 0.5,
  }))
  return inPlanes(scene, 'boards', (plane, index) =>
    sliceFigure(shown, plane, index, {
      label: `${plane} slice with the edges of the tissue classes`,
      window,
      box: scene.box,
      frameMm: scene.frameMm,
      layers,
    }),
  )
}

function montage({ brain, box, edge }: Scene, image: Image): Html {
  const window = windowOf(image, brain)
  return html`<div class="montage">${montageSlices(brain, box, 27).map((index) =>
    sliceFigure(image, 'axial', index, {
      label: `axial slice at ${Math.round(positionMm(image, 'axial', index))} mm`,
      window,
      box,
      layers: [edge],
      pixelMm: 0.9,
      letters: false,
      note: `${Math.round(positionMm(image, 'axial', index))}`,
    }),
  )}</div>`
}

/** The visits against each other: the first with each of the others. */
function acrossVisits(visits: readonly QcVisit[]): Section {
  const [first] = visits
  const { anchor } = first.located
  const scene = sceneOf(first.brain, first.images[anchor]!)
  return {
    id: 'visits',
    title: 'Do the visits fit each other?',
    lead: `The ${contrastName(anchor)} of visit 1 and of each later visit (bluish) in turns.`,
    body: html`${visits
      .slice(1)
      .map(
        (visit, i) =>
          html`<h3>Visits 1 and ${i + 2}</h3>${boards(scene, first.images[anchor]!, visit.images[anchor]!, `visits 1 and ${i + 2}`)}`,
      )}`,
  }
}

function inPlanes(scene: Scene, kind: string, draw: (plane: (typeof planes)[number], index: number) => Html): Html {
  return html`<div class="${kind}" style="${scene.widths}">${planes.map((plane) => {
    const index = Math.min(scene.brain.dims[looks[plane].through] - 1, scene.at[plane])
    return html`<figure>${draw(plane, index)}</figure>`
  })}</div>`
}

const steps = (recipe: Recipe): Html =>
  html`<table class="facts"><tbody>${Object.entries(recipe).map(([step, way]) => html`<tr><td>${step}</td><td>${way === 'none' ? 'not done' : way}</td></tr>`)}</tbody></table><p class="fine">Times, versions and figures of each step are in provenance.json.</p>`

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
