import { withArena } from '../kernels/index.js'
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
  return await withArena(async (arena) => {
    const inside = arena.uint8(mask.data)
    const squared = arena.float32(voxelCount(mask))
    await arena.run('distanceX', ny * nz, 256, inside.ptr, squared.ptr, nx, sx)
    // A chunk works through one group of neighbouring lines at a time, with scratch memory of its own.
    const scratch = arena.float64(Math.max(nz * (3 * ny + 1), ny * (3 * nz + 1)))
    if (ny > 1) await arena.run('distanceLines', nz, 1, squared.ptr, nx, nx * ny, ny, nx, sy, scratch.ptr, 1)
    if (nz > 1) await arena.run('distanceLines', ny, 1, squared.ptr, nx, nx, nz, nx * ny, sz, scratch.ptr, 1)
    const data = squared.copy()
    for (let i = 0; i < data.length; i++) data[i] = Math.sqrt(data[i])
    return { dims: mask.dims, affine: mask.affine, data }
  })
}
