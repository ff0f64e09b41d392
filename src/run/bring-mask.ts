import type { Flag } from '../errors.js'
import { type Affine, determinant, identity } from '../volume/affine.js'
import { resample } from '../volume/resample.js'
import { type Grid, type Mask, maskWhere, sameGrid, volumeMl } from '../volume/volume.js'

/** A mask that was brought onto another grid. */
export interface Brought {
  mask: Mask
  /** Volume on its own grid, and what the new mask stands for there, ml. */
  before: number
  after: number
  flags: Flag[]
}

/**
 * A lesion mask on another grid: a voxel is lesion where at least half of it is. On the same grid it stays as it is.
 *
 * @param map RAS mm of the new grid → RAS mm of the mask
 * @param where the new grid's name, for the flag that says that the volume changed by more than a fifth
 */
export async function bringMask(mask: Mask, onto: Grid, where: string, map: Affine = identity): Promise<Brought> {
  const before = volumeMl(mask)
  if (map === identity && sameGrid(mask, onto, 0.1))
    return { mask: { ...mask, affine: onto.affine }, before, after: before, flags: [] }
  const share = await resample(mask, onto, { map, antialias: true })
  const moved = maskWhere(share, (value) => value >= 0.5)
  // In a space of another size, as MNI152 is, so are the lesions.
  const after = volumeMl(moved) * Math.abs(determinant(map))
  const changed = before > 0 && Math.abs(after / before - 1) > 0.2
  return {
    mask: moved,
    before,
    after,
    flags: changed
      ? [
          {
            code: 'lesion-volume-changed',
            severity: 'warning',
            message: `The lesions measure ${before.toFixed(2)} ml on their own grid and ${after.toFixed(2)} ml on that of ${where}: some lie outside it, or are smaller than its voxels.`,
          },
        ]
      : [],
  }
}
