import { readNifti, writeNifti } from '../formats/nifti.js'
import { compose, invert } from '../volume/affine.js'
import { emptyImage, type Grid, type Image, sameGrid } from '../volume/volume.js'

/** An image file on another grid of the same world, as a file again; as it is when it lies on that grid already. */
export async function fileOnGrid(bytes: ArrayBuffer, name: string, grid: Grid): Promise<ArrayBuffer> {
  const { image } = await readNifti(new Uint8Array(bytes), name)
  if (sameGrid(image, grid)) return bytes
  return Uint8Array.from(await writeNifti(onGrid(image, grid), { plain: true })).buffer
}

/** Trilinear; 0 outside the image. In plain script: the page has no kernels. */
export function onGrid(image: Image, grid: Grid): Image {
  const out = emptyImage(grid)
  const m = compose(invert(image.affine), grid.affine)
  const [sx, sy, sz] = image.dims
  const { data } = image
  let at = 0
  for (let k = 0; k < grid.dims[2]; k++)
    for (let j = 0; j < grid.dims[1]; j++)
      for (let i = 0; i < grid.dims[0]; i++, at++) {
        const x = m[0] * i + m[1] * j + m[2] * k + m[3]
        const y = m[4] * i + m[5] * j + m[6] * k + m[7]
        const z = m[8] * i + m[9] * j + m[10] * k + m[11]
        // Half a voxel beyond the outermost centres still belongs to the image.
        if (x < -0.5 || y < -0.5 || z < -0.5 || x > sx - 0.5 || y > sy - 0.5 || z > sz - 0.5) continue
        const [x0, x1, fx] = between(x, sx)
        const [y0, y1, fy] = between(y, sy)
        const [z0, z1, fz] = between(z, sz)
        const row = (v: number, w: number) => {
          const start = sx * (v + sy * w)
          return data[start + x0] * (1 - fx) + data[start + x1] * fx
        }
        out.data[at] =
          (row(y0, z0) * (1 - fy) + row(y1, z0) * fy) * (1 - fz) + (row(y0, z1) * (1 - fy) + row(y1, z1) * fy) * fz
      }
  return out
}

/** The two voxels along an axis that a place lies between, and how far it is towards the second. */
function between(place: number, n: number): [number, number, number] {
  const inside = Math.min(n - 1, Math.max(0, place))
  const low = Math.min(Math.max(0, n - 2), Math.floor(inside))
  return [low, Math.min(n - 1, low + 1), inside - low]
}
