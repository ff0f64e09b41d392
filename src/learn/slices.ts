import { type Vec3, voxelSizes } from '../volume/affine.js'
import { emptyImage, type Grid, type Image } from '../volume/volume.js'

/** How the slices of a grid lie: their plane's axes, and the axis across. */
export interface Slices {
  count: number
  /** Voxels along the two axes of a slice. */
  dims: readonly [number, number]
  /** Steps in storage along the two axes of a slice, and from slice to slice. */
  strides: readonly [number, number, number]
  /** Voxel sizes along the two axes, and the distance between slices, mm. */
  size: readonly [number, number, number]
  /** The voxel axis across the slices. */
  across: 0 | 1 | 2
}

/** Slices lie across the axis of the longest voxel side; across the third axis (axial) where sides are about as long. */
export function slicesOf({ dims, affine }: Grid): Slices {
  const size = voxelSizes(affine)
  const longest = Math.max(...size)
  const across = (size[2] > 0.8 * longest ? 2 : size.indexOf(longest)) as 0 | 1 | 2
  const [u, v] = [0, 1, 2].filter((axis) => axis !== across)
  const strides: Vec3 = [1, dims[0], dims[0] * dims[1]]
  return {
    count: dims[across],
    dims: [dims[u], dims[v]],
    strides: [strides[u], strides[v], strides[across]],
    size: [size[u], size[v], size[across]],
    across,
  }
}

/**
 * Grey-scale opening of each slice by a disc: what is brighter than its surroundings and narrower than the disc is cut
 * down to them. Beyond the border of the slice there is nothing.
 *
 * @param radius of the disc, mm
 */
export function openSlices(image: Image, radius: number, signal?: AbortSignal): Image {
  const { count, dims, strides, size } = slicesOf(image)
  const [width, height] = dims
  const rows = discRows(radius, size)
  const out = emptyImage(image)
  const slice = new Float32Array(width * height)
  for (let s = 0; s < count; s++) {
    signal?.throwIfAborted()
    for (let v = 0, at = 0; v < height; v++)
      for (let u = 0; u < width; u++, at++) slice[at] = -image.data[u * strides[0] + v * strides[1] + s * strides[2]]
    // The greatest of the negative is the least: erosion, then dilation.
    const opened = dilateByRows(
      dilateByRows(slice, width, height, rows).map((value) => -value),
      width,
      height,
      rows,
    )
    for (let v = 0, at = 0; v < height; v++)
      for (let u = 0; u < width; u++, at++) out.data[u * strides[0] + v * strides[1] + s * strides[2]] = opened[at]
  }
  return out
}

/** Half the length, in voxels, of the disc's row at each distance from its centre row: from 0 to the last row. */
function discRows(radius: number, [du, dv]: readonly number[]): number[] {
  const reach = Math.floor(radius / dv + 1e-6)
  return Array.from({ length: reach + 1 }, (_, row) =>
    Math.floor(Math.sqrt(Math.max(0, radius * radius - (row * dv) ** 2)) / du + 1e-6),
  )
}

/** Greatest value under a disc of rows: greatest along rows of each length first, then over the rows. */
function dilateByRows(slice: Float32Array, width: number, height: number, rows: readonly number[]): Float32Array {
  const out = new Float32Array(slice.length).fill(Number.NEGATIVE_INFINITY)
  for (const [distance, half] of rows.entries()) {
    const along = greatestAlongRows(slice, width, height, half)
    for (const shift of distance === 0 ? [0] : [-distance, distance])
      for (let v = Math.max(0, -shift); v < Math.min(height, height - shift); v++)
        for (let u = 0, at = v * width, from = (v + shift) * width; u < width; u++, at++, from++)
          if (along[from] > out[at]) out[at] = along[from]
  }
  return out
}

/** Running maximum over 2·half + 1 voxels of each row, three comparisons a voxel whatever the length (van Herk 1992). */
function greatestAlongRows(slice: Float32Array, width: number, height: number, half: number): Float32Array {
  if (half === 0) return slice
  const window = 2 * half + 1
  const length = Math.ceil((width + 2 * half) / window) * window
  const [padded, forward, backward] = [0, 1, 2].map(() => new Float32Array(length))
  const out = new Float32Array(slice.length)
  padded.fill(Number.NEGATIVE_INFINITY)
  for (let v = 0; v < height; v++) {
    padded.set(slice.subarray(v * width, (v + 1) * width), half)
    for (let at = 0; at < length; at++)
      forward[at] = at % window === 0 ? padded[at] : Math.max(forward[at - 1], padded[at])
    for (let at = length - 1; at >= 0; at--)
      backward[at] = at % window === window - 1 ? padded[at] : Math.max(backward[at + 1], padded[at])
    for (let u = 0; u < width; u++) out[v * width + u] = Math.max(backward[u], forward[u + window - 1])
  }
  return out
}

/** Median of each voxel of `mask` with its neighbours in the slice, within `radius` mm and in the mask. */
export function medianInSlices(
  image: Image,
  mask: { data: ArrayLike<number> },
  radius: number,
  signal?: AbortSignal,
): Image {
  const { count, dims, strides, size } = slicesOf(image)
  const [width, height] = dims
  const rows = discRows(radius, size)
  const near: [number, number][] = rows.flatMap((half, row) =>
    (row === 0 ? [0] : [-row, row]).flatMap((dv) =>
      Array.from({ length: 2 * half + 1 }, (_, u): [number, number] => [u - half, dv]),
    ),
  )
  const out = emptyImage(image)
  const values = new Float32Array(near.length)
  for (let s = 0; s < count; s++) {
    signal?.throwIfAborted()
    for (let v = 0; v < height; v++)
      for (let u = 0; u < width; u++) {
        const at = u * strides[0] + v * strides[1] + s * strides[2]
        if (mask.data[at] === 0) continue
        let n = 0
        for (const [du, dv] of near) {
          if (u + du < 0 || u + du >= width || v + dv < 0 || v + dv >= height) continue
          const other = at + du * strides[0] + dv * strides[1]
          if (mask.data[other] === 0) continue
          // Sorted as they come: for a handful of values faster than any sort.
          const value = image.data[other]
          let place = n++
          while (place > 0 && values[place - 1] > value) {
            values[place] = values[place - 1]
            place--
          }
          values[place] = value
        }
        out.data[at] = (values[(n - 1) >> 1] + values[n >> 1]) / 2
      }
  }
  return out
}
