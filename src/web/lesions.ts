import { apply, type Vec3 } from '../volume/affine.js'
import { labelComponents } from '../volume/components.js'
import { type Mask, type Volume, voxelVolume } from '../volume/volume.js'

/** A lesion of the mask as it stands: its number, size and place, and what the result knew of it. */
export interface ShownLesion {
  id: number
  voxels: number
  volumeMm3: number
  /** The voxel of it that is nearest its centre. */
  voxel: Vec3
  /** Mean of its voxel centres, RAS mm. */
  centroid: Vec3
  /** As the result says for the lesion that this overlaps most; `new` where there was none. */
  location: string
}

export interface Shown {
  labels: Volume<Int32Array>
  lesions: ShownLesion[]
}

/**
 * The lesions (18-connected) of a mask, largest first, with the locations of the lesions that they overlap.
 *
 * @param before lesion ids of the result, on the same grid, and the location of each id
 */
export function shownLesions(mask: Mask, before?: { labels: Volume; locations: ReadonlyMap<number, string> }): Shown {
  const { labels, count } = labelComponents(mask, 18)
  const [nx, ny, nz] = mask.dims
  const sums = new Float64Array(4 * (count + 1))
  const votes = new Map<number, Map<number, number>>()
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const label = labels.data[at]
        if (label === 0) continue
        sums[4 * label]++
        sums[4 * label + 1] += i
        sums[4 * label + 2] += j
        sums[4 * label + 3] += k
        const id = before?.labels.data[at] ?? 0
        if (id === 0) continue
        const own = votes.get(label) ?? new Map<number, number>()
        own.set(id, (own.get(id) ?? 0) + 1)
        votes.set(label, own)
      }
  const nearest = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY)
  const voxel: Vec3[] = Array.from({ length: count + 1 }, () => [0, 0, 0])
  const centreOf = (label: number): Vec3 =>
    [1, 2, 3].map((axis) => sums[4 * label + axis] / sums[4 * label]) as unknown as Vec3
  const centres = Array.from({ length: count + 1 }, (_, label) => centreOf(label))
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const label = labels.data[at]
        if (label === 0) continue
        const [x, y, z] = centres[label]
        const far = (i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2
        if (far >= nearest[label]) continue
        nearest[label] = far
        voxel[label] = [i, j, k]
      }
  const mm3 = voxelVolume(mask)
  const order = Array.from({ length: count }, (_, n) => n + 1).sort((a, b) => sums[4 * b] - sums[4 * a] || a - b)
  const renumbered = new Int32Array(count + 1)
  const lesions = order.map((label, n): ShownLesion => {
    renumbered[label] = n + 1
    const [most] = [...(votes.get(label) ?? [])].sort((a, b) => b[1] - a[1])
    return {
      id: n + 1,
      voxels: sums[4 * label],
      volumeMm3: sums[4 * label] * mm3,
      voxel: voxel[label],
      centroid: apply(mask.affine, centres[label]),
      location: most ? (before?.locations.get(most[0]) ?? 'new') : 'new',
    }
  })
  return { labels: { ...labels, data: labels.data.map((label) => renumbered[label]) }, lesions }
}
