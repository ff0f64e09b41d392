import { RunError, UsageError } from '../errors.js'
import type { MethodEntry } from '../methods/define.js'
import { loadMethod, methodEntry } from '../methods/registry.js'
import { parametersOf } from '../run/segment.js'

/** A method with all its parameters settled. */
export interface PlannedMethod {
  entry: MethodEntry
  params: Record<string, unknown>
  /** What each parameter is. */
  notes: Record<string, string>
}

/**
 * Settles which methods run with which parameters.
 *
 * @param given values by `method.name`; the others take the method's defaults
 * @throws UsageError for an unknown method or parameter, or a method named twice
 */
export async function planMethods(
  ids: readonly string[],
  given: Readonly<Record<string, unknown>>,
): Promise<PlannedMethod[]> {
  if (ids.length === 0) throw new UsageError('no method is named; give --methods ID,ID (see `lesionwise methods`)')
  const twice = ids.find((id, i) => ids.indexOf(id) !== i)
  if (twice) throw new UsageError(`the method "${twice}" is named twice in --methods`)
  const params = new Map<string, Record<string, unknown>>(ids.map((id) => [methodEntry(id).id, {}]))
  for (const [key, value] of Object.entries(given)) {
    const [method, ...name] = key.split('.')
    const own = params.get(method)
    if (!own || name.length === 0)
      throw new UsageError(
        `--param takes METHOD.NAME=VALUE with a method of --methods (${ids.join(', ')}), not "${key}"`,
      )
    own[name.join('.')] = value
  }
  return await Promise.all(
    ids.map(async (id) => {
      const method = await loadMethod(id)
      const notes = Object.entries(method.params.shape).map(([name, schema]) => [
        name,
        (schema as { description?: string }).description ?? '',
      ])
      return {
        entry: methodEntry(id),
        params: parametersOf(method, params.get(id)!),
        notes: Object.fromEntries(notes) as Record<string, string>,
      }
    }),
  )
}

/** @throws RunError when the folder holds something and must not, or holds something else than a benchmark's results */
export function assertUsable(folder: string, names: readonly string[], resume: boolean): void {
  const visible = names.filter((name) => !name.startsWith('.'))
  if (visible.length === 0) return
  const ours = visible.includes('runs')
  if (!ours)
    throw new RunError(
      `${folder}: the folder holds other things (${visible.slice(0, 3).join(', ')}); give another --out`,
    )
  if (!resume)
    throw new RunError(
      `${folder}: holds the results of a benchmark already; give --resume to run only what is missing, or another --out`,
    )
}
