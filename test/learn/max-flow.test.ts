import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlowGraph } from '../../src/learn/max-flow.js'
import { seededRandom } from '../../src/random.js'

test('a graph worked out by hand', () => {
  // source → 0 (3), source → 1 (2), 0 → 1 (1), 0 → 2 (1), 1 → 2 (4), 2 → sink (10): the cut is 3 → {0 → 1, 0 → 2} plus 2
  const graph = new FlowGraph(3)
  graph.terminal(0, 3, 0)
  graph.terminal(1, 2, 0)
  graph.terminal(2, 0, 10)
  graph.arc(0, 1, 1)
  graph.arc(0, 2, 1)
  graph.arc(1, 2, 4)
  const { flow, source } = graph.solve()
  assert.equal(flow, 4)
  assert.deepEqual([...source], [1, 0, 0])
})

test('the flow is the least cut of all, on random graphs', () => {
  const random = seededRandom(7)
  for (let trial = 0; trial < 60; trial++) {
    const n = 7
    const graph = new FlowGraph(n, 2)
    const arcs: [number, number, number][] = []
    for (let e = 0; e < 24; e++) {
      const [a, b] = [Math.floor(random() * (n + 1)) - 1, Math.floor(random() * (n + 1))]
      const capacity = Math.floor(random() * 10)
      if (a === b || (a === -1 && b === n)) continue
      arcs.push([a, b, capacity])
      if (a === -1) graph.terminal(b, capacity, 0)
      else if (b === n) graph.terminal(a, 0, capacity)
      else graph.arc(a, b, capacity)
    }
    const cost = (isSource: (node: number) => boolean) =>
      arcs.reduce((sum, [a, b, c]) => sum + (isSource(a) && !isSource(b) ? c : 0), 0)
    let least = Infinity
    for (let set = 0; set < 2 ** n; set++) {
      const inSet = (node: number) => node === -1 || (node < n && ((set >> node) & 1) === 1)
      least = Math.min(least, cost(inSet))
    }
    const { flow, source } = graph.solve()
    assert.equal(flow, least)
    assert.equal(
      cost((node) => node === -1 || source[node] === 1),
      least,
    )
  }
})

test('an infinite path is refused', () => {
  const graph = new FlowGraph(1)
  graph.terminal(0, Infinity, Infinity)
  assert.throws(() => graph.solve(), RangeError)
})
