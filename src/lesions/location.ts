import { type Affine, apply, compose, invert, type Vec3 } from '../volume/affine.js'
import { distanceTo } from '../volume/distance.js'
import { dilateSteps } from '../volume/morphology.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import type { Lesion, Location } from './types.js'

/** The parts of the brain that decide a lesion's class; all on one grid, which need not be the lesions'. */
export interface Anatomy {
  /** Lateral and third ventricles: contact with the fourth makes no lesion periventricular. */
  ventricles: Mask
  /** Brainstem and cerebellum. */
  infratentorial: Mask
  /** Cortical ribbon. */
  cortex: Mask
}

export interface LocationRule {
  /** The classes in the order in which they are tried; what fits none is subcortical. */
  order: readonly Exclude<Location, 'subcortical'>[]
  /** Largest gap to the ventricles, in mm, that still counts as contact. */
  ventricleMm: number
  /** Largest gap to the cortex, in mm, that still counts as contact. */
  cortexMm: number
  /** Part of the lesion that must lie in brainstem and cerebellum; 0 means that touching them is enough. */
  infratentorialFraction: number
}

/**
 * `clinical`: the regions of the McDonald criteria, after the lesion assessment guidelines of Filippi et al. 2019,
 * Brain 142:1858, with brainstem and cerebellum first, so that a pontine lesion beside the fourth ventricle stays
 * infratentorial. `lst-ai`: the order and the one-voxel contact of Wiltgen et al. 2024, NeuroImage Clin 42:103611.
 */
export const locationRules: Readonly<Record<'clinical' | 'lst-ai', LocationRule>> = {
  clinical: {
    order: ['infratentorial', 'periventricular', 'juxtacortical'],
    ventricleMm: 1.5,
    cortexMm: 1.5,
    infratentorialFraction: 0.5,
  },
  'lst-ai': {
    order: ['periventricular', 'juxtacortical', 'infratentorial'],
    ventricleMm: 0,
    cortexMm: 0,
    infratentorialFraction: 0,
  },
}

/**
 * The lesions with location, touched regions, gaps and fractions added.
 *
 * Gaps run from the surface of one voxel to that of the other, not between centres: neighbours have gap 0 whatever the
 * slice thickness, and one 1 mm voxel between lesion and ventricle is a gap of 1 mm.
 *
 * @param labels lesion ids; `lesions[n].id` = n + 1
 */
export async function locateLesions(
  lesions: readonly Lesion[],
  labels: Volume<Int16Array>,
  anatomy: Anatomy,
  rule: LocationRule = locationRules.clinical,
): Promise<Lesion[]> {
  if (lesions.length === 0) return []
  const ventricleGap = await gapTo(anatomy.ventricles)
  const cortexGap = await gapTo(anatomy.cortex)
  const infratentorialGap = rule.infratentorialFraction === 0 ? await gapTo(anatomy.infratentorial) : undefined
  const toAnatomy = compose(invert(anatomy.ventricles.affine), labels.affine)

  return lesions.map((lesion) => {
    const at = voxelsOf(lesion, labels, toAnatomy)
    const smallest = (gap: Image) => at.reduce((least, p) => Math.min(least, valueAt(gap, p)), Infinity)
    const fraction = (mask: Mask) => at.reduce((n, p) => n + nearest(mask, p), 0) / at.length
    const ventricleGapMm = smallest(ventricleGap)
    const cortexGapMm = smallest(cortexGap)
    const infratentorialFraction = fraction(anatomy.infratentorial)
    const corticalFraction = fraction(anatomy.cortex)
    const inRegion: Record<Exclude<Location, 'subcortical'>, boolean> = {
      periventricular: ventricleGapMm <= rule.ventricleMm,
      juxtacortical: cortexGapMm <= rule.cortexMm || corticalFraction >= 0.5,
      infratentorial: infratentorialGap
        ? smallest(infratentorialGap) <= 0
        : infratentorialFraction >= rule.infratentorialFraction,
    }
    const location = rule.order.find((region) => inRegion[region]) ?? 'subcortical'
    const touched = rule.order.filter(
      (region) => inRegion[region] || (region === 'infratentorial' && infratentorialFraction > 0),
    )
    return {
      ...lesion,
      location,
      touches: [location, ...touched.filter((region) => region !== location)],
      ventricleGapMm,
      cortexGapMm,
      infratentorialFraction,
      corticalFraction,
    }
  })
}

/**
 * Gap in mm from each voxel to the nearest voxel of the mask, surface to surface; +Infinity for an empty mask.
 * Growing the mask by its 26 neighbours takes one voxel off every axis of every offset, which is just the half voxel
 * of either side.
 */
const gapTo = (mask: Mask): Promise<Image> => distanceTo(dilateSteps(mask, 26, 1))

/** The lesion's voxel centres, as voxel positions of the anatomy's grid. */
function voxelsOf({ id, box }: Lesion, { dims, data }: Volume<Int16Array>, toAnatomy: Affine): Vec3[] {
  const at: Vec3[] = []
  for (let k = box.start[2]; k < box.start[2] + box.dims[2]; k++)
    for (let j = box.start[1]; j < box.start[1] + box.dims[1]; j++)
      for (let i = box.start[0]; i < box.start[0] + box.dims[0]; i++)
        if (data[i + dims[0] * (j + dims[1] * k)] === id) at.push(apply(toAnatomy, [i, j, k]))
  return at
}

function nearest({ dims, data }: Volume, p: Vec3): number {
  const [i, j, k] = p.map(Math.round)
  if (i < 0 || j < 0 || k < 0 || i >= dims[0] || j >= dims[1] || k >= dims[2]) return 0
  return data[i + dims[0] * (j + dims[1] * k)] !== 0 ? 1 : 0
}

/** The image's value at a voxel position, linear between voxels; positions outside take the value at the border. */
function valueAt({ dims, data }: Image, p: Vec3): number {
  const low = [0, 0, 0]
  const part = [0, 0, 0]
  for (let axis = 0; axis < 3; axis++) {
    const inside = Math.min(Math.max(p[axis], 0), dims[axis] - 1)
    // Grids that share their voxels differ by rounding only: take those voxels as they are.
    const whole = Math.abs(inside - Math.round(inside)) < 1e-3 ? Math.round(inside) : inside
    low[axis] = Math.min(Math.floor(whole), Math.max(0, dims[axis] - 2))
    part[axis] = whole - low[axis]
  }
  let sum = 0
  for (let corner = 0; corner < 8; corner++) {
    let weight = 1
    let index = 0
    for (let axis = 2; axis >= 0; axis--) {
      const up = (corner >> axis) & 1
      weight *= up ? part[axis] : 1 - part[axis]
      index = index * dims[axis] + low[axis] + up
    }
    // A weight of 0 must not meet a distance of Infinity.
    if (weight > 0) sum += weight * data[index]
  }
  return sum
}
