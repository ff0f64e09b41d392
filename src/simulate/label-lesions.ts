import type { Affine, Vec3 } from '../volume/affine.js'
import { drawShape, type LesionBank, type LesionShape, lesionBank, shapeDepth, shapeReach } from './bank.js'
import { type Activity, type Course, drawCourse, drawOnsets } from './course.js'
import { type PlaceMaps, placeDraws } from './placement.js'
import { type Lattice, type RenderedShape, randomTurn, randomWaves, renderShape } from './shape-render.js'
import type { LesionLayers } from './synthesise.js'

/** All that chance decides about a lesion of a label map: plain values. */
export interface PlacedLesion {
  shape: LesionShape
  /** Centre in voxels. */
  at: Vec3
  turn: Affine
  scale: number
  /** Width of the border, mm. */
  edge: number
  /** Contrast relative to the mean lesion's. */
  contrast: number
  /** How deep a T1-dark core begins, mm; 0 for none. */
  core: number
  /** Width of dirty-appearing white matter around it, mm; 0 for none. */
  halo: number
  /** Takes up gadolinium at the visit at which it appears. */
  enhancing: boolean
  course: Course
}

export interface LabelAnatomy extends PlaceMaps {
  /** Share of the voxel in which a lesion can be: 1 in white matter. */
  room: Float32Array | Uint8Array
}

/** How many lesions: a number of them, or as many as make a volume. */
export type LesionAmount = { count: number; volumeMm3?: undefined } | { count?: undefined; volumeMm3: number }

/**
 * Lesions for a label map: shapes of the bank in white matter, as often as the prior says, a third of them beside a
 * ventricle where ventricles are known. Fewer than asked for where there is no room.
 */
export function placeLesions(
  anatomy: LabelAnatomy,
  bank: LesionBank,
  { count, volumeMm3, visits = 1, activity = {} }: LesionAmount & { visits?: number; activity?: Activity },
  random: () => number,
): PlacedLesion[] {
  const draw = placeDraws(anatomy, (i) => anatomy.room[i] > 0.9, random)
  const placed: PlacedLesion[] = []
  const voxelMm3 = anatomy.spacing[0] * anatomy.spacing[1] * anatomy.spacing[2]
  const covered = new Float32Array(anatomy.room.length)
  /** Voxels that a lesion adds to those before it. */
  const cover = ({ start, dims, fraction }: RenderedShape): number => {
    const [nx, ny] = anatomy.shape
    let sum = 0
    for (let n = 0; n < fraction.length; n++) {
      const j = start[1] + (Math.floor(n / dims[0]) % dims[1])
      const i = start[0] + (n % dims[0]) + nx * (j + ny * (start[2] + Math.floor(n / (dims[0] * dims[1]))))
      sum += Math.max(0, fraction[n] - covered[i])
      covered[i] = Math.max(covered[i], fraction[n])
    }
    return sum
  }
  const add = (onset: number, maxMm3 = Infinity): number => {
    const at = draw(anatomy.ventricles !== undefined && random() < 0.35)
    if (!at) return Number.NaN
    const shape = drawShape(bank, random, { minMm3: leastMm3, maxMm3: Math.max(4 * leastMm3, maxMm3) })
    const scale = 0.8 + 0.4 * random()
    const lesion: PlacedLesion = {
      shape,
      at,
      turn: randomTurn(random),
      scale,
      edge: 0.8 + 1.2 * random(),
      contrast: 0.75 + 0.4 * random(),
      core: random() < 0.3 ? 1.5 + random() : 0,
      halo: random() < 0.5 ? 1 + 1.5 * random() : 0,
      enhancing: random() < (onset > 0 ? 0.6 : 0.08),
      course: drawCourse(visits, onset, activity, random),
    }
    placed.push(lesion)
    return voxelMm3 * cover(render(anatomy, anatomy.room, lesion, 0))
  }
  if (count !== undefined) for (let n = 0; n < count; n++) add(0)
  else for (let sum = 0; sum < volumeMm3 * (1 - 1e-9) && placed.length < 1000; ) sum += add(0, volumeMm3 - sum)
  for (const onset of drawOnsets(visits, activity, random)) add(onset, mostNewMm3)
  return placed
}

