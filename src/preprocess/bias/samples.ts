import { type Vec3, voxelSizes } from '../../volume/affine.js'
import type { Box } from '../../volume/crop.js'
import type { Image, Mask } from '../../volume/volume.js'
import type { Places } from './lattice.js'

export interface Samples {
  /** log of the mean intensity in each cell. */
  logs: Float64Array
  /** Confidence of each cell; 0 where it holds nothing of the mask. */
  weights: Float64Array
  /** Where the cells lie in the domain. */
  places: Places
  /** Longest side of the domain. */
  longestMm: number
}

/**
 * The block that the field's mesh is laid over: the mask's box and 15 % more on each side, whatever the image's own size, so
 * that a crop changes nothing. Splines are loosest at the edge of their mesh, where there would be brain otherwise.
 */
export const domainOf = ({ start, dims }: Box): Box => ({
  start: start.map((first, axis) => first - 0.15 * dims[axis]) as unknown as Vec3,
  dims: dims.map((n) => 1.3 * n) as unknown as Vec3,
})

/**
 * One sample for each cell of about `mm`: the weighted mean of the two voxels along each axis that are nearest its centre,
 * where they lie in the mask. More of them would hold less noise, but mixtures of tissue, which are no peak of the histogram.
 *
 * @param domain the block that places are told in, 0–1
 */
export function shrink(image: Image, mask: Mask, given: Image | undefined, box: Box, domain: Box, mm: number): Samples {
  const factor = voxelSizes(image.affine).map((size) => Math.max(1, Math.round(mm / size)))
  const dims = box.dims.map((n, axis) => Math.max(1, Math.floor(n / factor[axis]))) as unknown as Vec3
  const cell = factor.map((f, axis) => Math.min(f, box.dims[axis]))
  const used = cell.map((n) => Math.min(n, 2))
  const first = cell.map((n, axis) => box.start[axis] + ((n - used[axis]) >> 1))
  const [nx, ny] = image.dims
  const [cx, cy, cz] = dims
  const logs = new Float64Array(cx * cy * cz)
  const weights = new Float64Array(logs.length)
  for (let k = 0, at = 0; k < cz; k++)
    for (let j = 0; j < cy; j++)
      for (let i = 0; i < cx; i++, at++) {
        let [sum, confidence, voxels] = [0, 0, 0]
        for (let c = 0; c < used[2]; c++)
          for (let b = 0; b < used[1]; b++) {
            const row = first[0] + i * cell[0] + nx * (first[1] + j * cell[1] + b + ny * (first[2] + k * cell[2] + c))
            for (let voxel = row; voxel < row + used[0]; voxel++) {
              voxels++
              if (mask.data[voxel] === 0 || !(image.data[voxel] > 0)) continue
              const weight = given ? Math.max(0, given.data[voxel]) : 1
              sum += weight * image.data[voxel]
              confidence += weight
            }
          }
        // Cells of which little lies in the mask are mostly its ragged edge.
        if (confidence <= 0 || confidence < 0.25 * voxels * (given ? 0.01 : 1)) continue
        logs[at] = Math.log(sum / confidence)
        weights[at] = confidence / voxels
      }
  const places = dims.map((n, axis) => ({
    n,
    start: (box.start[axis] + 0.5 * cell[axis] - domain.start[axis]) / domain.dims[axis],
    step: cell[axis] / domain.dims[axis],
  })) as unknown as Places
  const longestMm = Math.max(...voxelSizes(image.affine).map((size, axis) => size * domain.dims[axis]))
  return { logs, weights, places, longestMm }
}

/** Coefficient of variation of exp(change) inside the mask. */
export function variation(change: Float64Array, weights: Float64Array): number {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < change.length; i++)
    if (weights[i] > 0) {
      const e = Math.exp(change[i])
      n++
      sum += e
      squares += e * e
    }
  const mean = sum / n
  return n > 1 ? Math.sqrt(Math.max(0, squares / n - mean * mean)) / mean : 0
}
