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
 * B-splines of one mesh on the voxels of a grid. The weights of a voxel are products of one factor an axis, so that sums
 * over all voxels contract axis by axis.
 */
export class GridSpline {
  readonly #bases: readonly Basis[]

  constructor(
    readonly places: Places,
    readonly mesh: number,
  ) {
    this.#bases = places.map((along) => basis(along, mesh))
  }

  /** The spline's values on the grid. */
  expand(values: Float64Array): Float64Array {
    const points = this.mesh + 3
    let current = values
    const size = [points, points, points]
    // The last axis first: the volume grows to its full size in the last pass only.
    for (const axis of [2, 1, 0]) {
      current = expandAlong(current, size, axis, this.#bases[axis])
      size[axis] = this.places[axis].n
    }
    return current
  }

  /** Σ data · B over the voxels, for each control point; with `power` the B-splines to that power. */
  gather(data: Float64Array, power = 1): Float64Array {
    return contract(
      data,
      this.#bases.map(({ n, points, first, weight }) => ({
        n,
        points,
        each: 4,
        index: Int32Array.from({ length: 4 * n }, (_, e) => first[e >> 2] + (e & 3)),
        weight: power === 1 ? weight : weight.map((w) => w ** power),
      })),
    )
  }

  /**
   * Σ weights · B · B for pairs of control points whose B-splines overlap. A pair is named an axis by its lower point and
   * its distance (0–3): index d + 4 · p, x fastest.
   */
  gatherPairs(weights: Float64Array): Float64Array {
    return contract(
      weights,
      this.#bases.map(({ n, points, first, weight }) => {
        const pairs: Pairs = {
          n,
          points: 4 * points,
          each: 10,
          index: new Int32Array(10 * n),
          weight: new Float64Array(10 * n),
        }
        for (let i = 0, e = 0; i < n; i++)
          for (let t = 0; t < 4; t++)
            for (let u = t; u < 4; u++, e++) {
              pairs.index[e] = 4 * (first[i] + t) + u - t
              pairs.weight[e] = weight[4 * i + t] * weight[4 * i + u]
            }
        return pairs
      }),
    )
  }

  /** For each voxel the inverse of the sum of its 64 squared weights, as one factor an axis. */
  inverseSquares(): Float64Array[] {
    return this.#bases.map(({ n, weight }) =>
      Float64Array.from({ length: n }, (_, i) => {
        let squares = 0
        for (let t = 0; t < 4; t++) squares += weight[4 * i + t] ** 2
        return 1 / squares
      }),
    )
  }
}

/** B-spline approximation of scattered data (Lee, Wolberg & Shin 1997) for data on a grid, again and again with the same weights. */
export class Approximation {
  readonly #spline: GridSpline
  readonly #scale: Float64Array
  readonly #bottom: Float64Array

  /** @param weights confidence of each value, ≥ 0 */
  constructor(weights: Float64Array, places: Places, mesh: number) {
    this.#spline = new GridSpline(places, mesh)
    const [x, y, z] = this.#spline.inverseSquares()
    this.#scale = new Float64Array(weights.length)
    for (let k = 0, at = 0; k < z.length; k++)
      for (let j = 0; j < y.length; j++)
        for (let i = 0; i < x.length; i++, at++) this.#scale[at] = weights[at] * x[i] * y[j] * z[k]
    this.#bottom = this.#spline.gather(weights, 2)
  }

  /** Control points for `data`, and their spline's values on the grid. */
  fit(data: Float64Array): { points: Float64Array; values: Float64Array } {
    const scaled = new Float64Array(data.length)
    for (let i = 0; i < data.length; i++) if (this.#scale[i] !== 0) scaled[i] = this.#scale[i] * data[i]
    const top = this.#spline.gather(scaled, 3)
    const points = top.map((value, i) => (this.#bottom[i] > 1e-12 ? value / this.#bottom[i] : 0))
    return { points, values: this.#spline.expand(points) }
  }
}

/**
 * What the kernel that evaluates a spline on a full grid takes: for each row along x the values of its control line, and
 * the weight of each control point at each of the row's voxels, padded to `width`.
 */
export function controlLines(
  { mesh, values }: Lattice,
  [x, y, z]: Places,
): { lines: Float32Array; basis: Float32Array; width: number } {
  const points = mesh + 3
  let current = expandAlong(values, [points, points, points], 2, basis(z, mesh))
  current = expandAlong(current, [points, points, z.n], 1, basis(y, mesh))
  const width = 4 * Math.ceil(x.n / 4)
  const table = new Float32Array(points * width)
  const { first, weight } = basis(x, mesh)
  for (let i = 0; i < x.n; i++) for (let t = 0; t < 4; t++) table[(first[i] + t) * width + i] = weight[4 * i + t]
  return { lines: Float32Array.from(current), basis: table, width }
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
      const a = weight[4 * i]
      const b = weight[4 * i + 1]
      const c = weight[4 * i + 2]
      const d = weight[4 * i + 3]
      for (let v = 0; v < inner; v++)
        out[to + v] =
          a * values[from + v] +
          b * values[from + inner + v] +
          c * values[from + 2 * inner + v] +
          d * values[from + 3 * inner + v]
    }
  return out
}

/** For each of n voxels `each` places that it adds to, of `points`, with weights. */
interface Pairs {
  n: number
  points: number
  each: number
  index: Int32Array
  weight: Float64Array
}

/** Sums data · weights onto the places, one axis after the other. */
function contract(data: Float64Array, axes: readonly Pairs[]): Float64Array {
  let current = data
  const size = axes.map(({ n }) => n)
  for (const axis of [0, 1, 2]) {
    const { n, points, each, index, weight } = axes[axis]
    const inner = size.slice(0, axis).reduce((p, v) => p * v, 1)
    const outer = size.slice(axis + 1).reduce((p, v) => p * v, 1)
    const out = new Float64Array(inner * points * outer)
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < n; i++) {
        const from = (o * n + i) * inner
        // Much of a box lies outside the mask.
        if (inner === 1 && current[from] === 0) continue
        for (let e = each * i; e < each * (i + 1); e++) {
          const w = weight[e]
          const to = (o * points + index[e]) * inner
          for (let v = 0; v < inner; v++) out[to + v] += w * current[from + v]
        }
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
