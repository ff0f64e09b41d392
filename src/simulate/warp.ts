import type { Atlas } from '../preprocess/atlas.js'
import { compose, scaling, translation, type Vec3 } from '../volume/affine.js'
import { gaussian } from '../volume/filter.js'
import { resample } from '../volume/resample.js'
import { emptyImage, type Grid, type Image, type Volume, type VoxelArray } from '../volume/volume.js'

/** Displacement in mm along x, y and z for every voxel: what lies at p came from p + displacement. */
export type Displacement = readonly [Image, Image, Image]

export interface WarpOptions {
  /** Largest displacement of a lattice point along each axis, mm. */
  mm: number
  /** Spacing of the lattice, mm; displacements stay below a tenth of it, so that nothing folds. */
  spacing: number
  /** How far the walls of the lateral ventricles move outward, mm; about this far where they are wide, less elsewhere. */
  widening: number
  random: () => number
}

/** Lateral and third ventricles of the atlas, 1 inside. */
export const lateralVentricles = (atlas: Atlas): Image => ({
  ...atlas.wm,
  data: Float32Array.from(atlas.ventricles.data, (label) => (label === 1 ? 1 : 0)),
})

/**
 * A smooth random deformation (cubic B-spline lattice) and wider ventricles: nobody's brain is the atlas's after an
 * affine, and patients' ventricles are wider than those of the young people it was made from.
 */
export async function randomDisplacement(ventricles: Image, grid: Grid, options: WarpOptions): Promise<Displacement> {
  const { mm, spacing, widening, random } = options
  const extent = grid.dims.map((n, axis) => n * Math.abs(grid.affine[5 * axis]))
  const dims = extent.map((length) => Math.ceil(length / spacing) + 3) as unknown as Vec3
  const origin = [3, 7, 11].map((at) => grid.affine[at] - spacing) as unknown as Vec3
  const lattice: Grid = { dims, affine: compose(translation(origin), scaling([spacing, spacing, spacing])) }
  // 4 mm holds a field as smooth as this one.
  const coarse: Grid = {
    dims: extent.map((length) => Math.ceil(length / 4) + 1) as unknown as Vec3,
    affine: compose(translation([grid.affine[3], grid.affine[7], grid.affine[11]]), scaling([4, 4, 4])),
  }
  const sigma = 5
  const smooth = await gaussian(await resample(ventricles, coarse, { antialias: true }), sigma)
  // A wide plane wall, blurred by σ, has the slope 1 / (σ √2π).
  const outward = widening * sigma * Math.sqrt(2 * Math.PI)
  const field: Image[] = []
  for (const axis of [0, 1, 2]) {
    const knots = emptyImage(lattice)
    for (let i = 0; i < knots.data.length; i++) knots.data[i] = mm * (2 * random() - 1)
    const image = await resample(knots, coarse, { method: 'cubic' })
    const stride = [1, coarse.dims[0], coarse.dims[0] * coarse.dims[1]][axis]
    for (let i = stride; i < image.data.length - stride; i++)
      image.data[i] += (outward * (smooth.data[i + stride] - smooth.data[i - stride])) / 8
    field.push(await resample(image, grid))
  }
  return field as unknown as Displacement
}

/** The image after a displacement on the same grid, whose axes are those of the world; linear, 0 beyond the border. */
export function warpImage(image: Image, by: Displacement): Image {
  const { data: from } = image
  const out = emptyImage(image)
  const row = image.dims[0]
  const slice = row * image.dims[1]
  eachSource(image, by, (at, x, y, z) => {
    const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)]
    const [u, v, w] = [x - i, y - j, z - k]
    const base = i + row * j + slice * k
    const a = from[base] * (1 - u) + from[base + 1] * u
    const b = from[base + row] * (1 - u) + from[base + row + 1] * u
    const c = from[base + slice] * (1 - u) + from[base + slice + 1] * u
    const d = from[base + row + slice] * (1 - u) + from[base + row + slice + 1] * u
    out.data[at] = (a * (1 - v) + b * v) * (1 - w) + (c * (1 - v) + d * v) * w
  })
  return out
}

/** The same for labels: the nearest voxel's. */
export function warpLabels<T extends VoxelArray>(labels: Volume<T>, by: Displacement): Volume<T> {
  const data = new (labels.data.constructor as new (n: number) => T)(labels.data.length)
  const row = labels.dims[0]
  const slice = row * labels.dims[1]
  eachSource(labels, by, (at, x, y, z) => {
    data[at] = labels.data[Math.round(x) + row * Math.round(y) + slice * Math.round(z)]
  })
  return { dims: labels.dims, affine: labels.affine, data }
}

/** Calls `visit` with each voxel and the voxel coordinates it comes from, where those lie within the grid. */
function eachSource(grid: Grid, by: Displacement, visit: (at: number, x: number, y: number, z: number) => void): void {
  const [nx, ny, nz] = grid.dims
  const [dx, dy, dz] = [by[0].data, by[1].data, by[2].data]
  const [sx, sy, sz] = [1 / grid.affine[0], 1 / grid.affine[5], 1 / grid.affine[10]]
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const x = i + dx[at] * sx
        const y = j + dy[at] * sy
        const z = k + dz[at] * sz
        if (x >= 0 && y >= 0 && z >= 0 && x < nx - 1 && y < ny - 1 && z < nz - 1) visit(at, x, y, z)
      }
}
