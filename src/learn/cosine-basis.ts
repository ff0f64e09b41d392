import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { type Vec3, voxelSizes } from '../volume/affine.js'
import type { Grid } from '../volume/volume.js'

/** Every so-many-th voxel along each axis of a grid, as evenly spaced in mm as its voxels allow. */
export interface Thinning {
  stride: Vec3
  /** Counts of the thinned grid. */
  dims: Vec3
}

/**
 * The thinning that leaves at most `most` of `count` voxels: the axis of the closest samples is thinned first, so that
 * thick slices are all kept.
 */
export function thinning(grid: Grid, count: number, most: number): Thinning {
  const size = voxelSizes(grid.affine)
  const stride: [number, number, number] = [1, 1, 1]
  while (count / (stride[0] * stride[1] * stride[2]) > most) {
    const gaps = size.map((mm, axis) => mm * stride[axis])
    stride[gaps.indexOf(Math.min(...gaps))]++
  }
  const [x, y, z] = grid.dims.map((n, axis) => Math.max(1, Math.ceil((n - (stride[axis] >> 1)) / stride[axis])))
  return { stride, dims: [x, y, z] }
}

/** Index on an axis of n voxels of the i-th sample of its thinning: the middle of the voxels that it stands for. */
const thinnedAt = (i: number, stride: number, n: number): number => Math.min(n - 1, i * stride + (stride >> 1))

/** The voxels of a thinned grid that are in a list of voxels. */
export interface ThinnedVoxels {
  /** Places in the list. */
  chosen: Uint32Array
  /** Where on the thinned grid each lies, x fastest. */
  places: Uint32Array
}

/** @param voxels indices in a volume of the grid */
export function thinnedVoxels(grid: Grid, voxels: Uint32Array, { stride, dims }: Thinning): ThinnedVoxels {
  const [nx, ny, nz] = grid.dims
  const listed = new Int32Array(nx * ny * nz).fill(-1)
  for (let v = 0; v < voxels.length; v++) listed[voxels[v]] = v
  const chosen: number[] = []
  const places: number[] = []
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++) {
        const [x, y, z] = [i, j, k].map((n, axis) => thinnedAt(n, stride[axis], grid.dims[axis]))
        const v = listed[x + nx * (y + ny * z)]
        if (v < 0) continue
        chosen.push(v)
        places.push(at)
      }
  return { chosen: Uint32Array.from(chosen), places: Uint32Array.from(places) }
}

/** The whole grid as its own thinning. */
export const unthinned = ({ dims }: Grid): Thinning => ({ stride: [1, 1, 1], dims })

/**
 * Smooth functions over a grid: products of the lowest cosines (DCT-II) of its three axes, without the constant. As a
 * low-pass filter their first zero lies `zeroMm` away, so that they bend over about that many mm (Cerri et al. 2021; bias
 * field of Van Leemput et al. 1999). All sums run axis by axis, because the functions are products.
 */
export class CosineBasis {
  /** Cosines along each axis, the constant one counted. */
  readonly counts: Vec3
  /** Number of functions: all products but the constant. */
  readonly size: number
  readonly #dims: Vec3

  constructor(grid: Grid, zeroMm: number) {
    const size = voxelSizes(grid.affine)
    const [x, y, z] = grid.dims.map((n, axis) => Math.min(n, Math.max(1, Math.round((n * size[axis]) / zeroMm))))
    this.counts = [x, y, z]
    this.size = x * y * z - 1
    this.#dims = grid.dims
  }

  /** Values of the axis's cosines at its samples: `counts[axis]` per sample. */
  #table(axis: number, { stride, dims }: Thinning): Float64Array {
    const [n, q] = [this.#dims[axis], this.counts[axis]]
    const table = new Float64Array(dims[axis] * q)
    for (let i = 0; i < dims[axis]; i++) {
      const at = thinnedAt(i, stride[axis], n) + 0.5
      for (let k = 0; k < q; k++) table[i * q + k] = Math.cos((Math.PI * k * at) / n)
    }
    return table
  }

