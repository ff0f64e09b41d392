/** What happens between two visits. */
export interface Activity {
  /** New lesions at each visit after the first: their mean number (Poisson). Default 2. */
  newLesions?: number
  /** Chance at each visit that a lesion grows, by 0.5 to 1.2 mm all around. Default 0.15. */
  growing?: number
  /** Chance that it shrinks, by 0.3 to 0.8 mm all around. Default 0.15. */
  shrinking?: number
  /** Chance that it vanishes. Default 0.03. */
  vanishing?: number
}

/** How far a lesion's surface lies beyond its first form at each visit, mm; undefined while there is no lesion. */
export type Course = readonly (number | undefined)[]

/** The course of a lesion that is there from visit `first` (0 for the first) on. */
export function drawCourse(visits: number, first: number, activity: Activity, random: () => number): Course {
  const { growing = 0.15, shrinking = 0.15, vanishing = 0.03 } = activity
  let offset: number | undefined = 0
  return Array.from({ length: visits }, (_, visit) => {
    if (visit < first) return undefined
    if (visit > first && offset !== undefined) {
      const fate = random()
      const amount = random()
      if (fate < growing) offset += 0.5 + 0.7 * amount
      else if (fate < growing + shrinking) offset -= 0.3 + 0.5 * amount
      else if (fate < growing + shrinking + vanishing) offset = undefined
    }
    return offset
  })
}

/** The visits at which new lesions appear, one entry for each. */
export function drawOnsets(visits: number, { newLesions = 2 }: Activity, random: () => number): number[] {
  const onsets: number[] = []
  for (let visit = 1; visit < visits; visit++) for (let n = poisson(newLesions, random); n > 0; n--) onsets.push(visit)
  return onsets
}

/** A number of events of the given mean (Knuth 1969). */
function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean)
  let n = -1
  for (let product = 1; product > limit; n++) product *= random()
  return Math.max(0, n)
}

/** Values of a change map between one visit and the next, both seen in the anatomy of the later one. */
export const changes = { new: 1, growth: 2, shrinkage: 3, vanished: 4 } as const

/**
 * Change between two label maps whose numbers name the same lesions: voxels of a lesion that was not there (1), that
 * joined one that was (2), that left one that still is (3), and that were one that is gone (4).
 */
export function changeMap(before: ArrayLike<number>, after: ArrayLike<number>): Uint8Array {
  const was = new Set<number>()
  const is = new Set<number>()
  for (let i = 0; i < after.length; i++) {
    if (before[i] !== 0) was.add(before[i])
    if (after[i] !== 0) is.add(after[i])
  }
  const out = new Uint8Array(after.length)
  for (let i = 0; i < out.length; i++)
    if (after[i] !== 0 && before[i] === 0) out[i] = was.has(after[i]) ? changes.growth : changes.new
    else if (before[i] !== 0 && after[i] === 0) out[i] = is.has(before[i]) ? changes.shrinkage : changes.vanished
  return out
}
