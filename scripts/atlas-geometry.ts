// Regions of the atlas that no shipped source outlines, by geometry of our own on the tissue maps. All places are MNI152
// RAS mm.
import { apply, compose, invert, type Vec3 } from '../src/volume/affine.js'
import { dilateSteps } from '../src/volume/morphology.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { emptyMask, type Grid, type Image, type Mask } from '../src/volume/volume.js'

type Tissue = Record<'csf' | 'gm' | 'wm', Image>

/**
 * 1: lateral and third ventricles, 2: fourth ventricle. Fluid (CSF probability ≥ 0.5) that is connected (6 neighbours)
 * with a seed in the frontal horns, in the third or in the fourth ventricle, inside blocks that the ventricles do not leave and the
 * cisterns hardly enter. The rim is grown by one voxel where the CSF probability is at least 0.3.
 */
export async function ventricleRegion({ csf }: Tissue, brain: Mask): Promise<Mask> {
  const lateral = (p: Vec3) => {
    const x = Math.abs(p[0])
    // Bodies and frontal horns; atria and occipital horns; temporal horns.
    return (
      (x < 24 && p[1] > -36 && p[1] < 36 && p[2] > -2 && p[2] < 30) ||
      (x > 8 && x < 38 && p[1] > -74 && p[1] <= -30 && p[2] > -4 && p[2] < 26) ||
      (x > 24 && x < 40 && p[1] > -42 && p[1] < -4 && p[2] > -24 && p[2] < 2)
    )
  }
  // Grown by itself: over the block of the bodies it would run into the cistern above its roof.
  const third = (p: Vec3) => Math.abs(p[0]) < 5 && p[1] > -24 && p[1] < 4 && p[2] > -10 && p[2] < 6
  const fourth = (p: Vec3) => Math.abs(p[0]) < 14 && p[1] > -56 && p[1] < -33 && p[2] > -50 && p[2] < -16
  const out = emptyMask(brain)
  grow(
    out,
    1,
    [
      [-8, 18, 10],
      [8, 18, 10],
      [-20, -38, 14],
      [20, -38, 14],
    ],
    (i, p) => brain.data[i] !== 0 && csf.data[i] >= 0.5 && lateral(p),
  )
  grow(
    out,
    1,
    [
      // Before and behind where the thalami of the mean brain touch.
      [0, -5, -5],
      [0, -20, 4],
    ],
    (i, p) => brain.data[i] !== 0 && csf.data[i] >= 0.5 && third(p),
  )
  grow(
    out,
    2,
    [
      [0, -44, -32],
      [0, -42, -28],
      [0, -40, -26],
    ],
    (i, p) => brain.data[i] !== 0 && csf.data[i] >= 0.5 && fourth(p),
  )
  const wider = dilateSteps({ ...out, data: out.data.map((v) => (v ? 1 : 0)) }, 6, 1)
  for (let i = 0; i < out.data.length; i++) {
    if (wider.data[i] === 0 || out.data[i] !== 0 || csf.data[i] < 0.3 || brain.data[i] === 0) continue
    const p = place(brain, i)
    out.data[i] = fourth(p) ? 2 : lateral(p) || third(p) ? 1 : 0
  }
  return out
}

/**
 * Brainstem and cerebellum: where a front that starts in them arrives before one that starts in the cerebrum. Fluid
 * slows a front down a hundredfold, so that the two meet in the cleft of the tentorium, below a generous tent; at the
 * midbrain, where tissue is continuous, the plane z = −10 mm (just below the mamillary bodies) parts them.
 */
export async function infratentorialRegion({ csf: fineCsf }: Tissue, fineBrain: Mask): Promise<Mask> {
  // 2 mm is fine enough for a front, and smooths the border.
  const half: Grid = {
    dims: fineBrain.dims.map((n) => Math.ceil(n / 2)) as unknown as Vec3,
    affine: compose(fineBrain.affine, [2, 0, 0, 0.5, 0, 2, 0, 0.5, 0, 0, 2, 0.5, 0, 0, 0, 1]),
  }
  const csf = await resample(fineCsf, half)
  const brain = await resampleMask(fineBrain, half, { method: 'nearest' })
  const below: Vec3[] = [
    [-25, -60, -38],
    [25, -60, -38],
    [-40, -60, -42],
    [40, -60, -42],
    [0, -60, -24],
    [-18, -75, -38],
    [18, -75, -38],
    [0, -28, -35],
    [0, -30, -50],
    [-12, -50, -22],
    [12, -50, -22],
  ]
  const above: Vec3[] = [
    [-25, -85, 0],
    [25, -85, 0],
    [-50, -30, -15],
    [50, -30, -15],
    [-30, -15, -24],
    [30, -15, -24],
    [-32, -45, -14],
    [32, -45, -14],
    [-25, -45, 5],
    [25, -45, 5],
    [0, -20, 8],
    [-14, -60, 4],
    [14, -60, 4],
    [-10, -85, -4],
    [10, -85, -4],
    [-30, -65, -10],
    [30, -65, -10],
    [-45, -60, -12],
    [45, -60, -12],
    [-25, 0, -25],
    [25, 0, -25],
    [-40, 5, -35],
    [40, 5, -35],
    [0, 40, -10],
  ]
  const [nx, ny, nz] = brain.dims
  // 64 bits, as in the queue: a rounded cost would look like a shorter way, and its voxel would never be left.
  const cost = new Float64Array(brain.data.length).fill(Number.POSITIVE_INFINITY)
  const owner = new Uint8Array(brain.data.length)
  const queue = new Buckets()
  const seed = (points: Vec3[], label: number) => {
    for (const point of points) {
      const at = indexOf(brain, point)
      cost[at] = 0
      owner[at] = label
      queue.push(0, at)
    }
  }
  seed(below, 1)
  seed(above, 2)
  const strides = [1, -1, nx, -nx, nx * ny, -nx * ny]
  for (let next = queue.pop(); next; next = queue.pop()) {
    const [when, at] = next
    if (when > cost[at]) continue
    const i = at % nx
    const j = Math.floor(at / nx) % ny
    const k = Math.floor(at / (nx * ny))
    const free = [i < nx - 1, i > 0, j < ny - 1, j > 0, k < nz - 1, k > 0]
    for (let side = 0; side < 6; side++) {
      if (!free[side]) continue
      const other = at + strides[side]
      if (brain.data[other] === 0) continue
      const [x, y, z] = place(brain, other)
      if (owner[at] === 1 && !underTentorium(Math.abs(x), y, z)) continue
      if (owner[at] === 2 && z <= -10 && Math.abs(x) < 18 && y > -40 && y < -10) continue
      const then = when + 1 + 100 * csf.data[other] ** 2
      if (then < cost[other]) {
        cost[other] = then
        owner[other] = owner[at]
        queue.push(then, other)
      }
    }
  }
  const out = emptyMask(brain)
  for (let i = 0; i < out.data.length; i++) out.data[i] = owner[i] === 1 ? 1 : 0
  const fine = await resampleMask(out, fineBrain, { method: 'linear' })
  for (let i = 0; i < fine.data.length; i++) if (fineBrain.data[i] === 0 || fineCsf.data[i] >= 0.6) fine.data[i] = 0
  return fine
}

