import { seededRandom } from '../../random.js'
import { apply, type Vec3 } from '../../volume/affine.js'
import type { Image, Volume } from '../../volume/volume.js'
import type { RegisterOptions } from './options.js'
import { coarser, finer, type Level, makeLevel, robustRange } from './sampling.js'

/** Spacing of the levels in mm, and the most points that each looks at; a rigid map ends at the finest. */
const affineLevels = [
  { mm: 8, count: 12_000 },
  { mm: 4, count: 40_000 },
  { mm: 2, count: 100_000 },
]
const rigidLevels = [...affineLevels, { mm: 0.8, count: 150_000 }]

/** `fixed` and `whole` (the moving image) are the images of the level. */
export type PyramidLevel = Level & { mm: number; fixed: Image; whole: Image }

/** The levels, coarsest first. Each is smoothed from the one before: that costs little, and blurs add up as they should. */
export async function pyramid(fixed: Image, moving: Image, options: RegisterOptions): Promise<PyramidLevel[]> {
  const { dof, sampling: wanted, fixedMask, movingMask, seed = 1 } = options
  const steps = dof === 6 ? rigidLevels : affineLevels
  const random = seededRandom(seed)
  const images: { fixed: Image; whole: Image }[] = []
  let finest = { fixed, whole: moving }
  for (const { mm } of [...steps].reverse()) {
    finest = { fixed: await coarser(finest.fixed, mm), whole: await coarser(finest.whole, mm) }
    images.unshift(finest)
  }
  const middle = images[Math.min(2, images.length - 1)]
  const fixedRange = robustRange(middle.fixed, fixedMask)
  const movingRange = robustRange(middle.whole, movingMask)
  const share = typeof wanted === 'number' ? wanted / steps[steps.length - 1].count : 1
  const levels: PyramidLevel[] = []
  for (const [i, { mm, count }] of steps.entries()) {
    const { fixed: image, whole } = images[i]
    const points = wanted === 'full' ? image.data.length : Math.max(1, Math.round(share * count))
    const sampling = { count: points, mm, random, fixedMask, movingMask, fixedRange, movingRange }
    levels.push({ ...makeLevel(image, await finer(whole, Math.max(1, mm)), sampling), mm, fixed: image, whole })
  }
  return levels
}

/** Centre of the head in RAS mm: the mean place of the voxels that are not dark. */
export function centreOfMass({ dims: [nx, ny, nz], affine, data }: Volume): Vec3 {
  const [low, high] = robustRange({ dims: [nx, ny, nz], affine, data })
  const sum = [0, 0, 0]
  let total = 0
  // Dark voxels are air or noise; half of the range counts as fully bright, so that fat does not outweigh the brain.
  const from = low + 0.15 * (high - low)
  const full = low + 0.5 * (high - low)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (!(data[at] > from)) continue
        const weight = Math.min(1, (data[at] - from) / (full - from))
        total += weight
        sum[0] += weight * i
        sum[1] += weight * j
        sum[2] += weight * k
      }
  if (total === 0) return apply(affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2])
  return apply(affine, [sum[0] / total, sum[1] / total, sum[2] / total])
}