/**
 * The layers of the lesions at a visit, and whose lesion a voxel is (`owners`: the number in the list, from 1): a little
 * wider than the lesions, so that a thick slice that holds half a lesion finds its number. A voxel is lesion where
 * its fraction is at least a half.
 */
export function lesionLayers(
  lattice: Lattice,
  room: Float32Array | Uint8Array,
  placed: readonly PlacedLesion[],
  visit = 0,
): { layers: Required<LesionLayers>; owners: Int16Array } {
  const count = room.length
  const layers: Required<LesionLayers> = {
    fraction: new Float32Array(count),
    core: new Float32Array(count),
    dirty: new Float32Array(count),
    contrast: new Float32Array(count).fill(1),
    enhancing: new Float32Array(count),
  }
  const owners = new Int16Array(count)
  for (const [n, lesion] of placed.entries()) {
    const offset = lesion.course[visit]
    if (offset === undefined) continue
    const { start, dims, fraction, depth: deep } = render(lattice, room, lesion, offset)
    const isNew = visit === 0 ? lesion.enhancing : lesion.course[visit - 1] === undefined && lesion.enhancing
    let at = 0
    for (let k = 0; k < dims[2]; k++)
      for (let j = 0; j < dims[1]; j++) {
        let i = start[0] + lattice.shape[0] * (start[1] + j + lattice.shape[1] * (start[2] + k))
        for (let x = 0; x < dims[0]; x++, at++, i++) {
          if (lesion.halo > 0 && room[i] > 0) {
            const around = 0.6 * room[i] * Math.max(0, Math.min(1, 1 + deep[at] / lesion.halo))
            if (around > layers.dirty[i]) layers.dirty[i] = around
          }
          if (owners[i] === 0 && deep[at] > -rim) owners[i] = n + 1
          if (fraction[at] <= layers.fraction[i]) continue
          layers.fraction[i] = fraction[at]
          layers.contrast[i] = lesion.contrast
          layers.core[i] = lesion.core > 0 ? Math.max(0, Math.min(1, 0.5 + (deep[at] - lesion.core) / 1.5)) : 0
          layers.enhancing[i] = isNew ? 1 : 0
          owners[i] = n + 1
        }
      }
  }
  return { layers, owners }
}

/** A lesion of fewer mm³ would be seen in no slice. */
const leastMm3 = 15

/** New lesions are no confluent ones. */
const mostNewMm3 = 2000

function render(
  lattice: Lattice,
  room: Float32Array | Uint8Array,
  { shape, turn, scale, at, edge, halo }: PlacedLesion,
  offset: number,
): RenderedShape {
  const depth = shapeDepth(shape, turn, scale)
  return renderShape(
    lattice,
    {
      at,
      depth: (x, y, z) => depth(x, y, z) + offset,
      reach: scale * shapeReach(shape) + offset,
      edge,
      around: Math.max(edge / 2 + halo, rim),
    },
    (i) => room[i],
  )
}

/** How far `owners` reaches beyond a lesion's surface, mm. */
const rim = 2.5

/** A bank without patients: uneven ellipsoids, sizes log-normal about 60 mm³. */
export async function ellipsoidBank(random: () => number, count = 40): Promise<LesionBank> {
  const masks = Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const radius = Math.cbrt((3 * 60 * Math.exp(Math.max(-2, Math.min(2.2, normal)))) / (4 * Math.PI))
    const [b, c] = [0.7 + 0.3 * random(), 0.7 + 0.3 * random()]
    const a = 1 / (b * c)
    const waves = randomWaves(random, 2.2 * radius)
    const half = Math.ceil(2.4 * radius) + 1
    const n = 2 * half + 1
    const data = new Uint8Array(n ** 3)
    for (let k = -half, at = 0; k <= half; k++)
      for (let j = -half; j <= half; j++)
        for (let i = -half; i <= half; i++, at++)
          if (Math.hypot(i / a, j / b, k / c) / radius + 0.25 * waves(i, j, k) < 1) data[at] = 1
    const dims: Vec3 = [n, n, n]
    return { dims, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], data }
  })
  return await lesionBank(masks)
}
