import { type Affine, compose, type Vec3 } from '../../volume/affine.js'

/**
 * Parameters of a world map about a centre, in units of about one millimetre each:
 * 0–2 translation (mm), 3–5 rotation about x, y, z, 6–8 log-scale, 9–11 shear (xy, xz, yz). Angles, logs and shears are
 * multiplied by `radius`, so that one unit moves the surface of a head by about 1 mm.
 */
export const radius = 80

/** Degrees of freedom: rigid; with one scale for all axes; with a scale for each axis; with shears. */
export type Freedom = 6 | 7 | 9 | 12

/**
 * The map x ↦ R · S · K · (x − centre) + centre + t, R = Rx · Ry · Rz the rotation, S the scales, K the shears.
 * Six parameters give a rigid map; seven one scale for all axes; nine one for each; twelve add shear.
 */
export function parametersToMap(p: readonly number[], centre: Vec3): Affine {
  const [rx, ry, rz] = [p[3] / radius, p[4] / radius, p[5] / radius]
  const [cx, sx, cy, sy, cz, sz] = [Math.cos(rx), Math.sin(rx), Math.cos(ry), Math.sin(ry), Math.cos(rz), Math.sin(rz)]
  const rotateX: Affine = [1, 0, 0, 0, 0, cx, -sx, 0, 0, sx, cx, 0, 0, 0, 0, 1]
  const rotateY: Affine = [cy, 0, sy, 0, 0, 1, 0, 0, -sy, 0, cy, 0, 0, 0, 0, 1]
  const rotateZ: Affine = [cz, -sz, 0, 0, sz, cz, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  let linear = compose(rotateX, rotateY, rotateZ)
  if (p.length >= 7) {
    const [a, b, c] = scalesOf(p).map(Math.exp)
    linear = compose(linear, [a, 0, 0, 0, 0, b, 0, 0, 0, 0, c, 0, 0, 0, 0, 1])
  }
  if (p.length >= 12) {
    const [a, b, c] = [9, 10, 11].map((i) => p[i] / radius)
    linear = compose(linear, [1, a, b, 0, 0, 1, c, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  }
  const out = [...linear]
  for (let row = 0; row < 3; row++) {
    const turned = linear[4 * row] * centre[0] + linear[4 * row + 1] * centre[1] + linear[4 * row + 2] * centre[2]
    out[4 * row + 3] = centre[row] + p[row] - turned
  }
  return out
}

/** How the map changes with each parameter, by central differences: the step is far above rounding and far below a voxel. */
export function derivatives(p: readonly number[], centre: Vec3): Affine[] {
  const step = 1e-3
  return p.map((_, k) => {
    const moved = (by: number) => parametersToMap(p.with(k, p[k] + by), centre)
    const [a, b] = [moved(step), moved(-step)]
    return a.map((value, i) => (value - b[i]) / (2 * step))
  })
}

/** The same map with more parameters. */
export function freed(p: readonly number[], freedom: Freedom): number[] {
  const scales = freedom === 7 ? scalesOf(p).slice(0, 1) : freedom > 7 ? scalesOf(p) : []
  const all = [...p.slice(0, 6), ...scales.map((log) => log * radius), ...p.slice(9)]
  return [...all, ...new Array<number>(freedom - all.length).fill(0)]
}

/** Whether the scales and shears are those of heads: each axis 0.75–1.35, shears below 0.2. */
export const plausible = (p: readonly number[]): boolean =>
  scalesOf(p).every((log) => log > Math.log(0.75) && log < Math.log(1.35)) &&
  p.slice(9, 12).every((shear) => Math.abs(shear / radius) < 0.2)

const scalesOf = (p: readonly number[]): number[] =>
  p.length < 7 ? [0, 0, 0] : (p.length === 7 ? [p[6], p[6], p[6]] : p.slice(6, 9)).map((log) => log / radius)
