import { type Forest, forestProbability } from '../../learn/forest.js'
import { FlowGraph } from '../../learn/max-flow.js'
import { type Affine, apply, invert, type Vec3 } from '../../volume/affine.js'
import type { Grid, Image, Mask } from '../../volume/volume.js'
import { fillSurface } from './fill.js'
import { type Icosphere, icosphere, type TriangleSurface } from './icosphere.js'
import { featureCount, rayFeatures, rayImage } from './robex-rays.js'

/** What `trainRobex` learns; lengths in mm along 2562 rays from the centre, in the frame's space. */
export interface RobexModel {
  centre: Vec3
  mean: Float32Array
  /** Unit vectors over the rays, and the standard deviation along each. */
  modes: Float32Array[]
  sd: Float32Array
  /** Tells the brain's edge from other places by `rayFeatures`. */
  forest: Forest
}

export interface RobexOptions {
  /** Whether the shape is moved ray by ray after the fit. Default true. */
  refine?: boolean
  signal?: AbortSignal
}

export interface RobexResult {
  mask: Mask
  surface: TriangleSurface
  /** Σ b²/λ over the number of modes: about 1 for a brain like those learnt from. */
  unusualness: number
}

/**
 * ROBEX (Iglesias et al. 2011, IEEE TMI 30:1617) with a star-shaped surface: a forest says how likely each place on a ray
 * is the brain's edge, place, size and shape of the learnt brain are fitted to that, and an optimal surface (Li et al.
 * 2006, IEEE PAMI 28:119: least cut of a graph of columns) moves each ray by up to 15 mm, neighbours by about the same.
 *
 * @param images each in the model's frame (see `inFrame`) with its model; the first model gives the shape
 * @param toFrame world mm of `grid` → world mm of the frame
 */
export async function robex(
  images: readonly { image: Image; model: RobexModel }[],
  grid: Grid,
  toFrame: Affine,
  { refine = true, signal }: RobexOptions = {},
): Promise<RobexResult> {
  const sphere = icosphere()
  const { model } = images[0]
  const cost = new Float32Array(model.mean.length * samples)
  for (const one of images) {
    signal?.throwIfAborted()
    await addCost(cost, one.image, one.model.forest, model, sphere.vertices)
  }
  const { radii, unusualness } = fitShape(cost, model, sphere)
  signal?.throwIfAborted()
  const final = refine ? optimalSurface(cost, radii, model.mean, sphere) : radii
  const back = invert(toFrame)
  const vertices = new Float64Array(sphere.vertices.length)
  for (let v = 0; v < final.length; v++) {
    const [x, y, z] = [0, 1, 2].map((o) => model.centre[o] + final[v] * sphere.vertices[3 * v + o])
    vertices.set(apply(back, [x, y, z]), 3 * v)
  }
  const surface = { vertices, faces: sphere.faces }
  return { mask: fillSurface(surface, grid), surface, unusualness }
}

/** Rays are looked at from this far inside their mean length to as far outside, mm, at steps of 1 mm. */
const reach = 32
const samples = 2 * reach + 1
/** A place is never less likely than this. */
const leastProbability = 0.02

/** Adds −log of the probability of the edge at each place of each ray. */
async function addCost(
  cost: Float32Array,
  image: Image,
  forest: Forest,
  { centre, mean }: RobexModel,
  directions: Float64Array,
): Promise<void> {
  const seen = await rayImage(image)
  const row = new Float32Array(featureCount)
  for (let v = 0; v < mean.length; v++) {
    const u: Vec3 = [directions[3 * v], directions[3 * v + 1], directions[3 * v + 2]]
    for (let s = 0; s < samples; s++) {
      rayFeatures(seen, centre, u, Math.max(1, mean[v] + s - reach), mean[v], row, 0)
      cost[v * samples + s] -= Math.log(leastProbability + (1 - leastProbability) * forestProbability(forest, row))
    }
  }
}

const costAt = (cost: Float32Array, v: number, offset: number): number => {
  const at = Math.min(samples - 1.001, Math.max(0, offset + reach))
  const s = Math.floor(at)
  return cost[v * samples + s] * (s + 1 - at) + cost[v * samples + s + 1] * (at - s)
}

/** Place, size and shape of least cost, one coordinate after the other, from three sizes. */
function fitShape(cost: Float32Array, { mean, modes, sd }: RobexModel, { vertices }: Icosphere) {
  const rays = mean.length
  const directions: { mode: Float32Array; most: number; step: number }[] = [
    { mode: mean.map((r) => r / 100), most: 14, step: 4 },
    ...[0, 1, 2].map((o) => ({ mode: mean.map((_, v) => vertices[3 * v + o]), most: 14, step: 4 })),
    ...modes.map((mode, k) => ({ mode, most: 3 * sd[k], step: sd[k] })),
  ]
  let best = { total: Infinity, offset: new Float32Array(rays), b: directions.map(() => 0) }
  for (const size of [-6, 0, 6]) {
    const b = directions.map((_, d) => (d === 0 ? size : 0))
    const offset = mean.map((r) => (size * r) / 100)
    let total = sumCost(cost, offset)
    for (let shrink = 1; shrink > 0.05; shrink /= 2)
      for (let round = 0; round < 3; round++)
        for (const [d, { mode, most, step }] of directions.entries())
          for (const by of [-step * shrink, step * shrink]) {
            if (Math.abs(b[d] + by) > most) continue
            const tried = offset.map((o, v) => o + by * mode[v])
            const sum = sumCost(cost, tried)
            if (sum >= total) continue
            total = sum
            b[d] += by
            offset.set(tried)
          }
    if (total < best.total) best = { total, offset, b }
  }
  const unusual = modes.map((_, k) => (best.b[k + 4] / sd[k]) ** 2)
  return {
    radii: mean.map((r, v) => r + best.offset[v]),
    unusualness: unusual.reduce((a, c) => a + c, 0) / Math.max(1, modes.length),
  }
}

function sumCost(cost: Float32Array, offset: Float32Array): number {
  let sum = 0
  for (let v = 0; v < offset.length; v++) sum += costAt(cost, v, offset[v])
  return sum
}

/** Half length of a column in mm (steps of 1 mm), and by how much neighbours may move differently. */
const half = 15
const most = 2

/** The surface of least cost within 15 mm of the fitted one: a least closed set, found as a least cut. */
function optimalSurface(cost: Float32Array, radii: Float32Array, mean: Float32Array, sphere: Icosphere): Float32Array {
  const { start, neighbours } = sphere
  const width = 2 * half + 1
  const graph = new FlowGraph(radii.length * width, 9 * radii.length * width)
  for (let v = 0; v < radii.length; v++) {
    let before = 0
    for (let k = 0; k < width; k++) {
      const here = costAt(cost, v, radii[v] - mean[v] + k - half)
      // the lowest place of a column always belongs to the set
      const weight = k === 0 ? -1e6 : here - before
      before = here
      const node = v * width + k
      graph.terminal(node, Math.max(0, -weight), Math.max(0, weight))
      if (k > 0) graph.arc(node, node - 1, Infinity)
      if (k > most)
        for (let n = start[v]; n < start[v + 1]; n++) graph.arc(node, neighbours[n] * width + k - most, Infinity)
    }
  }
  const { source } = graph.solve()
  return radii.map((r, v) => {
    let top = 0
    while (top + 1 < width && source[v * width + top + 1] === 1) top++
    return r + top - half
  })
}
