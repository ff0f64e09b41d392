/** Connectivity of an object and of its background: only these pairs make a digital topology without contradictions. */
export type Topology = '26,6' | '6,26' | '18,6' | '6,18'

/**
 * The 26 neighbours of a voxel as bits of a number: bit of (dx, dy, dz) by rows along x, then y, then z, the centre left
 * out. @param at dx + 1 + 3 · (dy + 1) + 9 · (dz + 1)
 */
export const neighbourBit = (at: number): number => 1 << (at < 13 ? at : at - 1)

/** Offset (dx, dy, dz) of each bit. */
export const bitOffsets: readonly (readonly [number, number, number])[] = Array.from({ length: 27 }, (_, at) => at)
  .filter((at) => at !== 13)
  .map((at) => [(at % 3) - 1, (Math.floor(at / 3) % 3) - 1, Math.floor(at / 9) - 1])

/** Bits whose offset touches the centre by faces, edges too, corners too. */
const around: Record<6 | 18 | 26, number> = { 6: touching(6), 18: touching(18), 26: touching(26) }

/** For each bit, the bits that it touches among the 26. */
const touched: Record<6 | 18 | 26, Int32Array> = {
  6: touchedBy(6),
  18: touchedBy(18),
  26: touchedBy(26),
}

/**
 * Whether a voxel can change sides without changing the topology of object and background: nothing is split or joined,
 * no tunnel and no cavity opens or closes. True when both sides meet the voxel in exactly one piece (topological numbers
 * of one; Bertrand & Malandain 1994). Which side the voxel is on itself does not matter.
 *
 * @param object the neighbours that belong to the object, as bits; beyond the volume is background
 */
export function isSimple(object: number, topology: Topology): boolean {
  const background = ~object & all
  switch (topology) {
    case '26,6':
      return pieces(object, 26, 1) === 1 && pieces(background, 6, 2) === 1
    case '6,26':
      return pieces(object, 6, 2) === 1 && pieces(background, 26, 1) === 1
    case '18,6':
      return pieces(object, 18, 2) === 1 && pieces(background, 6, 3) === 1
    case '6,18':
      return pieces(object, 6, 3) === 1 && pieces(background, 18, 2) === 1
  }
}

const all = (1 << 26) - 1

/** Pieces of a set among what paths of at most `length` steps within it reach from the voxel. */
function pieces(set: number, connectivity: 6 | 18 | 26, length: number): number {
  const next = touched[connectivity]
  let reached = set & around[connectivity]
  for (let step = 1; step < length; step++) reached |= spread(reached, next) & set
  let count = 0
  while (reached !== 0) {
    let piece = reached & -reached
    for (let grown = piece; grown !== 0; ) {
      const wider = (piece | spread(grown, next)) & reached
      grown = wider & ~piece
      piece = wider
    }
    reached &= ~piece
    count++
  }
  return count
}

/** Everything that the bits of a set touch. */
function spread(set: number, next: Int32Array): number {
  let out = 0
  for (let left = set; left !== 0; left &= left - 1) out |= next[31 - Math.clz32(left & -left)]
  return out
}

function steps(a: readonly number[], b: readonly number[]): number {
  const d = a.map((v, axis) => Math.abs(v - b[axis]))
  return Math.max(...d) > 1 ? 9 : d[0] + d[1] + d[2]
}

function touching(connectivity: 6 | 18 | 26): number {
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity]
  return bitOffsets.reduce((bits, offset, b) => (steps(offset, [0, 0, 0]) <= reach ? bits | (1 << b) : bits), 0)
}

function touchedBy(connectivity: 6 | 18 | 26): Int32Array {
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity]
  return Int32Array.from(bitOffsets, (from) =>
    bitOffsets.reduce((bits, to, b) => (to !== from && steps(from, to) <= reach ? bits | (1 << b) : bits), 0),
  )
}
