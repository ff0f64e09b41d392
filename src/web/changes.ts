import { findLesions } from '../lesions/instances.js'
import { percentiles } from '../volume/histogram.js'
import { emptyImage, type Image, type Mask, maskWhere, type Volume, voxelVolume } from '../volume/volume.js'

/** What became of lesion since an earlier visit; a voxel's class is its place in this list and one. */
export const changeNames = ['stable', 'new', 'growing', 'shrinking', 'vanished'] as const
export type ChangeName = (typeof changeNames)[number]

export interface Changes {
  /** 0 where neither visit has lesion. */
  classes: Uint8Array
  /** Millilitres of each class. */
  ml: Record<ChangeName, number>
  /** Lesions of this visit that touch none of the earlier one, and the other way round. */
  newLesions: number
  vanishedLesions: number
}

/**
 * Compares two masks on one grid. A lesion that overlaps none of the earlier visit is new, one of the earlier visit that
 * overlaps none of this one has vanished; of lesions seen in both, voxels of this visit alone are growing, of the earlier
 * one alone shrinking. Half a voxel of misalignment shows as a rim of both.
 */
export function changesSince(earlier: Mask, now: Mask): Changes {
  const classes = new Uint8Array(now.data.length)
  const counts = changeNames.map(() => 0)
  const all = { minimumSizeMm3: 0, minimumVoxels: 1 }
  const [mine, theirs] = [findLesions(now, all), findLesions(earlier, all)]
  const [metNow, metEarlier] = [new Set<number>(), new Set<number>()]
  for (let at = 0; at < classes.length; at++)
    if (now.data[at] !== 0 && earlier.data[at] !== 0) {
      metNow.add(mine.labels.data[at])
      metEarlier.add(theirs.labels.data[at])
    }
  for (let at = 0; at < classes.length; at++) {
    const name = classOf(now.data[at], earlier.data[at], metNow.has(mine.labels.data[at]), () =>
      metEarlier.has(theirs.labels.data[at]),
    )
    if (!name) continue
    const index = changeNames.indexOf(name)
    classes[at] = index + 1
    counts[index]++
  }
  const voxelMl = voxelVolume(now) / 1000
  return {
    classes,
    ml: Object.fromEntries(changeNames.map((name, i) => [name, counts[i] * voxelMl])) as Changes['ml'],
    newLesions: mine.lesions.length - metNow.size,
    vanishedLesions: theirs.lesions.length - metEarlier.size,
  }
}

function classOf(now: number, earlier: number, seenBefore: boolean, seenSince: () => boolean): ChangeName | undefined {
  if (now !== 0) return earlier !== 0 ? 'stable' : seenBefore ? 'growing' : 'new'
  return earlier === 0 ? undefined : seenSince() ? 'shrinking' : 'vanished'
}

/**
 * This visit less the earlier one, on one grid, the earlier one brought to this one's scale by the median and the
 * quartiles of what both see. In shares of the interquartile range; 0 where one of them sees nothing.
 */
export function differenceSince(earlier: Image, now: Image): Image {
  const seen = maskWhere(now, (value, at) => value > 0 && earlier.data[at] > 0)
  const scale = (image: Volume) => {
    const [low, middle, high] = percentiles(image, [25, 50, 75], seen)
    return { middle, range: high - low || 1 }
  }
  const [a, b] = [scale(now), scale(earlier)]
  const out = emptyImage(now)
  for (let at = 0; at < out.data.length; at++)
    if (seen.data[at] !== 0)
      out.data[at] = (now.data[at] - a.middle) / a.range - (earlier.data[at] - b.middle) / b.range
  return out
}
