import type { Arena, Block } from '../../kernels/index.js'
import { type Affine, apply, compose, invert, type Vec3, voxelSizes } from '../../volume/affine.js'
import { percentiles } from '../../volume/histogram.js'
import { resample } from '../../volume/resample.js'
import type { Grid, Image, Mask, Volume } from '../../volume/volume.js'

/** Bins of the joint histogram on either axis. */
export const bins = 32

/** Sample points of the fixed image with their bins, and the moving image in units of bins: one pyramid level. */
export interface Level {
  /** n × 3 float32: RAS mm minus `origin` (differences keep float32 exact enough). */
  points: Float32Array
  origin: Vec3
  fixedBins: Uint8Array
  moving: Image
}

/** The image on a grid of about `mm` spacing: axes that are coarser already keep their own. */
export async function coarser(image: Volume, mm: number): Promise<Image> {
  const size = voxelSizes(image.affine)
  const ratio = size.map((own) => Math.max(1, mm / own))
  if (ratio.every((r) => r < 1.2)) return { ...image, data: Float32Array.from(image.data) }
  const dims = image.dims.map((n, axis) => Math.max(1, Math.floor(n / ratio[axis]))) as unknown as Vec3
  const shift = ratio.map((r) => (r - 1) / 2)
  const step = [ratio[0], 0, 0, shift[0], 0, ratio[1], 0, shift[1], 0, 0, ratio[2], shift[2], 0, 0, 0, 1]
  return await resample(image, { dims, affine: compose(image.affine, step) }, { antialias: true })
}

/**
 * Draws at most `count` points of the fixed image, each moved at random within its voxel, so that no grid effect draws
 * the two images onto each other's voxels.
 */
export function makeLevel(
  fixed: Image,
  moving: Image,
  { count, random, fixedMask, movingRange, fixedRange }: {
    count: number
    random: () => number
    fixedMask?: Mask
    fixedRange: readonly [number, number]
    movingRange: readonly [number, number]
  },
): Level {
  const [nx, ny, nz] = fixed.dims
  const eligible: number[] = []
  const inside = fixedMask && maskLookup(fixedMask, fixed)
  for (let i = 0; i < fixed.data.length; i++) if (!inside || inside(i)) eligible.push(i)
  const every = Math.max(1, eligible.length / count)
  const n = Math.floor(eligible.length / every)
  const points = new Float32Array(3 * n)
  const fixedBins = new Uint8Array(n)
  const origin = apply(fixed.affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2])
  const scale = bins / (fixedRange[1] - fixedRange[0])
  for (let s = 0; s < n; s++) {
    const index = eligible[Math.min(eligible.length - 1, Math.floor((s + random()) * every))]
    const at = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))].map((v, axis) =>
      Math.min(fixed.dims[axis] - 1, Math.max(0, v + random() - 0.5)),
    ) as unknown as Vec3
    const world = apply(fixed.affine, at)
    for (let axis = 0; axis < 3; axis++) points[3 * s + axis] = world[axis] - origin[axis]
    const bin = Math.floor((linearAt(fixed, at) - fixedRange[0]) * scale)
    fixedBins[s] = Math.min(bins - 1, Math.max(0, bin))
  }
  const [low, high] = movingRange
  const movingScale = (bins - 4.001) / (high - low)
  const data = moving.data.map((v) => 1 + (Math.min(high, Math.max(low, v)) - low) * movingScale)
  return { points, origin, fixedBins, moving: { ...moving, data } }
}

/** True for voxels of `grid` that lie inside the mask, which may be on another grid of the same space. */
function maskLookup(mask: Mask, grid: Grid): (index: number) => boolean {
  const toMask = compose(invert(mask.affine), grid.affine)
  const [nx, ny] = grid.dims
  return (index) => {
    const p = apply(toMask, [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))])
    const [i, j, k] = p.map(Math.round)
    const [mx, my, mz] = mask.dims
    return i >= 0 && j >= 0 && k >= 0 && i < mx && j < my && k < mz && mask.data[i + mx * (j + my * k)] !== 0
  }
}

function linearAt({ dims: [nx, ny, nz], data }: Image, [x, y, z]: Vec3): number {
  const [i, j, k] = [Math.min(nx - 2, Math.floor(x)), Math.min(ny - 2, Math.floor(y)), Math.min(nz - 2, Math.floor(z))]
  const [a, b, c] = [x - i, y - j, z - k]
  const o = i + nx * (j + ny * k)
  const row = (at: number) => data[at] + a * (data[at + 1] - data[at])
  const plane = (at: number) => row(at) + b * (row(at + nx) - row(at))
  return plane(o) + c * (plane(o + nx * ny) - plane(o))
}

/** Robust intensity range: 0.5th to 99.5th percentile of what is brighter than a tenth of the 99th. */
export function robustRange(image: Volume, mask?: Mask): [number, number] {
  const [low, top] = percentiles(image, [1, 99], mask)
  const [high] = percentiles(image, [99.5], mask)
  return high > low ? [low, high] : [low, Math.max(low + 1, top)]
}

/** The two similarities of a joint histogram: mutual information (nats), and Studholme's normalised form, 1–2. */
export interface Similarity {
  mutualInformation: number
  normalised: number
  /** Fraction of the fixed points that fall inside the moving image. */
  overlap: number
}

/** Puts a level into an arena once and returns its similarity as a function of the world map fixed → moving. */
export function similarityOf(arena: Arena, level: Level): (map: Affine) => Promise<Similarity> {
  const n = level.fixedBins.length
  const chunk = Math.max(1024, Math.ceil(n / 16))
  const points = arena.float32(level.points)
  const fixedBins = arena.uint8(level.fixedBins)
  const moving = arena.float32(level.moving.data)
  const matrix = arena.float64(12)
  const tables = arena.float32(Math.ceil(n / chunk) * bins * bins)
  const toIndex = invert(level.moving.affine)
  const [ox, oy, oz] = level.origin
  return async (map) => {
    matrix.view().set(compose(toIndex, map, [1, 0, 0, ox, 0, 1, 0, oy, 0, 0, 1, oz, 0, 0, 0, 1]).slice(0, 12))
    tables.view().fill(0)
    await arena.run('parzenHistogram', n, chunk, points.ptr, fixedBins.ptr, moving.ptr, ...level.moving.dims, matrix.ptr, bins, tables.ptr, chunk)
    return fromTables(tables, n)
  }
}

function fromTables(tables: Block<Float32Array>, n: number): Similarity {
  const all = tables.view()
  const joint = new Float64Array(bins * bins)
  for (let i = 0; i < all.length; i++) joint[i % joint.length] += all[i]
  const total = joint.reduce((sum, v) => sum + v, 0)
  if (!(total > 0)) return { mutualInformation: 0, normalised: 0, overlap: 0 }
  const rows = new Float64Array(bins)
  const columns = new Float64Array(bins)
  let both = 0
  for (let r = 0; r < bins; r++)
    for (let c = 0; c < bins; c++) {
      const p = joint[r * bins + c] / total
      rows[r] += p
      columns[c] += p
      if (p > 0) both -= p * Math.log(p)
    }
  const single = entropy(rows) + entropy(columns)
  return { mutualInformation: single - both, normalised: both > 0 ? single / both : 0, overlap: total / n }
}

const entropy = (p: Float64Array): number => p.reduce((sum, v) => (v > 0 ? sum - v * Math.log(v) : sum), 0)
