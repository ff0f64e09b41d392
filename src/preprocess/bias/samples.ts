import { type Vec3, voxelSizes } from '../../volume/affine.js'
import type { Box } from '../../volume/crop.js'
import type { Image, Mask } from '../../volume/volume.js'
import type { Places } from './lattice.js'

export interface Samples {
  /** log of the mean intensity in each cell. */
  logs: Float64Array
  /** Confidence of each cell; 0 where it holds nothing of the mask. */
  weights: Float64Array
  /** Where the cells lie in the box. */
  places: Places
  /** Longest side of the box. */
  longestMm: number
}

/** One sample for each cell of about `mm`: the weighted mean of the voxels near its centre that lie in the mask. */
export function shrink(image: Image, mask: Mask, given: Image | undefined, box: Box, mm: number): Samples {
  const factor = voxelSizes(image.affine).map((size) => Math.max(1, Math.round(mm / size)))
  const dims = box.dims.map((n, axis) => Math.max(1, Math.floor(n / factor[axis]))) as unknown as Vec3
  const used = factor.map((f, axis) => Math.min(f, box.dims[axis]))
  const [nx, ny] = image.dims
  const [cx, cy, cz] = dims
  const logs = new Float64Array(cx * cy * cz)
  const weights = new Float64Array(logs.length)
  for (let k = 0, cell = 0; k < cz; k++)
    for (let j = 0; j < cy; j++)
      for (let i = 0; i < cx; i++, cell++) {
        let [sum, confidence, voxels] = [0, 0, 0]
        for (let c = 0; c < used[2]; c++)
          for (let b = 0; b < used[1]; b++) {
            const row =
              box.start[0] + i * used[0] + nx * (box.start[1] + j * used[1] + b + ny * (box.start[2] + k * used[2] + c))
            for (let a = 0; a < used[0]; a++) {
              const at = row + a
              voxels++
              if (mask.data[at] === 0 || !(image.data[at] > 0)) continue
              const weight = given ? Math.max(0, given.data[at]) : 1
              sum += weight * image.data[at]
              confidence += weight
            }
          }
        // Cells of which little lies in the mask are mostly its ragged edge.
        if (confidence <= 0 || confidence < 0.25 * voxels * (given ? 0.01 : 1)) continue
        logs[cell] = Math.log(sum / confidence)
        weights[cell] = confidence / voxels
      }
  const places = dims.map((n, axis) => ({
    n,
    start: (0.5 * used[axis]) / box.dims[axis],
    step: used[axis] / box.dims[axis],
  })) as unknown as Places
  const longestMm = Math.max(...voxelSizes(image.affine).map((size, axis) => size * box.dims[axis]))
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
