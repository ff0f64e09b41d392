import { type Atlas, loadAtlas } from '../preprocess/atlas.js'
import { seededRandom } from '../random.js'
import { type Affine, apply, compose, determinant, invert, scaling, type Vec3 } from '../volume/affine.js'
import { resample } from '../volume/resample.js'
import { emptyMask, type Grid, type Image, type Mask, type Volume, voxelVolume } from '../volume/volume.js'
import { type BrainLevels, headPainter } from './contrast.js'
import { type LesionPlan, type LesionSite, type PaintedLesions, paintLesions, planLesions } from './lesions.js'
import { axialGrid, pose, sagittalGrid, scanned, three } from './scanner.js'
import { lateralVentricles, randomDisplacement, warpImage, warpLabels } from './warp.js'

export interface SimulationOptions {
  /** Default 1. The same seed gives the same study. */
  seed?: number
  /**
   * Lesion load in ml, partial voxels by their fraction. Default 12; 0 gives a head without lesions. In thick slices
   * fewer voxels are at least half lesion: `truth` holds about a tenth less.
   */
  lesionMl?: number
  /** How many lesions are put in (some merge). Default: by the load, 44 for 12 ml. */
  lesionCount?: number
  /** Rician noise, as a fraction of white matter's intensity. Default 0.03. */
  noise?: number
  /** Strength of the bias field: about ± this fraction across the head. Default 0.15. */
  bias?: number
  /** Thickness of the FLAIR's slices in mm. Default 3. */
  sliceMm?: number
  /** Size of the FLAIR's pixels in mm. Default 0.9. */
  pixelMm?: number
}

/** A lesion that was put into a simulated head. */
export interface SimulatedLesion {
  /** Number in `truthLabels`. */
  id: number
  site: LesionSite
  /** Centre of mass, RAS mm of the FLAIR. */
  centre: Vec3
  /** Volume in mm³, partial voxels by their fraction. */
  volumeMm3: number
}

export interface SimulatedStudy {
  /** Axial slices. */
  flair: Image
  /** Sagittal, 1.2 × 1.1 × 1.1 mm, in the space of another position of the head. */
  t1: Image
  /** Lesions on the FLAIR's grid: voxels at least half lesion. */
  truth: Mask
  /** The same voxels with the number of their lesion; one so small that no voxel is half lesion is missing in both. */
  truthLabels: Volume<Int16Array>
  /** By volume, the largest first. */
  lesions: SimulatedLesion[]
  /** The brain (tissue and the fluid around it, as the atlas has it) on the FLAIR's grid. */
  brain: Mask
  /** World map FLAIR RAS mm → atlas mm, up to the deformation. */
  toAtlas: Affine
  /** World map FLAIR RAS mm → T1 RAS mm: the rigid move between the two scans. */
  flairToT1: Affine
}

/**
 * A patient who does not exist: head and tissue of the atlas, smoothly deformed, with wider ventricles, in a pose and size
 * of their own; lesions where patients have them; two contrasts with partial volume, bias field and Rician noise.
 *
 * @throws RangeError for options that describe no head
 */
export async function simulateStudy(options: SimulationOptions = {}): Promise<SimulatedStudy> {
  const { seed = 1, lesionMl = 12, noise = 0.03, bias = 0.15, sliceMm = 3, pixelMm = 0.9 } = options
  const { lesionCount = Math.round(10 * lesionMl ** 0.6) } = options
  check({ lesionMl, lesionCount, noise, bias, sliceMm, pixelMm })
  // A stream of random numbers for each purpose, so that another load leaves head, pose and noise as they were.
  const stream = (purpose: number) => seededRandom(Math.imul(seed, 0x9e3779b1) + purpose)
  const atlas = await loadAtlas()
  const head: Grid = { dims: [190, 230, 200], affine: [1, 0, 0, -95, 0, 1, 0, -130, 0, 0, 1, -82, 0, 0, 0, 1] }

  // The patient's head is not the template's: turned, moved, and up to 5 % larger or smaller along each axis.
  const where = stream(1)
  const toAtlas = compose(pose(where, 5, 6), scaling(three(() => 1 + 0.1 * (where() - 0.5))))
  const flairToT1 = pose(where, 6, 8)
  const shrink = determinant(toAtlas)

  const { flair, t1, painted, plans, brain } = await deformedHead(atlas, head, {
    count: lesionMl > 0 ? lesionCount : 0,
    volumeMm3: lesionMl * 1000 * shrink,
    lesionRandom: stream(2),
    textureRandom: stream(3),
    shapeRandom: stream(4),
  })

  const flairGrid = axialGrid(pixelMm, sliceMm)
  const t1Grid = sagittalGrid()
  const onFlair = { map: toAtlas, antialias: true }
  const onT1 = { map: compose(toAtlas, invert(flairToT1)), antialias: true }
  const lesionOnFlair = await resample(painted.fraction, flairGrid, onFlair)
  const owners = await resample(painted.owner, flairGrid, { map: toAtlas, method: 'nearest' })
  const truth = emptyMask(flairGrid)
  const truthLabels = { ...flairGrid, data: new Int16Array(truth.data.length) }
  for (let i = 0; i < truth.data.length; i++) {
    if (lesionOnFlair.data[i] < 0.5) continue
    truth.data[i] = 1
    truthLabels.data[i] = owners.data[i]
  }
  const scanRandom = stream(5)
  return {
    flair: scanned(await resample(flair, flairGrid, onFlair), { random: scanRandom, noise, bias, scale: 600 }),
    t1: scanned(await resample(t1, t1Grid, onT1), { random: scanRandom, noise, bias: bias * 1.3, scale: 450 }),
    truth,
    truthLabels,
    lesions: describe(painted, plans, toAtlas),
    brain: atLeastHalf(await resample(brain, flairGrid, onFlair)),
    toAtlas,
    flairToT1,
  }
}

