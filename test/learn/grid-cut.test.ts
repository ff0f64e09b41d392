import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutLattice } from '../../src/learn/grid-cut.js'
import { type Lattice, latticeOf } from '../../src/learn/lattice.js'
import { FlowGraph } from '../../src/learn/max-flow.js'
import { seededRandom } from '../../src/random.js'
import { identity, type Vec3 } from '../../src/volume/affine.js'

const grid = (dims: Vec3, inside: (at: number) => boolean = () => true): Lattice =>
  latticeOf({
    dims,
    affine: identity,
    data: Uint8Array.from({ length: dims[0] * dims[1] * dims[2] }, (_, at) => (inside(at) ? 1 : 0)),
  })

/** The same cut by flow over all voxels. */
function wholeCut(
  { voxels, neighbours }: Lattice,
  source: ArrayLike<number>,
  sink: ArrayLike<number>,
  link: (a: number, b: number) => number,
): { flow: number; source: Uint8Array } {
  const graph = new FlowGraph(voxels.length)
  voxels.forEach((_, v) => {
    graph.terminal(v, source[v], sink[v])
    for (const s of [1, 3, 5]) {
      const other = neighbours[6 * v + s]
      if (other >= 0) graph.arc(v, other, link(v, other), link(v, other))
    }
  })
  return graph.solve()
}

/** Random terminals and links (the same both ways) of a lattice. */
function problem(lattice: Lattice, seed: number) {
  const random = seededRandom(seed)
  const n = lattice.voxels.length
  const source = Float64Array.from({ length: n }, () => random())
  const sink = Float64Array.from({ length: n }, () => random())
  const scale = 0.05 + 0.5 * random()
  const values = Float32Array.from({ length: n * n }, () => scale * random())
  const link = (a: number, b: number) => values[Math.min(a, b) * n + Math.max(a, b)]
  /** What a cut costs: terminals left behind and links between its sides. */
  const cost = (side: ArrayLike<number>): number => {
    let sum = 0
    for (let v = 0; v < n; v++) {
      sum += side[v] ? sink[v] : source[v]
      for (const s of [1, 3, 5]) {
        const other = lattice.neighbours[6 * v + s]
        if (other >= 0 && side[v] !== side[other]) sum += link(v, other)
      }
    }
    return sum
  }
  return { source, sink, link, cost }
}

const pullOf = ({ source, sink }: { source: Float64Array; sink: Float64Array }) => source.map((s, v) => s - sink[v])

test('the least of all cuts of small grids, by trying each', () => {
  const lattice = grid([3, 2, 2])
  for (let seed = 1; seed <= 20; seed++) {
    const { source, sink, link, cost } = problem(lattice, seed)
    let least = Infinity
    for (let set = 0; set < 1 << 12; set++)
      least = Math.min(least, cost(Array.from({ length: 12 }, (_, v) => (set >> v) & 1)))
    assert.ok(Math.abs(cost(wholeCut(lattice, source, sink, link).source) - least) < 1e-6)
    assert.ok(Math.abs(cost(cutLattice(lattice, pullOf({ source, sink }), link)) - least) < 1e-6)
  }
})

test('on random grids of 5 × 5 × 5 voxels the cut costs as much as flows', () => {
  for (let seed = 1; seed <= 30; seed++) {
    // Some with holes in the mask.
    const lattice = grid([5, 5, 5], (at) => seed % 3 > 0 || at % 7 > 0)
    const { source, sink, link, cost } = problem(lattice, seed)
    const { flow, source: whole } = wholeCut(lattice, source, sink, link)
    assert.ok(Math.abs(cost(whole) - flow) < 1e-6, `cut ${cost(whole)}, flow ${flow}`)
    assert.deepEqual(cutLattice(lattice, pullOf({ source, sink }), link), whole)
  }
})

test('without links each voxel goes to its stronger terminal; strong links take all along', () => {
  const lattice = grid([4, 4, 4])
  const { source, sink } = problem(lattice, 5)
  const stronger = Uint8Array.from(source, (s, v) => (s > sink[v] ? 1 : 0))
  const pull = pullOf({ source, sink })
  const total = pull.reduce((sum, p) => sum + p, 0)
  for (const cut of [
    (link: () => number) => wholeCut(lattice, source, sink, link).source,
    (link: () => number) => cutLattice(lattice, pull, link),
  ]) {
    assert.deepEqual(
      cut(() => 0),
      stronger,
    )
    assert.deepEqual(
      cut(() => 1000),
      new Uint8Array(64).fill(total > 0 ? 1 : 0),
    )
  }
})
