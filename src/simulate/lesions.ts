import type { Atlas } from '../preprocess/atlas.js'
import { type Affine, apply, invert, type Vec3 } from '../volume/affine.js'
import { distanceTo } from '../volume/distance.js'
import { resample, resampleMask } from '../volume/resample.js'
import { emptyImage, type Grid, type Image, type Mask, maskWhere, type Volume, voxelVolume } from '../volume/volume.js'

/** Where a lesion is put: by contact with the ventricles or the cortex, in brainstem and cerebellum, or in between. */
export type LesionSite = 'periventricular' | 'juxtacortical' | 'infratentorial' | 'subcortical'

/** A lesion before it is painted: all that chance decides about it. */
export interface LesionPlan {
  site: LesionSite
  /** Centre in the atlas's space, RAS mm. */
  centre: Vec3
  /** Long axis, a unit vector; in periventricular lesions it points away from the ventricle (Dawson's fingers). */
  axis: Vec3
  /** Length of the long half axis over the two others. */
  stretch: number
  /** Volume in mm³ that the smooth shape would have in white matter, before the load is scaled to what was asked. */
  volume: number
  /** Three sine waves that make the border uneven: direction in rad/mm, phase. */
  waves: { direction: Vec3; phase: number }[]
  /** Contrast with healthy tissue, relative to the mean lesion's. */
  contrast: number
}

/** Painted lesions on a grid of the atlas's space. */
export interface PaintedLesions {
  /** Lesion fraction of each voxel, 0–1. */
  fraction: Image
  /**
   * Number (from 1) of the lesion to which a voxel belongs most, 0 where none is near: a little wider than the lesions, so
   * that a thick slice that holds half a lesion finds its number at the voxel's centre.
   */
  owner: Volume<Int16Array>
}

/**
 * Shares of the sites and size relative to the patient's mean lesion; after early relapsing patients: most lesions in
 * deep white matter and at the ventricles, the largest volume at the ventricles (Pongratz et al. 2023, NeuroImage Clin
 * 37:103311).
 */
const sites: readonly { site: LesionSite; share: number; size: number }[] = [
  { site: 'periventricular', share: 0.36, size: 1.6 },
  { site: 'subcortical', share: 0.34, size: 0.75 },
  { site: 'juxtacortical', share: 0.2, size: 0.75 },
  { site: 'infratentorial', share: 0.1, size: 0.5 },
]

/**
 * Lesions where patients have them: sites by quota, centres drawn from the atlas's lesion frequency within each site,
 * sizes log-normal (many small, few large).
 *
 * @param count how many
 * @param meanMm3 mean volume of one
 */
export async function planLesions(
  atlas: Atlas,
  { count, meanMm3, random }: { count: number; meanMm3: number; random: () => number },
): Promise<LesionPlan[]> {
  const drawSite = await siteDraws(atlas, random)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const plans: LesionPlan[] = []
  for (const site of quota(count)) {
    const spread = 0.9
    const volume =
      meanMm3 *
      sites.find((entry) => entry.site === site)!.size *
      Math.exp(spread * Math.min(2, normal()) - spread ** 2 / 2)
    const reach = Math.cbrt((3 * volume) / (4 * Math.PI))
    let place = drawSite(site)
    // Lesions may merge at the ventricles; elsewhere another place is tried, so that the count stays what it was.
    for (let tries = 0; tries < 20 && site !== 'periventricular' && tooClose(place.centre, reach, plans); tries++)
      place = drawSite(site)
    plans.push({
      site,
      centre: place.centre,
      axis: site === 'periventricular' ? place.axis : direction(random),
      stretch: site === 'periventricular' ? 1.3 + 0.7 * random() : 1 + 0.5 * random(),
      volume,
      waves: Array.from({ length: 3 }, () => {
        const [x, y, z] = direction(random)
        const frequency = (1.2 + 1.3 * random()) / reach
        return { direction: [x * frequency, y * frequency, z * frequency], phase: 2 * Math.PI * random() }
      }),
      contrast: 0.75 + 0.4 * random(),
    })
  }
  return plans
}

/**
 * Paints the plans with a border of about a millimetre, at the scale that gives the load asked for: a shape loses where
 * it runs into fluid, grey matter or another lesion.
 *
 * @param volumeMm3 load, counted by fractions
 */
export async function paintLesions(
  atlas: Atlas,
  grid: Grid,
  plans: readonly LesionPlan[],
  volumeMm3: number,
): Promise<PaintedLesions> {
  const white = await resample(atlas.wm, grid)
  const grey = await resample(atlas.gm, grid)
  let scale = 1
  for (let round = 0; ; round++) {
    const painted: PaintedLesions = {
      fraction: emptyImage(grid),
      owner: { dims: grid.dims, affine: grid.affine, data: new Int16Array(white.data.length) },
    }
    for (const [n, plan] of plans.entries()) paint(painted, plan, n + 1, scale, white, grey)
    let voxels = 0
    for (let i = 0; i < white.data.length; i++) voxels += painted.fraction.data[i]
    const ratio = volumeMm3 / Math.max(1e-6, voxels * voxelVolume(grid))
    if (round === 4 || plans.length === 0 || Math.abs(ratio - 1) < 0.02) return painted
    // Shapes that grow lose more at their borders, so a step a little longer than the ratio gets there sooner.
    scale *= Math.min(3, ratio ** 1.15)
  }
}

/** Sites in turn by their shares, so that every patient with a few lesions has each. */
function quota(count: number): LesionSite[] {
  const given = new Map<LesionSite, number>()
  return Array.from({ length: count }, (_, n) => {
    const owed = ({ site, share }: (typeof sites)[number]) => share * (n + 1) - (given.get(site) ?? 0)
    const { site } = sites.reduce((most, entry) => (owed(entry) > owed(most) ? entry : most))
    given.set(site, (given.get(site) ?? 0) + 1)
    return site
  })
}

