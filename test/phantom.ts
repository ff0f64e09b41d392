import { gaussianRandom, seededRandom } from '../src/random.js'
import type { Affine, Vec3 } from '../src/volume/affine.js'
import type { Grid, Image, Mask } from '../src/volume/volume.js'

/**
 * PH-1: an ellipsoid head of 80 × 96 × 80 voxels of 2 mm with cerebrospinal fluid, grey and white matter, ventricles,
 * deep grey matter and eight lesions of known size. Everything follows from formulas and a seed.
 */
export const phantomGrid: Grid = { dims: [80, 96, 80], affine: [2, 0, 0, -79, 0, 2, 0, -95, 0, 0, 2, -79, 0, 0, 0, 1] }

/** Tissue labels of `phantomLabels`; skull and scalp only in the head variant. */
export const tissue = { air: 0, csf: 1, gm: 2, wm: 3, skull: 4, scalp: 5 } as const

export const phantomLesions = {
  PV1: { centre: [16, -8, 4], radius: 6, voxels: 112 },
  PV2: { centre: [-15, 16, 4], radius: 5, voxels: 50 },
  JC1: { centre: [52, 10, 10], radius: 4, voxels: 32 },
  SC1: { centre: [34, -20, 20], radius: 5, voxels: 56 },
  SC2: { centre: [-34, -10, 22], radius: 4, voxels: 32 },
  SC3: { centre: [-30, 30, 12], radius: 3, voxels: 8 },
  IT1: { centre: [8, -34, -46], radius: 4, voxels: 32 },
  BH1: { centre: [-32, -32, 14], radius: 6, voxels: 136 },
} as const
export type PhantomLesion = keyof typeof phantomLesions
export const phantomLesionNames = Object.keys(phantomLesions) as PhantomLesion[]

export type PhantomContrast = 't1' | 't2' | 'pd' | 'flair'

export interface PhantomOptions {
  contrast: PhantomContrast
  seed?: number
  /** Standard deviation of the Gaussian noise in either channel before the magnitude (Rician). Default 4. */
  noise?: number
  /** Strength b of the bias field 1 + b·(x/62 + 0.5·(y/78)²). Default 0: none. */
  bias?: number
  /** The lesions to put in. Default all. */
  lesions?: readonly PhantomLesion[]
  /** Cerebrospinal fluid, skull, scalp and a neck around the brain. Default false: stripped. */
  head?: boolean
}

/** One noisy image of the phantom. */
export function phantomImage(options: PhantomOptions): Image {
  const { contrast, seed = 1, noise = 4, bias = 0, lesions = phantomLesionNames, head = false } = options
  const data = Float32Array.from(phantomLabels(head).data, (label) => means[contrast][label])
  for (const name of lesions) {
    const value = lesionMeans[contrast][name === 'BH1' ? 1 : 0]
    for (const index of lesionVoxels(name)) data[index] = value
  }
  blurHalfVoxel(data)
  const field = phantomBias(bias).data
  const normal = gaussianRandom(seededRandom(seed * 4 + contrasts.indexOf(contrast)))
  for (let i = 0; i < data.length; i++) data[i] = Math.hypot(data[i] * field[i] + noise * normal(), noise * normal())
  return { ...phantomGrid, data }
}

/** The bias field of strength b: it multiplies the image. */
export function phantomBias(b: number): Image {
  const data = new Float32Array(voxels)
  each(([x, y], index) => {
    data[index] = 1 + b * (x / 62 + 0.5 * (y / 78) ** 2)
  })
  return { ...phantomGrid, data }
}

/** Tissue of each voxel, lesions left out. */
export function phantomLabels(head = false): Mask {
  const data = new Uint8Array(voxels)
  each(([x, y, z], index) => {
    const rho = rhoOf([x, y, z])
    let label: number = rho <= 0.86 ? tissue.wm : rho <= 0.95 ? tissue.gm : rho <= 1 ? tissue.csf : tissue.air
    if (label === tissue.wm) {
      const deep = [-1, 1].some((s) => (x - 22 * s) ** 2 + (y - 6) ** 2 + (z + 6) ** 2 <= 49)
      const ventricle = [-1, 1].some((s) => ((x - 9 * s) / 5) ** 2 + ((y - 2) / 22) ** 2 + ((z - 4) / 9) ** 2 <= 1)
      if (deep) label = tissue.gm
      if (ventricle) label = tissue.csf
    }
    if (head && label === tissue.air) {
      if (rho <= 1.04) label = tissue.csf
      else if (rho <= 1.1) label = tissue.skull
      else if (rho <= 1.2 || (z < -60 && x * x + y * y <= 35 * 35)) label = tissue.scalp
    }
    data[index] = label
  })
  return { ...phantomGrid, data }
}

