import { type Affine, apply, compose, invert } from '../../volume/affine.js'
import type { Image, Mask } from '../../volume/volume.js'
import { type Surface, smoothOverSurface } from './surface.js'

/** An image whose brain edge is looked for, and how its tissue and its fluid differ. */
export interface EdgeImage {
  image: Image
  /** Intensity of grey matter relative to the brightest tissue under the surface: T1 about 0.8, FLAIR about 1. */
  grey: number
  /** What is brighter than this times the tissue is fat or a vessel, no brain; Infinity where lesions are bright. */
  bright: number
}

/** What each offset of each point would leave on the wrong side, in mm, offsets −reach … reach fastest. */
export interface Evidence {
  /** Non-tissue just inside and tissue just outside. */
  energy: Float32Array
  /** All the non-tissue that would lie inside. */
  crossed: Float32Array
  /** Share of each point's normal that the images show, 0–1. */
  seen: Float32Array
}

/** The evidence of all images together. @param toAtlas world mm of the images → world mm of the surface */
export function evidenceOf(
  images: readonly EdgeImage[],
  surface: Surface,
  toAtlas: Affine,
  ventricles: Mask,
  reach: number,
): Evidence {
  const steps = 2 * reach + 1
  const evidence: Evidence = {
    energy: new Float32Array(surface.count * steps),
    crossed: new Float32Array(surface.count * steps),
    seen: new Float32Array(surface.count),
  }
  for (const image of images)
    addEvidence(evidence, tissueAlongNormals(image, surface, toAtlas, ventricles, reach), reach)
  for (let p = 0; p < surface.count; p++) evidence.seen[p] /= Math.max(1, images.length)
  return evidence
}

/** mm of a profile that say whether its inner side is tissue, and its outer side is not. */
const insideWindow = 8
const outsideWindow = 5

/**
 * How much each sample of each normal looks like brain tissue (0–1; NaN outside the image), from `reach` +
 * `insideWindow` mm inside to `reach` + `outsideWindow` mm outside, every mm. The measure is the tissue just below the
 * surface nearby, so that a bias field does not matter.
 */
function tissueAlongNormals(
  { image, grey, bright }: EdgeImage,
  surface: Surface,
  toAtlas: Affine,
  ventricles: Mask,
  reach: number,
): Float32Array {
  const { count, points, normals } = surface
  const toVoxel = invert(compose(toAtlas, image.affine))
  const base = darkest(image)
  const at = sampler(image)
  const first = -reach - insideWindow
  const length = 2 * reach + insideWindow + outsideWindow + 1
  const values = new Float32Array(count * length)
  let level = new Float32Array(count)
  const inner: number[] = []
  for (let p = 0; p < count; p++) {
    inner.length = 0
    for (let q = 0; q < length; q++) {
      const s = first + q
      const x = points[3 * p] + s * normals[3 * p]
      const y = points[3 * p + 1] + s * normals[3 * p + 1]
      const z = points[3 * p + 2] + s * normals[3 * p + 2]
      const value =
        at(
          toVoxel[0] * x + toVoxel[1] * y + toVoxel[2] * z + toVoxel[3],
          toVoxel[4] * x + toVoxel[5] * y + toVoxel[6] * z + toVoxel[7],
          toVoxel[8] * x + toVoxel[9] * y + toVoxel[10] * z + toVoxel[11],
        ) - base
      values[p * length + q] = value
      if (s <= -4 && Number.isFinite(value)) inner.push(value)
    }
    inner.sort((a, b) => a - b)
    level[p] = inner.length > 5 ? inner[Math.floor(0.7 * (inner.length - 1))] : Number.NaN
  }
  const known = Float32Array.from(level).filter(Number.isFinite).sort()
  const overall = known[known.length >> 1] ?? 1
  for (let p = 0; p < count; p++)
    level[p] = Number.isFinite(level[p]) ? Math.min(2.5 * overall, Math.max(0.4 * overall, level[p])) : overall
  level = smoothOverSurface(level, 1, surface, 12)

  const fluid = fluidLevel(image, ventricles, toVoxel, base) / overall
  const edge = Math.min(0.65, Math.max(0.4, 0.5 * (grey + Math.min(0.5, fluid)) - 0.05))
  for (let p = 0; p < count; p++)
    for (let q = p * length; q < (p + 1) * length; q++) {
      const v = values[q] / level[p]
      const light = 1 / (1 + Math.exp((edge - v) / 0.06))
      values[q] = bright === Infinity ? light : light / (1 + Math.exp((v - bright) / 0.06))
    }
  return values
}

