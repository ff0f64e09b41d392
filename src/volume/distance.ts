import { voxelSizes } from './affine.js'
import { type Image, type Mask, voxelCount } from './volume.js'

/**
 * Distance in mm from each voxel centre to the nearest non-zero voxel's centre: exact, for any voxel sizes;
 * +Infinity everywhere when the mask is empty.
 * Source: Felzenszwalb & Huttenlocher 2012, lower envelope of parabolas along each axis.
 */
export async function distanceTo(mask: Mask): Promise<Image> {
  const [nx, ny, nz] = mask.dims
  const [sx, sy, sz] = voxelSizes(mask.affine)
  const squared = new Float32Array(voxelCount(mask))
  // Along x the nearest voxel of a binary row is found by one sweep each way.
  for (let row = 0; row < ny * nz; row++) {
    const base = row * nx
    let steps = Number.POSITIVE_INFINITY
    for (let i = 0; i < nx; i++) {
      steps = mask.data[base + i] !== 0 ? 0 : steps + 1
      squared[base + i] = steps
    }
    steps = Number.POSITIVE_INFINITY
    for (let i = nx - 1; i >= 0; i--) {
      steps = mask.data[base + i] !== 0 ? 0 : steps + 1
      const nearest = Math.min(squared[base + i], steps) * sx
      squared[base + i] = nearest * nearest
    }
  }
  const envelope = new Envelope(Math.max(ny, nz))
  if (ny > 1)
    for (let k = 0; k < nz; k++) for (let i = 0; i < nx; i++) envelope.apply(squared, i + nx * ny * k, nx, ny, sy)
  if (nz > 1) for (let at = 0; at < nx * ny; at++) envelope.apply(squared, at, nx * ny, nz, sz)
  for (let i = 0; i < squared.length; i++) squared[i] = Math.sqrt(squared[i])
  return { dims: mask.dims, affine: mask.affine, data: squared }
}

/** Lower envelope of parabolas over one line of squared distances; its buffers serve all lines. */
class Envelope {
  readonly #vertex: Int32Array
  readonly #from: Float64Array
  readonly #line: Float64Array

  constructor(longest: number) {
    this.#vertex = new Int32Array(longest)
    this.#from = new Float64Array(longest + 1)
    this.#line = new Float64Array(longest)
  }

  /** In place: out[q] = min over p of f[p] + (spacing · (q − p))². */
  apply(data: Float32Array, start: number, stride: number, n: number, spacing: number): void {
    const [vertex, from, line] = [this.#vertex, this.#from, this.#line]
    const s2 = spacing * spacing
    let last = -1
    for (let q = 0; q < n; q++) {
      const f = data[start + q * stride]
      line[q] = f
      if (f === Number.POSITIVE_INFINITY) continue
      let cross = Number.NEGATIVE_INFINITY
      while (last >= 0) {
        const v = vertex[last]
        cross = (f - line[v] + s2 * (q * q - v * v)) / (2 * s2 * (q - v))
        if (cross > from[last]) break
        last--
        cross = Number.NEGATIVE_INFINITY
      }
      last++
      vertex[last] = q
      from[last] = cross
    }
    if (last < 0) return
    from[last + 1] = Number.POSITIVE_INFINITY
    let k = 0
    for (let q = 0; q < n; q++) {
      while (from[k + 1] < q) k++
      const d = q - vertex[k]
      data[start + q * stride] = line[vertex[k]] + s2 * d * d
    }
  }
}
