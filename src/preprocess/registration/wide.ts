import { type Affine, compose, translation, type Vec3 } from '../../volume/affine.js'
import { distance } from './search.js'
import type { Measure } from './similarity.js'

/**
 * Maps worth starting from when nothing is known of the way a head lies: the best of a net over all rotations, centres of
 * mass on each other and shifted along the moving body, that are not neighbours of each other.
 *
 * @param measure similarity at the coarsest level
 * @param centre centre of the fixed head, RAS mm
 * @param movingCentre centre of the moving head, RAS mm
 * @param shared factor for a partial overlap, 0–1
 */
export async function wideStarts(
  measure: Measure,
  centre: Vec3,
  movingCentre: Vec3,
  shared: (overlap: number) => number,
): Promise<Affine[]> {
  const fromCentre = translation(centre.map((x) => -x) as unknown as Vec3)
  const toMoving = translation(movingCentre)
  const tried: { map: Affine; value: number }[] = []
  const attempt = async (map: Affine) => {
    const { normalised, overlap } = await measure(map)
    tried.push({ map, value: normalised * shared(overlap) })
  }
  // Shifts are along the fixed body: how much of the neck an image holds moves its centre of mass up and down.
  for (const turn of rotations(turns))
    for (const up of [-30, 0, 30]) await attempt(compose(toMoving, turn, translation([0, 0, up]), fromCentre))
  tried.sort((a, b) => b.value - a.value)
  const chosen: Affine[] = []
  for (const { map } of tried) {
    if (chosen.length === kept) break
    if (chosen.every((other) => distance(map, other, centre) > apart)) chosen.push(map)
  }
  return chosen
}

/** Rotations of the net: about 25° from each to the next. */
const turns = 800
/** How many are followed, and how far apart they have to be (mm at the edge of a head). */
const kept = 20
const apart = 30

/** n rotations spread evenly: the super-Fibonacci spiral of quaternions (Alexa 2022). */
export function rotations(n: number): Affine[] {
  const [phi, psi] = [Math.SQRT2, 1.5337511687552043]
  return Array.from({ length: n }, (_, i) => {
    const s = i + 0.5
    const [a, b] = [(2 * Math.PI * s) / phi, (2 * Math.PI * s) / psi]
    const [r, q] = [Math.sqrt(s / n), Math.sqrt(1 - s / n)]
    return ofQuaternion(r * Math.sin(a), r * Math.cos(a), q * Math.sin(b), q * Math.cos(b))
  })
}

function ofQuaternion(x: number, y: number, z: number, w: number): Affine {
  return [
    [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), 0],
    [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), 0],
    [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), 0],
    [0, 0, 0, 1],
  ].flat()
}