/** Second percentile of about 50 000 voxels: the level of air and background. */
function darkest({ data }: Image): number {
  const every = Math.max(1, Math.floor(data.length / 50_000))
  const some = Float32Array.from({ length: Math.floor(data.length / every) }, (_, i) => data[i * every])
  const sorted = some.filter(Number.isFinite).sort()
  return sorted[Math.floor(0.02 * sorted.length)] ?? 0
}

/** Lower quartile of the image in the atlas's lateral ventricles, above `base`: the fluid, as far as the atlas fits. */
function fluidLevel(image: Image, ventricles: Mask, toVoxel: Affine, base: number): number {
  const at = sampler(image)
  const [nx, ny] = ventricles.dims
  const whole = compose(toVoxel, ventricles.affine)
  const found: number[] = []
  for (let v = 0; v < ventricles.data.length; v++) {
    if (ventricles.data[v] !== 1) continue
    const [x, y, z] = apply(whole, [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))])
    const value = at(x, y, z) - base
    if (Number.isFinite(value)) found.push(value)
  }
  found.sort((a, b) => a - b)
  return found[found.length >> 2] ?? 0
}

/** Adds one image's evidence. */
function addEvidence({ energy, crossed, seen }: Evidence, tissue: Float32Array, reach: number): void {
  const length = 2 * reach + insideWindow + outsideWindow + 1
  const steps = 2 * reach + 1
  const dark = new Float64Array(length + 1)
  const light = new Float64Array(length + 1)
  for (let p = 0; p < seen.length; p++) {
    let shown = 0
    for (let q = 0; q < length; q++) {
      const t = tissue[p * length + q]
      const known = !Number.isNaN(t)
      if (known) shown++
      dark[q + 1] = dark[q] + (known ? 1 - t : 0)
      light[q + 1] = light[q] + (known ? t : 0)
    }
    seen[p] += shown / length
    for (let b = 0; b < steps; b++) {
      const edge = b + insideWindow
      energy[p * steps + b] += dark[edge] - dark[b] + light[edge + outsideWindow] - light[edge]
      crossed[p * steps + b] += dark[edge]
    }
  }
}

/** Trilinear values of an image at voxel coordinates; NaN outside. */
function sampler({ dims: [nx, ny, nz], data }: Image): (x: number, y: number, z: number) => number {
  const slice = nx * ny
  return (x, y, z) => {
    // a point less than half a voxel outside takes the value of the edge
    if (!(x > -0.5 && y > -0.5 && z > -0.5 && x < nx - 0.5 && y < ny - 0.5 && z < nz - 0.5)) return Number.NaN
    const i = Math.min(Math.max(Math.floor(x), 0), Math.max(0, nx - 2))
    const j = Math.min(Math.max(Math.floor(y), 0), Math.max(0, ny - 2))
    const k = Math.min(Math.max(Math.floor(z), 0), Math.max(0, nz - 2))
    const fx = Math.min(1, Math.max(0, x - i))
    const fy = Math.min(1, Math.max(0, y - j))
    const fz = Math.min(1, Math.max(0, z - k))
    const [dx, dy, dz] = [nx > 1 ? 1 : 0, ny > 1 ? nx : 0, nz > 1 ? slice : 0]
    const at = i + nx * j + slice * k
    const low = mix(mix(data[at], data[at + dx], fx), mix(data[at + dy], data[at + dx + dy], fx), fy)
    const top = at + dz
    const high = mix(mix(data[top], data[top + dx], fx), mix(data[top + dy], data[top + dx + dy], fx), fy)
    return mix(low, high, fz)
  }
}

const mix = (a: number, b: number, f: number): number => a + f * (b - a)
