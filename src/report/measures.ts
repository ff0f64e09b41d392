import { voxelSizes } from '../volume/affine.js'
import { percentiles } from '../volume/histogram.js'
import type { PreparedStudy } from '../volume/study.js'
import { emptyMask, type Image, type Mask } from '../volume/volume.js'
import { ghostToSignal } from './ghosting.js'
import { areas } from './slices.js'
import { looks, type Plane, planes, slice, upright } from './view.js'

/** What can be measured of a FLAIR without knowing the truth. Undefined where it cannot be told. */
export interface QualityMeasures {
  /** Largest voxel size, in mm. */
  sliceMm: number
  /** Largest voxel size over the smallest. */
  anisotropy: number
  /** Middle one of the three voxel sizes, in mm: the coarser side of a pixel. */
  pixelMm: number
  /** Area of brain, in cm², beyond what the end of a whole brain shows, in the worst of the end slices; 0 when none. */
  cutCm2: number
  /** Where that is. */
  cutEnd?: 'top' | 'bottom' | 'left' | 'right' | 'front' | 'back'
  /** How far CSF lies below brain tissue, in widths (interquartile) of the tissue's peak. */
  contrast: number
  /** Median of the cortex, without fluid, over that of white matter: 1 and more in FLAIR, below in T1. */
  greyToWhite?: number
  /** Median of the inner ventricles over that of white matter: well below 1 in FLAIR and T1, above in T2. */
  fluidToWhite?: number
  /** ghostToSignal. */
  ghosting?: number
}

/**
 * Measures a FLAIR.
 *
 * @param flair as the scanner gave it
 * @param brain brain mask on its grid
 * @param study the same FLAIR prepared, for measures that need to know where cortex and white matter are
 */
export function measureQuality(flair: Image, brain: Mask, study?: PreparedStudy): QualityMeasures {
  const [small, middle, large] = [...voxelSizes(flair.affine)].sort((a, b) => a - b)
  return {
    sliceMm: large,
    anisotropy: large / small,
    pixelMm: middle,
    ...coverage(flair, brain),
    contrast: contrast(flair, brain),
    ...(study ? tissueRatios(study) : {}),
    ghosting: ghostToSignal(flair, brain),
  }
}

/** Ends of each plane's stack of slices, on upright volumes: first and last. */
const ends = { axial: ['bottom', 'top'], coronal: ['back', 'front'], sagittal: ['left', 'right'] } as const

/**
 * The brain is cut where its outermost slice is the last that was acquired and yet shows more tissue than the cap of a
 * whole brain would: a cap of a ball of 60 mm, `t` mm thick, has about 4·t cm², and several bulges may end together.
 * Tissue is what has 60 % of the brain's brightness, as masks are least sure at the ends, where fluid and neck lie.
 */
function coverage(given: Image, givenBrain: Mask): Pick<QualityMeasures, 'cutCm2' | 'cutEnd'> {
  const [flair, brain] = [upright(given), upright(givenBrain)]
  const [dark, middle] = percentiles(flair, [0.5, 50], brain)
  const bright = Math.min(0, dark) + 0.6 * (middle - Math.min(0, dark))
  const tissue = emptyMask(brain)
  for (let i = 0; i < tissue.data.length; i++) tissue.data[i] = brain.data[i] !== 0 && flair.data[i] > bright ? 1 : 0
  const size = voxelSizes(flair.affine)
  let worst: Pick<QualityMeasures, 'cutCm2' | 'cutEnd'> = { cutCm2: 0 }
  for (const plane of planes) {
    const held = areas(brain, plane).flatMap((area, index) => (area > 0 ? [index] : []))
    const shown = areas(tissue, plane)
    if (held.length === 0) continue
    const { through } = looks[plane]
    for (const end of [0, 1] as const) {
      const index = end === 0 ? held[0] : held[held.length - 1]
      if (hasData(flair, plane, index + (end === 0 ? -1 : 1))) continue
      const excess = shown[index] / 100 - (6 + 4 * size[through])
      if (excess > worst.cutCm2) worst = { cutCm2: excess, cutEnd: ends[plane][end] }
    }
  }
  return worst
}

function hasData(image: Image, plane: Plane, index: number): boolean {
  if (index < 0 || index >= image.dims[looks[plane].through]) return false
  const { data } = slice(image, plane, index)
  return data.some((value) => value !== data[0])
}

/** The darkest 3 % of a brain mask are CSF in a FLAIR; the quartiles are those of the tissue's peak. */
function contrast(flair: Image, brain: Mask): number {
  const [fluid, low, middle, high] = percentiles(flair, [3, 35, 55, 75], brain)
  return (middle - fluid) / Math.max(high - low, Number.MIN_VALUE)
}

/**
 * Ratios of tissues that the atlas points at, medians. Of the cortex only what is not fluid counts (55 % of white
 * matter): an affine atlas puts many voxels of the sulci into it, and more of them the more the brain has shrunk.
 * Standardised images run below zero; there the darkest of the brain takes the place of zero.
 */
function tissueRatios({ images, brain, atlas }: PreparedStudy): Pick<QualityMeasures, 'greyToWhite' | 'fluidToWhite'> {
  const flair = images.flair
  if (!flair) return {}
  const zero = Math.min(0, percentiles(flair, [0.5], brain)[0])
  const median = (test: (i: number) => boolean): number => {
    const mask = emptyMask(brain)
    for (let i = 0; i < mask.data.length; i++) mask.data[i] = brain.data[i] !== 0 && test(i) ? 1 : 0
    return percentiles(flair, [50], mask)[0] - zero
  }
  const white = median((i) => atlas.wm.data[i] >= 0.9)
  if (!(white > 0)) return {}
  const ratio = (value: number) => (Number.isFinite(value) ? value / white : undefined)
  return {
    greyToWhite: ratio(median((i) => atlas.cortex.data[i] >= 0.6 && flair.data[i] - zero > 0.55 * white)),
    fluidToWhite: ratio(median((i) => atlas.ventricles.data[i] === 1 && atlas.csf.data[i] >= 0.8)),
  }
}