/** The brain: white and grey matter, and fluid up to rho = 1. */
export function phantomBrain(): Mask {
  const data = new Uint8Array(voxels)
  each((at, index) => {
    data[index] = rhoOf(at) <= 1 ? 1 : 0
  })
  return { ...phantomGrid, data }
}

/** Mask of some lesions (default: all). */
export function phantomLesionMask(lesions: readonly PhantomLesion[] = phantomLesionNames): Mask {
  const data = new Uint8Array(voxels)
  for (const name of lesions) for (const index of lesionVoxels(name)) data[index] = 1
  return { ...phantomGrid, data }
}

const contrasts: readonly PhantomContrast[] = ['t1', 't2', 'pd', 'flair']

/** By tissue label: air, fluid, grey, white, skull, scalp. */
const means: Record<PhantomContrast, readonly number[]> = {
  t1: [0, 30, 70, 110, 8, 90],
  t2: [0, 160, 100, 75, 8, 80],
  pd: [0, 120, 110, 90, 8, 80],
  flair: [0, 25, 95, 75, 8, 70],
}

/** Lesion, and black hole. */
const lesionMeans: Record<PhantomContrast, readonly [number, number]> = {
  t1: [80, 45],
  t2: [140, 150],
  pd: [125, 125],
  flair: [150, 150],
}

const [nx, ny, nz] = phantomGrid.dims
const voxels = nx * ny * nz

function each(visit: (at: Vec3, index: number) => void): void {
  for (let k = 0, index = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, index++) visit([(i - 39.5) * 2, (j - 47.5) * 2, (k - 39.5) * 2], index)
}

const rhoOf = ([x, y, z]: Vec3): number => Math.sqrt((x / 62) ** 2 + (y / 78) ** 2 + (z / 60) ** 2)

/** The voxels of a lesion: its sphere, where there is grey or white matter. */
function lesionVoxels(name: PhantomLesion): number[] {
  labels ??= phantomLabels().data
  const { centre, radius } = phantomLesions[name]
  const found: number[] = []
  const known = labels
  each(([x, y, z], index) => {
    const inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2 <= radius * radius
    if (inside && known[index] >= tissue.gm) found.push(index)
  })
  return found
}
let labels: Uint8Array | undefined

/** Partial volume: a Gaussian of σ = 0.5 voxel, in place. */
function blurHalfVoxel(data: Float32Array): void {
  const weights = [-2, -1, 0, 1, 2].map((d) => Math.exp(-2 * d * d))
  const total = weights.reduce((sum, w) => sum + w, 0)
  const strides = [1, nx, nx * ny]
  for (const [axis, stride] of strides.entries()) {
    const from = data.slice()
    const n = phantomGrid.dims[axis]
    for (let index = 0; index < data.length; index++) {
      const at = Math.floor(index / stride) % n
      let sum = 0
      for (let d = -2; d <= 2; d++) {
        const to = Math.min(n - 1, Math.max(0, at + d))
        sum += weights[d + 2] * from[index + (to - at) * stride]
      }
      data[index] = sum / total
    }
  }
}

/** A rigid world map: rotations (radians) about x, then y, then z are composed Rx·Ry·Rz, then the shift in mm. */
export function rigidMap([rx, ry, rz]: Vec3, [tx, ty, tz]: Vec3): Affine {
  const [a, b, c] = [rx, ry, rz].map((angle) => [Math.cos(angle), Math.sin(angle)])
  const x = [1, 0, 0, 0, a[0], -a[1], 0, a[1], a[0]]
  const y = [b[0], 0, b[1], 0, 1, 0, -b[1], 0, b[0]]
  const z = [c[0], -c[1], 0, c[1], c[0], 0, 0, 0, 1]
  const times = (m: number[], n: number[]) =>
    [0, 1, 2].flatMap((r) => [0, 1, 2].map((s) => m[3 * r] * n[s] + m[3 * r + 1] * n[3 + s] + m[3 * r + 2] * n[6 + s]))
  const r = times(times(x, y), z)
  return [r[0], r[1], r[2], tx, r[3], r[4], r[5], ty, r[6], r[7], r[8], tz, 0, 0, 0, 1]
}
