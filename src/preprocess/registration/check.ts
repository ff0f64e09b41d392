import { withArena } from '../../kernels/index.js'
import { seededRandom } from '../../learn/random.js'
import { type Affine, compose, translation, type Vec3 } from '../../volume/affine.js'
import type { Image, Mask } from '../../volume/volume.js'
import { coarser, makeLevel, robustRange } from './sampling.js'
import { measureOf } from './similarity.js'

/**
 * Whether to trust a registration, in one number: the share of the mutual information that is lost, on average, when
 * the moving image is shifted by 6 mm along each axis either way. Images that fit lose much of it; images of two people,
 * or a registration that went wrong, have little detail in common to lose.
 */
export async function registrationCheck(fixed: Image, moving: Image, map: Affine, fixedMask?: Mask): Promise<number> {
  const level = makeLevel(await coarser(fixed, 2), await coarser(moving, 2), {
    count: 80_000,
    mm: 2,
    random: seededRandom(7),
    fixedMask,
    fixedRange: robustRange(fixed, fixedMask),
    movingRange: robustRange(moving),
  })
  return await withArena(async (arena) => {
    const similarity = measureOf(arena, level)
    const here = (await similarity(map)).mutualInformation
    if (!(here > 0)) return 0
    let shifted = 0
    for (const shift of shifts)
      shifted += (await similarity(compose(translation(shift), map))).mutualInformation / shifts.length
    return Math.max(0, 1 - shifted / here)
  })
}

const reach = 6
const shifts: Vec3[] = [
  [reach, 0, 0],
  [-reach, 0, 0],
  [0, reach, 0],
  [0, -reach, 0],
  [0, 0, reach],
  [0, 0, -reach],
]

export const trustThreshold = 0.2

export const trustworthy = (check: number): boolean => check >= trustThreshold
