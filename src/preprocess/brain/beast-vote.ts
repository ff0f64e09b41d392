import type { Vec3 } from '../../volume/affine.js'
import type { Image } from '../../volume/volume.js'

/** An image with mean and standard deviation of the patch around each voxel. */
export interface PatchImage extends Image {
  mean: Float32Array
  sd: Float32Array
}

export function patchImage(image: Image, half: number): PatchImage {
  const mean = boxMean(image.data, image.dims, half)
  const square = boxMean(
    image.data.map((v) => v * v),
    image.dims,
    half,
  )
  return { ...image, mean, sd: square.map((v, i) => Math.sqrt(Math.max(0, v - mean[i] * mean[i]))) }
}

/** Mean over a cube of 2·half + 1 voxels, smaller at the sides of the volume. */
function boxMean(values: Float32Array, dims: Vec3, half: number): Float32Array {
  let from = values
  const stride = [1, dims[0], dims[0] * dims[1]]
  for (let axis = 0; axis < 3; axis++) {
    const to = new Float32Array(values.length)
    for (let i = 0; i < to.length; i++) {
      const at = Math.floor(i / stride[axis]) % dims[axis]
      let [sum, n] = [0, 0]
      for (let d = Math.max(-half, -at); d <= Math.min(half, dims[axis] - 1 - at); d++, n++)
        sum += from[i + d * stride[axis]]
      to[i] = sum / n
    }
    from = to
  }
  return from
}

export interface VoteOptions {
  patch: number
  search: number
  beta: number
  preselection: number
  signal?: AbortSignal
}

/**
 * Writes the vote of each open voxel into `probability`: the mean of the labels of all patches in the search windows that
 * are alike in mean and spread, weighed by their likeness. Where none is alike the old value stays.
 *
 * @returns the number of voxels where none was
 */
export function vote(
  subject: PatchImage,
  heads: readonly { image: PatchImage; mask: Image }[],
  open: readonly number[],
  probability: Image,
  { patch, search, beta, preselection, signal }: VoteOptions,
): number {
  const [nx, ny, nz] = subject.dims
  const offsets = (half: number): Int32Array => {
    const out: number[] = []
    for (let c = -half; c <= half; c++)
      for (let b = -half; b <= half; b++) for (let a = -half; a <= half; a++) out.push(a + nx * (b + ny * c))
    return Int32Array.from(out)
  }
  const within = offsets(patch)
  const around = offsets(search)
  const margin = patch + search
  const distances = new Float64Array(heads.length * around.length)
  const labels = new Float32Array(heads.length * around.length)
  const own = new Float32Array(within.length)
  let without = 0
  for (let o = 0; o < open.length; o++) {
    if (o % 4096 === 0) signal?.throwIfAborted()
    const at = open[o]
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    if (i < margin || j < margin || k < margin || i >= nx - margin || j >= ny - margin || k >= nz - margin) continue
    for (let w = 0; w < within.length; w++) own[w] = subject.data[at + within[w]]
    const [mean, sd] = [subject.mean[at], subject.sd[at]]
    let count = 0
    let least = Infinity
    for (const { image, mask } of heads) {
      const { data, mean: means, sd: sds } = image
      for (let s = 0; s < around.length; s++) {
        const there = at + around[s]
        // both factors of the likeness; what is even and dark in both is alike
        const [m, v] = [means[there], sds[there]]
        const top = (2 * mean * m + tiny) * (2 * sd * v + tiny)
        const bottom = (mean * mean + m * m + tiny) * (sd * sd + v * v + tiny)
        if (!(top > preselection * bottom)) continue
        let sum = 0
        // past that the patch would weigh less than exp(−far) of the best
        const enough = least * (1 + beta * far) + 1e-3
        for (let w = 0; w < within.length && sum <= enough; w++) {
          const d = own[w] - data[there + within[w]]
          sum += d * d
        }
        if (sum > enough) continue
        distances[count] = sum / within.length
        labels[count++] = mask.data[there]
        if (sum < least) least = sum
      }
    }
    if (count === 0) {
      without++
      continue
    }
    const width = beta * (least / within.length) + 1e-6
    let [weight, brain] = [0, 0]
    for (let c = 0; c < count; c++) {
      const w = Math.exp(-(distances[c] - least / within.length) / width)
      weight += w
      brain += w * labels[c]
    }
    probability.data[at] = brain / weight
  }
  return without
}

const tiny = 1e-3
const far = 12
