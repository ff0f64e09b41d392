import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cheapestAssignment } from '../../src/evaluate/assignment.js'
import { seededRandom } from '../../src/random.js'
import { fixed } from '../generators.js'

/** The lowest total by trying every way to give each row (or, with fewer columns, each column) a place of its own. */
function bruteForce(cost: readonly number[], rows: number, columns: number): number {
  const at =
    rows <= columns ? (i: number, j: number) => cost[i * columns + j] : (i: number, j: number) => cost[j * columns + i]
  const [few, many] = [Math.min(rows, columns), Math.max(rows, columns)]
  const rest = (i: number, used: number): number => {
    if (i === few) return 0
    let least = Number.POSITIVE_INFINITY
    for (let j = 0; j < many; j++)
      if ((used & (1 << j)) === 0) least = Math.min(least, at(i, j) + rest(i + 1, used | (1 << j)))
    return least
  }
  return rest(0, 0)
}

const problems = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })).chain(([rows, columns]) =>
  fc.record({
    rows: fc.constant(rows),
    columns: fc.constant(columns),
    // Small whole numbers: many ties.
    cost: fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1e3, max: 1e3, noNaN: true })), {
      minLength: rows * columns,
      maxLength: rows * columns,
    }),
  }),
)

test('the assignment costs what the best of all assignments costs', () => {
  fc.assert(
    fc.property(problems, ({ cost, rows, columns }) => {
      const columnOf = [...cheapestAssignment(cost, rows, columns)]
      const taken = columnOf.filter((j) => j !== -1)
      assert.equal(taken.length, Math.min(rows, columns))
      assert.equal(new Set(taken).size, taken.length)
      const total = columnOf.reduce((sum, j, i) => sum + (j === -1 ? 0 : cost[i * columns + j]), 0)
      assert.ok(Math.abs(total - bruteForce(cost, rows, columns)) < 1e-9)
    }),
    fixed(500),
  )
})

test('a known large assignment is found', () => {
  // Costs (i − π(j))² for a shuffled π: only the assignment that undoes π costs nothing.
  const n = 300
  const random = seededRandom(5)
  const order = Array.from({ length: n }, (_, i) => i).sort(() => random() - 0.5)
  const cost = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) cost[i * n + j] = (i - order[j]) ** 2
  cheapestAssignment(cost, n, n).forEach((j, i) => assert.equal(order[j], i))
})

test('nothing to assign, and costs that cannot be', () => {
  assert.deepEqual([...cheapestAssignment([], 0, 3)], [])
  assert.deepEqual([...cheapestAssignment([], 2, 0)], [-1, -1])
  assert.throws(() => cheapestAssignment([1, 2], 2, 2), /4 costs, not 2/)
  assert.throws(() => cheapestAssignment([1, Number.NaN], 1, 2), /Cost 1 is NaN/)
})
