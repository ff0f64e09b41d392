import type { Lattice } from './lattice.js'
import { FlowGraph } from './max-flow.js'

/**
 * The least cut of a lattice between lesion (source) and tissue (sink): which voxels end on the source's side.
 *
 * @param source capacity from the source to each voxel of the lattice, ≥ 0
 * @param sink capacity from each voxel to the sink, ≥ 0
 * @param link capacity between two neighbours (places in the lattice), the same both ways, ≥ 0
 * @returns 1 for lesion, for each voxel of the lattice
 */
export function cutLattice(
  { voxels, neighbours }: Lattice,
  source: ArrayLike<number>,
  sink: ArrayLike<number>,
  link: (a: number, b: number) => number,
): Uint8Array {
  const graph = new FlowGraph(voxels.length, 4 * voxels.length)
  for (let v = 0; v < voxels.length; v++) {
    // Only the difference of the two terminals decides: one arc instead of two.
    const odds = source[v] - sink[v]
    graph.terminal(v, Math.max(0, odds), Math.max(0, -odds))
    for (const side of [1, 3, 5]) {
      const other = neighbours[6 * v + side]
      if (other < 0) continue
      const capacity = link(v, other)
      if (capacity > 0) graph.arc(v, other, capacity, capacity)
    }
  }
  return graph.solve().source
}
