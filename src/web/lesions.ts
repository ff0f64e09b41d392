import { findLesions } from '../lesions/instances.js'
import type { Lesion } from '../lesions/types.js'
import { apply, invert, type Vec3 } from '../volume/affine.js'
import type { Mask, Volume } from '../volume/volume.js'

/** A lesion of the mask as it stands, and what the result knew of it. */
export interface ShownLesion extends Omit<Lesion, 'location'> {
  /** The voxel of it that is nearest its centroid. */
  voxel: Vec3
  /** As the result says for the lesion that this overlaps most; `new` where there was none. */
  location: string
}

export interface Shown {
  labels: Volume<Int16Array>
  lesions: ShownLesion[]
}

/**
 * The lesions of a mask, numbered as in the table of a result, with the locations of the lesions that they overlap. None is
 * too small to be shown.
 *
 * @param before lesion ids of the result, on the same grid, and the location of each id
 */
export function shownLesions(mask: Mask, before?: { labels: Volume; locations: ReadonlyMap<number, string> }): Shown {
  const { labels, lesions } = findLesions(mask, { minimumSizeMm3: 0, minimumVoxels: 1 })
  const toVoxels = invert(mask.affine)
  return {
    labels,
    lesions: lesions.map((lesion) => {
      const votes = new Map<number, number>()
      let [voxel, nearest]: [Vec3, number] = [lesion.box.start, Number.POSITIVE_INFINITY]
      const { start, dims } = lesion.box
      const [x, y, z] = apply(toVoxels, lesion.centroid)
      for (let k = start[2]; k < start[2] + dims[2]; k++)
        for (let j = start[1]; j < start[1] + dims[1]; j++)
          for (let i = start[0]; i < start[0] + dims[0]; i++) {
            const at = i + mask.dims[0] * (j + mask.dims[1] * k)
            if (labels.data[at] !== lesion.id) continue
            const id = before?.labels.data[at] ?? 0
            if (id !== 0) votes.set(id, (votes.get(id) ?? 0) + 1)
            const far = (i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2
            if (far >= nearest) continue
            nearest = far
            voxel = [i, j, k]
          }
      const [most] = [...votes].sort((a, b) => b[1] - a[1])
      return { ...lesion, voxel, location: most ? (before?.locations.get(most[0]) ?? 'new') : 'new' }
    }),
  }
}
