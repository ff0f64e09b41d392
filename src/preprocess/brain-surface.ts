import { type Affine, apply, compose, invert, type Vec3 } from '../volume/affine.js'
import { fillHoles } from '../volume/components.js'
import { distanceTo } from '../volume/distance.js'
import { gaussian } from '../volume/filter.js'
import { resample, resampleMask } from '../volume/resample.js'
import { emptyImage, type Grid, gridOf, type Image, type Mask } from '../volume/volume.js'

/** An image whose brain edge is looked for, and how its tissue and its fluid differ. */
export interface EdgeImage {
  image: Image
  /** Intensity of grey matter relative to the brightest tissue under the surface: T1 about 0.8, FLAIR about 1. */
  grey: number
  /** What is brighter than this times the tissue is fat or a vessel, no brain; Infinity where lesions are bright. */
  bright: number
}

export interface SurfaceOptions {
  /** How far from the atlas surface the brain's may lie, in mm. */
  reach?: number
  /** The mask's edge is put this many mm outside the edge of the tissue, for the fluid in the sulci. */
  margin?: number
}

/**
 * The brain's outer surface, found by moving the surface of the atlas's brain along its normals.
 *
 * Every point of the atlas surface looks along its normal for the place with tissue inside and a dark layer (fluid,
 * skull) outside. Neighbouring points share their evidence, first over wide patches (size and position of the brain),
 * then over narrow ones (gyri), and each step may only leave the previous one by little: a leak into the scalp or the
 * orbit costs more than it explains. The idea of a surface with an atlas's shape that looks along its normals is that of
 * ROBEX (Iglesias et al. 2011, IEEE TMI 30:1617); the edge is judged by regions on both sides in place of its forest.
 *
 * @returns signed distance from the surface in mm of the atlas's space, negative inside, on `grid`
 */
export async function brainDistance(
  images: readonly EdgeImage[],
  atlasBrain: Mask,
  ventricles: Mask,
  toAtlas: Affine,
  grid: Grid,
  { reach = 20, margin = 1 }: SurfaceOptions = {},
): Promise<Image> {
  const surface = await surfaceOf(atlasBrain, reach + 4)
  const { count } = surface
  const steps = 2 * reach + 1
  const energy = new Float32Array(count * steps)
  const crossed = new Float32Array(count * steps)
  for (const image of images)
    addEnergy(energy, crossed, tissueAlongNormals(image, surface, toAtlas, ventricles, reach), count, reach)

  let offset = new Float32Array(count)
  for (const { pool, spread, wayOut } of stages) {
    const sum = energy.map((e, i) => e + wayOut * crossed[i])
    const shared = smoothOverSurface(sum, steps, surface, pool)
    for (let p = 0; p < count; p++) offset[p] = bestOffset(shared, p * steps, reach, offset[p], spread)
    offset = smoothOverSurface(offset, 1, surface, pool / 2)
  }
  for (let p = 0; p < count; p++) offset[p] += margin
  return resample(await movedDistance(surface, offset), grid, { map: toAtlas, method: 'linear', outside: reach })
}

/**
 * From patches that tell the brain's size to patches of a gyrus: σ of the patch and leave to depart from the last step,
 * in mm, and how much a mm of darkness counts that lies deeper than the inner window. Without the latter the outer side
 * of the scalp looks as good as the brain's; in the end it would only push the surface into the sulci.
 */
const stages = [
  { pool: 16, spread: 8, wayOut: 0.3 },
  { pool: 8, spread: 4, wayOut: 0.2 },
  { pool: 4, spread: 2.5, wayOut: 0.05 },
]

interface Surface {
  /** Distance from the atlas's brain surface in mm, negative inside; smooth, `spacing` mm voxels. */
  distance: Image
  count: number
  /** Voxel of each point. */
  voxels: Int32Array
  /** x, y, z of each point in atlas mm, and its outward normal. */
  points: Float32Array
  normals: Float32Array
  /** Neighbours of point p: `neighbours[start[p] … start[p + 1])`. */
  start: Int32Array
  neighbours: Int32Array
}

/** Voxel size of the grid that carries the surface, in mm: half of what the patches can follow. */
const spacing = 3

