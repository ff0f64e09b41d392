import { apply, type Vec3 } from '../../volume/affine.js'
import { fillHoles } from '../../volume/components.js'
import { distanceTo } from '../../volume/distance.js'
import { gaussian } from '../../volume/filter.js'
import { resampleMask } from '../../volume/resample.js'
import { emptyImage, type Grid, gridOf, type Image, type Mask } from '../../volume/volume.js'

/** A closed surface as points with normals, on a coarse grid. */
export interface Surface {
  /** Distance from the atlas's brain surface in mm, negative inside; smooth, `spacing` mm voxels. */
  distance: Image
  count: number
  /** Voxel of each point. */
  voxels: Int32Array
  /** x, y, z of each point in atlas mm, and its outward normal. */
  points: Float32Array
  normals: Float32Array
  /** Neighbours of point p: `neighbours[start[p] … start[p + 1])`. */
  start: Int32Array
  neighbours: Int32Array
}

/** Voxel size of the grid that carries the surface, in mm: half of what the patches can follow. */
const spacing = 3

/** The surface of a mask as one point per voxel of a coarse grid that it passes through. */
export async function surfaceOf(brain: Mask, room: number): Promise<Surface> {
  const grid = gridAround(brain, room)
  // cisterns that the mask leaves open lie within the brain's outline all the same
  const inside = fillHoles(await resampleMask(brain, grid, { method: 'linear' }), { plane: 2 })
  const outside: Mask = { ...gridOf(grid), data: inside.data.map((v) => 1 - v) }
  const [out, within] = [await distanceTo(inside), await distanceTo(outside)]
  const signed = emptyImage(grid)
  for (let i = 0; i < signed.data.length; i++)
    signed.data[i] = inside.data[i] ? spacing / 2 - within.data[i] : out.data[i] - spacing / 2
  const distance = await gaussian(signed, 2.5)
  const d = distance.data
  const [nx, ny, nz] = grid.dims
  const stride = [1, nx, nx * ny]
  const voxels: number[] = []
  const points: number[] = []
  const normals: number[] = []
  const index = new Int32Array(d.length).fill(-1)
  for (let k = 1; k < nz - 1; k++)
    for (let j = 1; j < ny - 1; j++)
      for (let i = 1; i < nx - 1; i++) {
        const at = i + nx * (j + ny * k)
        if (!(Math.abs(d[at]) <= spacing * 0.6)) continue
        const g = stride.map((s) => (d[at + s] - d[at - s]) / (2 * spacing))
        const length = Math.hypot(g[0], g[1], g[2])
        if (length < 0.2) continue
        const n = g.map((v) => v / length)
        const [x, y, z] = apply(grid.affine, [i, j, k])
        const back = d[at] / length
        index[at] = voxels.length
        voxels.push(at)
        points.push(x - back * n[0], y - back * n[1], z - back * n[2])
        normals.push(n[0], n[1], n[2])
      }
  const start = new Int32Array(voxels.length + 1)
  const neighbours: number[] = []
  voxels.forEach((at, p) => {
    for (let c = -1; c <= 1; c++)
      for (let b = -1; b <= 1; b++)
        for (let a = -1; a <= 1; a++) {
          const other = index[at + a + nx * (b + ny * c)]
          // points across a thin fold are near each other, but look the other way
          if (other < 0 || other === p) continue
          const [u, v] = [3 * p, 3 * other]
          if (normals[u] * normals[v] + normals[u + 1] * normals[v + 1] + normals[u + 2] * normals[v + 2] > 0.2)
            neighbours.push(other)
        }
    start[p + 1] = neighbours.length
  })
  return {
    distance,
    count: voxels.length,
    voxels: Int32Array.from(voxels),
    points: Float32Array.from(points),
    normals: Float32Array.from(normals),
    start,
    neighbours: Int32Array.from(neighbours),
  }
}

/** A coarse grid along the atlas's axes that holds the mask and `room` mm around it. */
function gridAround(mask: Mask, room: number): Grid {
  const [nx, ny] = mask.dims
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  for (let at = 0; at < mask.data.length; at++) {
    if (mask.data[at] === 0) continue
    const voxel: Vec3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    apply(mask.affine, voxel).forEach((mm, axis) => {
      low[axis] = Math.min(low[axis], mm)
      high[axis] = Math.max(high[axis], mm)
    })
  }
  const dims = low.map((mm, axis) => Math.ceil((high[axis] - mm + 2 * room) / spacing) + 1) as unknown as Vec3
  const [x, y, z] = low.map((mm) => mm - room)
  return { dims, affine: [spacing, 0, 0, x, 0, spacing, 0, y, 0, 0, spacing, z, 0, 0, 0, 1] }
}

/** Averaging rounds over neighbouring voxels that amount to a Gaussian of `sigma` mm on a surface of `spacing` mm voxels. */
const smoothings = (sigma: number): number => Math.max(1, Math.round((sigma / spacing) ** 2))

/** Smooths `width` values per point over the surface by about a Gaussian of `sigma` mm. */
export function smoothOverSurface(
  values: Float32Array,
  width: number,
  { start, neighbours }: Pick<Surface, 'start' | 'neighbours'>,
  sigma: number,
): Float32Array<ArrayBuffer> {
  const rounds = smoothings(sigma)
  let from = Float32Array.from(values)
  let to = new Float32Array(values.length)
  const sum = new Float64Array(width)
  for (let round = 0; round < rounds; round++) {
    for (let p = 0; p + 1 < start.length; p++) {
      for (let w = 0; w < width; w++) sum[w] = from[p * width + w]
      for (let n = start[p]; n < start[p + 1]; n++) {
        const other = neighbours[n] * width
        for (let w = 0; w < width; w++) sum[w] += from[other + w]
      }
      const weight = 1 / (start[p + 1] - start[p] + 1)
      for (let w = 0; w < width; w++) to[p * width + w] = sum[w] * weight
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** The distance image after each piece of its surface moved outwards by its offset. */
export async function movedDistance({ distance, voxels, count }: Surface, offset: Float32Array): Promise<Image> {
  const moved = emptyImage(distance)
  const sum = emptyImage(distance)
  const weight = emptyImage(distance)
  for (let p = 0; p < count; p++) {
    sum.data[voxels[p]] = offset[p]
    weight.data[voxels[p]] = 1
  }
  const near = [await gaussian(sum, 4), await gaussian(weight, 4)]
  const wide = [await gaussian(sum, 12), await gaussian(weight, 12)]
  for (let i = 0; i < moved.data.length; i++) {
    // far from the surface the wide average takes over, and farther still its own distance is enough
    const over = near[0].data[i] + 0.01 * wide[0].data[i]
    const under = near[1].data[i] + 0.01 * wide[1].data[i]
    moved.data[i] = distance.data[i] - (under > 1e-7 ? over / under : 0)
  }
  return moved
}
