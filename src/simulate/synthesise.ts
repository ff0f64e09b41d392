import type { Modality } from '../volume/study.js'
import { biasField, gammaShift, ghosts, quickNormal, ricianNoise, softened, thickSlices } from './artefacts.js'
import type { Lattice } from './shape-render.js'
import { enhancement, type Tissue, tissueContrast, tissueOfLabel } from './tissue-contrast.js'

/** A label map as a plain array, x fastest. */
export interface LabelBlock extends Lattice {
  labels: Uint8Array | Int16Array | Uint16Array | Int32Array
}

/** Lesions over the label map: shares of each voxel, 0–1. */
export interface LesionLayers {
  fraction: Float32Array
  /** Share of the lesion that is a T1-dark core. */
  core?: Float32Array
  /** Dirty-appearing white matter around lesions. */
  dirty?: Float32Array
  /** Contrast with white matter relative to the mean lesion's. Default 1. */
  contrast?: Float32Array
  /** Share that takes up gadolinium. */
  enhancing?: Float32Array
}

/** `random`: every label a mean of its own, as SynthSeg draws them; else the field's contrasts by tissue. */
export type SynthesisedContrast = Modality | 'random'

export interface SynthesisOptions {
  /** What an image shows of each label. Default: the labels are places in `tissues` (1 CSF, 2 GM, 3 WM, 4 deep grey, …). */
  tissueOf?: (label: number) => Tissue
  lesions?: LesionLayers
  /**
   * How far the means of the tissues may lie from the table's, in its standard deviations. Default 1; 0: the table's.
   */
  variety?: number
  /** Standard deviation of unevenness within a tissue, relative to white matter. Default 0.03. */
  texture?: number
  /** Standard deviation of the knots of the logarithmic bias field. Default 0.15. */
  bias?: number
  /** Rician noise relative to white matter. Default 0.03. */
  noise?: number
  /** Ghosts of movement along the second axis, relative to the image. Default 0. */
  ghosting?: number
  /** Thickness of slices along an axis, put back on the grid. Default: none. */
  slices?: { axis: 0 | 1 | 2; mm: number }
  /** Exponent of the intensities: another scanner's contrast. Default 1. */
  gamma?: number
}

/**
 * An image of a label map: a Gaussian for each label, lesions with cores and halo on top, partial volume, then bias field,
 * contrast shift, thick slices, ghosts and noise, in the order in which a scanner adds them. White matter is about 1.
 * Source: Billot et al. 2023 (SynthSeg), with MS lesions and, but for `random`, the contrasts of real scans.
 *
 * @throws RangeError when an array does not fit the shape
 */
export function synthesise(
  block: LabelBlock,
  contrast: SynthesisedContrast,
  options: SynthesisOptions,
  random: () => number,
): Float32Array {
  const { labels, shape } = block
  const { lesions, texture = 0.03, bias = 0.15, noise = 0.03, ghosting = 0, slices, gamma = 1 } = options
  const count = shape[0] * shape[1] * shape[2]
  for (const [name, array] of Object.entries({ labels, ...lesions }))
    if (array && array.length !== count)
      throw new RangeError(`${name} holds ${array.length} values, a block of ${shape.join(' × ')} has ${count}.`)
  const levels = contrast === 'random' ? randomLevels(options, random) : realLevels(contrast, options, random)
  const normal = quickNormal(random)
  const out = new Float32Array(count)
  const byLabel = new Map<number, Level>()
  let [last, level] = [Number.NaN, levels.of(0)]
  for (let i = 0; i < count; i++) {
    if (labels[i] !== last) {
      last = labels[i]
      let known = byLabel.get(last)
      if (!known) {
        known = levels.of(last)
        byLabel.set(last, known)
      }
      level = known
    }
    out[i] = level.mean + level.sd * texture * normal()
  }
  if (lesions) layLesions(out, lesions, levels, contrast)
  softened(out, shape)
  biasField(out, shape, bias, random)
  gammaShift(out, gamma)
  if (slices) thickSlices(out, block, slices, random)
  ghosts(out, shape, { axis: 1, count: 1 + Math.floor(4 * random()), strength: ghosting })
  ricianNoise(out, noise, random)
  return out
}

interface Level {
  mean: number
  /** Relative to the texture asked for. */
  sd: number
}

interface Levels {
  of(label: number): Level
  lesion: number
  core: number
  dirty: number
}

function realLevels(modality: Modality, options: SynthesisOptions, random: () => number): Levels {
  const { tissueOf = tissueOfLabel, variety = 1 } = options
  const normal = quickNormal(random)
  const table = tissueContrast[modality]
  const means = Object.fromEntries(
    (Object.keys(table) as Tissue[]).map((tissue) => {
      const [mean, spread] = table[tissue]
      // Two standard deviations at most, so that no scan turns its contrast around.
      return [tissue, Math.max(0.01, mean + variety * spread * Math.max(-2, Math.min(2, normal())))]
    }),
  ) as Record<Tissue, number>
  return {
    of: (label) => {
      const tissue = tissueOf(label)
      return { mean: means[tissue], sd: tissue === 'air' ? 0.2 : 1 }
    },
    lesion: means.lesion,
    core: means.core,
    dirty: means.dirty,
  }
}

/** Means from 0 to 2, spreads up to 0.24 of the range for the default texture; lesions in a third of the draws bright. */
function randomLevels({ tissueOf = tissueOfLabel }: SynthesisOptions, random: () => number): Levels {
  const draw = (): Level => ({ mean: 2 * random(), sd: 4 * random() })
  const white = draw()
  const lesion = random() < 0.3 ? white.mean + 0.1 + 0.7 * random() : 2 * random()
  return {
    of: (label) => {
      const tissue = tissueOf(label)
      if (tissue === 'wm') return white
      if (tissue === 'lesion') return { mean: lesion, sd: white.sd }
      if (tissue !== 'air') return draw()
      const kind = random()
      if (kind < 0.05) return { mean: 0, sd: 0 }
      return kind < 0.3 ? { mean: 0.12 * random(), sd: random() } : draw()
    },
    lesion,
    core: 0.5 * (lesion + 2 * random()),
    dirty: white.mean + 0.3 * (lesion - white.mean),
  }
}

function layLesions(
  out: Float32Array,
  { fraction, core, dirty, contrast, enhancing }: LesionLayers,
  levels: Levels,
  modality: SynthesisedContrast,
): void {
  for (let i = 0; i < out.length; i++) {
    const share = fraction[i]
    const around = dirty ? dirty[i] * (1 - share) : 0
    if (share === 0 && around === 0) continue
    const tissue = out[i]
    const own = tissue + (contrast ? contrast[i] : 1) * (levels.lesion - tissue)
    let lesion = own + (core ? core[i] * (levels.core - own) : 0)
    if (modality === 't1gd' && enhancing) lesion += enhancing[i] * (enhancement - lesion)
    // What unevenness the tissue had stays, a little weaker.
    out[i] = tissue + share * (lesion - tissue) + around * (levels.dirty - tissue)
  }
}
