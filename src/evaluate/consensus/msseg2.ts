import { type Connectivity, labelComponents } from '../../volume/components.js'
import { type Mask, maskWhere } from '../../volume/volume.js'
import { decisionPatterns, judged } from './patterns.js'
import { unionOf } from './region.js'
import { asLabels, assertRaters, type Consensus, performanceAgainst, type RaterMap } from './types.js'

export interface Msseg2Options {
  /** A lesion drawn by so many raters is kept. Default: more than half of them, 3 of 4. */
  quorum?: number
  /**
   * What is done with lesions that fewer raters drew, which another expert should look at: `drop` them (default),
   * `keep` them, or `mark` them: label 2 where half of those who drew them agree.
   */
  doubtful?: 'drop' | 'keep' | 'mark'
  /** Which voxels of different raters touch and so belong to one lesion. Default 18; the challenge does not say. */
  connectivity?: Connectivity
  /** Region over which the raters' performance is counted; see `decisionPatterns`. Default 2. */
  dilation?: number
  /** Cut of maps of probability. Default 0.5. */
  threshold?: number
}

/** A lesion that too few raters drew, or enough of them. */
export interface Msseg2Lesion {
  /** Which raters drew at least one voxel of it, in the order in which they were given. */
  drawnBy: readonly boolean[]
  /** Voxels that anybody drew. */
  voxels: number
  kept: boolean
}

export interface Msseg2Consensus extends Consensus {
  /** Where lesions are that fewer than `quorum` raters drew: everything that any of them drew. */
  review: Mask
  /** In the order of their first voxels. */
  lesions: readonly Msseg2Lesion[]
}

/**
 * The rule of the MSSEG-2 challenge (Commowick et al. 2021): a lesion drawn by at least three of four experts is kept;
 * one drawn by fewer is for another expert to judge. Within a lesion a voxel is kept when at least half of those who
 * drew that lesion drew the voxel. A lesion is a component of what all raters drew together; labels above 1 are lesion
 * too. The soft map is the share of those who drew the lesion, and 0 where a lesion is not kept.
 *
 * @throws RangeError when there are fewer than two raters, they are not on one grid, or the quorum is not among them
 */
export function msseg2(raters: readonly RaterMap[], options: Msseg2Options = {}): Msseg2Consensus {
  assertRaters(raters)
  const { doubtful = 'drop', connectivity = 18, dilation = 2, threshold = 0.5 } = options
  const quorum = options.quorum ?? Math.floor(raters.length / 2) + 1
  if (!(Number.isInteger(quorum) && quorum >= 1 && quorum <= raters.length))
    throw new RangeError(`A quorum of ${quorum} does not go with ${raters.length} raters.`)
  const masks = raters.map((rater) => asLabels(rater, threshold))
  const union = unionOf(masks)
  const components = labelComponents(union, connectivity)
  const lesionOf = components.labels.data
  const drew = masks.map(({ data }) => {
    const own = new Uint8Array(components.count + 1)
    for (let i = 0; i < data.length; i++) if (data[i] !== 0) own[lesionOf[i]] = 1
    return own
  })
  const drawers = Uint16Array.from({ length: components.count + 1 }, (_, lesion) =>
    drew.reduce((n, own) => n + own[lesion], 0),
  )
  const labels = new Uint8Array(union.data.length)
  const share = new Float32Array(union.data.length)
  for (let i = 0; i < labels.length; i++) {
    const lesion = lesionOf[i]
    if (lesion === 0) continue
    const kept = drawers[lesion] >= quorum
    if (!kept && doubtful === 'drop') continue
    let votes = 0
    for (const { data } of masks) if (data[i] !== 0) votes++
    if (2 * votes >= drawers[lesion]) labels[i] = kept || doubtful === 'keep' ? 1 : 2
    if (labels[i] !== 2 && (kept || doubtful === 'keep')) share[i] = votes / drawers[lesion]
  }
  const { dims, affine } = union
  const consensus = { dims, affine, data: labels }
  return {
    labels: consensus,
    probability: { dims, affine, data: share },
    raters: performanceOf(masks, consensus, dilation),
    iterations: 1,
    converged: true,
    review: maskWhere(components.labels, (lesion) => lesion !== 0 && drawers[lesion] < quorum),
    lesions: Array.from({ length: components.count }, (_, n) => ({
      drawnBy: drew.map((own) => own[n + 1] === 1),
      voxels: components.sizes[n + 1],
      kept: drawers[n + 1] >= quorum,
    })),
  }
}

/** Raters against the lesions that are kept (label 1): the consensus takes the place of one more rater in the patterns. */
function performanceOf(masks: readonly Mask[], consensus: Mask, dilation: number) {
  const patterns = decisionPatterns([...masks, maskWhere(consensus, (label) => label === 1)], dilation)
  const truth = Float64Array.from(patterns.counts, (_, row) => patterns.said[(row + 1) * patterns.raters - 1])
  return performanceAgainst(judged(patterns, truth)).slice(0, masks.length)
}
