import { withArena } from '../../kernels/index.js'
import { type Affine, apply, compose, invert, type Vec3, voxelSizes } from '../../volume/affine.js'
import { bandAlong, bandOf } from '../../volume/band.js'
import { percentiles } from '../../volume/histogram.js'
import { resample } from '../../volume/resample.js'
import { type Grid, type Image, type Mask, maskWhere, type Volume } from '../../volume/volume.js'

/** Bins of the joint histogram on either axis. */
export const bins = 32

/** Sample points of the fixed image with their bins, and the moving image in units of bins: one level of the pyramid. */
export interface Level {
  /** n × 3 float32: RAS mm minus `origin` (differences keep float32 exact enough). */
  points: Float32Array
  origin: Vec3
  fixedBins: Uint8Array
  /** Values lie in 1 … bins − 3; NaN where the moving image does not count. */
  moving: Image
}

/** The image on a grid of about `mm` spacing, smoothed accordingly; axes that are coarser already keep their own. */
export async function coarser(image: Volume, mm: number): Promise<Image> {
  const ratio = voxelSizes(image.affine).map((own) => (mm / own < 1.2 ? 1 : mm / own))
  if (ratio.every((r) => r === 1)) return { ...image, data: new Float32Array(image.data) }
  return await resample(image, spaced(image, ratio), { antialias: true })
}

/**
 * The image on a finer grid along axes that are coarser than `mm` by more than half, by windowed-sinc interpolation
 * (Lanczos, radius 3). Done once, here, it replaces linear interpolation at every sample, which would blur thick slices
 * wherever they do not meet and so make slices on slices look like a better fit.
 */
export async function finer(image: Image, mm: number): Promise<Image> {
  const times = voxelSizes(image.affine).map((own, axis) =>
    own / mm > 1.5 && image.dims[axis] > 3 ? Math.ceil(own / mm) : 1,
  )
  if (times.every((n) => n === 1)) return image
  return await withArena(async (arena) => {
    let [values, dims] = [arena.float32(image.data), image.dims]
    for (const axis of [0, 1, 2] as const) {
      if (times[axis] === 1) continue
      const outputs = dims[axis] * times[axis]
      const band = bandOf(arena, outputs, lanczosTaps, lanczosEntry(dims[axis], times[axis]))
      values = await bandAlong(arena, values, dims, axis, outputs, band)
      dims = dims.map((n, other) => (other === axis ? outputs : n)) as unknown as Vec3
    }
    const grid = spaced(
      image,
      times.map((n) => 1 / n),
    )
    return { ...grid, data: values.copy() }
  })
}

const lanczosTaps = 6

/** For `times` outputs a voxel: the voxels that an output is made of; beyond the border the border's voxel is repeated. */
const lanczosEntry =
  (n: number, times: number) =>
  (output: number): [number, (input: number) => number] => {
    const at = (output + 0.5) / times - 0.5
    const first = Math.floor(at) - 2
    const raw = Array.from({ length: lanczosTaps }, (_, t) => lanczos(at - first - t))
    const sum = raw.reduce((total, weight) => total + weight, 0)
    const from = Math.min(Math.max(0, first), Math.max(0, n - lanczosTaps))
    const folded = new Map<number, number>()
    for (const [t, weight] of raw.entries()) {
      const input = Math.min(n - 1, Math.max(0, first + t))
      folded.set(input, (folded.get(input) ?? 0) + weight / sum)
    }
    return [from, (input) => folded.get(input) ?? 0]
  }

const lanczos = (x: number): number =>
  x === 0 ? 1 : Math.abs(x) >= 3 ? 0 : (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2

/** A grid over the same block of space whose voxels are `ratio` times as large. */
function spaced({ dims, affine }: Grid, ratio: readonly number[]): Grid {
  const shift = ratio.map((r) => (r - 1) / 2)
  return {
    dims: dims.map((n, axis) => Math.max(1, Math.floor(n / ratio[axis] + 1e-6))) as unknown as Vec3,
    affine: compose(affine, [ratio[0], 0, 0, shift[0], 0, ratio[1], 0, shift[1], 0, 0, ratio[2], shift[2], 0, 0, 0, 1]),
  }
}

export interface Sampling {
  /** Most points to draw. */
  count: number
  /** Spacing of the level: an axis that is much coarser has thick slices. */
  mm: number
  random: () => number
  fixedMask?: Mask
  movingMask?: Mask
  fixedRange: readonly [number, number]
  movingRange: readonly [number, number]
}

/**
 * Draws at most `count` points of the fixed image (eight a voxel at most), each moved at random within its voxel, so
 * that no grid effect draws the two images onto each other's voxels. Along thick slices points stay at the slices: what
 * is between them is a guess. Masks may be on any grid of their image's space.
 */
export function makeLevel(fixed: Image, moving: Image, options: Sampling): Level {
  const { count, mm, random, fixedMask, movingMask, movingRange, fixedRange } = options
  const [nx, ny, nz] = fixed.dims
  const inside = fixedMask && maskLookup(fixedMask, fixed)
  const eligible = new Uint32Array(fixed.data.length)
  let found = 0
  for (let i = 0; i < eligible.length; i++)
    if (Number.isFinite(fixed.data[i]) && (!inside || inside(i))) eligible[found++] = i
  const every = Math.max(1 / 8, found / count)
  const n = Math.floor(found / every)
  const points = new Float32Array(3 * n)
  const fixedBins = new Uint8Array(n)
  const [ox, oy, oz] = apply(fixed.affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2])
  const [low, high] = fixedRange
  const m = fixed.affine
  const size = voxelSizes(fixed.affine)
  const width = size.map((own) => (own > 1.5 * Math.max(mm, Math.min(...size)) ? 0 : 1))
  const jitter = (index: number, axis: 0 | 1 | 2) =>
    Math.min(fixed.dims[axis] - 1, Math.max(0, index + width[axis] * (random() - 0.5)))
  let kept = 0
  for (let s = 0; s < n; s++) {
    const index = eligible[Math.min(found - 1, Math.floor((s + random()) * every))]
    const x = jitter(index % nx, 0)
    const y = jitter(Math.floor(index / nx) % ny, 1)
    const z = jitter(Math.floor(index / (nx * ny)), 2)
    const value = linearAt(fixed, x, y, z)
    if (Number.isNaN(value)) continue
    points[3 * kept] = m[0] * x + m[1] * y + m[2] * z + m[3] - ox
    points[3 * kept + 1] = m[4] * x + m[5] * y + m[6] * z + m[7] - oy
    points[3 * kept + 2] = m[8] * x + m[9] * y + m[10] * z + m[11] - oz
    fixedBins[kept++] = Math.min(bins - 1, Math.max(0, Math.floor(((value - low) / (high - low)) * bins)))
  }
  return {
    points: points.subarray(0, 3 * kept),
    origin: [ox, oy, oz],
    fixedBins: fixedBins.subarray(0, kept),
    moving: inBins(moving, movingRange, movingMask),
  }
}

