/**
 * The values of a mask four at a time: whole words that are 0 hold no voxel, and masks are mostly that. What is left over
 * after the last whole word is not covered. Copies only where the values do not begin at a word of their buffer.
 */
export const wordsOf = (data: Uint8Array): Uint32Array =>
  data.byteOffset % 4 === 0
    ? new Uint32Array(data.buffer, data.byteOffset, data.length >> 2)
    : new Uint32Array(data.slice().buffer, 0, data.length >> 2)

/** Calls `visit` with the index of each voxel that is not 0 in `a` or `b`, in storage order; both are of one length. */
export function forEachIn(a: Uint8Array, b: Uint8Array, visit: (at: number) => void): void {
  const [p, q] = [wordsOf(a), wordsOf(b)]
  for (let word = 0; word < p.length; word++) {
    if ((p[word] | q[word]) === 0) continue
    for (let at = 4 * word; at < 4 * word + 4; at++) if ((a[at] | b[at]) !== 0) visit(at)
  }
  for (let at = 4 * p.length; at < a.length; at++) if ((a[at] | b[at]) !== 0) visit(at)
}
