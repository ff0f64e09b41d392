import { type Mask, type Volume, voxelCount } from '../../volume/volume.js'
import { wordsOf } from '../../volume/words.js'

/** Where a consensus is estimated. */
export interface Region {
  /** 1 inside; undefined where it is the whole image. */
  inside: Uint8Array | undefined
  voxels: number
}

/** Every voxel to which some rater gives a label. The bytes of all raters are or-ed: not zero, but no label either. */
export function unionOf(raters: readonly Mask[]): Mask {
  const { dims, affine } = raters[0]
  const data = new Uint8Array(voxelCount(raters[0]))
  const into = wordsOf(data)
  for (const rater of raters) {
    const from = wordsOf(rater.data)
    for (let i = 0; i < into.length; i++) into[i] |= from[i]
    for (let i = 4 * into.length; i < data.length; i++) data[i] |= rater.data[i]
  }
  return { dims, affine, data }
}

/** Indices of the voxels that are not zero, rising. */
export function voxelsOf({ data }: Volume<Uint8Array>): Int32Array {
  let n = 0
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) n++
  const out = new Int32Array(n)
  for (let i = 0, at = 0; at < n; i++) if (data[i] !== 0) out[at++] = i
  return out
}

/**
 * The mask grown by a ball of `radius` voxels; radius 0 is the whole image, as with animaSTAPLE's `--mask-dil`. The
 * ball is ITK's: offsets no longer than radius + 0.5, 81 voxels for radius 2, whatever the voxels' size in mm.
 */
export function regionAround(mask: Mask, radius: number, voxels: Int32Array = voxelsOf(mask)): Region {
  const [nx, ny, nz] = mask.dims
  if (radius === 0) return { inside: undefined, voxels: mask.data.length }
  const ball = ballOffsets(radius)
  const steps = ball.map(([dx, dy, dz]) => dx + nx * (dy + ny * dz))
  const { data } = mask
  const inside = new Uint8Array(data.length)
  for (const at of voxels) {
    const x = at % nx
    const y = ((at / nx) | 0) % ny
    const z = (at / (nx * ny)) | 0
    const free = x >= radius && y >= radius && z >= radius && x < nx - radius && y < ny - radius && z < nz - radius
    if (free) {
      inside[at] = 1
      // Only from its surface does a mask grow.
      const surrounded =
        data[at - 1] && data[at + 1] && data[at - nx] && data[at + nx] && data[at - nx * ny] && data[at + nx * ny]
      if (!surrounded) for (const step of steps) inside[at + step] = 1
    } else
      for (const [dx, dy, dz] of ball) {
        const [i, j, k] = [x + dx, y + dy, z + dz]
        if (i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz) inside[i + nx * (j + ny * k)] = 1
      }
  }
  let n = 0
  for (let i = 0; i < inside.length; i++) n += inside[i]
  return { inside, voxels: n }
}

function ballOffsets(radius: number): [number, number, number][] {
  const out: [number, number, number][] = []
  for (let dz = -radius; dz <= radius; dz++)
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        if (dx * dx + dy * dy + dz * dz <= (radius + 0.5) ** 2) out.push([dx, dy, dz])
  return out
}
