import { InputError } from '../errors.js'

/** Groups shared out so that each fold has about as much lesion as the others: the largest first, each to the emptiest fold. */
export function foldsOf(scans: readonly { group: string; referenceMl: number }[], count: number): Set<string>[] {
  const load = new Map<string, number>()
  for (const { group, referenceMl } of scans) load.set(group, (load.get(group) ?? 0) + referenceMl)
  const folds = Array.from({ length: Math.min(count, load.size) }, () => ({ groups: new Set<string>(), load: 0 }))
  if (folds.length < 2) return []
  for (const [group, ml] of [...load].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))) {
    const emptiest = folds.reduce((best, fold) =>
      fold.groups.size < best.groups.size || (fold.groups.size === best.groups.size && fold.load < best.load)
        ? fold
        : best,
    )
    emptiest.groups.add(group)
    emptiest.load += ml
  }
  return folds.map(({ groups }) => groups)
}

/**
 * The groups of each centre.
 * @throws InputError when the centre of a scan is not told, there is but one, or a group has scans of two
 */
export function centresOf(
  scans: readonly { id: string; group: string; centre?: string }[],
  data: string,
): Set<string>[] {
  const centres = new Map<string, Set<string>>()
  const where = new Map<string, string>()
  for (const { id, group, centre } of scans) {
    if (centre === undefined)
      throw new InputError(
        data,
        `does not say at which centre ${id} was scanned`,
        'add a column "centre" (in BIDS to participants.tsv), or leave out groups',
      )
    const earlier = where.get(group) ?? centre
    if (earlier !== centre)
      throw new InputError(
        data,
        `has scans of ${group} from ${earlier} and from ${centre}`,
        'no centre can be left out whole then; leave out groups',
      )
    where.set(group, centre)
    centres.set(centre, (centres.get(centre) ?? new Set()).add(group))
  }
  if (centres.size < 2)
    throw new InputError(data, `has scans of one centre alone (${[...centres.keys()]})`, 'leave out groups')
  return [...centres.keys()].sort().map((name) => centres.get(name)!)
}