function check({ lesionMl, lesionCount, noise, bias, sliceMm, pixelMm }: Record<string, number>): void {
  const wants = (fits: boolean, what: string) => {
    if (!fits) throw new RangeError(`A patient cannot be simulated so: ${what}.`)
  }
  wants(lesionMl >= 0 && lesionMl <= 100, `lesionMl is ${lesionMl}, give 0 to 100`)
  wants(
    Number.isInteger(lesionCount) && lesionCount >= (lesionMl > 0 ? 1 : 0) && lesionCount <= 1000,
    `lesionCount is ${lesionCount}, give a whole number from 1 to 1000`,
  )
  wants(noise >= 0 && noise <= 1, `noise is ${noise}, give 0 to 1`)
  wants(bias >= 0 && bias <= 1, `bias is ${bias}, give 0 to 1`)
  wants(sliceMm >= 0.5 && sliceMm <= 20, `sliceMm is ${sliceMm}, give 0.5 to 20`)
  wants(pixelMm >= 0.5 && pixelMm <= 5, `pixelMm is ${pixelMm}, give 0.5 to 5`)
}

/** A scan in which lesions are easy to see. */
const levels: Record<'flair' | 't1', BrainLevels> = {
  flair: { csf: 0.2, gm: 1.22, deepGrey: 1.22, wm: 1, lesion: 1.9, core: 1.9, dirty: 1 },
  t1: { csf: 0.28, gm: 0.72, deepGrey: 0.72, wm: 1, lesion: 0.68, core: 0.68, dirty: 1 },
}

function contrastLayer({ owner }: PaintedLesions, plans: readonly LesionPlan[]): Float32Array {
  const out = new Float32Array(owner.data.length).fill(1)
  for (let i = 0; i < out.length; i++) if (owner.data[i] > 0) out[i] = plans[owner.data[i] - 1].contrast
  return out
}

/** Everything at 1 mm in the atlas's space, after the deformation. */
async function deformedHead(
  atlas: Atlas,
  grid: Grid,
  options: {
    count: number
    volumeMm3: number
    lesionRandom: () => number
    textureRandom: () => number
    shapeRandom: () => number
  },
): Promise<{ flair: Image; t1: Image; painted: PaintedLesions; plans: LesionPlan[]; brain: Image }> {
  const { count, volumeMm3, lesionRandom, textureRandom, shapeRandom } = options
  const meanMm3 = count > 0 ? volumeMm3 / count : 0
  const plans = await planLesions(atlas, { count, meanMm3, random: lesionRandom })
  const painted = await paintLesions(atlas, grid, plans, volumeMm3)
  const paint = await headPainter(atlas, grid, textureRandom)
  const layers = { fraction: painted.fraction.data, contrast: contrastLayer(painted, plans) }
  const displacement = await randomDisplacement(lateralVentricles(atlas), grid, {
    mm: 2.5,
    spacing: 48,
    widening: 3 * shapeRandom(),
    random: shapeRandom,
  })
  return {
    flair: warpImage(paint('flair', levels.flair, layers), displacement),
    t1: warpImage(paint('t1', levels.t1, layers), displacement),
    painted: { fraction: warpImage(painted.fraction, displacement), owner: warpLabels(painted.owner, displacement) },
    plans,
    brain: warpImage(await resample(atlas.brain, grid), displacement),
  }
}

function atLeastHalf(share: Image): Mask {
  return { dims: share.dims, affine: share.affine, data: Uint8Array.from(share.data, (v) => (v >= 0.5 ? 1 : 0)) }
}

/** Centre and volume of each lesion as the patient has it. Lesions that others swallowed are left out. */
function describe(
  { fraction, owner }: PaintedLesions,
  plans: readonly LesionPlan[],
  toAtlas: Affine,
): SimulatedLesion[] {
  const [nx, ny] = fraction.dims
  const sums = plans.map(() => ({ weight: 0, x: 0, y: 0, z: 0 }))
  for (let i = 0; i < owner.data.length; i++) {
    if (owner.data[i] === 0) continue
    const sum = sums[owner.data[i] - 1]
    const weight = fraction.data[i]
    sum.weight += weight
    sum.x += weight * (i % nx)
    sum.y += weight * (Math.floor(i / nx) % ny)
    sum.z += weight * Math.floor(i / (nx * ny))
  }
  const toPatient = compose(invert(toAtlas), fraction.affine)
  const voxel = voxelVolume(fraction) / determinant(toAtlas)
  return sums
    .flatMap(({ weight, x, y, z }, n) => {
      if (weight === 0) return []
      const centre = apply(toPatient, [x / weight, y / weight, z / weight])
      return [{ id: n + 1, site: plans[n].site, centre, volumeMm3: weight * voxel }]
    })
    .sort((a, b) => b.volumeMm3 - a.volumeMm3)
}
