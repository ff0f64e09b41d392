import type { Affine, Vec3 } from '../volume/affine.js'

/** A block of voxels of a plain array: counts along x, y, z (x fastest) and voxel sizes in mm. */
export interface Lattice {
  shape: Vec3
  spacing: Vec3
}

/** A lesion on a lattice, as the box of voxels that it reaches. */
export interface RenderedShape {
  start: Vec3
  dims: Vec3
  /** Share of each voxel of the box that is lesion, 0–1. */
  fraction: Float32Array
  /** Mean depth below the surface in mm, negative outside. */
  depth: Float32Array
}

export interface ShapePlace {
  /** Centre in voxels of the lattice. */
  at: Vec3
  /** Depth in mm at a place in mm from the centre, along the lattice's axes. */
  depth: (x: number, y: number, z: number) => number
  /** How far the surface reaches from the centre, mm. */
  reach: number
  /** Width of the border over which lesion becomes tissue, mm. */
  edge: number
  /** How far around the surface the depth is wanted, mm. Default half the border. */
  around?: number
}

/**
 * A shape on a lattice with partial volume: a voxel of several millimetres takes the mean over points a millimetre apart.
 *
 * @param room share of the voxel (by its index in the lattice) in which a lesion can be, 0–1
 */
export function renderShape(
  { shape, spacing }: Lattice,
  { at, depth, reach, edge, around = edge / 2 }: ShapePlace,
  room: (index: number) => number,
): RenderedShape {
  const start = at.map((centre, axis) =>
    Math.max(0, Math.floor(centre - (reach + around) / spacing[axis])),
  ) as unknown as Vec3
  const dims = at.map((centre, axis) =>
    Math.max(0, Math.min(shape[axis], Math.ceil(centre + (reach + around) / spacing[axis]) + 1) - start[axis]),
  ) as unknown as Vec3
  const count = dims[0] * dims[1] * dims[2]
  const out: RenderedShape = { start, dims, fraction: new Float32Array(count), depth: new Float32Array(count) }
  const points = [0, 1, 2].map((axis) => samplePoints(spacing[axis]))
  const [px, py, pz] = points
  const share = 1 / (px.length * py.length * pz.length)
  const sharpness = 1 / edge
  let n = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) {
      let index = start[0] + shape[0] * (start[1] + j + shape[1] * (start[2] + k))
      const y = (start[1] + j - at[1]) * spacing[1]
      const z = (start[2] + k - at[2]) * spacing[2]
      for (let i = 0; i < dims[0]; i++, n++, index++) {
        const x = (start[0] + i - at[0]) * spacing[0]
        let fraction = 0
        let deep = 0
        for (const dz of pz)
          for (const dy of py)
            for (const dx of px) {
              const d = depth(x + dx, y + dy, z + dz)
              deep += d
              const part = 0.5 + d * sharpness
              fraction += Math.max(0, Math.min(1, part))
            }
        out.depth[n] = deep * share
        if (fraction > 0) out.fraction[n] = fraction * share * room(index)
      }
    }
  keepOnePart(out)
  return out
}

/** Offsets in mm from a voxel's centre at which a shape is looked at. */
function samplePoints(size: number): number[] {
  const count = Math.max(1, Math.round(size))
  return Array.from({ length: count }, (_, n) => ((n + 0.5) / count - 0.5) * size)
}

/** What a ventricle, a sulcus or another lesion cuts off does not go on behind it: only the largest part stays. */
function keepOnePart({ dims, fraction }: RenderedShape): void {
  const [nx, ny, nz] = dims
  const part = new Int32Array(fraction.length)
  const stack: number[] = []
  let best = 0
  let bestWeight = 0
  let parts = 0
  for (let seed = 0; seed < fraction.length; seed++) {
    if (fraction[seed] < 0.05 || part[seed] !== 0) continue
    part[seed] = ++parts
    let weight = 0
    const reach = (at: number) => {
      if (fraction[at] >= 0.05 && part[at] === 0) {
        part[at] = parts
        stack.push(at)
      }
    }
    for (let at: number | undefined = seed; at !== undefined; at = stack.pop()) {
      weight += fraction[at]
      const i = at % nx
      const j = ((at / nx) | 0) % ny
      const k = (at / (nx * ny)) | 0
      if (i > 0) reach(at - 1)
      if (i < nx - 1) reach(at + 1)
      if (j > 0) reach(at - nx)
      if (j < ny - 1) reach(at + nx)
      if (k > 0) reach(at - nx * ny)
      if (k < nz - 1) reach(at + nx * ny)
    }
    if (weight > bestWeight) [best, bestWeight] = [parts, weight]
  }
  if (parts < 2) return
  for (let i = 0; i < part.length; i++) if (part[i] !== best) fraction[i] = 0
}

/** A rotation, all equally likely (Shoemake 1992), or its mirror image. */
export function randomTurn(random: () => number): Affine {
  const [u, v, w] = [random(), 2 * Math.PI * random(), 2 * Math.PI * random()]
  const a = Math.sqrt(1 - u) * Math.sin(v)
  const b = Math.sqrt(1 - u) * Math.cos(v)
  const c = Math.sqrt(u) * Math.sin(w)
  const d = Math.sqrt(u) * Math.cos(w)
  const m = random() < 0.5 ? -1 : 1
  // biome-ignore format: a matrix
  return [
    m * (1 - 2 * (b * b + c * c)), 2 * (a * b - c * d), 2 * (a * c + b * d), 0,
    m * 2 * (a * b + c * d), 1 - 2 * (a * a + c * c), 2 * (b * c - a * d), 0,
    m * 2 * (a * c - b * d), 2 * (b * c + a * d), 1 - 2 * (a * a + b * b), 0,
    0, 0, 0, 1,
  ]
}

/** Three sine waves, their sum between −1 and 1: an unevenness over a few millimetres. */
export function randomWaves(random: () => number, wavelength: number): (x: number, y: number, z: number) => number {
  const w = Array.from({ length: 12 }, (_, n) =>
    n % 4 === 3 ? 2 * Math.PI * random() : ((2 * random() - 1) * 2 * Math.PI) / wavelength,
  )
  return (x, y, z) =>
    (Math.sin(w[0] * x + w[1] * y + w[2] * z + w[3]) +
      Math.sin(w[4] * x + w[5] * y + w[6] * z + w[7]) +
      Math.sin(w[8] * x + w[9] * y + w[10] * z + w[11])) /
    3
}
