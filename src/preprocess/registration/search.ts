import { type Affine, compose, identity, translation, type Vec3 } from '../../volume/affine.js'
import type { Measure } from './similarity.js'
import { parametersToMap, radius } from './transform.js'

/**
 * Maps worth starting from: the headers' alignment first, then the centres of mass on each other, then the best of a net
 * of turns and shifts around both.
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
  const tried: { map: Affine; p: number[]; value: number }[] = []
  for (const base of [identity, between])
    for (const p of net) {
      const map = compose(base, parametersToMap(p, centre))
      const { normalised, overlap } = await measure(map)
      tried.push({ map, p, value: normalised * shared(overlap) })
    }
  tried.sort((a, b) => b.value - a.value)
  const chosen: typeof tried = []
  for (const one of tried) {
    if (chosen.length === kept) break
    // Neighbours in the net lead to the same place.
    if (chosen.every(({ p }) => Math.hypot(...p.map((x, i) => x - one.p[i])) > apart)) chosen.push(one)
  }
  return [identity, between, ...chosen.map(({ map }) => map)]
}

/** How many places of the net are followed, and how far they have to be from each other (mm and their like). */
const kept = 3
const apart = 35

const turn = (degrees: number): number => (degrees * Math.PI * radius) / 180

/** Nods are common and large (heads in thick coils), so are shifts along the body: scans hold more or less of the neck. */
const net: number[][] = [-40, -20, 0, 20, 40].flatMap((nod) =>
  [-30, 0, 30].flatMap((roll) =>
    [-30, 0, 30].flatMap((yaw) =>
      [-30, 0, 30].flatMap((up) => [-20, 0, 20].map((front) => [0, front, up, turn(nod), turn(roll), turn(yaw)])),
    ),
  ),
)
