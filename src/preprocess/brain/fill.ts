import { apply, invert } from '../../volume/affine.js'
import { emptyMask, type Grid, type Mask, voxelCount } from '../../volume/volume.js'
import type { TriangleSurface } from './icosphere.js'

/**
 * The voxels whose centre lies inside a closed surface (mm of the grid's world). Each triangle is entered where it meets
 * the columns of voxels along the third axis, with the sign of its side; a column's running sum then tells inside from
 * outside, also where the surface runs over itself.
 */
export function fillSurface({ vertices, faces }: TriangleSurface, grid: Grid): Mask {
  const [nx, ny, nz] = grid.dims
  const toVoxel = invert(grid.affine)
  const at = new Float64Array(vertices.length)
  for (let v = 0; v < vertices.length; v += 3)
    at.set(apply(toVoxel, [vertices[v], vertices[v + 1], vertices[v + 2]]), v)
  const turns = new Int8Array(voxelCount(grid))
  // a shift that no vertex has: no column runs through an edge
  const [ox, oy] = [1.234e-5, 2.718e-5]
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]]
    const area = (at[b] - at[a]) * (at[c + 1] - at[a + 1]) - (at[c] - at[a]) * (at[b + 1] - at[a + 1])
    if (area === 0) continue
    const low = (o: number) => Math.max(0, Math.ceil(Math.min(at[a + o], at[b + o], at[c + o]) - 1e-3))
    const high = (o: number, n: number) => Math.min(n - 1, Math.floor(Math.max(at[a + o], at[b + o], at[c + o])))
    for (let j = low(1); j <= high(1, ny); j++)
      for (let i = low(0); i <= high(0, nx); i++) {
        const [x, y] = [i + ox, j + oy]
        const wb = ((x - at[a]) * (at[c + 1] - at[a + 1]) - (at[c] - at[a]) * (y - at[a + 1])) / area
        const wc = ((at[b] - at[a]) * (y - at[a + 1]) - (x - at[a]) * (at[b + 1] - at[a + 1])) / area
        if (wb < 0 || wc < 0 || wb + wc > 1) continue
        const k = Math.ceil(at[a + 2] + wb * (at[b + 2] - at[a + 2]) + wc * (at[c + 2] - at[a + 2]))
        if (k < nz) turns[i + nx * (j + ny * Math.max(0, k))] += area > 0 ? 1 : -1
      }
  }
  const mask = emptyMask(grid)
  const plane = nx * ny
  for (let column = 0; column < plane; column++)
    for (let k = 0, sum = 0; k < nz; k++) {
      sum += turns[column + plane * k]
      if (sum !== 0) mask.data[column + plane * k] = 1
    }
  return mask
}
