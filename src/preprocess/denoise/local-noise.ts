import type { Arena, Block } from '../../kernels/index.js'
import type { Vec3 } from '../../volume/affine.js'
import { blurInArena } from '../../volume/filter.js'
import type { Grid, Image, Mask } from '../../volume/volume.js'
import { eachRow, paddedDims } from './padded.js'

/** What `nonLocalMeans` has in its arena: padded volumes. */
interface Prepared {
  image: Image
  mask: Mask
  padded: Block<Float32Array>
  /** Means of 3³ patches. */
  mean: Block<Float32Array>
  inside: Block<Uint8Array>
  pad: number
  search: Vec3
}

/**
 * Variance of the noise around each voxel (Manjón et al. 2010): of the image without its local mean, the smallest distance
 * of a patch to those around it, where little but noise is left; then smoothed over 12 mm, for noise varies slowly.
 */
export async function localVariance(arena: Arena, prepared: Prepared): Promise<Float32Array> {
  const { image, mask, padded, mean, inside, pad, search } = prepared
  const [px, py, pz] = paddedDims(image.dims, pad)
  const residual = arena.float32(padded.length)
  const [r, p, m] = [residual.view(), padded.view(), mean.view()]
  // Beyond the border there is no mean; nothing is left there.
  eachRow(image.dims, pad, (_, from) => {
    for (let i = from; i < from + image.dims[0]; i++) r[i] = p[i] - m[i]
  })
  const reach = search.map((n) => Math.max(2, Math.min(3, n))) as unknown as Vec3
  const [gx, gy, gz] = image.dims.map((n) => Math.ceil(n / step))
  const least = arena.float32(gx * gy * gz)
  const grid = [px, py, pz, pad, step, gx, gy, ...reach]
  await arena.run('nlmNoise', gy * gz, 8, residual.ptr, inside.ptr, least.ptr, ...grid)

  const coarse: Grid = { dims: [gx, gy, gz], affine: image.affine.map((v, i) => (i % 4 < 3 && i < 12 ? step * v : v)) }
  const known = arena.float32(least.length)
  const [values, weights] = [least.view(), known.view()]
  for (let i = 0; i < values.length; i++) {
    weights[i] = values[i] >= 0 ? 1 : 0
    values[i] = Math.max(0, values[i])
  }
  const top = await blurInArena(arena, least, coarse, smoothingMm)
  const bottom = await blurInArena(arena, known, coarse, smoothingMm)
  const [sum, weight] = [top.view(), bottom.view()]
  const factor = 1 / expectedLeast(reach)
  const [nx, ny, nz] = image.dims
  const out = new Float32Array(image.data.length)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (mask.data[at] === 0) continue
        const from = ((i / step) | 0) + gx * (((j / step) | 0) + gy * ((k / step) | 0))
        if (weight[from] > 1e-6) out[at] = (factor * sum[from]) / weight[from]
      }
  return out
}

const step = 2
const smoothingMm = 12

/** What the smallest distance is for white noise of variance 1, of so many patches: measured; within 1 % for 48 to 316. */
function expectedLeast(reach: Vec3): number {
  const patches = reach.reduce((product, n) => product * (2 * n + 1), 1) - 27
  return 1.454 - 0.1238 * Math.log(patches)
}