/** The surface of a mask as one point per voxel of a coarse grid that it passes through. */
async function surfaceOf(brain: Mask, room: number): Promise<Surface> {
  const grid = gridAround(brain, room)
  // cisterns that the mask leaves open lie within the brain's outline all the same
  const inside = fillHoles(await resampleMask(brain, grid, { method: 'linear' }), { plane: 2 })
  const outside: Mask = { ...gridOf(grid), data: inside.data.map((v) => 1 - v) }
  const [out, within] = [await distanceTo(inside), await distanceTo(outside)]
  const signed = emptyImage(grid)
  for (let i = 0; i < signed.data.length; i++)
    signed.data[i] = inside.data[i] ? spacing / 2 - within.data[i] : out.data[i] - spacing / 2
  const distance = await gaussian(signed, 2.5)
  const d = distance.data
  const [nx, ny, nz] = grid.dims
  const stride = [1, nx, nx * ny]
  const voxels: number[] = []
  const points: number[] = []
  const normals: number[] = []
  const index = new Int32Array(d.length).fill(-1)
  for (let k = 1; k < nz - 1; k++)
    for (let j = 1; j < ny - 1; j++)
      for (let i = 1; i < nx - 1; i++) {
        const at = i + nx * (j + ny * k)
        if (!(Math.abs(d[at]) <= spacing * 0.6)) continue
        const g = stride.map((s) => (d[at + s] - d[at - s]) / (2 * spacing))
        const length = Math.hypot(g[0], g[1], g[2])
        if (length < 0.2) continue
        const n = g.map((v) => v / length)
        const [x, y, z] = apply(grid.affine, [i, j, k])
        const back = d[at] / length
        index[at] = voxels.length
        voxels.push(at)
        points.push(x - back * n[0], y - back * n[1], z - back * n[2])
        normals.push(n[0], n[1], n[2])
      }
  const start = new Int32Array(voxels.length + 1)
  const neighbours: number[] = []
  voxels.forEach((at, p) => {
    for (let c = -1; c <= 1; c++)
      for (let b = -1; b <= 1; b++)
        for (let a = -1; a <= 1; a++) {
          const other = index[at + a + nx * (b + ny * c)]
          // points across a thin fold are near each other, but look the other way
          if (other < 0 || other === p) continue
          const [u, v] = [3 * p, 3 * other]
          if (normals[u] * normals[v] + normals[u + 1] * normals[v + 1] + normals[u + 2] * normals[v + 2] > 0.2)
            neighbours.push(other)
        }
    start[p + 1] = neighbours.length
  })
  return {
    distance,
    count: voxels.length,
    voxels: Int32Array.from(voxels),
    points: Float32Array.from(points),
    normals: Float32Array.from(normals),
    start,
    neighbours: Int32Array.from(neighbours),
  }
}

/** A coarse grid along the atlas's axes that holds the mask and `room` mm around it. */
function gridAround(mask: Mask, room: number): Grid {
  const [nx, ny] = mask.dims
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at] === 0) continue
    const voxel: Vec3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    apply(mask.affine, voxel).forEach((mm, axis) => {
      low[axis] = Math.min(low[axis], mm)
      high[axis] = Math.max(high[axis], mm)
    })
  }
  const dims = low.map((mm, axis) => Math.ceil((high[axis] - mm + 2 * room) / spacing) + 1) as unknown as Vec3
  const [x, y, z] = low.map((mm) => mm - room)
  return { dims, affine: [spacing, 0, 0, x, 0, spacing, 0, y, 0, 0, spacing, z, 0, 0, 0, 1] }
}

/** mm of a profile that say whether its inner side is tissue, and its outer side is not. */
const insideWindow = 8
const outsideWindow = 5

/**
 * How much each sample of each normal looks like brain tissue (0–1; NaN outside the image), from `reach` +
 * `insideWindow` mm inside to `reach` + `outsideWindow` mm outside, every mm. The measure is the tissue just below the
 * surface nearby, so that a bias field does not matter.
 */
