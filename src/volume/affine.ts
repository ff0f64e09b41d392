/**
 * Affine maps of 3-D space as 16 numbers, row-major 4×4: `[m00 m01 m02 m03 m10 … m33]`.
 *
 * A voxel-to-world affine maps voxel indices (i, j, k) at voxel centres to RAS+ millimetres: x grows to the
 * subject's right, y to the front, z to the head. World-to-world affines map RAS+ mm to RAS+ mm.
 */
export type Affine = readonly number[]
export type Vec3 = readonly [number, number, number]

export const identity: Affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]

export const translation = ([x, y, z]: Vec3): Affine => [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1]

export const scaling = ([x, y, z]: Vec3): Affine => [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1]

/** The map that applies `b` first, then `a`; more maps apply from the right to the left. */
export function compose(a: Affine, b: Affine, ...more: Affine[]): Affine {
  const out = new Array<number>(16).fill(0)
  for (let r = 0; r < 4; r++)
    for (let c = 0; c < 4; c++) {
      let sum = 0
      for (let k = 0; k < 4; k++) sum += a[4 * r + k] * b[4 * k + c]
      out[4 * r + c] = sum
    }
  return more.length === 0 ? out : compose(out, more[0], ...more.slice(1))
}

/** Whether a map leaves every point where it is, to rounding. */
export const isIdentityMap = (m: Affine): boolean => m.every((value, i) => Math.abs(value - identity[i]) < 1e-12)

/** Determinant of the 3×3 part: signed voxel volume in mm³ for a voxel-to-world map. */
export function determinant(m: Affine): number {
  return m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8])
}

/** @throws RangeError when the 3×3 part is singular */
export function invert(m: Affine): Affine {
  const d = determinant(m)
  if (!(Math.abs(d) > 1e-30)) throw new RangeError('This affine has no inverse: its axes do not span space.')
  const r = [
    (m[5] * m[10] - m[6] * m[9]) / d,
    (m[2] * m[9] - m[1] * m[10]) / d,
    (m[1] * m[6] - m[2] * m[5]) / d,
    (m[6] * m[8] - m[4] * m[10]) / d,
    (m[0] * m[10] - m[2] * m[8]) / d,
    (m[2] * m[4] - m[0] * m[6]) / d,
    (m[4] * m[9] - m[5] * m[8]) / d,
    (m[1] * m[8] - m[0] * m[9]) / d,
    (m[0] * m[5] - m[1] * m[4]) / d,
  ]
  const t = (row: number) => -(r[3 * row] * m[3] + r[3 * row + 1] * m[7] + r[3 * row + 2] * m[11])
  return [r[0], r[1], r[2], t(0), r[3], r[4], r[5], t(1), r[6], r[7], r[8], t(2), 0, 0, 0, 1]
}

export const apply = (m: Affine, [x, y, z]: Vec3): Vec3 => [
  m[0] * x + m[1] * y + m[2] * z + m[3],
  m[4] * x + m[5] * y + m[6] * z + m[7],
  m[8] * x + m[9] * y + m[10] * z + m[11],
]

/** Lengths of the three voxel axes in mm. */
export const voxelSizes = (m: Affine): Vec3 => [
  Math.hypot(m[0], m[4], m[8]),
  Math.hypot(m[1], m[5], m[9]),
  Math.hypot(m[2], m[6], m[10]),
]

/**
 * For each voxel axis, the world axis it runs along most (0 x, 1 y, 2 z), each used once, and its direction.
 * The assignment with the largest sum of |cosines| wins, so that oblique grids too get three different axes.
 */
export function closestAxes(m: Affine): { axis: Vec3; sign: Vec3 } {
  const size = voxelSizes(m)
  const cosine = (world: number, voxel: number) => m[4 * world + voxel] / size[voxel]
  const orders: Vec3[] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]
  let best = orders[0]
  let most = -1
  for (const order of orders) {
    const sum = order.reduce((s, world, voxel) => s + Math.abs(cosine(world, voxel)), 0)
    if (sum > most + 1e-9) [best, most] = [order, sum]
  }
  const sign = best.map((world, voxel) => (cosine(world, voxel) < 0 ? -1 : 1)) as unknown as Vec3
  return { axis: best, sign }
}

/** Orientation code such as `RAS` or `LPS`: the direction in which each voxel axis grows. */
export function orientation(m: Affine): string {
  const { axis, sign } = closestAxes(m)
  return axis.map((world, voxel) => 'LRPAIS'[2 * world + (sign[voxel] > 0 ? 1 : 0)]).join('')
}

/** The largest angle, in degrees, between a voxel axis and the world axis it is closest to. */
export function obliquity(m: Affine): number {
  const { axis } = closestAxes(m)
  const size = voxelSizes(m)
  return Math.max(
    ...axis.map(
      (world, voxel) => (Math.acos(Math.min(1, Math.abs(m[4 * world + voxel]) / size[voxel])) * 180) / Math.PI,
    ),
  )
}

/** Largest distance, in mm, between where two voxel-to-world affines put the corners of a grid. */
export function cornerDistance(a: Affine, b: Affine, dims: Vec3): number {
  let most = 0
  for (let corner = 0; corner < 8; corner++) {
    const p: Vec3 = [corner & 1 ? dims[0] - 1 : 0, corner & 2 ? dims[1] - 1 : 0, corner & 4 ? dims[2] - 1 : 0]
    const [u, v] = [apply(a, p), apply(b, p)]
    most = Math.max(most, Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]))
  }
  return most
}
