import { cheapestAssignment } from './assignment.js'

/** A possible pair of lesion `reference` of one list and lesion `candidate` of another. */
interface Pair {
  reference: number
  candidate: number
}

const inOrder = <P extends Pair>(pairs: P[]): P[] =>
  pairs.sort((p, q) => p.reference - q.reference || p.candidate - q.candidate)

/** The pair of highest merit of each candidate lesion; of equals the first. */
export function firstChoices<P extends Pair>(pairs: readonly P[], merit: (pair: P) => number): P[] {
  const choice = new Map<number, P>()
  for (const pair of pairs) {
    const held = choice.get(pair.candidate)
    if (held === undefined || merit(pair) > merit(held)) choice.set(pair.candidate, pair)
  }
  return inOrder([...choice.values()])
}

/**
 * Pairs of the highest total merit in which every lesion stands at most once; merits are positive. Lesions that are
 * not linked by pairs cannot compete, so that each linked group is solved by itself: a group is small, the whole is not.
 */
export function bestAssignment<P extends Pair>(pairs: readonly P[], merit: (pair: P) => number): P[] {
  return inOrder(linkedGroups(pairs).flatMap((group) => (group.length === 1 ? group : assign(group, merit))))
}

function assign<P extends Pair>(pairs: readonly P[], merit: (pair: P) => number): P[] {
  const rows = new Map<number, number>()
  const columns = new Map<number, number>()
  for (const { reference, candidate } of pairs) {
    if (!rows.has(reference)) rows.set(reference, rows.size)
    if (!columns.has(candidate)) columns.set(candidate, columns.size)
  }
  // What is no pair costs nothing and earns nothing: to be assigned to it is to stay alone.
  const cost = new Float64Array(rows.size * columns.size)
  const at = (p: Pair) => rows.get(p.reference)! * columns.size + columns.get(p.candidate)!
  for (const p of pairs) cost[at(p)] = -merit(p)
  const columnOf = cheapestAssignment(cost, rows.size, columns.size)
  return pairs.filter((p) => columnOf[rows.get(p.reference)!] === columns.get(p.candidate)!)
}

/** Pairs in groups: two pairs with a lesion in common are in one. */
function linkedGroups<P extends Pair>(pairs: readonly P[]): P[][] {
  const parent = Int32Array.from(pairs.keys())
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]]
    return i
  }
  for (const key of ['reference', 'candidate'] as const) {
    const first = new Map<number, number>()
    for (const [i, pair] of pairs.entries()) {
      const other = first.get(pair[key])
      if (other === undefined) first.set(pair[key], i)
      else parent[find(i)] = find(other)
    }
  }
  const groups = new Map<number, P[]>()
  for (const [i, pair] of pairs.entries()) {
    const root = find(i)
    if (!groups.has(root)) groups.set(root, [])
    groups.get(root)!.push(pair)
  }
  return [...groups.values()]
}
