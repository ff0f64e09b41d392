import type { Affine, Vec3 } from './affine.js'

/** A rigid motion as a twist: rotation vector (radians, along the axis) and the velocity that goes with it (mm). */
export type Twist = readonly [number, number, number, number, number, number]

/**
 * Logarithm of a rigid map; `rigidExp` is its inverse. Half of it is the square root of the map, its negative the
 * inverse.
 *
 * @throws RangeError when the map is not rigid, or turns by half a turn, where the axis has two directions
 */
export function rigidLog(m: Affine): Twist {
  for (let a = 0; a < 3; a++)
    for (let b = a; b < 3; b++) {
      const dot = m[a] * m[b] + m[4 + a] * m[4 + b] + m[8 + a] * m[8 + b]
      if (Math.abs(dot - (a === b ? 1 : 0)) > 1e-6) throw new RangeError('This map is not rigid.')
    }
  const twice: Vec3 = [m[9] - m[6], m[2] - m[8], m[4] - m[1]]
  const sine = Math.hypot(...twice) / 2
  const angle = Math.atan2(sine, (m[0] + m[5] + m[10] - 1) / 2)
  if (angle > Math.PI - 1e-4) throw new RangeError('A rigid map of half a turn has no unique logarithm.')
  const k = angle < 1e-9 ? 0.5 : angle / (2 * sine)
  const w: Vec3 = [twice[0] * k, twice[1] * k, twice[2] * k]
  // v = V⁻¹ t = t − ½ w×t + c w×(w×t)
  const c = angle < 1e-4 ? 1 / 12 : (1 - (angle * Math.cos(angle / 2)) / (2 * Math.sin(angle / 2))) / (angle * angle)
  const t: Vec3 = [m[3], m[7], m[11]]
  const once = cross(w, t)
  const again = cross(w, once)
  return [...w, ...t.map((x, i) => x - once[i] / 2 + c * again[i])] as unknown as Twist
}

/** The rigid map of a twist (Rodrigues). */
export function rigidExp([x, y, z, ...velocity]: Twist): Affine {
  const w: Vec3 = [x, y, z]
  const angle = Math.hypot(...w)
  const a = angle < 1e-4 ? 1 - angle ** 2 / 6 : Math.sin(angle) / angle
  const b = angle < 1e-4 ? 0.5 - angle ** 2 / 24 : (1 - Math.cos(angle)) / angle ** 2
  const c = angle < 1e-4 ? 1 / 6 - angle ** 2 / 120 : (1 - a) / angle ** 2
  const turn = (p: Vec3): Vec3 => {
    const once = cross(w, p)
    const again = cross(w, once)
    return [0, 1, 2].map((i) => p[i] + a * once[i] + b * again[i]) as unknown as Vec3
  }
  const [i, j, k] = [turn([1, 0, 0]), turn([0, 1, 0]), turn([0, 0, 1])]
  const v = velocity as unknown as Vec3
  const once = cross(w, v)
  const again = cross(w, once)
  const t = v.map((value, n) => value + b * once[n] + c * again[n])
  return [i[0], j[0], k[0], t[0], i[1], j[1], k[1], t[1], i[2], j[2], k[2], t[2], 0, 0, 0, 1]
}

/** A twist times a number: half of it goes half of the way. */
export const partOf = (twist: Twist, part: number): Twist => twist.map((value) => value * part) as unknown as Twist

/** The mean of twists, element by element. */
export const meanTwist = (twists: readonly Twist[]): Twist =>
  [0, 1, 2, 3, 4, 5].map((i) => twists.reduce((sum, t) => sum + t[i], 0) / twists.length) as unknown as Twist

const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
