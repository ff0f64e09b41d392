import type { Vec3 } from '../../volume/affine.js'

/**
 * Control points of a uniform cubic B-spline over the unit cube: `mesh` elements along each axis, mesh + 3 points,
 * (mesh + 3)³ values, x fastest.
 */
export interface Lattice {
  mesh: number
  values: Float64Array
}

/**
 * Places along one axis of a grid: voxel i lies at `start + i · step` of the unit interval. The lattice ends at 0 and 1;
 * beyond, the value at the end goes on.
 */
export interface Along {
  n: number
  start: number
  step: number
}
export type Places = readonly [Along, Along, Along]

export const flatLattice = (mesh: number): Lattice => ({ mesh, values: new Float64Array((mesh + 3) ** 3) })

/**
 * B-spline approximation of scattered data (Lee, Wolberg & Shin 1997) for data on a grid, where the weights of a voxel
 * are products of one factor an axis, so that the sums over all voxels contract axis by axis.
 *
 * @param weights confidence of each value, ≥ 0
 */
export function fit(data: Float64Array, weights: Float64Array, places: Places, mesh: number): Lattice {
  const axes = places.map((along) => basis(along, mesh))
  const inverse = axes.map(({ n, weight }) =>
    Float64Array.from({ length: n }, (_, i) => {
      let squares = 0
      for (let t = 0; t < 4; t++) squares += weight[4 * i + t] ** 2
      return 1 / squares
    }),
  )
  const scaled = new Float64Array(data.length)
  const [nx, ny, nz] = places.map(({ n }) => n)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const s = inverse[1][j] * inverse[2][k]
      for (let i = 0; i < nx; i++, at++) scaled[at] = weights[at] === 0 ? 0 : weights[at] * data[at] * s * inverse[0][i]
    }
  const top = contract(scaled, axes, 3)
  const bottom = contract(weights, axes, 2)
  return { mesh, values: top.map((value, i) => (bottom[i] > 1e-12 ? value / bottom[i] : 0)) }
}

/** The spline's values on a grid. */
export function expand({ mesh, values }: Lattice, places: Places): Float64Array {
  let current = values
  const size = [mesh + 3, mesh + 3, mesh + 3]
  // The last axis first: the volume grows to its full size in the last pass only.
  for (const axis of [2, 1, 0]) {
    current = expandAlong(current, size, axis, basis(places[axis], mesh))
    size[axis] = places[axis].n
  }
  return current
}

/** Visits the spline's values slice by slice, so that a full-size grid needs no memory of its own. */
export function expandSlices(
  { mesh, values }: Lattice,
  [x, y, z]: Places,
  visit: (slice: Float64Array, k: number) => void,
): void {
  const points = mesh + 3
  const [bx, by, bz] = [x, y, z].map((along) => basis(along, mesh))
  const plane = new Float64Array(points * points)
  for (let k = 0; k < z.n; k++) {
    plane.fill(0)
    for (let t = 0; t < 4; t++) {
      const from = (bz.first[k] + t) * plane.length
      for (let v = 0; v < plane.length; v++) plane[v] += bz.weight[4 * k + t] * values[from + v]
    }
    const lines = expandAlong(plane, [points, points, 1], 1, by)
    visit(expandAlong(lines, [points, y.n, 1], 0, bx), k)
  }
}

/** The same spline with twice the elements along each axis: exact, by the two-scale relation of cubic B-splines. */
export function subdivide({ mesh, values }: Lattice): Lattice {
  const [from, to] = [mesh + 3, 2 * mesh + 3]
  const weights = new Float64Array(to * from)
  for (let j = 0; j < to; j++)
    if (j % 2 === 0) {
      weights[j * from + j / 2] = 1 / 2
      weights[j * from + j / 2 + 1] = 1 / 2
    } else for (const [d, w] of [1 / 8, 6 / 8, 1 / 8].entries()) weights[j * from + (j - 1) / 2 + d] = w
  let current = values
  const size = [from, from, from]
  for (const axis of [0, 1, 2]) {
    const inner = size.slice(0, axis).reduce((p, v) => p * v, 1)
    const outer = size.slice(axis + 1).reduce((p, v) => p * v, 1)
    const out = new Float64Array(inner * to * outer)
    for (let o = 0; o < outer; o++)
      for (let j = 0; j < to; j++)
        for (let i = 0; i < from; i++) {
          const w = weights[j * from + i]
          if (w === 0) continue
          for (let v = 0; v < inner; v++) out[(o * to + j) * inner + v] += w * current[(o * from + i) * inner + v]
        }
    current = out
    size[axis] = to
  }
  return { mesh: 2 * mesh, values: current }
}

function expandAlong(
  values: Float64Array,
  size: readonly number[],
  axis: number,
  { n, first, weight }: Basis,
): Float64Array {
  const points = size[axis]
  const inner = size.slice(0, axis).reduce((p, v) => p * v, 1)
  const outer = size.slice(axis + 1).reduce((p, v) => p * v, 1)
  const out = new Float64Array(inner * n * outer)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < n; i++) {
      const from = (o * points + first[i]) * inner
      const to = (o * n + i) * inner
      const [a, b, c, d] = weight.subarray(4 * i, 4 * i + 4)
      for (let v = 0; v < inner; v++)
        out[to + v] =
          a * values[from + v] +
          b * values[from + inner + v] +
          c * values[from + 2 * inner + v] +
          d * values[from + 3 * inner + v]
    }
  return out
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

function basis({ n, start, step }: Along, mesh: number): Basis {
  const first = new Int32Array(n)
  const weight = new Float64Array(4 * n)
  for (let i = 0; i < n; i++) {
    const u = Math.min(1, Math.max(0, start + i * step)) * mesh
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

/** The places of the voxels of `dims` when the lattice spans the voxels of a box, from their outer faces. */
export function placesOf(dims: Vec3, box: { start: Vec3; dims: Vec3 }): Places {
  return dims.map((n, axis) => ({
    n,
    start: (0.5 - box.start[axis]) / box.dims[axis],
    step: 1 / box.dims[axis],
  })) as unknown as Places
}
