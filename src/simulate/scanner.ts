import { gaussianRandom } from '../random.js'
import { type Affine, apply, compose, scaling, translation, type Vec3 } from '../volume/affine.js'
import type { Grid, Image } from '../volume/volume.js'

/** What a scanner makes of an image with white matter at 1: a smooth field, noise in the magnitude, whole numbers. */
export function scanned(
  image: Image,
  { random, noise, bias, scale }: { random: () => number; noise: number; bias: number; scale: number },
): Image {
  const normal = gaussianRandom(random)
  const [nx, ny, nz] = image.dims
  const c = Array.from({ length: 6 }, () => 2 * random() - 1)
  const data = new Float32Array(image.data.length)
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const [x, y, z] = [(2 * i) / nx - 1, (2 * j) / ny - 1, (2 * k) / nz - 1]
        const field = Math.exp(
          bias * (c[0] * x + c[1] * y + c[2] * z + c[3] * x * y + c[4] * y * z + c[5] * (x * x - z * z)),
        )
        const real = image.data[at] * field + noise * normal()
        data[at] = Math.round(scale * Math.hypot(real, noise * normal()))
      }
  return { dims: image.dims, affine: image.affine, data }
}

/** A turn of up to `degrees` about each axis and a move of up to `mm` along it. */
export function pose(random: () => number, degrees: number, mm: number): Affine {
  const [a, b, c] = three(() => ((2 * random() - 1) * degrees * Math.PI) / 180)
  const [ca, sa, cb, sb, cc, sc] = [a, b, c].flatMap((angle) => [Math.cos(angle), Math.sin(angle)])
  return compose(
    translation(three(() => (2 * random() - 1) * mm)),
    [1, 0, 0, 0, 0, ca, -sa, 0, 0, sa, ca, 0, 0, 0, 0, 1],
    [cb, 0, sb, 0, 0, 1, 0, 0, -sb, 0, cb, 0, 0, 0, 0, 1],
    [cc, -sc, 0, 0, sc, cc, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  )
}

export const three = (f: () => number): Vec3 => [f(), f(), f()]

/** Axes as the world's, around a centre in RAS mm. */
export function gridAround(size: Vec3, dims: Vec3, centre: Vec3): Grid {
  const first = dims.map((n, axis) => centre[axis] - ((n - 1) / 2) * size[axis]) as unknown as Vec3
  return { dims, affine: compose(translation(first), scaling(size)) }
}

/** Axial slices that hold the whole head. */
export const axialGrid = (pixelMm: number, sliceMm: number): Grid =>
  gridAround(
    [pixelMm, pixelMm, sliceMm],
    [Math.round(187 / pixelMm), Math.round(227 / pixelMm), Math.round(171 / sliceMm)],
    [0, -17, 14],
  )

/** Sagittal slices as scanners store a T1 volume, 1.2 × 1.1 × 1.1 mm. */
export const sagittalGrid = (): Grid => sagittal(gridAround([1.2, 1.1, 1.1], [160, 218, 200], [0, -17, 10]))

/** The same block stored as sagittal slices: axes run to the back, to the feet, to the left, as scanners store them. */
function sagittal({ dims, affine }: Grid): Grid {
  const last = apply(affine, [dims[0] - 1, dims[1] - 1, dims[2] - 1])
  const [dx, dy, dz] = [affine[0], affine[5], affine[10]]
  return {
    dims: [dims[1], dims[2], dims[0]],
    affine: [0, 0, -dx, last[0], -dy, 0, 0, last[1], 0, -dz, 0, last[2], 0, 0, 0, 1],
  }
}
