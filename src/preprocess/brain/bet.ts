import { apply, type Vec3 } from '../../volume/affine.js'
import { percentiles } from '../../volume/histogram.js'
import { type Image, type Mask, voxelVolume } from '../../volume/volume.js'
import { type BetHead, deform } from './bet-deform.js'
import { fillSurface } from './fill.js'
import { icosphere, type TriangleSurface } from './icosphere.js'

export interface BetOptions {
  /** b_t, 0–1: the smaller, the larger the brain. Default 0.5. */
  threshold?: number
  /** −1 to 1, added to the threshold per radius below the centre: positive makes the brain larger at its top. Default 0. */
  gradient?: number
  /** World mm; found from the image where not given. */
  centre?: Vec3
  /** Radius of the head in mm; found from the image where not given. */
  radius?: number
  /** Default 1000. */
  iterations?: number
  signal?: AbortSignal
}

export interface BetResult {
  mask: Mask
  /** 2562 vertices in world mm. */
  surface: TriangleSurface
}

/**
 * BET, the Brain Extraction Tool (Smith 2002, Human Brain Mapping 17:143): a sphere within the head grows until what is
 * below its surface is no longer as bright as brain, and stays smooth. Whole heads; made for T1, of use for FLAIR.
 *
 * The centre is found again from the brain until it stays in place, and what lies more than 170 mm below the vertex is
 * not looked at: a neck in the image draws the first centre down.
 *
 * @throws RangeError when the image shows nothing, or for options out of range
 */
export function bet(image: Image, options: BetOptions = {}): BetResult {
  const { threshold = 0.5, gradient = 0, iterations = 1000, signal } = options
  if (!(threshold >= 0 && threshold <= 1)) throw new RangeError(`threshold is ${threshold}, give 0 to 1.`)
  if (!(gradient >= -1 && gradient <= 1)) throw new RangeError(`gradient is ${gradient}, give -1 to 1.`)
  const [t2, t98] = percentiles(image, [2, 98])
  if (!(t98 > t2)) throw new RangeError('bet finds no head: the image is empty or even.')
  const t = t2 + 0.1 * (t98 - t2)
  const found = headOf(image, t, t98, options)
  let centre = found.centre
  const { radius, lowest } = found
  const sphere = icosphere()
  for (let round = 1; ; round++) {
    const head: BetHead = { t2, t, tm: medianWithin(image, centre, radius, t2, t98), centre, radius, lowest }
    const vertices = deform(image, sphere, head, { threshold, gradient, iterations, signal })
    const surface = { vertices, faces: sphere.faces }
    const next = centreOf(vertices)
    const shift = Math.hypot(next[0] - centre[0], next[1] - centre[1], next[2] - centre[2])
    if (options.centre !== undefined || shift < steadyMm || round === mostRounds)
      return { mask: fillSurface(surface, image), surface }
    centre = next
  }
}

/** The centre is found when it moves less than this, in mm. */
const steadyMm = 2
const mostRounds = 4
/** A brain does not reach deeper below the vertex, mm. */
const headMm = 170
/** Area of a slice of the head above which the vertex is not noise, mm². */
const vertexMm2 = 1500

/** Centre of gravity and radius of what is brighter than t, in the upper 170 mm. */
function headOf(
  image: Image,
  t: number,
  t98: number,
  given: Pick<BetOptions, 'centre' | 'radius'>,
): { centre: Vec3; radius: number; lowest: number } {
  const voxel = voxelVolume(image)
  const areas = new Map<number, number>()
  eachBright(image, t, (_x, _y, z) => areas.set(Math.round(z / 4), (areas.get(Math.round(z / 4)) ?? 0) + voxel / 4))
  const tops = [...areas].filter(([, mm2]) => mm2 > vertexMm2).map(([layer]) => layer)
  const top = tops.length > 0 ? 4 * Math.max(...tops) + 2 : Infinity
  const lowest = top === Infinity ? -Infinity : top - headMm
  let [weight, sx, sy, sz, n] = [0, 0, 0, 0, 0]
  eachBright(image, t, (x, y, z, value) => {
    if (z < lowest) return
    const w = Math.min(value, t98) - t
    weight += w
    sx += w * x
    sy += w * y
    sz += w * z
    n++
  })
  if (!(weight > 0)) throw new RangeError('bet finds no head: nothing in the image is bright.')
  return {
    centre: given.centre ?? [sx / weight, sy / weight, sz / weight],
    radius: given.radius ?? Math.cbrt((0.75 * n * voxel) / Math.PI),
    lowest,
  }
}

function eachBright(image: Image, t: number, visit: (x: number, y: number, z: number, value: number) => void): void {
  const { dims, affine: m, data } = image
  let at = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++)
        if (data[at] > t) {
          const [x, y, z] = apply(m, [i, j, k])
          visit(x, y, z, data[at])
        }
}

/** Median of the values between t2 and t98 in a sphere. */
function medianWithin(image: Image, [cx, cy, cz]: Vec3, radius: number, t2: number, t98: number): number {
  const values: number[] = []
  eachBright(image, t2, (x, y, z, value) => {
    if (value <= t98 && (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < radius * radius) values.push(value)
  })
  if (values.length === 0) return 0.5 * (t2 + t98)
  const sorted = Float32Array.from(values).sort()
  return sorted[sorted.length >> 1]
}

/** The mean of the vertices: they are spread evenly. */
function centreOf(vertices: Float64Array): Vec3 {
  const sum = [0, 0, 0]
  for (let v = 0; v < vertices.length; v++) sum[v % 3] += vertices[v]
  return sum.map((s) => (3 * s) / vertices.length) as unknown as Vec3
}
