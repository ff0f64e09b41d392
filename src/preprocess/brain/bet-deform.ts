import { invert, type Vec3 } from '../../volume/affine.js'
import type { Image } from '../../volume/volume.js'
import type { Icosphere } from './icosphere.js'

/** The levels and the place of a head (Smith 2002): robust minimum, threshold to the background, median of the brain. */
export interface BetHead {
  t2: number
  t: number
  tm: number
  /** World mm. */
  centre: Vec3
  radius: number
  /** Nothing is seen below this z, mm. */
  lowest: number
}

export interface DeformOptions {
  threshold: number
  gradient: number
  iterations: number
  signal?: AbortSignal
}

/**
 * The vertices of the sphere after they moved to the brain's surface. Where the surface ran over itself it is grown again,
 * held stiffer for the first three quarters of the way.
 */
export function deform(image: Image, sphere: Icosphere, head: BetHead, options: DeformOptions): Float64Array {
  let vertices = grow(image, sphere, head, options, 1)
  for (let pass = 1; pass <= mostPasses && foldedness(vertices, sphere) > folded; pass++)
    vertices = grow(image, sphere, head, options, 1.5 ** pass)
  return vertices
}

const mostPasses = 4
/** The sum of squared changes of near distances above which a surface of 2562 vertices runs over itself. */
const folded = 4000

/** Radii of curvature in mm between which smoothing goes from full to none, and how deep the image is looked at. */
const [rMin, rMax] = [3.33, 10]
const [lowDepth, highDepth] = [20, 10]

function grow(
  image: Image,
  { vertices: unit, faces, start, neighbours }: Icosphere,
  { t2, t, tm, centre, radius, lowest }: BetHead,
  { threshold, gradient, iterations, signal }: DeformOptions,
  stiffness: number,
): Float64Array {
  const bend = 0.5 * (1 / rMin + 1 / rMax)
  const steepness = 6 / (1 / rMin - 1 / rMax)
  const x = unit.map((v, i) => centre[i % 3] + 0.5 * radius * v)
  const moved = new Float64Array(x.length)
  const normals = new Float64Array(x.length)
  const sample = sampler(image, lowest, t2)
  let edge = meanEdge(x, start, neighbours)
  for (let step = 0; step < iterations; step++) {
    if (step % 50 === 0) {
      signal?.throwIfAborted()
      edge = meanEdge(x, start, neighbours)
    }
    vertexNormals(x, faces, normals)
    const stiff = step < 0.75 * iterations ? stiffness : 1
    for (let v = 0; v < x.length; v += 3) {
      const [px, py, pz, nx, ny, nz] = [x[v], x[v + 1], x[v + 2], normals[v], normals[v + 1], normals[v + 2]]
      const [from, to] = [start[v / 3], start[v / 3 + 1]]
      let [sx, sy, sz] = [0, 0, 0]
      for (let n = from; n < to; n++) {
        const o = 3 * neighbours[n]
        sx += x[o]
        sy += x[o + 1]
        sz += x[o + 2]
      }
      sx = sx / (to - from) - px
      sy = sy / (to - from) - py
      sz = sz / (to - from) - pz
      const along = sx * nx + sy * ny + sz * nz
      const curvature = (2 * Math.abs(along)) / (edge * edge)
      const f2 = Math.min(1, 0.5 * stiff * (1 + Math.tanh(steepness * (curvature - bend))))

      let low = tm
      let high = t
      for (let d = 0; d <= lowDepth; d++) {
        const value = sample(px - d * nx, py - d * ny, pz - d * nz)
        if (value < low) low = value
        if (d <= highDepth && value > high) high = value
      }
      low = Math.max(t2, low)
      high = Math.min(tm, high)
      const local = Math.min(1, Math.max(0, threshold + (gradient * (centre[2] - pz)) / radius))
      const level = (high - t2) * local + t2
      const f3 = high > t2 ? (2 * (low - level)) / (high - t2) : -1
      const out = f2 * along + 0.05 * f3 * edge
      // half of the way within the surface, for even spacing; along the normal what smoothness and intensities ask for
      moved[v] = px + 0.5 * (sx - along * nx) + out * nx
      moved[v + 1] = py + 0.5 * (sy - along * ny) + out * ny
      moved[v + 2] = pz + 0.5 * (sz - along * nz) + out * nz
    }
    x.set(moved)
  }
  return x
}

/** The voxel at a world place; what lies outside or below `lowest` is background. */
function sampler({ dims: [nx, ny, nz], affine, data }: Image, lowest: number, background: number) {
  const m = invert(affine)
  return (x: number, y: number, z: number): number => {
    if (z < lowest) return background
    const i = Math.round(m[0] * x + m[1] * y + m[2] * z + m[3])
    const j = Math.round(m[4] * x + m[5] * y + m[6] * z + m[7])
    const k = Math.round(m[8] * x + m[9] * y + m[10] * z + m[11])
    if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return background
    const value = data[i + nx * (j + ny * k)]
    return Number.isFinite(value) ? value : background
  }
}

/** Outward unit normals, triangles weighed by their area. */
function vertexNormals(x: Float64Array, faces: Int32Array, normals: Float64Array): void {
  normals.fill(0)
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]]
    const [ux, uy, uz] = [x[b] - x[a], x[b + 1] - x[a + 1], x[b + 2] - x[a + 2]]
    const [vx, vy, vz] = [x[c] - x[a], x[c + 1] - x[a + 1], x[c + 2] - x[a + 2]]
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
    for (let corner = 0; corner < 3; corner++) {
      const v = 3 * faces[f + corner]
      normals[v] += nx
      normals[v + 1] += ny
      normals[v + 2] += nz
    }
  }
  for (let v = 0; v < normals.length; v += 3) {
    const length = Math.sqrt(normals[v] ** 2 + normals[v + 1] ** 2 + normals[v + 2] ** 2) || 1
    normals[v] /= length
    normals[v + 1] /= length
    normals[v + 2] /= length
  }
}

function meanEdge(x: Float64Array, start: Int32Array, neighbours: Int32Array): number {
  let sum = 0
  for (let v = 0; v + 1 < start.length; v++)
    for (let n = start[v]; n < start[v + 1]; n++) sum += distance(x, 3 * v, 3 * neighbours[n])
  return sum / neighbours.length
}

/** How much distances between near vertices, in edges, differ from those on the sphere (squared, summed). */
function foldedness(x: Float64Array, { vertices, start, neighbours }: Icosphere): number {
  const [now, before] = [meanEdge(x, start, neighbours), meanEdge(vertices, start, neighbours)]
  let sum = 0
  for (let a = 0; a < x.length; a += 3)
    for (let b = 0; b < a; b += 3) {
      const [d, was] = [distance(x, a, b) / now, distance(vertices, a, b) / before]
      if (d < 1 || was < 1) sum += (d - was) ** 2
    }
  return sum
}

const distance = (x: Float64Array, a: number, b: number): number =>
  Math.sqrt((x[a] - x[b]) ** 2 + (x[a + 1] - x[b + 1]) ** 2 + (x[a + 2] - x[b + 2]) ** 2)
