import { type Affine, apply, compose } from '../volume/affine.js'
import { type Grid, type Mask, voxelsIn } from '../volume/volume.js'

/** A plane that parts a face from the brain, in the place of the atlas, so that the head may be turned in its image. */
export interface FacePlane {
  /** World RAS mm of the images → MNI152 RAS mm. */
  toAtlas: Affine
  /** Unit normal towards the face: its parts along anterior and superior. */
  normal: readonly [anterior: number, superior: number]
  /** From here on, along the normal, is face; mm of MNI152. */
  offset: number
}

/** Turns of the normal below the horizon among which the underside of the brain is sought, degrees. */
const [flattest, steepest] = [15, 75]

/**
 * The plane along the underside of the brain, from the frontal lobes to the temporal lobes and the brain stem: the longest
 * edge of the convex hull of its side view that looks forwards and down (Schimke, Kuehler & Hale 2011, "Quickshear"). No
 * voxel of the brain is nearer to what is cut off than the buffer.
 *
 * @param brain not empty
 * @param toAtlas world mm of the mask → MNI152 mm, affine
 * @param bufferMm between brain and plane, mm of MNI152
 */
export function facePlane(brain: Mask, toAtlas: Affine, bufferMm = 10): FacePlane {
  const hull = lowerHull(undersideOf(brain, toAtlas))
  let best: { normal: [number, number]; length: number } | undefined
  for (let i = 1; i < hull.length; i++) {
    const [dy, dz] = [hull[i][0] - hull[i - 1][0], hull[i][1] - hull[i - 1][1]]
    const length = Math.hypot(dy, dz)
    const below = (Math.atan2(dy, dz) * 180) / Math.PI
    if (below < flattest || below > steepest || length <= (best?.length ?? 0)) continue
    best = { normal: [dz / length, -dy / length], length }
  }
  const normal = best?.normal ?? [Math.SQRT1_2, -Math.SQRT1_2]
  const reach = hull.reduce((most, [y, z]) => Math.max(most, normal[0] * y + normal[1] * z), Number.NEGATIVE_INFINITY)
  return { toAtlas, normal, offset: reach + bufferMm }
}

/** Storage indices of the voxels of a grid that lie on the face's side. */
export function faceVoxels({ dims, affine }: Grid, { toAtlas, normal, offset }: FacePlane): Uint32Array {
  const toPlane = compose(toAtlas, affine)
  // The distance is linear in the voxel's index.
  const [dx, dy, dz, start] = [0, 1, 2, 3].map((c) => normal[0] * toPlane[4 + c] + normal[1] * toPlane[8 + c])
  const found: number[] = []
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++) if (start + dx * i + dy * j + dz * k > offset) found.push(at)
  return Uint32Array.from(found)
}

type Point = readonly [anterior: number, superior: number]

/** The lowest point of the brain in each millimetre from back to front. */
function undersideOf(brain: Mask, toAtlas: Affine): Point[] {
  const lowest = new Map<number, Point>()
  const map = compose(toAtlas, brain.affine)
  const [nx, ny] = brain.dims
  for (const at of voxelsIn(brain)) {
    const [, y, z] = apply(map, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])
    const known = lowest.get(Math.round(y))
    if (!known || z < known[1]) lowest.set(Math.round(y), [y, z])
  }
  return [...lowest.values()].sort((a, b) => a[0] - b[0])
}

/** The convex hull's lower half, from back to front (Andrew 1979). */
function lowerHull(points: readonly Point[]): Point[] {
  const hull: Point[] = []
  for (const point of points) {
    while (hull.length > 1) {
      const [a, b] = hull.slice(-2)
      if ((b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]) > 0) break
      hull.pop()
    }
    hull.push(point)
  }
  return hull
}
