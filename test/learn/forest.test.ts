import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forestFromBytes, forestProbability, forestToBytes, growForest } from '../../src/learn/forest.js'
import { seededRandom } from '../../src/random.js'

const options = { trees: 20, depth: 10, seed: 3 }

/** Class 1 inside a ring of the first two features; the third says nothing. */
function ring(seed: number, n = 4000) {
  const random = seededRandom(seed)
  const samples = Float32Array.from({ length: 3 * n }, () => 2 * random() - 1)
  const classes = Uint8Array.from({ length: n }, (_, i) => {
    const r = Math.hypot(samples[3 * i], samples[3 * i + 1])
    return r > 0.4 && r < 0.8 ? 1 : 0
  })
  return { samples, classes }
}

test('it learns a ring that no single question finds', () => {
  const [train, unseen] = [ring(1), ring(2)]
  const forest = growForest(train.samples, train.classes, 3, options)
  const right = unseen.classes.filter((c, i) => forestProbability(forest, unseen.samples, 3 * i) >= 0.5 === (c === 1))
  assert.ok(right.length > 0.94 * unseen.classes.length, `${right.length} of ${unseen.classes.length}`)
})

test('the same seed gives the same forest, another one another; bytes bring it back', () => {
  const { samples, classes } = ring(1, 500)
  const forest = growForest(samples, classes, 3, options)
  assert.deepEqual(growForest(samples, classes, 3, options), forest)
  assert.notDeepEqual(growForest(samples, classes, 3, { ...options, seed: 4 }), forest)
  assert.deepEqual(forestFromBytes(forestToBytes(forest)), forest)
  assert.throws(() => forestFromBytes(forestToBytes(forest).subarray(1)), RangeError)
  assert.throws(() => growForest(samples, classes.subarray(1), 3, options), RangeError)
})

test('leaves hold the share of class 1', () => {
  const random = seededRandom(5)
  const samples = Float32Array.from({ length: 2000 }, () => random())
  const classes = Uint8Array.from(samples, (v) => (random() < (v < 0.5 ? 0.2 : 0.7) ? 1 : 0))
  const forest = growForest(samples, classes, 1, { trees: 30, depth: 2, leaf: 200, seed: 1 })
  assert.ok(Math.abs(forestProbability(forest, Float32Array.of(0.25)) - 0.2) < 0.06)
  assert.ok(Math.abs(forestProbability(forest, Float32Array.of(0.75)) - 0.7) < 0.06)
})
