import type { Mask } from '../../volume/volume.js'
import type { Measure } from '../protocol.js'

/** The reference of a protocol that has one for each case. @throws RangeError when none or several are given */
export function onlyReference(references: readonly Mask[], protocol: string): Mask {
  if (references.length !== 1)
    throw new RangeError(`Protocol ${protocol} scores against one reference mask, not ${references.length}.`)
  return references[0]
}

/** @throws RangeError when there is no reference */
export function assertReferences(references: readonly Mask[], protocol: string): void {
  if (references.length === 0) throw new RangeError(`Protocol ${protocol} needs at least one rater's reference mask.`)
}

export const measure = (key: string, label: string, unit: Measure['unit'], better: Measure['better']): Measure => ({
  key,
  label,
  unit,
  better,
})
