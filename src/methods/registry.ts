import { UsageError } from '../errors.js'
import type { Modality } from '../volume/study.js'
import { loaders, methodList } from './catalogue.js'
import type { AnySegmentationMethod, MethodEntry } from './define.js'

export { methodList }

/**
 * Tried first when no method is named: the one that holds on scanners that nothing was chosen on. With patients left out
 * `unet2d` is better, with centres left out it is not (docs/accuracy.md).
 */
const preferred = ['roura2015']

/** @throws UsageError naming the closest ids when there is no such method */
export function methodEntry(id: string): MethodEntry {
  const entry = methodList.find((method) => method.id === id)
  if (entry) return entry
  const known = methodList.map((method) => method.id)
  const close = known.filter((name) => distance(name, id.toLowerCase()) <= 3)
  throw new UsageError(
    `there is no method "${id}"; ${close.length > 0 ? `did you mean ${close.join(' or ')}?` : `the methods are ${known.join(', ')}`}`,
  )
}

/** Loads the method's file; listing methods does not. */
export async function loadMethod(id: string): Promise<AnySegmentationMethod> {
  return await loaders[methodEntry(id).id]()
}

/** True when the method can run with these contrasts. */
export const canRunWith = (method: MethodEntry, given: readonly Modality[]): boolean =>
  method.needs.contrasts.some((set) => set.every((modality) => given.includes(modality)))

/** The method to use when the user names none. @throws UsageError when no method can run with these contrasts */
export function defaultMethod(given: readonly Modality[]): MethodEntry {
  const ordered = [...preferred.map(methodEntry), ...methodList.filter(({ id }) => !preferred.includes(id))]
  const method = ordered.find((entry) => !entry.needs.model && canRunWith(entry, given))
  if (method) return method
  throw new UsageError(
    given.includes('flair')
      ? `no method runs with ${given.join(' + ')}`
      : 'no FLAIR is given; give one with --flair FILE',
  )
}

/** @throws UsageError when a contrast that the method needs is not given: an empty mask would read as "healthy" */
export function requireContrasts(method: MethodEntry, given: readonly Modality[]): void {
  if (canRunWith(method, given)) return
  const sets = method.needs.contrasts.map((set) => set.map((m) => `--${m}`).join(' and ')).join(', or ')
  throw new UsageError(`${method.id} needs ${sets}; given: ${given.map((m) => `--${m}`).join(', ') || 'nothing'}`)
}

/** Levenshtein distance, for "did you mean". */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]
}
