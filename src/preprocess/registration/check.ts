import { withArena } from '../../kernels/index.js'
import { seededRandom } from '../../random.js'
import { type Affine, compose, invert, translation, type Vec3 } from '../../volume/affine.js'
import type { Image, Mask } from '../../volume/volume.js'
import { notZero, onlyStripped } from './mixed.js'
import { coarser, makeLevel, robustRange } from './sampling.js'
import { type Measure, measureOf } from './similarity.js'

/**
 * Whether to trust a registration, in one number, 0–1: the share of what two images tell about each other (normalised
 * mutual information less 1) that is lost, on average, when the moving image is shifted by 4 mm along each axis either
 * way. Images of one brain that fit share fine detail and lose much. Two people's images, or a registration that went
 * wrong, have only the rough shape of a head in common and lose little, whatever the contrasts. When only one of the
 * images is stripped, its brain alone counts; the figure is then put on the same scale.
 *
 * @param map fixed RAS mm → moving RAS mm, as `register` gives it
 * @param fixedMask only points inside count, on any grid of the fixed image's space
 */
export async function registrationCheck(fixed: Image, moving: Image, map: Affine, fixedMask?: Mask): Promise<number> {
  const only = fixedMask ? undefined : onlyStripped(fixed, moving)
  if (only === 'moving') return await lost(moving, fixed, invert(map), notZero(moving))
  return await lost(fixed, moving, map, only === 'fixed' ? notZero(fixed) : fixedMask)
}

async function lost(fixed: Image, moving: Image, map: Affine, fixedMask?: Mask): Promise<number> {
  const mm = 2
  const [small, smallMoving] = [await coarser(fixed, mm), await coarser(moving, mm)]
  const level = makeLevel(small, smallMoving, {
    count: 80_000,
    mm,
    random: seededRandom(7),
    fixedMask,
    fixedRange: robustRange(small, fixedMask),
    movingRange: robustRange(smallMoving),
  })
  return await withArena(async (arena) =>
    onOneScale(await lostByShifts(measureOf(arena, level), map), fixedMask !== undefined),
  )
}

/** The share of the normalised mutual information less 1 that is lost by shifts, at a level of 2 mm. */
export async function lostByShifts(measure: Measure, map: Affine): Promise<number> {
  const here = await measure(map)
  const told = here.normalised - 1
  if (!(told > 1e-6)) return 0
  let lost = 0
  for (const shift of shifts) {
    const there = await measure(compose(translation(shift), map))
    // A thin slice that leaves the other image loses everything, wherever it was.
    if (there.overlap < here.overlap / 2) continue
    lost += (1 - Math.max(0, there.normalised - 1) / told) / shifts.length
  }
  return Math.max(0, lost)
}

/** Brings what is lost inside a mask to the scale of what whole images lose. */
export const onOneScale = (lost: number, masked: boolean): number => lost * (masked ? maskedScale : 1)

/**
 * The check from which a registration is trusted. Calibrated by `bench/registration.ts --check` on the FLAIR with T1 or
 * T2 of 21 visits of three centres, all registered: 0.134–0.304. The same FLAIRs in 40 pairings with other people’s T1 or T2,
 * registered in earnest: at most 0.086; right maps moved by 5 or 10 mm or turned by 8° or 15°: at most 0.080.
 */
export const trustThreshold = 0.11

export const trustworthy = (check: number): boolean => check >= trustThreshold

/**
 * Without the outline of the head a shift loses more: where a brain alone counts, right registrations lose 0.44–0.76
 * and those of other people or moved maps at most 0.31. This puts both sides of the threshold where they belong.
 */
const maskedScale = trustThreshold / 0.38

const reach = 4
const shifts: Vec3[] = [
  [reach, 0, 0],
  [-reach, 0, 0],
  [0, reach, 0],
  [0, -reach, 0],
  [0, 0, reach],
  [0, 0, -reach],
]
