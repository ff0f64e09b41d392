/** Places of values, and how ties were dealt with. */
export interface Ranks {
  /** 1 is the least; values that tie share the mean of their places. */
  ranks: number[]
  /** Sum of t³ − t over groups of t tied values; 0 without ties. */
  ties: number
}

/** Ranks of values that hold no NaN, least first, ties at their mean. */
export function midRanks(values: readonly number[]): Ranks {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b] || 0)
  const ranks = new Array<number>(values.length)
  let ties = 0
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && values[order[to]] === values[order[from]]) to++
    const size = to - from
    ties += size ** 3 - size
    for (let i = from; i < to; i++) ranks[order[i]] = (from + 1 + to) / 2
    from = to
  }
  return { ranks, ties }
}

/**
 * Kendall's rank correlation τ-b of two lists (Kendall 1945, Biometrika 33:239); pairs with a NaN are left out.
 * NaN when one list has but one value.
 */
export function kendallTau(a: readonly number[], b: readonly number[]): number {
  const use = a.map((_, i) => i).filter((i) => !Number.isNaN(a[i]) && !Number.isNaN(b[i]))
  let [balance, inA, inB] = [0, 0, 0]
  for (let i = 1; i < use.length; i++)
    for (let j = 0; j < i; j++) {
      const byA = Math.sign(a[use[i]] - a[use[j]])
      const byB = Math.sign(b[use[i]] - b[use[j]])
      balance += byA * byB
      inA += byA * byA
      inB += byB * byB
    }
  return balance / Math.sqrt(inA * inB)
}
