import {
  type Affine,
  apply,
  compose,
  determinant,
  identity,
  isIdentityMap,
  translation,
  type Vec3,
} from '../../volume/affine.js'
import type { Measure } from './similarity.js'
import { parametersToMap, radius } from './transform.js'

/**
 * Maps worth starting from: the headers' alignment first, then the centres of mass on each other, then the best of a net
 * of turns and shifts around both, and around the 23 other ways in which axes can have been named (a head that lies on
 * its side, upside down, or with front and back swapped in its header).
 *
 * @param measure similarity at the coarsest level
 * @param centre centre of the fixed head, RAS mm
 * @param movingCentre centre of the moving head, RAS mm
 * @param shared factor for a partial overlap, 0–1
 */
export async function bestStarts(
  measure: Measure,
  centre: Vec3,
  movingCentre: Vec3,
  shared: (overlap: number) => number,
): Promise<Affine[]> {
  const between = translation(movingCentre.map((x, axis) => x - centre[axis]) as unknown as Vec3)
  const tried: { map: Affine; value: number }[] = []
  const attempt = async (map: Affine) => {
    const { normalised, overlap } = await measure(map)
    tried.push({ map, value: normalised * shared(overlap) })
  }
  for (const base of [identity, between]) for (const p of net) await attempt(compose(base, parametersToMap(p, centre)))
  const toCentre = translation(centre)
  const fromCentre = translation(centre.map((x) => -x) as unknown as Vec3)
  for (const turned of otherAxes)
    for (const p of smallNet) await attempt(compose(between, toCentre, turned, fromCentre, parametersToMap(p, centre)))
  tried.sort((a, b) => b.value - a.value)
  const chosen: Affine[] = []
  for (const { map } of tried) {
    if (chosen.length === kept) break
    // Neighbours in the net lead to the same place.
    if (chosen.every((other) => distance(map, other, centre) > apart)) chosen.push(map)
  }
  return [identity, between, ...chosen]
}

/** How many places of the net are followed, and how far they have to be from each other, in mm at the edge of a head. */
const kept = 3
const apart = 35

/** How far two maps take points apart that lie `radius` from the centre, on average (root mean square). */
export function distance(a: Affine, b: Affine, centre: Vec3): number {
  let sum = 0
  for (const axis of [0, 1, 2])
    for (const side of [-radius, radius]) {
      const p = centre.map((x, i) => (i === axis ? x + side : x)) as unknown as Vec3
      const [u, v] = [apply(a, p), apply(b, p)]
      sum += (u[0] - v[0]) ** 2 + (u[1] - v[1]) ** 2 + (u[2] - v[2]) ** 2
    }
  return Math.sqrt(sum / 6)
}

const turn = (degrees: number): number => (degrees * Math.PI * radius) / 180

/** Nods are common and large (heads in thick coils), so are shifts along the body: scans hold more or less of the neck. */
const net: number[][] = [-40, -20, 0, 20, 40].flatMap((nod) =>
  [-30, 0, 30].flatMap((roll) =>
    [-30, 0, 30].flatMap((yaw) =>
      [-30, 0, 30].flatMap((up) => [-20, 0, 20].map((front) => [0, front, up, turn(nod), turn(roll), turn(yaw)])),
    ),
  ),
)

const smallNet: number[][] = [-25, 0, 25].flatMap((nod) => [-25, 0, 25].map((up) => [0, 0, up, turn(nod), 0, 0]))

/** The rotations of a cube but the identity. */
const otherAxes: Affine[] = [
  [0, 1, 2],
  [1, 2, 0],
  [2, 0, 1],
  [0, 2, 1],
  [2, 1, 0],
  [1, 0, 2],
].flatMap((order) =>
  [0, 1, 2, 3, 4, 5, 6, 7]
    .map((signs) => {
      const m = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
      order.forEach((column, row) => {
        m[4 * row + column] = signs & (1 << row) ? -1 : 1
      })
      return m
    })
    .filter((m) => determinant(m) > 0 && !isIdentityMap(m)),
)