function tooClose(centre: Vec3, reach: number, plans: readonly LesionPlan[]): boolean {
  return plans.some(({ centre: other, volume }) => {
    const theirs = Math.cbrt((3 * volume) / (4 * Math.PI))
    return Math.hypot(centre[0] - other[0], centre[1] - other[1], centre[2] - other[2]) < 1.2 * (reach + theirs) + 2
  })
}

/** For each site a draw of centres, on the lesion map's 2 mm voxels, with the way out from the ventricles there. */
async function siteDraws(
  atlas: Atlas,
  random: () => number,
): Promise<(site: LesionSite) => { centre: Vec3; axis: Vec3 }> {
  const grid = atlas.lesionPrior
  const white = await resample(atlas.wm, grid)
  const below = await resample(atlas.infratentorial, grid)
  const ventricles = await resampleMask(atlas.ventricles, grid)
  const cortical = await resample(atlas.cortex, grid)
  const fromVentricles = await distanceTo(where(ventricles, (v) => v === 1))
  const fromCortex = await distanceTo(where(cortical, (p) => p >= 0.5))
  const belongs: Record<LesionSite, (i: number) => boolean> = {
    periventricular: (i) => white.data[i] > 0.5 && below.data[i] < 0.1 && fromVentricles.data[i] <= 4,
    juxtacortical: (i) =>
      white.data[i] > 0.6 && below.data[i] < 0.1 && fromCortex.data[i] <= 3 && fromVentricles.data[i] > 9,
    infratentorial: (i) => white.data[i] > 0.5 && below.data[i] > 0.9,
    subcortical: (i) =>
      white.data[i] > 0.8 && below.data[i] < 0.1 && fromCortex.data[i] > 5.5 && fromVentricles.data[i] > 7,
  }
  const [nx, ny] = grid.dims
  const tables = new Map(
    sites.map(({ site }) => {
      const voxels: number[] = []
      const cumulative: number[] = []
      let total = 0
      for (let i = 0; i < white.data.length; i++) {
        if (!belongs[site](i)) continue
        // The map holds square roots; the small constant leaves no place impossible.
        total += grid.data[i] ** 2 + 0.01
        voxels.push(i)
        cumulative.push(total)
      }
      return [site, { voxels, cumulative, total }]
    }),
  )
  return (site) => {
    const { voxels, cumulative, total } = tables.get(site)!
    const at = voxels[search(cumulative, random() * total)]
    const ijk: Vec3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    const centre = apply(grid.affine, [ijk[0] + random() - 0.5, ijk[1] + random() - 0.5, ijk[2] + random() - 0.5])
    const strides = [1, nx, nx * ny]
    const slope = strides.map((s) => fromVentricles.data[at + s] - fromVentricles.data[at - s])
    return { centre, axis: unit(slope as unknown as Vec3) }
  }
}

function where(image: Image | Mask, inside: (value: number) => boolean): Mask {
  return maskWhere(image, inside)
}

function paint(
  { fraction, owner }: PaintedLesions,
  { centre, axis, stretch, volume, waves }: LesionPlan,
  number: number,
  scale: number,
  white: Image,
  grey: Image,
): void {
  const [nx, ny, nz] = fraction.dims
  const short = Math.cbrt((3 * volume * scale) / (4 * Math.PI * stretch))
  const long = short * stretch
  const toIndex: Affine = invert(fraction.affine)
  const at = apply(toIndex, centre).map(Math.round)
  const reach = Math.ceil(long * 1.4 + rim)
  for (let k = Math.max(0, at[2] - reach); k <= Math.min(nz - 1, at[2] + reach); k++)
    for (let j = Math.max(0, at[1] - reach); j <= Math.min(ny - 1, at[1] + reach); j++)
      for (let i = Math.max(0, at[0] - reach); i <= Math.min(nx - 1, at[0] + reach); i++) {
        const p = apply(fraction.affine, [i, j, k])
        const d: Vec3 = [p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]]
        const along = dot(d, axis)
        const across = Math.sqrt(Math.max(0, dot(d, d) - along * along))
        let distance = Math.hypot(along / long, across / short)
        for (const { direction, phase } of waves) distance += 0.1 * Math.sin(dot(direction, d) + phase)
        const depth = (1 - distance) * short
        if (depth <= -rim) continue
        const index = i + nx * (j + ny * k)
        // Lesions stop at the fluid and thin out in grey matter.
        const room = Math.min(1, 1.4 * white.data[index] + 0.3 * grey.data[index])
        const value = Math.min(1, Math.max(0, 0.5 + depth)) * room
        if (value > fraction.data[index]) {
          fraction.data[index] = value
          owner.data[index] = number
        } else if (owner.data[index] === 0) owner.data[index] = number
      }
}

/** How far `owner` reaches beyond the border of a lesion, mm. */
const rim = 2.5

const dot = (a: Vec3, b: Vec3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

function unit(v: Vec3): Vec3 {
  const length = Math.hypot(...v)
  return length > 0 ? [v[0] / length, v[1] / length, v[2] / length] : [0, 0, 1]
}

/** A direction, all equally likely. */
function direction(random: () => number): Vec3 {
  const z = 2 * random() - 1
  const angle = 2 * Math.PI * random()
  const r = Math.sqrt(1 - z * z)
  return [r * Math.cos(angle), r * Math.sin(angle), z]
}

/** Index of the first entry above `value` in an ascending list. */
function search(ascending: readonly number[], value: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}
