import { type Connectivity, labelComponents } from '../volume/components.js'
import { emptyMask, type Mask, maskWhere } from '../volume/volume.js'
import { lesionsOf } from './contingency.js'
import { scorerVoxelVolume } from './lesionwise.js'
import { assertSameGrid } from './overlap.js'

export interface EvolutionRule {
  connectivity: Connectivity
  /** Smaller lesions are left out of both visits; one that gained no more than this counts as the same. */
  minimumMm3: number
  /** A lesion of which at most this fraction was there before is new. */
  alpha: number
  /** A lesion whose new part is at most this fraction of its old part is the same. */
  beta: number
  /** One whose new part is more than this fraction of its old part … */
  gamma: number
  /** … and more than this is new as a whole. */
  gammaMm3: number
}

/** The program's own constants. */
export const animaEvolution: EvolutionRule = {
  connectivity: 6,
  minimumMm3: 6,
  alpha: 0,
  beta: 0.05,
  gamma: 0.5,
  gammaMm3: 12,
}

/** Values of the labels of `lesionEvolution`. */
export const evolutionLabels = { same: 1, new: 2, growing: 3 } as const

export interface LesionEvolution {
  /** Of the second visit's lesions: 1 was there, 2 new lesion, 3 grown part of a lesion that was there. */
  labels: Mask
  /** Lesions of the second visit by what became of them; the parts of a grown one are not told apart. */
  same: number
  new: number
  growing: number
}

/**
 * What became of the lesions since the first visit, as animaLesionEvolutionDetection of Anima-Public tells it.
 *
 * Kept from the program: a new lesion of exactly the smallest size counts as the same, and a lesion has grown only if
 * the smallest connected piece of its new part, not the largest, exceeds `beta` of its old part.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function lesionEvolution(before: Mask, after: Mask, rule: EvolutionRule = animaEvolution): LesionEvolution {
  assertSameGrid(before, after)
  const voxel = scorerVoxelVolume(before)
  const smallest = Math.ceil(rule.minimumMm3 / voxel)
  const was = lesionsOf(before, rule.connectivity, smallest).labels.data
  const is = lesionsOf(after, rule.connectivity, smallest)
  const old = new Uint32Array(is.count + 1)
  for (let i = 0; i < was.length; i++) if (was[i] !== 0) old[is.labels.data[i]]++
  const leastPiece = smallestPieces(maskWhere(is.labels, (lesion, i) => lesion !== 0 && was[i] === 0))
  const fates = Uint8Array.from(is.sizes, (size, lesion) => {
    const added = size - old[lesion]
    const ratio = added / old[lesion]
    if (lesion === 0) return 0
    if (added <= smallest || ratio <= rule.beta) return evolutionLabels.same
    if (old[lesion] / size <= rule.alpha) return evolutionLabels.new
    if (ratio > rule.gamma && added * voxel > rule.gammaMm3) return evolutionLabels.new
    return leastPiece[lesion] / old[lesion] > rule.beta ? evolutionLabels.growing : evolutionLabels.same
  })
  const labels = emptyMask(after)
  for (let i = 0; i < was.length; i++) {
    const fate = fates[is.labels.data[i]]
    labels.data[i] = fate === evolutionLabels.growing && was[i] !== 0 ? evolutionLabels.same : fate
  }
  const count = (fate: number) => fates.filter((f) => f === fate).length
  return {
    labels,
    same: count(evolutionLabels.same),
    new: count(evolutionLabels.new),
    growing: count(evolutionLabels.growing),
  }

  /** Of each lesion the size of the smallest piece of `added`; two lesions never share one, as they do not touch. */
  function smallestPieces(added: Mask): Float64Array {
    const pieces = labelComponents(added, rule.connectivity)
    const least = new Float64Array(is.count + 1).fill(Number.POSITIVE_INFINITY)
    for (let i = 0; i < was.length; i++) {
      const piece = pieces.labels.data[i]
      if (piece !== 0) least[is.labels.data[i]] = Math.min(least[is.labels.data[i]], pieces.sizes[piece])
    }
    return least
  }
}
