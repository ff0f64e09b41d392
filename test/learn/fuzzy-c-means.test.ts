import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzyCMeans, membershipIn } from '../../src/learn/fuzzy-c-means.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

test('three separate peaks of a histogram are found within 1 %', () => {
  const normal = gaussianRandom(seededRandom(1))
  const counts = new Float64Array(256)
  for (let i = 0; i < 60000; i++) counts[Math.round([40, 110, 200][i % 3] + 3 * normal())]++
  const values = counts.map((_, bin) => bin)
  const { centres, converged } = fuzzyCMeans(values, counts, { start: [20, 100, 150] })
  assert.ok(converged)
  for (const [k, expected] of [40, 110, 200].entries())
    assert.ok(Math.abs(centres[k] / expected - 1) < 0.01, `${centres[k]}, not ${expected}`)
})

test('two numbers and two centres: the fixed point solves its own equation', () => {
  // By symmetry the centres lie at ±c with c = (u² − v²) / (u² + v²), u and v the memberships of the value 1.
  const clusters = fuzzyCMeans([-1, 1], [5, 5], { start: [-0.5, 0.5], rounds: 1000 })
  const [low, high] = clusters.centres
  const u = membershipIn(clusters, 1, 1)
  const v = membershipIn(clusters, 0, 1)
  assert.ok(Math.abs(low + high) < 1e-9 && Math.abs(u + v - 1) < 1e-12)
  assert.ok(Math.abs(high - (u * u - v * v) / (u * u + v * v)) < 1e-5)
})

test('memberships are those of the definition, sum to 1, and soften with the fuzzifier', () => {
  const clusters = { centres: Float64Array.of(0, 10, 30), fuzzifier: 2, converged: true }
  const parts = [0, 1, 2].map((k) => membershipIn(clusters, k, 4))
  const raw = [4, 6, 26].map((away) => away ** -2)
  const total = raw.reduce((sum, one) => sum + one, 0)
  for (const k of [0, 1, 2]) assert.ok(Math.abs(parts[k] - raw[k] / total) < 1e-12)
  assert.equal(membershipIn(clusters, 1, 10), 1)
  assert.equal(membershipIn(clusters, 2, 10), 0)
  const hard = membershipIn({ ...clusters, fuzzifier: 1.1 }, 0, 4)
  const soft = membershipIn({ ...clusters, fuzzifier: 4 }, 0, 4)
  assert.ok(hard > 0.999 && soft < parts[0] && soft > 1 / 3)
})

test('weights stand for repeated values', () => {
  const values = [1, 2, 3, 20, 21, 25]
  const repeated = fuzzyCMeans([...values, 25, 25], new Array(8).fill(1), { start: [0, 30] })
  const weighted = fuzzyCMeans(values, [1, 1, 1, 1, 1, 3], { start: [0, 30] })
  for (const k of [0, 1]) assert.ok(Math.abs(repeated.centres[k] - weighted.centres[k]) < 1e-9)
})

test('constant, empty and weightless values leave finite centres', () => {
  const constant = fuzzyCMeans([7, 7, 7], [1, 1, 1], { start: [7, 7] })
  assert.deepEqual([...constant.centres], [7, 7])
  assert.equal(membershipIn(constant, 0, 7), 0.5)
  assert.deepEqual([...fuzzyCMeans([], [], { start: [1, 2] }).centres], [1, 2])
  assert.deepEqual([...fuzzyCMeans([5, 6], [0, 0], { start: [1, 2] }).centres], [1, 2])
})

test('it stops when it is cancelled', () => {
  const signal = AbortSignal.abort()
  assert.throws(() => fuzzyCMeans([1, 2], [1, 1], { start: [1, 2], signal }), { name: 'AbortError' })
})
