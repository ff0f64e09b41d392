import { apply, type Vec3 } from './affine.js'
import type { Grid } from './volume.js'

/**
 * The grid that FreeSurfer conforms an image to (`mri_convert --conform`, orig.mgz): 256³ voxels of 1 mm, axes along left,
 * inferior, anterior, and voxel (128, 128, 128) where the image has its (nx/2, ny/2, nz/2).
 */
export function conformedGrid({ dims, affine }: Grid): Grid {
  const [x, y, z] = apply(affine, dims.map((n) => n / 2) as unknown as Vec3)
  return { dims: [256, 256, 256], affine: [-1, 0, 0, x + 128, 0, 0, 1, y - 128, 0, -1, 0, z + 128, 0, 0, 0, 1] }
}