function tissueAlongNormals(
  { image, grey, bright }: EdgeImage,
  surface: Surface,
  toAtlas: Affine,
  ventricles: Mask,
  reach: number,
): Float32Array {
  const { count, points, normals } = surface
  const toVoxel = invert(compose(toAtlas, image.affine))
  const base = darkest(image)
  const at = sampler(image)
  const first = -reach - insideWindow
  const length = 2 * reach + insideWindow + outsideWindow + 1
  const values = new Float32Array(count * length)
  let level = new Float32Array(count)
  const inner: number[] = []
  for (let p = 0; p < count; p++) {
    inner.length = 0
    for (let q = 0; q < length; q++) {
      const s = first + q
      const x = points[3 * p] + s * normals[3 * p]
      const y = points[3 * p + 1] + s * normals[3 * p + 1]
      const z = points[3 * p + 2] + s * normals[3 * p + 2]
      const value =
        at(
          toVoxel[0] * x + toVoxel[1] * y + toVoxel[2] * z + toVoxel[3],
          toVoxel[4] * x + toVoxel[5] * y + toVoxel[6] * z + toVoxel[7],
          toVoxel[8] * x + toVoxel[9] * y + toVoxel[10] * z + toVoxel[11],
        ) - base
      values[p * length + q] = value
      if (s <= -4 && Number.isFinite(value)) inner.push(value)
    }
    inner.sort((a, b) => a - b)
    level[p] = inner.length > 5 ? inner[Math.floor(0.7 * (inner.length - 1))] : Number.NaN
  }
  const known = Float32Array.from(level).filter(Number.isFinite).sort()
  const overall = known[known.length >> 1] ?? 1
  for (let p = 0; p < count; p++)
    level[p] = Number.isFinite(level[p]) ? Math.min(2.5 * overall, Math.max(0.4 * overall, level[p])) : overall
  level = smoothOverSurface(level, 1, surface, 12)

  const fluid = fluidLevel(image, ventricles, toVoxel, base) / overall
  const edge = Math.min(0.65, Math.max(0.4, 0.5 * (grey + Math.min(0.5, fluid)) - 0.05))
  for (let p = 0; p < count; p++)
    for (let q = p * length; q < (p + 1) * length; q++) {
      const v = values[q] / level[p]
      const light = 1 / (1 + Math.exp((edge - v) / 0.06))
      values[q] = bright === Infinity ? light : light / (1 + Math.exp((v - bright) / 0.06))
    }
  return values
}

/** Second percentile of about 50 000 voxels: the level of air and background. */
function darkest({ data }: Image): number {
  const every = Math.max(1, Math.floor(data.length / 50_000))
  const some = Float32Array.from({ length: Math.floor(data.length / every) }, (_, i) => data[i * every])
  const sorted = some.filter(Number.isFinite).sort()
  return sorted[Math.floor(0.02 * sorted.length)] ?? 0
}

/** Lower quartile of the image in the atlas's lateral ventricles, above `base`: the fluid, as far as the atlas fits. */
function fluidLevel(image: Image, ventricles: Mask, toVoxel: Affine, base: number): number {
  const at = sampler(image)
  const [nx, ny] = ventricles.dims
  const whole = compose(toVoxel, ventricles.affine)
  const found: number[] = []
  for (let v = 0; v < ventricles.data.length; v++) {
    if (ventricles.data[v] !== 1) continue
    const [x, y, z] = apply(whole, [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))])
    const value = at(x, y, z) - base
    if (Number.isFinite(value)) found.push(value)
  }
  found.sort((a, b) => a - b)
  return found[found.length >> 2] ?? 0
}

/**
 * Adds, for each point and offset, the mm of non-tissue that would lie just inside and of tissue just outside, and to
 * `crossed` all the non-tissue that would lie inside.
 */
function addEnergy(
  energy: Float32Array,
  crossed: Float32Array,
  tissue: Float32Array,
  count: number,
  reach: number,
): void {
  const length = 2 * reach + insideWindow + outsideWindow + 1
  const steps = 2 * reach + 1
  const dark = new Float64Array(length + 1)
  const light = new Float64Array(length + 1)
  for (let p = 0; p < count; p++) {
    for (let q = 0; q < length; q++) {
      const t = tissue[p * length + q]
      const seen = !Number.isNaN(t)
      dark[q + 1] = dark[q] + (seen ? 1 - t : 0)
      light[q + 1] = light[q] + (seen ? t : 0)
    }
    for (let b = 0; b < steps; b++) {
      const edge = b + insideWindow
      energy[p * steps + b] += dark[edge] - dark[b] + light[edge + outsideWindow] - light[edge]
      crossed[p * steps + b] += dark[edge]
    }
  }
}

