import { type Vec3, voxelSizes } from '../../volume/affine.js'
import type { Image } from '../../volume/volume.js'

/** What was seen of an image's background and of the layers under its outer edge. */
export interface StrippedFigures {
  stripped: boolean
  /** The value that fills the background (not finite when that is how it is marked). */
  background: number
  /** Share of the voxels on the sides of the volume that hold exactly this value. */
  constantBorder: number
  /** Volume of everything else, in ml. */
  foregroundMl: number
  /** Share of dark voxels 9–17 mm below the outer edge of the foreground: the skull of a whole head. */
  darkLayer: number
}

/**
 * Whether skull and scalp were removed from an image before. Stripped images have an exactly constant background, hold
 * less than a head, and have tissue right under their edge, where a head has the dark layer of its skull. A head
 * whose surrounding air was set to zero, or whose face was removed, is still a head.
 */
export const isStripped = (image: Image): boolean => strippedFigures(image).stripped

/** `isStripped` with the figures it was decided by; remembered for each array of voxels, which do not change. */
export function strippedFigures(image: Image): StrippedFigures {
  const known = seen.get(image.data)
  if (known) return known
  const figures = lookAt(image)
  seen.set(image.data, figures)
  return figures
}

const seen = new WeakMap<Image['data'], StrippedFigures>()

function lookAt(image: Image): StrippedFigures {
  const { background, share: constantBorder } = commonBorderValue(image)
  if (constantBorder < leastConstantBorder)
    return { stripped: false, background, constantBorder, foregroundMl: Number.NaN, darkLayer: Number.NaN }
  const cells = coarseForeground(image, background)
  const depth = depthBelowEdge(cells)
  const cellMl = (cells.size[0] * cells.size[1] * cells.size[2]) / 1000
  let foregroundMl = 0
  for (const d of depth) if (d > 0) foregroundMl += cellMl
  const darkLayer = darkShare(image, background, cells, depth)
  const stripped = foregroundMl > 0 && foregroundMl < mostStrippedMl && darkLayer < mostDark(foregroundMl)
  return { stripped, background, constantBorder, foregroundMl, darkLayer }
}

// Seen on 66 stripped and 11 whole-head images of five centres (and the heads with their air set to zero): stripped
// images have 1.1–2.6 l (one padded mask; else below 2.3) and darkLayer up to .12, heads 2.4–4.5 l and from .23.
const leastConstantBorder = 0.98
const mostStrippedMl = 2900
/** Small regions may be a tightly cut brain with open sulci; large ones have to prove that no skull is in them. */
const mostDark = (ml: number): number => 0.2 - 0.1 * Math.min(1, Math.max(0, (ml - 1500) / 1000))

/** Size of the coarse cells in mm: fine enough for layers of 5 mm. */
const cellMm = 4

interface Cells {
  dims: Vec3
  size: Vec3
  /** Voxels per cell along each axis. */
  step: Vec3
  /** Mean intensity above the background of the cell's foreground voxels; 0 in background cells. */
  mean: Float32Array
}

/** The most frequent value on the sides of the volume (its first and last slice may cut the head). */
function commonBorderValue({ dims: [nx, ny, nz], data }: Image): { background: number; share: number } {
  const counts = new Map<number, number>()
  let total = 0
  const count = (at: number) => {
    const value = Number.isFinite(data[at]) ? data[at] : Number.NaN
    counts.set(value, (counts.get(value) ?? 0) + 1)
    total++
  }
  for (let k = 0; k < nz; k++) {
    for (let i = 0; i < nx; i++) {
      count(i + nx * ny * k)
      count(i + nx * (ny - 1 + ny * k))
    }
    for (let j = 0; j < ny; j++) {
      count(nx * (j + ny * k))
      count(nx - 1 + nx * (j + ny * k))
    }
  }
  let background = 0
  let most = 0
  for (const [value, n] of counts) if (n > most) [background, most] = [value, n]
  return { background, share: total > 0 ? most / total : 0 }
}

