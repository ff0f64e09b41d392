import type { Lattice } from './lattice.js'
import { FlowGraph } from './max-flow.js'

/**
 * The least cut of a lattice between lesion (source) and tissue (sink). A voxel whose pull to one side is at least the sum
 * of its links ends on that side whatever the others do (persistency: Hammer, Hansen and Simeone 1984); its links then
 * pull at its neighbours, which may be decided by that. Only what is left in doubt, few voxels of a brain, is cut by flow.
 *
 * @param pull capacity from the source less that to the sink, per voxel of the lattice
 * @param link capacity between two neighbours (places in the lattice), the same both ways, ≥ 0
 * @returns 1 for lesion, for each voxel of the lattice
 */
export function cutLattice(
  { voxels, neighbours }: Lattice,
  pull: ArrayLike<number>,
  link: (a: number, b: number) => number,
): Uint8Array {
  const n = voxels.length
  /** Of each voxel to its neighbour along +x, +y, +z. */
  const links = new Float32Array(3 * n)
  const open = new Float64Array(n)
  const odds = Float64Array.from(pull)
  for (let v = 0; v < n; v++)
    for (let axis = 0; axis < 3; axis++) {
      const other = neighbours[6 * v + 2 * axis + 1]
      if (other < 0) continue
      const capacity = (links[3 * v + axis] = link(v, other))
      open[v] += capacity
      open[other] += capacity
    }
  const linkAt = (v: number, side: number): number =>
    (side & 1) === 1 ? links[3 * v + (side >> 1)] : links[3 * neighbours[6 * v + side] + (side >> 1)]

  const [doubt, tissue, lesion] = [2, 0, 1]
  const side = new Uint8Array(n).fill(doubt)
  const stack = Int32Array.from({ length: n }, (_, v) => v)
  const waiting = new Uint8Array(n).fill(1)
  // A decided voxel wakes its neighbours; no voxel waits twice, so the stack never outgrows n.
  for (let top = n; top > 0; ) {
    const v = stack[--top]
    waiting[v] = 0
    if (side[v] !== doubt || Math.abs(odds[v]) < open[v] + rounding) continue
    side[v] = odds[v] > 0 ? lesion : tissue
    for (let s = 0; s < 6; s++) {
      const other = neighbours[6 * v + s]
      if (other < 0 || side[other] !== doubt) continue
      const capacity = linkAt(v, s)
      odds[other] += side[v] === lesion ? capacity : -capacity
      open[other] -= capacity
      if (waiting[other] === 0) {
        waiting[other] = 1
        stack[top++] = other
      }
    }
  }

  const place = new Int32Array(n).fill(-1)
  let left = 0
  for (let v = 0; v < n; v++) if (side[v] === doubt) place[v] = left++
  const graph = new FlowGraph(left, 4 * left)
  for (let v = 0; v < n; v++) {
    if (place[v] < 0) continue
    graph.terminal(place[v], Math.max(0, odds[v]), Math.max(0, -odds[v]))
    for (let axis = 0; axis < 3; axis++) {
      const other = neighbours[6 * v + 2 * axis + 1]
      const capacity = links[3 * v + axis]
      if (other >= 0 && place[other] >= 0 && capacity > 0) graph.arc(place[v], place[other], capacity, capacity)
    }
  }
  const { source } = graph.solve()
  for (let v = 0; v < n; v++) if (place[v] >= 0) side[v] = source[place[v]]
  return side
}

/** Sums of links are exact to about this. */
const rounding = 1e-6
