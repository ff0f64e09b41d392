import { apply, invert, type Vec3 } from '../volume/affine.js'
import type { Volume } from '../volume/volume.js'
import type { Location } from './types.js'

/** A location that a rater chose for a lesion. */
export interface ChosenLocation {
  /** A voxel of the lesion, RAS mm: it stays in the lesion when a stroke elsewhere moves the centroid. */
  at: readonly [number, number, number]
  location: Location
}

/** The number at a place of a label map, RAS mm; 0 outside it. */
export function labelAt({ data, dims, affine }: Volume, at: readonly [number, number, number]): number {
  const [i, j, k] = apply(invert(affine), at as Vec3).map(Math.round)
  const inside = [i, j, k].every((index, axis) => index >= 0 && index < dims[axis])
  return inside ? data[i + dims[0] * (j + dims[1] * k)] : 0
}

/** The chosen location of each lesion that has one, by its number; of several, the last one counts. */
export const chosenLocations = (labels: Volume, chosen: readonly ChosenLocation[]): ReadonlyMap<number, Location> =>
  new Map(chosen.map(({ at, location }) => [labelAt(labels, at), location]))

/** The locations among what a rater marked. */
export const locationsAmong = (
  marks: readonly { kind: string; at: ChosenLocation['at']; location?: Location }[],
): ChosenLocation[] =>
  marks.flatMap(({ kind, at, location }) => (kind === 'location' && location ? [{ at, location }] : []))
