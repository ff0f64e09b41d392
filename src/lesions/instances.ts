import { apply, type Vec3, voxelSizes } from '../volume/affine.js'
import { labelComponents } from '../volume/components.js'
import type { Modality } from '../volume/study.js'
import { emptyMask, gridOf, type Image, type Mask, sameGrid, type Volume, voxelVolume } from '../volume/volume.js'
import { longestAxis, type Voxel } from './longest-axis.js'
import type { Lesion } from './types.js'

export type { Lesion, Location } from './types.js'

export interface LesionOptions {
  /** Which voxels touch: by faces (6), and edges (18), and corners (26). Default 18. */
  connectivity?: 6 | 18 | 26
  /** Smallest lesion kept, in mm³. Default 3. */
  minimumSizeMm3?: number
  /** Smallest lesion kept, in voxels. Default 3. */
  minimumVoxels?: number
}

export interface LesionSet {
  /** Lesion id at each voxel, 0 elsewhere. */
  labels: Volume<Int16Array>
  /** The voxels of `labels` that are not 0: the given mask without what is too small to be called a lesion. */
  mask: Mask
  /** By volume, largest first: `lesions[n]` has id n + 1. */
  lesions: Lesion[]
  connectivity: 6 | 18 | 26
  minimumSizeMm3: number
  minimumVoxels: number
}

/**
 * The lesions of a mask: its connected components, less those smaller than either minimum. The order depends on
 * places in the world alone (volume, then centroid), so that it is the same however the axes of the grid run.
 */
export function findLesions(mask: Mask, options: LesionOptions = {}): LesionSet {
  const { connectivity = 18, minimumSizeMm3 = 3, minimumVoxels = 3 } = options
  const components = labelComponents(mask, connectivity)
  const voxelMm3 = voxelVolume(mask)
  // Headers hold single-precision sizes: three voxels of 0.99999994 mm³ are 3 mm³.
  const smallest = Math.max(minimumVoxels, Math.ceil((minimumSizeMm3 / voxelMm3) * (1 - 1e-5)), 1)
  const measured = measure(components.labels, components.sizes, smallest)
  const order = measured.sort(
    (a, b) =>
      b.voxels - a.voxels ||
      b.centroid[2] - a.centroid[2] ||
      b.centroid[1] - a.centroid[1] ||
      b.centroid[0] - a.centroid[0],
  )
  // The label map is int16; no brain holds this many lesions, but a mask of noise might.
  const lesions = order.slice(0, 32767).map(({ component, ...lesion }, n) => ({ component, ...lesion, id: n + 1 }))

  const renumbered = new Int16Array(components.count + 1)
  for (const { component, id } of lesions) renumbered[component] = id
  const labels = new Int16Array(mask.data.length)
  const kept = emptyMask(mask)
  for (let i = 0; i < labels.length; i++) {
    const id = renumbered[components.labels.data[i]]
    if (id === 0) continue
    labels[i] = id
    kept.data[i] = 1
  }
  return {
    labels: { ...gridOf(mask), data: labels },
    mask: kept,
    lesions: lesions.map(({ component: _, ...lesion }) => lesion),
    connectivity,
    minimumSizeMm3,
    minimumVoxels,
  }
}

/**
 * The same lesions with the mean of `image` within each added under `modality`.
 *
 * @throws RangeError when image and labels are not on one grid
 */
export function measureIntensities(
  lesions: readonly Lesion[],
  labels: Volume<Int16Array>,
  modality: Modality,
  image: Image,
): Lesion[] {
  if (!sameGrid(labels, image, 0.01)) throw new RangeError(`The ${modality} image is not on the grid of the lesions.`)
  const sums = new Float64Array(lesions.length + 1)
  for (let i = 0; i < labels.data.length; i++) if (labels.data[i] > 0) sums[labels.data[i]] += image.data[i]
  return lesions.map((lesion) => ({
    ...lesion,
    intensities: { ...lesion.intensities, [modality]: sums[lesion.id] / lesion.voxels },
  }))
}

/** Size, place and extent of every component of at least `smallest` voxels, in one pass over the labels. */
function measure(labels: Volume<Int32Array>, sizes: Uint32Array, smallest: number): (Lesion & { component: number })[] {
  const voxels = new Map<number, Voxel[]>()
  const [nx, ny, nz] = labels.dims
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const label = labels.data[at]
        if (label === 0 || sizes[label] < smallest) continue
        const list = voxels.get(label)
        if (list) list.push([i, j, k])
        else voxels.set(label, [[i, j, k]])
      }
  const mm3 = voxelVolume(labels)
  const sizesMm = voxelSizes(labels.affine)
  return [...voxels].map(([component, list]) => {
    const sum = [0, 0, 0]
    const low = [Infinity, Infinity, Infinity]
    const high = [-1, -1, -1]
    for (const voxel of list)
      for (let axis = 0; axis < 3; axis++) {
        sum[axis] += voxel[axis]
        if (voxel[axis] < low[axis]) low[axis] = voxel[axis]
        if (voxel[axis] > high[axis]) high[axis] = voxel[axis]
      }
    return {
      component,
      id: 0,
      voxels: list.length,
      volumeMm3: list.length * mm3,
      centroid: apply(labels.affine, sum.map((total) => total / list.length) as unknown as Vec3),
      box: {
        start: low as unknown as Vec3,
        dims: high.map((end, axis) => end - low[axis] + 1) as unknown as Vec3,
      },
      longestAxisMm: longestAxis(list, sizesMm),
    }
  })
}
