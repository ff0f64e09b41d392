import { type Affine, compose } from '../../volume/affine.js'
import { resample } from '../../volume/resample.js'
import type { Grid, Image, Mask } from '../../volume/volume.js'
import { type EdgeImage, type Evidence, evidenceOf } from './evidence.js'
import { affineCorrection, rms } from './refit.js'
import { movedDistance, type Surface, smoothOverSurface, surfaceOf } from './surface.js'

export interface SurfaceOptions {
  /** How far from the atlas surface the brain's may lie, in mm. */
  reach?: number
  /** The mask's edge is put this many mm outside the edge of the tissue, for the fluid in the sulci. */
  margin?: number
}

export interface BrainSurface {
  /** Signed distance from the surface in mm of the atlas's space, negative inside, on the grid asked for. */
  distance: Image
  /** The map to the atlas, corrected where the surface showed that its place, size or turn was off. */
  toAtlas: Affine
}

/**
 * The brain's outer surface, found by moving the surface of the atlas's brain along its normals.
 *
 * Every point of the atlas surface looks along its normal for the place with tissue inside and a dark layer (fluid,
 * skull) outside. Neighbouring points share their evidence, first over wide patches (size and position of the brain),
 * then over narrow ones (gyri), and each step may only leave the previous one by little: a leak into the scalp or the
 * orbit costs more than it explains. The idea of a surface with an atlas's shape that looks along its normals is that of
 * ROBEX (Iglesias et al. 2011, IEEE TMI 30:1617); the edge is judged by regions on both sides in place of its forest.
 *
 * Before that, the wide patches correct the affine map itself: what they say together about place, size and turn is
 * taken over into the map, and the search starts again. A map that was good stays as it is.
 */
export async function brainSurface(
  images: readonly EdgeImage[],
  atlasBrain: Mask,
  ventricles: Mask,
  map: Affine,
  grid: Grid,
  { reach = 20, margin = 1.25 }: SurfaceOptions = {},
): Promise<BrainSurface> {
  const surface = await surfaceOf(atlasBrain, reach + 4)
  let toAtlas = map
  let evidence = evidenceOf(images, surface, toAtlas, ventricles, reach)
  for (let round = 0; round < corrections; round++) {
    const offset = search(evidence, surface, reach, stages.slice(0, 1))
    const correction = affineCorrection(surface, offset, evidence.seen)
    if (rms(surface, correction) < smallCorrection) break
    toAtlas = compose(correction, toAtlas)
    evidence = evidenceOf(images, surface, toAtlas, ventricles, reach)
  }
  const offset = search(evidence, surface, reach, stages).map((mm) => mm + margin)
  const distance = await resample(await movedDistance(surface, offset), grid, {
    map: toAtlas,
    method: 'linear',
    outside: reach,
  })
  return { distance, toAtlas }
}

/** Most corrections of the affine map, and the mean move of the surface in mm below which there is no need for one. */
const corrections = 4
const smallCorrection = 1.5

interface Stage {
  pool: number
  spread: number
  wayOut: number
}

/**
 * From patches that tell the brain's size to patches of a gyrus: σ of the patch and leave to depart from the last step,
 * in mm, and how much a mm of darkness counts that lies deeper than the inner window. Without the latter the outer side
 * of the scalp looks as good as the brain's; in the end it would only push the surface into the sulci.
 */
const stages: readonly Stage[] = [
  { pool: 16, spread: 8, wayOut: 0.3 },
  { pool: 8, spread: 4, wayOut: 0.2 },
  { pool: 4, spread: 2.5, wayOut: 0.05 },
]

/** The offset of each point along its normal, in mm, after the given stages. */
function search({ energy, crossed }: Evidence, surface: Surface, reach: number, by: readonly Stage[]): Float32Array {
  const steps = 2 * reach + 1
  let offset = new Float32Array(surface.count)
  for (const { pool, spread, wayOut } of by) {
    const sum = energy.map((e, i) => e + wayOut * crossed[i])
    const shared = smoothOverSurface(sum, steps, surface, pool)
    for (let p = 0; p < surface.count; p++) offset[p] = bestOffset(shared, p * steps, reach, offset[p], spread)
    offset = smoothOverSurface(offset, 1, surface, pool / 2)
  }
  return offset
}

/** The offset in mm of least energy, drawn towards `expected`, to a part of a mm. */
function bestOffset(energy: Float32Array, from: number, reach: number, expected: number, spread: number): number {
  const cost = (b: number) => energy[from + b + reach] + 0.5 * ((b - expected) / spread) ** 2
  let best = -reach
  for (let b = -reach; b <= reach; b++) if (cost(b) < cost(best)) best = b
  if (best === -reach || best === reach) return best
  const [a, m, c] = [cost(best - 1), cost(best), cost(best + 1)]
  const curve = a - 2 * m + c
  return curve > 1e-6 ? best + Math.max(-0.5, Math.min(0.5, (0.5 * (a - c)) / curve)) : best
}
