import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bitOffsets, isSimple, neighbourBit, type Topology } from '../../src/learn/simple-point.js'
import { seededRandom } from '../../src/random.js'

const topologies: Topology[] = ['26,6', '6,26', '18,6', '6,18']
type Point = readonly number[]

const apart = (a: Point, b: Point) => {
  const d = a.map((v, axis) => Math.abs(v - b[axis]))
  return Math.max(...d) > 1 ? 9 : d[0] + d[1] + d[2]
}
const reach: Record<string, number> = { 6: 1, 18: 2, 26: 3 }

/** By lists of points and the definition: geodesic neighbourhoods, then their components. */
function bruteForce(object: readonly Point[], topology: Topology): boolean {
  const [n, m] = topology.split(',')
  const background = bitOffsets.filter((p) => !object.includes(p))
  const number = (set: readonly Point[], connectivity: string, dual: string): number => {
    const length = connectivity === '6' ? (dual === '26' ? 2 : 3) : connectivity === '18' ? 2 : 1
    // Points that a path within the set reaches from the centre.
    let reached = set.filter((p) => apart(p, [0, 0, 0]) <= reach[connectivity])
    for (let step = 1; step < length; step++) {
      const now = reached
      reached = set.filter((p) => now.includes(p) || now.some((q) => apart(p, q) <= reach[connectivity]))
    }
    const left = new Set(reached)
    let components = 0
    for (const seed of reached) {
      if (!left.delete(seed)) continue
      components++
      const queue = [seed]
      for (let p = queue.pop(); p; p = queue.pop())
        for (const q of [...left]) if (apart(p, q) <= reach[connectivity] && left.delete(q)) queue.push(q)
    }
    return components
  }
  return number(object, n, m) === 1 && number(background, m, n) === 1
}

test('agrees with counting components by hand on random neighbourhoods of any density', () => {
  const random = seededRandom(1)
  const found = new Map(topologies.map((topology) => [topology, 0]))
  for (let trial = 0; trial < 2500; trial++) {
    const density = random()
    let bits = 0
    for (let b = 0; b < 26; b++) if (random() < density) bits |= 1 << b
    const object = bitOffsets.filter((_, b) => (bits >> b) & 1)
    for (const topology of topologies) {
      const simple = isSimple(bits, topology)
      assert.equal(simple, bruteForce(object, topology), `${topology} ${bits.toString(2)}`)
      if (simple) found.set(topology, found.get(topology)! + 1)
    }
  }
  for (const [topology, count] of found) assert.ok(count > 100, `${topology}: only ${count} simple`)
})

test('of all neighbourhoods 25 985 144 are simple for (26,6), and as many for (6,26)', () => {
  const random = seededRandom(2)
  const trials = 100_000
  let [count, dual] = [0, 0]
  for (let trial = 0; trial < trials; trial++) {
    const bits = Math.floor(random() * 2 ** 26)
    if (isSimple(bits, '26,6')) count++
    if (isSimple(~bits & (2 ** 26 - 1), '6,26')) dual++
  }
  assert.equal(count, dual)
  // Four standard deviations of a share of 0.387 in so many trials.
  assert.ok(Math.abs(count / trials - 25_985_144 / 2 ** 26) < 0.0062, `${count / trials}`)
})

test('ends, bridges, cavities and single voxels', () => {
  const bits = (...points: [number, number, number][]) =>
    points.reduce((sum, [x, y, z]) => sum | neighbourBit(x + 1 + 3 * (y + 1) + 9 * (z + 1)), 0)
  for (const topology of topologies) {
    assert.equal(isSimple(0, topology), false, `${topology}: alone`)
    assert.equal(isSimple(2 ** 26 - 1, topology), false, `${topology}: inside`)
    assert.equal(isSimple(bits([1, 0, 0]), topology), true, `${topology}: end of a line`)
    assert.equal(isSimple(bits([1, 0, 0], [-1, 0, 0]), topology), false, `${topology}: middle of a line`)
    // All but one face neighbour: a cavity would reach the outside, no tunnel opens.
    assert.equal(isSimple((2 ** 26 - 1) ^ bits([0, 0, 1]), topology), true, `${topology}: foot of a pit`)
  }
  // Two voxels that touch by an edge beside the voxel: one piece for 18 and 26, two for 6.
  const edge = bits([1, 0, 0], [0, 1, 0])
  assert.deepEqual(
    topologies.map((topology) => isSimple(edge, topology)),
    [true, false, true, false],
  )
  // A corner neighbour touches only by 26.
  assert.deepEqual(
    topologies.map((topology) => isSimple(bits([1, 1, 1]), topology)),
    [true, false, false, false],
  )
})
