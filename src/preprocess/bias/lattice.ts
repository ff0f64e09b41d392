import type { Vec3 } from '../../volume/affine.js'

/** Control points of a cubic B-spline over a grid: `mesh` elements along each axis, mesh + 3 points. */
export interface Lattice {
  mesh: number
  /** (mesh + 3)³ values, x fastest. */
  values: Float64Array
}

export const uniformLattice = (mesh: number): Lattice => ({ mesh, values: new Float64Array((mesh + 3) ** 3) })

/**
 * B-spline approximation of scattered data (Lee, Wolberg & Shin 1997) for data on a grid. There the weights of a voxel
 * are products of one factor an axis, so that the sums over all voxels contract axis by axis.
 */
export function fit(data: Float64Array, weights: Float64Array, dims: Vec3, mesh: number): Lattice {
  const axes = dims.map((n) => basis(n, n, mesh))
  const inverse = axes.map(({ n, weight }) =>
    Float64Array.from({ length: n }, (_, i) => {
      let squares = 0
      for (let t = 0; t < 4; t++) squares += weight[4 * i + t] ** 2
      return 1 / squares
    }),
  )
  const scaled = new Float64Array(data.length)
  const [nx, ny, nz] = dims
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const s = inverse[1][j] * inverse[2][k]
      for (let i = 0; i < nx; i++, at++) scaled[at] = weights[at] === 0 ? 0 : weights[at] * data[at] * s * inverse[0][i]
    }
  const top = contract(scaled, axes, 3)
  const bottom = contract(weights, axes, 2)
  return { mesh, values: top.map((value, i) => (bottom[i] > 1e-12 ? value / bottom[i] : 0)) }
}

/**
 * The spline's values on a grid of `dims` voxels that covers the same space as the grid of `fitted` voxels on which it
 * was fitted (the same block, other voxel sizes).
 */
export function expand({ mesh, values }: Lattice, dims: Vec3, fitted: Vec3): Float64Array {
  const points = mesh + 3
  let current = values
  const size = [points, points, points]
  // The last axis first: the volume grows to its full size in the last pass only.
  for (const axis of [2, 1, 0]) {
    const { n, first, weight } = basis(dims[axis], fitted[axis], mesh)
    const inner = size.slice(0, axis).reduce((p, v) => p * v, 1)
    const outer = size.slice(axis + 1).reduce((p, v) => p * v, 1)
    const out = new Float64Array(inner * n * outer)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < n; i++)
        for (let t = 0; t < 4; t++) {
          const w = weight[4 * i + t]
          const from = (o * points + first[i] + t) * inner
          const to = (o * n + i) * inner
          for (let v = 0; v < inner; v++) out[to + v] += w * current[from + v]
        }
    current = out
    size[axis] = n
  }
  return current
}

/** Sums data · Π weight^power onto the control points, one axis after the other. */
function contract(data: Float64Array, axes: readonly Basis[], power: number): Float64Array {
  let current = data
  const size = axes.map(({ n }) => n)
  for (const axis of [0, 1, 2]) {
    const { n, points, first, weight } = axes[axis]
    const inner = size.slice(0, axis).reduce((p, v) => p * v, 1)
    const outer = size.slice(axis + 1).reduce((p, v) => p * v, 1)
    const out = new Float64Array(inner * points * outer)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < n; i++)
        for (let t = 0; t < 4; t++) {
          const w = weight[4 * i + t] ** power
          const to = (o * points + first[i] + t) * inner
          const from = (o * n + i) * inner
          for (let v = 0; v < inner; v++) out[to + v] += w * current[from + v]
        }
    current = out
    size[axis] = points
  }
  return current
}

interface Basis {
  n: number
  points: number
  /** For each voxel, the first of its four control points and their weights. */
  first: Int32Array
  weight: Float64Array
}

/** Cubic B-spline weights of n voxels that share their space with `fitted` voxels, whose outer centres are the ends. */
function basis(n: number, fitted: number, mesh: number): Basis {
  const first = new Int32Array(n)
  const weight = new Float64Array(4 * n)
  for (let i = 0; i < n; i++) {
    const onFitted = ((i + 0.5) * fitted) / n - 0.5
    const u = fitted > 1 ? Math.min(1, Math.max(0, onFitted / (fitted - 1))) * mesh : 0
    const cell = Math.min(mesh - 1, Math.floor(u))
    const f = u - cell
    const g = 1 - f
    first[i] = cell
    weight.set(
      [(g * g * g) / 6, (4 - 6 * f * f + 3 * f * f * f) / 6, (4 - 6 * g * g + 3 * g * g * g) / 6, (f * f * f) / 6],
      4 * i,
    )
  }
  return { n, points: mesh + 3, first, weight }
}
