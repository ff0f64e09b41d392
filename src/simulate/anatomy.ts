import { InputError } from '../errors.js'
import { loadAtlas } from '../preprocess/atlas.js'
import { type Affine, compose, invert, scaling, voxelSizes } from '../volume/affine.js'
import { resample } from '../volume/resample.js'
import type { Modality } from '../volume/study.js'
import { emptyImage, type Grid, type Image, type Volume } from '../volume/volume.js'
import { quickNormal } from './artefacts.js'
import { type BrainLevels, headPainter } from './contrast.js'
import type { LabelAnatomy } from './label-lesions.js'
import { type LesionLayers, type SynthesisedContrast, synthesise } from './synthesise.js'
import { type Tissue, tissueContrast } from './tissue-contrast.js'
import { lateralVentricles } from './warp.js'

/** A head that lesions and contrasts are put on. */
export interface Anatomy {
  /** About 1 mm; its axes are those of its own world. */
  grid: Grid
  /** From that world to the RAS mm of what is written. */
  toWorld: Affine
  lesions: LabelAnatomy
  /** The fluid that grows when the brain shrinks, 1 inside. */
  ventricles: Image
  /** Shares of brain (with the fluid around it) and of its tissue alone. */
  brain: Image
  parenchyma: Image
  /** An image without noise and field, white matter about 1. The same `random` gives the same tissue. */
  paint(contrast: SynthesisedContrast, layers: LesionLayers, random: () => number): Image
  /** Whether it stands for a whole head, which is scanned in a field of view of its own. */
  wholeHead: boolean
}

/** The package's atlas: a mean head with skull and scalp. */
export async function atlasAnatomy(random: () => number): Promise<Anatomy> {
  const atlas = await loadAtlas()
  const grid: Grid = { dims: [190, 230, 200], affine: [1, 0, 0, -95, 0, 1, 0, -130, 0, 0, 1, -82, 0, 0, 0, 1] }
  const white = await resample(atlas.wm, grid)
  const grey = await resample(atlas.gm, grid)
  const frequency = await resample(atlas.lesionPrior, grid)
  const ventricles = await resample(lateralVentricles(atlas), grid)
  const room = new Float32Array(white.data.length)
  const parenchyma = emptyImage(grid)
  for (let i = 0; i < room.length; i++) {
    // Lesions stop at the fluid and thin out in grey matter.
    room[i] = Math.min(1, 1.4 * white.data[i] + 0.3 * grey.data[i])
    parenchyma.data[i] = white.data[i] + grey.data[i]
    // The map holds square roots.
    frequency.data[i] **= 2
    ventricles.data[i] = ventricles.data[i] >= 0.5 ? 1 : 0
  }
  const paintHead = await headPainter(atlas, grid, random)
  return {
    grid,
    toWorld: scaling([1, 1, 1]),
    lesions: {
      shape: grid.dims,
      spacing: [1, 1, 1],
      room,
      prior: frequency.data,
      ventricles: Uint8Array.from(ventricles.data),
    },
    ventricles,
    brain: await resample(atlas.brain, grid),
    parenchyma,
    paint: (contrast, layers, chance) => paintHead(known(contrast), drawLevels(known(contrast), chance), layers),
    wholeHead: true,
  }
}

/**
 * A label map: each label one tissue. Lesions that it holds stay.
 *
 * @throws InputError when it has no white matter
 */
export function labelAnatomy(labels: Volume, tissueOf: (label: number) => Tissue, source: string): Anatomy {
  const spacing = voxelSizes(labels.affine)
  const grid: Grid = { dims: labels.dims, affine: scaling(spacing) }
  const count = labels.data.length
  const block = { shape: labels.dims, spacing, labels: Int32Array.from(labels.data) }
  const room = new Uint8Array(count)
  const fluid = new Uint8Array(count)
  const [ventricles, brain, parenchyma] = [emptyImage(grid), emptyImage(grid), emptyImage(grid)]
  const tissues = new Map<number, Tissue>()
  let white = 0
  for (let i = 0; i < count; i++) {
    const label = block.labels[i]
    let tissue = tissues.get(label)
    if (!tissue) tissues.set(label, (tissue = tissueOf(label)))
    if (tissue === 'wm') {
      room[i] = 1
      white++
    }
    const isFluid = tissue === 'csf'
    fluid[i] = isFluid ? 1 : 0
    ventricles.data[i] = fluid[i]
    const isBrain = !(tissue === 'air' || tissue === 'bone' || tissue === 'fat' || tissue === 'soft')
    brain.data[i] = isBrain ? 1 : 0
    parenchyma.data[i] = isBrain && !isFluid ? 1 : 0
  }
  if (white < 100)
    throw new InputError(
      source,
      `has ${white} voxels of white matter (labels ${[...tissues.keys()]
        .sort((a, b) => a - b)
        .slice(0, 12)
        .join(', ')}), so lesions have no place`,
      'give a label map with white matter, and its --label-set',
    )
  return {
    grid,
    toWorld: compose(labels.affine, invert(grid.affine)),
    lesions: { shape: labels.dims, spacing, room, ventricles: fluid },
    ventricles,
    brain,
    parenchyma,
    paint: (contrast, lesions, random) => ({
      ...grid,
      data: synthesise(block, contrast, { tissueOf, lesions, bias: 0, noise: 0 }, random),
    }),
    wholeHead: false,
  }
}

function known(contrast: SynthesisedContrast): Modality {
  if (contrast === 'random') throw new RangeError('Random contrasts need a label map; the atlas has real ones only.')
  return contrast
}

/** The tissue means of one scan. */
function drawLevels(modality: Modality, random: () => number): BrainLevels {
  const normal = quickNormal(random)
  const draw = (tissue: Tissue) => {
    const [mean, spread] = tissueContrast[modality][tissue]
    return mean + spread * Math.max(-2, Math.min(2, normal()))
  }
  return {
    csf: draw('csf'),
    gm: draw('gm'),
    deepGrey: draw('deepGrey'),
    wm: 1,
    lesion: draw('lesion'),
    core: draw('core'),
    dirty: draw('dirty'),
  }
}
