import { type Arena, type Block, withArena } from '../../kernels/index.js'
import { type Vec3, voxelSizes } from '../../volume/affine.js'
import { boundingBox, crop, uncrop } from '../../volume/crop.js'
import { gridOf, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { localVariance } from './local-noise.js'
import { noiseSd } from './noise.js'
import { eachRow, paddedDims, padInto } from './padded.js'

export interface NonLocalMeansOptions {
  /** Half the search box in mm, so that thick slices are searched through fewer of them; at least one voxel. Default 5. */
  searchMm?: number
  /** Half the patch in voxels: 1 for 3³, 2 for 5³. Default 1. */
  patch?: number
  /** Strength: patches that differ by noise alone weigh e^(−1/β). The larger, the more of small lesions goes. Default 0.5. */
  beta?: number
  /** Standard deviation of the noise. Default 'auto': estimated, within the mask. */
  sigma?: number | 'auto'
  /** Undo the bias of magnitude images. Default 'auto': where the image has no negative value. */
  rician?: boolean | 'auto'
  /**
   * Restore 3³ blocks on every second voxel and average where they overlap: faster and smoother, but lesions of a few
   * voxels lose more (of 8 voxels at 4 noise: 40 % of their contrast, voxel by voxel 12 %). Default false.
   */
  blockwise?: boolean
  /** Noise that varies in space: estimated around each voxel, in place of `sigma`. Default false. */
  adaptive?: boolean
  /** Where to denoise; elsewhere the image stays as it is. Default: where it is not 0. */
  mask?: Mask
  signal?: AbortSignal
}

export interface Denoised {
  denoised: Image
  /** Standard deviation of the noise; for the adaptive form a map of it. */
  sigma: number | Image
}

/**
 * Non-local means (Coupé et al. 2008): each voxel becomes a mean of those around it whose patches look alike. Patches
 * whose means or variances differ are not compared. The voxel itself weighs as much as the most alike of the others
 * (Buades et al. 2005), and at least as one that differs by noise alone: else what is rare, a small lesion, is lost. With Rician noise squares are averaged and 2σ² is taken off (Wiest-Daessle et al. 2008); the adaptive
 * form takes the noise around each voxel (Manjón et al. 2010).
 *
 * Image minus result is the residual: it should show no anatomy. Without noise (σ = 0) the image comes back as it is.
 *
 * @throws RangeError for a mask of another grid, or options out of range
 */
export async function nonLocalMeans(image: Image, options: NonLocalMeansOptions = {}): Promise<Denoised> {
  const { searchMm = 5, patch = 1, beta = 0.5, sigma = 'auto', rician = 'auto', adaptive = false, signal } = options
  if (!Number.isInteger(patch) || patch < 1) throw new RangeError(`A patch's half size is 1, 2, …, not ${patch}.`)
  if (!(beta > 0 && searchMm > 0)) throw new RangeError('beta and searchMm must be above 0.')
  if (options.mask && options.mask.data.length !== image.data.length)
    throw new RangeError('The mask has another number of voxels than the image.')
  const unchanged = { ...gridOf(image), data: image.data.slice() }
  const given = options.mask ?? maskWhere(image, (value) => value !== 0)
  const search = voxelSizes(image.affine).map((size) => Math.max(1, Math.round(searchMm / size))) as unknown as Vec3
  const box = boundingBox(given, searchMm)
  const magnitude = rician === 'auto' ? image.data.every((v) => !(v < 0)) : rician
  const sd = sigma === 'auto' ? noiseSd(image, { mask: given, magnitude }) : sigma
  if (!(sd >= 0)) throw new RangeError(`sigma must be 0 or more, not ${sd}.`)
  if (!box || sd === 0) return { denoised: unchanged, sigma: sd }

  const part = crop(image, box)
  const inside = crop(given, box)
  const setting = { search, patch, beta, sd, magnitude, blockwise: options.blockwise ?? false, adaptive }
  const { restored, variance } = await withArena((arena) => restore(arena, part, inside, setting), { signal })
  const result = uncrop({ ...gridOf(part), data: restored }, box, image)
  for (let i = 0; i < result.data.length; i++) if (given.data[i] === 0) result.data[i] = image.data[i]
  if (!variance) return { denoised: result, sigma: sd }
  return { denoised: result, sigma: uncrop({ ...gridOf(part), data: variance.map(Math.sqrt) }, box, image) }
}

interface Setting {
  search: Vec3
  patch: number
  beta: number
  sd: number
  magnitude: boolean
  blockwise: boolean
  adaptive: boolean
}

/** Patches are compared when their means differ by less than twice what noise makes of it, and variances by less than a factor of 2. */
const meanSds = 2
const varianceRatio = 0.5

async function restore(
  arena: Arena,
  image: Image,
  mask: Mask,
  { search, patch, beta, sd, magnitude, blockwise, adaptive }: Setting,
): Promise<{ restored: Float32Array; variance?: Float32Array }> {
  const pad = patch
  const dims = paddedDims(image.dims, pad)
  const [px, py, pz] = dims
  const voxels = px * py * pz
  // Four lanes are read at once, to a few floats beyond the last voxel.
  const volume = () => arena.float32(voxels + 16)
  const padded = volume()
  padInto(padded.view(), image, pad)
  const inside = arena.uint8(voxels)
  eachRow(image.dims, pad, (from, to) => inside.view().set(mask.data.subarray(from, from + image.dims[0]), to))
  const [mean, spread] = [volume(), volume()]
  await arena.run('patchMoments', py * pz, 64, padded.ptr, mean.ptr, spread.ptr, px, py, pz, patch)

  let noise: Block<Float32Array> | undefined
  let variance: Float32Array | undefined
  if (adaptive) {
    variance = await localVariance(arena, { image, mask, padded, mean, inside, pad, search })
    noise = volume()
    padInto(noise.view(), { ...image, data: variance }, pad)
  }
  let source = padded
  if (magnitude) {
    source = volume()
    const [squares, values] = [source.view(), padded.view()]
    for (let i = 0; i < voxels; i++) squares[i] = values[i] * values[i]
  }
  const sum = volume()
  const size = (2 * patch + 1) ** 3
  const decay = -1 / (2 * beta * size * (noise ? 1 : sd * sd))
  const tolerance = meanSds * Math.sqrt(2 / size) * (noise ? 1 : sd)
  const inputs = [padded.ptr, source.ptr, mean.ptr, spread.ptr, inside.ptr, noise?.ptr ?? 0, sum.ptr]
  const rules = [patch, ...search, decay, tolerance, varianceRatio, Math.exp(-1 / beta)]
  if (blockwise) {
    const count = volume()
    for (const parity of [0, 1])
      await arena.run(
        'nlmBlocks',
        Math.ceil(image.dims[2] / 4),
        1,
        ...inputs,
        count.ptr,
        px,
        py,
        pz,
        pad,
        parity,
        ...rules,
      )
    const [sums, counts] = [sum.view(), count.view()]
    for (let i = 0; i < voxels; i++) if (counts[i] > 0) sums[i] /= counts[i]
  } else await arena.run('nlmVoxels', image.dims[1] * image.dims[2], 16, ...inputs, px, py, pz, pad, ...rules)

  const restored = new Float32Array(image.data.length)
  const values = sum.view()
  eachRow(image.dims, pad, (at, from) => {
    for (let i = 0; i < image.dims[0]; i++, at++, from++) {
      const value = values[from]
      restored[at] = magnitude ? Math.sqrt(Math.max(0, value - 2 * (variance ? variance[at] : sd * sd))) : value
    }
  })
  return { restored, variance }
}
