import { Matrix, solve } from 'ml-matrix'
import { type Affine, invert } from '../../volume/affine.js'
import type { Surface } from './surface.js'

/**
 * The affine map that takes the surface's points, moved by `offset` mm along their normals, back to the surface: point
 * to plane least squares (Chen and Medioni 1992), with expectations about how far registrations are off, so that nothing
 * is turned or sheared that the surface does not show.
 *
 * @param weight how much each point counts, 0–1
 */
export function affineCorrection(
  { count, points, normals }: Surface,
  offset: Float32Array,
  weight: Float32Array,
): Affine {
  const centre = [0, 1, 2].map((axis) => {
    let sum = 0
    for (let p = 0; p < count; p++) sum += points[3 * p + axis]
    return sum / Math.max(1, count)
  })
  const normal = Matrix.zeros(12, 12)
  const right = Matrix.zeros(12, 1)
  const row = new Float64Array(12)
  let total = 0
  for (let p = 0; p < count; p++) {
    const w = weight[p]
    if (!(w > 0.5)) continue
    total += w
    const [x, y, z] = [points[3 * p] - centre[0], points[3 * p + 1] - centre[1], points[3 * p + 2] - centre[2]]
    const [a, b, c] = [normals[3 * p], normals[3 * p + 1], normals[3 * p + 2]]
    // moves along the axes, scales, turns and shears: how far each moves the point along its normal
    row.set([
      a,
      b,
      c,
      a * x,
      b * y,
      c * z,
      c * y - b * z,
      a * z - c * x,
      b * x - a * y,
      c * y + b * z,
      a * z + c * x,
      b * x + a * y,
    ])
    for (let i = 0; i < 12; i++) {
      right.set(i, 0, right.get(i, 0) + w * row[i] * offset[p])
      for (let j = 0; j < 12; j++) normal.set(i, j, normal.get(i, j) + w * row[i] * row[j])
    }
  }
  if (total === 0) return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  const noise = (total / independent) * residual ** 2
  expected.forEach((sd, i) => {
    normal.set(i, i, normal.get(i, i) + noise / sd ** 2)
  })
  const t = solve(normal, right).to1DArray()
  const linear = [
    [1 + t[3], t[11] - t[8], t[10] + t[7]],
    [t[11] + t[8], 1 + t[4], t[9] - t[6]],
    [t[10] - t[7], t[9] + t[6], 1 + t[5]],
  ]
  const outwards: number[] = []
  linear.forEach((r, axis) => {
    outwards.push(...r, centre[axis] + t[axis] - (r[0] * centre[0] + r[1] * centre[1] + r[2] * centre[2]))
  })
  return invert([...outwards, 0, 0, 0, 1])
}

/** Points are this far from any affine map of the surface, mm, and no more than this many of them say anything new. */
const residual = 4
const independent = 150
/** How far off a registration may be: shift in mm (3), scale (3), turn in radians (3), shear (3). */
const expected = [10, 10, 10, 0.15, 0.15, 0.15, 0.06, 0.06, 0.06, 0.03, 0.03, 0.03]

/** How far a map moves the surface's points, root mean square in mm. */
export function rms({ count, points }: Surface, m: Affine): number {
  let sum = 0
  for (let p = 0; p < count; p++) {
    const [x, y, z] = [points[3 * p], points[3 * p + 1], points[3 * p + 2]]
    for (let r = 0; r < 3; r++)
      sum += (m[4 * r] * x + m[4 * r + 1] * y + m[4 * r + 2] * z + m[4 * r + 3] - [x, y, z][r]) ** 2
  }
  return Math.sqrt(sum / Math.max(1, count))
}