/** The offset in mm of least energy, drawn towards `expected`, to a part of a mm. */
function bestOffset(energy: Float32Array, from: number, reach: number, expected: number, spread: number): number {
  const cost = (b: number) => energy[from + b + reach] + 0.5 * ((b - expected) / spread) ** 2
  let best = -reach
  for (let b = -reach; b <= reach; b++) if (cost(b) < cost(best)) best = b
  if (best === -reach || best === reach) return best
  const [a, m, c] = [cost(best - 1), cost(best), cost(best + 1)]
  const curve = a - 2 * m + c
  return curve > 1e-6 ? best + Math.max(-0.5, Math.min(0.5, (0.5 * (a - c)) / curve)) : best
}

/** Averaging rounds over neighbouring voxels that amount to a Gaussian of `sigma` mm on a surface of `spacing` mm voxels. */
const smoothings = (sigma: number): number => Math.max(1, Math.round((sigma / spacing) ** 2))

function smoothOverSurface(
  values: Float32Array,
  width: number,
  { start, neighbours }: Pick<Surface, 'start' | 'neighbours'>,
  sigma: number,
): Float32Array<ArrayBuffer> {
  const rounds = smoothings(sigma)
  let from = Float32Array.from(values)
  let to = new Float32Array(values.length)
  for (let round = 0; round < rounds; round++) {
    for (let p = 0; p + 1 < start.length; p++) {
      const weight = 1 / (start[p + 1] - start[p] + 1)
      for (let w = 0; w < width; w++) {
        let sum = from[p * width + w]
        for (let n = start[p]; n < start[p + 1]; n++) sum += from[neighbours[n] * width + w]
        to[p * width + w] = sum * weight
      }
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** The atlas's distance image after each piece of its surface moved outwards by its offset. */
async function movedDistance({ distance, voxels, count }: Surface, offset: Float32Array): Promise<Image> {
  const moved = emptyImage(distance)
  const sum = emptyImage(distance)
  const weight = emptyImage(distance)
  for (let p = 0; p < count; p++) {
    sum.data[voxels[p]] = offset[p]
    weight.data[voxels[p]] = 1
  }
  const near = [await gaussian(sum, 4), await gaussian(weight, 4)]
  const wide = [await gaussian(sum, 12), await gaussian(weight, 12)]
  for (let i = 0; i < moved.data.length; i++) {
    // far from the surface the wide average takes over, and farther still its own distance is enough
    const over = near[0].data[i] + 0.01 * wide[0].data[i]
    const under = near[1].data[i] + 0.01 * wide[1].data[i]
    moved.data[i] = distance.data[i] - (under > 1e-7 ? over / under : 0)
  }
  return moved
}

/** Trilinear values of an image at voxel coordinates; NaN outside. */
function sampler({ dims: [nx, ny, nz], data }: Image): (x: number, y: number, z: number) => number {
  const slice = nx * ny
  return (x, y, z) => {
    // a point less than half a voxel outside takes the value of the edge
    if (!(x > -0.5 && y > -0.5 && z > -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5)) return Number.NaN
    const i = Math.min(Math.max(Math.floor(x), 0), Math.max(0, nx - 2))
    const j = Math.min(Math.max(Math.floor(y), 0), Math.max(0, ny - 2))
    const k = Math.min(Math.max(Math.floor(z), 0), Math.max(0, nz - 2))
    const fx = Math.min(1, Math.max(0, x - i))
    const fy = Math.min(1, Math.max(0, y - j))
    const fz = Math.min(1, Math.max(0, z - k))
    const [dx, dy, dz] = [nx > 1 ? 1 : 0, ny > 1 ? nx : 0, nz > 1 ? slice : 0]
    const at = i + nx * j + slice * k
    const low = mix(mix(data[at], data[at + dx], fx), mix(data[at + dy], data[at + dx + dy], fx), fy)
    const top = at + dz
    const high = mix(mix(data[top], data[top + dx], fx), mix(data[top + dy], data[top + dx + dy], fx), fy)
    return mix(low, high, fz)
  }
}

const mix = (a: number, b: number, f: number): number => a + f * (b - a)