function coarseForeground({ dims, affine, data }: Image, background: number): Cells {
  const voxel = voxelSizes(affine)
  const step = voxel.map((s) => Math.max(1, Math.round(cellMm / s))) as unknown as Vec3
  const size = voxel.map((s, axis) => s * step[axis]) as unknown as Vec3
  const coarse = dims.map((n, axis) => Math.ceil(n / step[axis])) as unknown as Vec3
  const n = coarse[0] * coarse[1] * coarse[2]
  const all = new Float32Array(n)
  const inside = new Float32Array(n)
  const sum = new Float64Array(n)
  const base = Number.isFinite(background) ? background : 0
  forEachRun(dims, coarse, step, (start, end, cell) => {
    all[cell] += end - start
    for (let at = start; at < end; at++) {
      const value = data[at]
      if (!Number.isFinite(value) || value === background) continue
      inside[cell]++
      sum[cell] += value - base
    }
  })
  const mean = new Float32Array(n)
  for (let c = 0; c < n; c++) if (inside[c] >= 0.5 * all[c] && inside[c] > 0) mean[c] = sum[c] / inside[c] || 1e-12
  return { dims: coarse, size, step, mean }
}

/** Runs of voxels along the first axis that lie in one cell: from `start` to before `end`. */
function forEachRun(
  dims: Vec3,
  coarse: Vec3,
  step: Vec3,
  body: (start: number, end: number, cell: number) => void,
): void {
  for (let k = 0, row = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++, row += dims[0]) {
      const cell = coarse[0] * (Math.floor(j / step[1]) + coarse[1] * Math.floor(k / step[2]))
      for (let i = 0; i < coarse[0]; i++) body(row + i * step[0], row + Math.min(dims[0], (i + 1) * step[0]), cell + i)
    }
}

/** Depth in mm of each foreground cell below the edge of the foreground, by a 26-neighbour chamfer distance. */
function depthBelowEdge({ dims: [nx, ny, nz], size, mean }: Cells): Float32Array {
  const depth = Float32Array.from(mean, (v) => (v !== 0 ? Infinity : 0))
  const [dx, dy, dz, mm]: number[][] = [[], [], [], []]
  for (let c = -1; c <= 1; c++)
    for (let b = -1; b <= 1; b++)
      for (let a = -1; a <= 1; a++) {
        if (a === 0 && b === 0 && c === 0) continue
        dx.push(a)
        dy.push(b)
        dz.push(c)
        mm.push(Math.hypot(a * size[0], b * size[1], c * size[2]))
      }
  for (const forward of [true, false])
    for (let q = 0; q < depth.length; q++) {
      const at = forward ? q : depth.length - 1 - q
      if (depth[at] === 0) continue
      const i = at % nx
      const j = Math.floor(at / nx) % ny
      const k = Math.floor(at / (nx * ny))
      let least = depth[at]
      for (let n = 0; n < mm.length; n++) {
        const x = i + dx[n]
        const y = j + dy[n]
        const z = k + dz[n]
        // where the volume ends the head was cut, which is no edge
        if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
        const over = depth[x + nx * (y + ny * z)] + mm[n]
        if (over < least) least = over
      }
      depth[at] = least
    }
  return depth
}

/** Share of voxels 9–17 mm below the edge that are darker than 35 % of what is usual deeper than 20 mm. */
function darkShare({ dims, data }: Image, background: number, cells: Cells, depth: Float32Array): number {
  const deep: number[] = []
  for (let c = 0; c < depth.length; c++) if (depth[c] > 20 && Number.isFinite(depth[c])) deep.push(cells.mean[c])
  if (deep.length === 0) return 0
  deep.sort((a, b) => a - b)
  const base = Number.isFinite(background) ? background : 0
  const dark = base + 0.35 * deep[deep.length >> 1]
  let below = 0
  let all = 0
  forEachRun(dims, cells.dims, cells.step, (start, end, cell) => {
    if (!(depth[cell] > 9 && depth[cell] <= 17)) return
    all += end - start
    for (let at = start; at < end; at++) if (!(data[at] >= dark)) below++
  })
  return all > 0 ? below / all : 0
}