/** Intensities in units of bins; NaN outside the mask. */
function inBins(image: Image, [low, high]: readonly [number, number], mask?: Mask): Image {
  const scale = (bins - 4.02) / (high - low)
  const data = new Float32Array(image.data.length)
  // A loop with plain comparisons: this is every voxel of the finest level.
  for (let i = 0; i < data.length; i++) {
    const v = image.data[i]
    data[i] = 1.01 + ((v > high ? high : v < low ? low : v) - low) * scale
  }
  if (mask) {
    const inside = maskLookup(mask, image)
    for (let i = 0; i < data.length; i++) if (!inside(i)) data[i] = Number.NaN
  }
  // The kernels interpolate between two voxels along every axis: a single slice is given twice.
  return thickened({ ...image, data })
}

/** A volume with at least two voxels along each axis, single ones repeated. */
function thickened(image: Image): Image {
  const flat = image.dims.indexOf(1)
  if (flat < 0) return image
  const dims = image.dims.map((n, axis) => (axis === flat ? 2 : n)) as unknown as Vec3
  const data = new Float32Array(image.data.length * 2)
  const inner = image.dims.slice(0, flat).reduce((p, n) => p * n, 1)
  for (let i = 0; i < data.length; i++) data[i] = image.data[Math.floor(i / (2 * inner)) * inner + (i % inner)]
  const half = [0, 0, 0]
  half[flat] = -0.5
  const affine = compose(image.affine, [1, 0, 0, half[0], 0, 1, 0, half[1], 0, 0, 1, half[2], 0, 0, 0, 1])
  return thickened({ dims, affine, data })
}

/** True for voxels of `grid` that lie inside the mask. */
function maskLookup(mask: Mask, grid: Grid): (index: number) => boolean {
  const m: Affine = compose(invert(mask.affine), grid.affine)
  const [nx, ny] = grid.dims
  const [mx, my, mz] = mask.dims
  return (index) => {
    const [x, y, z] = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))]
    const i = Math.round(m[0] * x + m[1] * y + m[2] * z + m[3])
    const j = Math.round(m[4] * x + m[5] * y + m[6] * z + m[7])
    const k = Math.round(m[8] * x + m[9] * y + m[10] * z + m[11])
    return i >= 0 && j >= 0 && k >= 0 && i < mx && j < my && k < mz && mask.data[i + mx * (j + my * k)] !== 0
  }
}

function linearAt({ dims: [nx, ny, nz], data }: Image, x: number, y: number, z: number): number {
  const i = Math.max(0, Math.min(nx - 2, Math.floor(x)))
  const j = Math.max(0, Math.min(ny - 2, Math.floor(y)))
  const k = Math.max(0, Math.min(nz - 2, Math.floor(z)))
  // Steps of 0 along axes of one voxel.
  const [dx, dy, dz] = [nx > 1 ? 1 : 0, ny > 1 ? nx : 0, nz > 1 ? nx * ny : 0]
  const [a, b, c] = [x - i, y - j, z - k]
  const o = i + nx * (j + ny * k)
  const v00 = data[o] + a * (data[o + dx] - data[o])
  const v10 = data[o + dy] + a * (data[o + dy + dx] - data[o + dy])
  const v01 = data[o + dz] + a * (data[o + dz + dx] - data[o + dz])
  const v11 = data[o + dz + dy] + a * (data[o + dz + dy + dx] - data[o + dz + dy])
  const v0 = v00 + b * (v10 - v00)
  return v0 + c * (v01 + b * (v11 - v01) - v0)
}

/** Intensities that count: the 1st to the 99.5th percentile, so that a few bright voxels do not take all the bins. */
export function robustRange(image: Volume, mask?: Mask): [number, number] {
  const inside = mask && maskLookup(mask, image)
  const here = inside && maskWhere(image, (_, i) => inside(i))
  const [low, high] = percentiles(image, [1, 99.5], here)
  return high > low ? [low, high] : [low, low + 1]
}