  /**
   * Weighted least squares: the coefficients of the field closest to `values`.
   * @param values one per sample of the thinned grid, x fastest
   * @param weights of the samples; 0 leaves one out
   */
  fit(values: ArrayLike<number>, weights: ArrayLike<number>, samples: Thinning): Float64Array {
    const coefficients = new Float64Array(this.size)
    if (this.size === 0) return coefficients
    const tables = [0, 1, 2].map((axis) => this.#table(axis, samples))
    const weighted = new Float64Array(weights.length)
    for (let i = 0; i < weighted.length; i++) weighted[i] = weights[i] > 0 ? weights[i] * values[i] : 0
    const right = contract(weighted, samples.dims, tables, this.counts)
    const pairTables = tables.map((table, axis) => products(table, this.counts[axis]))
    const [px, py, pz] = this.counts.map((q) => (q * (q + 1)) / 2)
    const left = contract(weights, samples.dims, pairTables, [px, py, pz])
    const normal = new Matrix(this.size, this.size)
    const [qx, qy] = this.counts
    const split = (f: number): Vec3 => [(f + 1) % qx, Math.floor((f + 1) / qx) % qy, Math.floor((f + 1) / (qx * qy))]
    for (let r = 0; r < this.size; r++) {
      const a = split(r)
      for (let c = 0; c <= r; c++) {
        const [i, j, k] = split(c).map((b, axis) => pairIndex(a[axis], b))
        const sum = left[i + px * (j + py * k)]
        normal.set(r, c, sum)
        normal.set(c, r, sum)
      }
    }
    // Functions that the samples cannot tell apart stay small.
    const ridge = 1e-9 * (normal.trace() / this.size)
    if (!(ridge > 0)) return coefficients
    for (let r = 0; r < this.size; r++) normal.set(r, r, normal.get(r, r) + ridge)
    const cholesky = new CholeskyDecomposition(normal)
    if (!cholesky.isPositiveDefinite()) return coefficients
    const solved = cholesky.solve(Matrix.columnVector(Array.from(right.subarray(1))))
    return Float64Array.from(solved.to1DArray())
  }

  /** The field at the samples of a thinned grid, x fastest. */
  field(coefficients: Float64Array, samples: Thinning): Float32Array {
    const [nx, ny, nz] = samples.dims
    const [qx, qy, qz] = this.counts
    const [tx, ty, tz] = [0, 1, 2].map((axis) => this.#table(axis, samples))
    const out = new Float32Array(nx * ny * nz)
    const plane = new Float64Array(qx * qy)
    const row = new Float64Array(qx)
    for (let k = 0, at = 0; k < nz; k++) {
      plane.fill(0)
      for (let c = 0; c < qz; c++)
        for (let ab = 0; ab < qx * qy; ab++) {
          const f = ab + qx * qy * c - 1
          if (f >= 0) plane[ab] += coefficients[f] * tz[k * qz + c]
        }
      for (let j = 0; j < ny; j++) {
        row.fill(0)
        for (let b = 0; b < qy; b++) for (let a = 0; a < qx; a++) row[a] += plane[a + qx * b] * ty[j * qy + b]
        for (let i = 0; i < nx; i++, at++) {
          let sum = 0
          for (let a = 0; a < qx; a++) sum += row[a] * tx[i * qx + a]
          out[at] = sum
        }
      }
    }
    return out
  }
}

/** Place of the product of cosines a and b among the products of an axis. */
const pairIndex = (a: number, b: number): number => (a >= b ? (a * (a + 1)) / 2 + b : (b * (b + 1)) / 2 + a)

/** Products of every two cosines of an axis at its samples. */
function products(table: Float64Array, q: number): Float64Array {
  const n = table.length / q
  const pairs = (q * (q + 1)) / 2
  const out = new Float64Array(n * pairs)
  for (let i = 0; i < n; i++)
    for (let a = 0; a < q; a++)
      for (let b = 0; b <= a; b++) out[i * pairs + pairIndex(a, b)] = table[i * q + a] * table[i * q + b]
  return out
}

/** Σ over x, y, z of value · X(x) · Y(y) · Z(z), for every triple of table functions. */
function contract(values: ArrayLike<number>, dims: Vec3, tables: readonly Float64Array[], counts: Vec3): Float64Array {
  const [nx, ny, nz] = dims
  const [qx, qy, qz] = counts
  const [tx, ty, tz] = tables
  const out = new Float64Array(qx * qy * qz)
  const plane = new Float64Array(qx * qy)
  const row = new Float64Array(qx)
  for (let k = 0, at = 0; k < nz; k++) {
    plane.fill(0)
    for (let j = 0; j < ny; j++) {
      row.fill(0)
      for (let i = 0; i < nx; i++, at++) {
        const value = values[at]
        if (value !== 0) for (let a = 0; a < qx; a++) row[a] += value * tx[i * qx + a]
      }
      for (let b = 0; b < qy; b++) for (let a = 0; a < qx; a++) plane[a + qx * b] += row[a] * ty[j * qy + b]
    }
    for (let c = 0; c < qz; c++)
      for (let ab = 0; ab < qx * qy; ab++) out[ab + qx * qy * c] += plane[ab] * tz[k * qz + c]
  }
  return out
}
