import type { Vec3 } from '../../volume/affine.js'
import type { Volume, VoxelArray } from '../../volume/volume.js'

/** Copies a volume into the middle of one that is `pad` voxels larger on every side, its border repeated there. */
export function padInto(out: Float32Array, { dims, data }: Volume<VoxelArray>, pad: number): void {
  const [nx, ny, nz] = dims
  const [px, py, pz] = paddedDims(dims, pad)
  const held = (at: number, n: number) => Math.min(n - 1, Math.max(0, at - pad))
  for (let k = 0, to = 0; k < pz; k++)
    for (let j = 0; j < py; j++, to += px) {
      const from = nx * (held(j, ny) + ny * held(k, nz))
      for (let i = 0; i < pad; i++) {
        out[to + i] = data[from]
        out[to + pad + nx + i] = data[from + nx - 1]
      }
      out.set(data.subarray(from, from + nx) as Float32Array, to + pad)
    }
}

/** Visits the rows of the volume in the middle: first index in the volume, and in the padded one. */
export function eachRow(dims: Vec3, pad: number, visit: (inner: number, padded: number) => void): void {
  const [px, py] = paddedDims(dims, pad)
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++, at += dims[0]) visit(at, pad + px * (j + pad + py * (k + pad)))
}

export const paddedDims = (dims: Vec3, pad: number): Vec3 => dims.map((n) => n + 2 * pad) as unknown as Vec3
