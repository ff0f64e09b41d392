import { voxelSizes } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import type { Mask, Volume } from '../volume/volume.js'
import { looks, type Plane, slice } from './view.js'

/** Per slice through `plane`, the area of the non-zero voxels in mm²; upright volumes. */
export function areas(labels: Volume, plane: Plane): number[] {
  const { across, down, through } = looks[plane]
  const size = voxelSizes(labels.affine)
  const pixel = size[across] * size[down]
  return Array.from({ length: labels.dims[through] }, (_, index) => {
    let n = 0
    for (const value of slice(labels, plane, index).data) if (value !== 0) n++
    return n * pixel
  })
}

/**
 * The slice that shows most of what is labelled; with nothing labelled, the middle of the box. Of slices that show the
 * same, the one nearest the middle.
 */
export function keySlice(labels: Volume, plane: Plane, box: Box): number {
  const { through } = looks[plane]
  const middle = box.start[through] + Math.floor(box.dims[through] / 2)
  const area = areas(labels, plane)
  let best = middle
  area.forEach((a, index) => {
    if (a > area[best] || (a === area[best] && Math.abs(index - middle) < Math.abs(best - middle))) best = index
  })
  return best
}

/**
 * Axial slices for a montage, from the head downwards: at most `most`, evenly spread over those where the brain is not
 * just a rim (a twentieth of its largest slice).
 */
export function montageSlices(brain: Mask | undefined, box: Box, most: number): number[] {
  const area = brain && areas(brain, 'axial')
  const least = area ? 0.05 * Math.max(...area) : 0
  const all = Array.from({ length: box.dims[2] }, (_, n) => box.start[2] + box.dims[2] - 1 - n)
  return spread(
    all.filter((k) => !area || area[k] > least),
    most,
  )
}

/** At most `most` of the list, evenly spread, first and last among them. */
export function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list]
  return Array.from({ length: most }, (_, n) => list[Math.round((n * (list.length - 1)) / Math.max(1, most - 1))])
}