/**
 * A generous tent: highest over the vermis (z = 4), falling 0.45 mm a mm to the sides and behind y = −75 faster still; in
 * front of y = −38 the stem (18 mm to either side, up to z = −10) and, below the temporal lobes (z = −28, medially and
 * behind −22), the middle cerebellar peduncles and what of the hemispheres lies beside them (to y = −26).
 */
function underTentorium(x: number, y: number, z: number): boolean {
  if (y > -38) return y < -8 && ((x < 18 && z <= -10) || (x < 50 && y < -26 && z < (y < -32 && x < 35 ? -22 : -28)))
  return z < 4 - 0.45 * x - 0.6 * Math.max(0, -75 - y)
}

/** Caudate, putamen, pallidum and thalamus as ellipsoids (centre, radii) for the right side, mirrored for the left. */
const nuclei: { centre: Vec3; radii: Vec3; greyAtLeast: number }[] = [
  { centre: [12, -18, 8], radii: [12, 15, 10], greyAtLeast: 0.2 },
  { centre: [12, 13, 5], radii: [7, 12, 12], greyAtLeast: 0.4 },
  { centre: [15, -2, 18], radii: [6, 16, 8], greyAtLeast: 0.4 },
  { centre: [26, 3, 0], radii: [8, 19, 12], greyAtLeast: 0.3 },
  { centre: [19, -5, -1], radii: [7, 10, 7], greyAtLeast: 0 },
]

/** The ellipsoids, where the grey matter map agrees (the pallidum looks like white matter on T1 and is taken whole). */
export function deepGreyRegion({ gm }: Tissue, ventricles: Mask, infratentorial: Mask): Mask {
  const out = emptyMask(gm)
  for (let i = 0; i < out.data.length; i++) {
    if (ventricles.data[i] !== 0 || infratentorial.data[i] !== 0) continue
    const [x, y, z] = place(gm, i)
    const inside = nuclei.some(
      ({ centre, radii, greyAtLeast }) =>
        gm.data[i] >= greyAtLeast &&
        ((Math.abs(x) - centre[0]) / radii[0]) ** 2 +
          ((y - centre[1]) / radii[1]) ** 2 +
          ((z - centre[2]) / radii[2]) ** 2 <=
          1,
    )
    if (inside) out.data[i] = 1
  }
  return out
}

function place(grid: Grid, index: number): Vec3 {
  const [nx, ny] = grid.dims
  return apply(grid.affine, [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))])
}

function indexOf(grid: Grid, point: Vec3): number {
  const [i, j, k] = apply(invert(grid.affine), point).map(Math.round)
  return i + grid.dims[0] * (j + grid.dims[1] * k)
}

/** Fills `label` from the seeds over 6 neighbours wherever `allowed`; seeds that are not allowed start nothing. */
function grow(out: Mask, label: number, seeds: Vec3[], allowed: (index: number, place: Vec3) => boolean): void {
  const [nx, ny, nz] = out.dims
  const stack: number[] = []
  const visit = (at: number) => {
    if (out.data[at] !== 0 || !allowed(at, place(out, at))) return
    out.data[at] = label
    stack.push(at)
  }
  for (const seed of seeds) visit(indexOf(out, seed))
  while (stack.length > 0) {
    const at = stack.pop()!
    const i = at % nx
    const j = Math.floor(at / nx) % ny
    const k = Math.floor(at / (nx * ny))
    if (i > 0) visit(at - 1)
    if (i < nx - 1) visit(at + 1)
    if (j > 0) visit(at - nx)
    if (j < ny - 1) visit(at + nx)
    if (k > 0) visit(at - nx * ny)
    if (k < nz - 1) visit(at + nx * ny)
  }
}

/** A queue by whole-number cost: near enough to shortest paths for fronts whose steps cost 1 to 101. */
class Buckets {
  readonly #buckets: [number, number][][] = []
  #first = 0

  push(cost: number, at: number): void {
    const bucket = Math.floor(cost)
    while (this.#buckets.length <= bucket) this.#buckets.push([])
    this.#buckets[bucket].push([cost, at])
  }

  pop(): [number, number] | undefined {
    while (this.#first < this.#buckets.length && this.#buckets[this.#first].length === 0) this.#first++
    return this.#buckets[this.#first]?.pop()
  }
}
