import type { Arena, Block } from '../../kernels/index.js'
import type { Vec3 } from '../../volume/affine.js'
import { bandOf } from '../../volume/band.js'

/**
 * Three cubic B-spline functions on a grid, from control points `spacing` voxels apart; control point 0 lies one spacing
 * before voxel 0.
 */
export interface Lattice {
  dims: Vec3
  /** Values at the control points into values at the voxels: three planes each. */
  expand(points: Block<Float32Array>, voxels: Block<Float32Array>): Promise<void>
  /** What the voxels ask of each control point: the mean of three planes under its spline. */
  gather(voxels: number, points: Block<Float32Array>): Promise<void>
}

export function latticeOf(arena: Arena, dims: Vec3, spacing: number): Lattice {
  const points = dims.map((n) => Math.ceil((n - 1) / spacing) + 3) as unknown as Vec3
  const outward = dims.map((n) =>
    bandOf(arena, n, 4, (i) => [Math.floor(i / spacing), (t) => spline(i / spacing + 1 - t)]),
  )
  const wide = 4 * spacing - 1
  const inward = points.map((n, axis) =>
    bandOf(arena, n, wide, (k) => {
      const first = (k - 3) * spacing + 1
      const weight = (i: number) => (i >= 0 && i < dims[axis] ? spline(i / spacing + 1 - k) : 0)
      let total = 0
      for (let i = first; i < first + wide; i++) total += weight(i)
      return [first, (i) => (total > 0 ? weight(i) / total : 0)]
    }),
  )
  const [nx, ny, nz] = dims
  const [px, py, pz] = points
  const [a, b] = [arena.float32(3 * nx * py * pz), arena.float32(3 * nx * ny * pz)]
  return {
    dims: points,
    async expand(from, to) {
      await arena.run('bandX', 3 * py * pz, 64, from.ptr, a.ptr, px, nx, ...outward[0])
      await arena.run('bandAcross', 3 * ny * pz, 64, a.ptr, b.ptr, nx, py, ny, ...outward[1])
      await arena.run('bandAcross', 3 * nz, 4, b.ptr, to.ptr, nx * ny, pz, nz, ...outward[2])
    },
    async gather(from, to) {
      await arena.run('bandAcross', 3 * pz, 4, from, b.ptr, nx * ny, nz, pz, ...inward[2])
      await arena.run('bandAcross', 3 * py * pz, 64, b.ptr, a.ptr, nx, ny, py, ...inward[1])
      await arena.run('bandX', 3 * py * pz, 64, a.ptr, to.ptr, nx, px, ...inward[0])
    },
  }
}

/** The cubic B-spline, 0 from two on. */
function spline(x: number): number {
  const a = Math.abs(x)
  if (a >= 2) return 0
  return a >= 1 ? (2 - a) ** 3 / 6 : 2 / 3 - a * a + (a * a * a) / 2
}

/** Takes `strength` times the bilaplacian away, in place: a step against the bending of the three functions. */
export function unbend(values: Float32Array, dims: Vec3, strength: number): void {
  const n = dims[0] * dims[1] * dims[2]
  for (let plane = 0; plane < 3; plane++) {
    const part = values.subarray(plane * n, (plane + 1) * n)
    const twice = laplacian(laplacian(part, dims), dims)
    for (let i = 0; i < n; i++) part[i] -= strength * twice[i]
  }
}

/** Differences to the six neighbours, those beyond the border left out. */
function laplacian(values: Float32Array, [nx, ny, nz]: Vec3): Float32Array {
  const out = new Float32Array(values.length)
  for (let k = 0, i = 0; k < nz; k++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const here = values[i]
        let sum = 0
        if (x > 0) sum += values[i - 1] - here
        if (x < nx - 1) sum += values[i + 1] - here
        if (y > 0) sum += values[i - nx] - here
        if (y < ny - 1) sum += values[i + nx] - here
        if (k > 0) sum += values[i - nx * ny] - here
        if (k < nz - 1) sum += values[i + nx * ny] - here
        out[i] = sum
      }
  return out
}
