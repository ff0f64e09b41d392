import { type LopStapleOptions, lopStaple } from './consensus/lop-staple.js'
import { type MajorityOptions, majority } from './consensus/majority.js'
import { type Msseg2Options, msseg2 } from './consensus/msseg2.js'
import { type SimpleOptions, simple } from './consensus/simple.js'
import { type StapleOptions, staple } from './consensus/staple.js'
import type { Consensus, RaterMap } from './consensus/types.js'

export type { Consensus, RaterMap, RaterPerformance } from './consensus/types.js'

/** The ways to make one mask out of several, by the names that the command line gives them. */
export const consensusMethods = ['staple', 'majority', 'lop-staple', 'simple', 'msseg2'] as const
export type ConsensusMethod = (typeof consensusMethods)[number]

/** Options of all methods; each takes those that it knows. */
export type ConsensusOptions = StapleOptions & MajorityOptions & LopStapleOptions & SimpleOptions & Msseg2Options

/**
 * What several raters agree on, by one of five rules; see `staple`, `majority`, `lopStaple`, `simple` and `msseg2`.
 * Maps of probability (Float32Array) count as such in `majority` and `lop-staple`; the others cut them at `threshold`.
 *
 * @throws RangeError when there are fewer than two raters, they are not on one grid, or a probability is not within 0–1
 */
export function consensus(
  method: ConsensusMethod,
  raters: readonly RaterMap[],
  options: ConsensusOptions = {},
): Consensus {
  switch (method) {
    case 'staple':
      return staple(raters, options)
    case 'majority':
      return majority(raters, options)
    case 'lop-staple':
      return lopStaple(raters, options)
    case 'simple':
      return simple(raters, options)
    case 'msseg2':
      return msseg2(raters, options)
  }
}
