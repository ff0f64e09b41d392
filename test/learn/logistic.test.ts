import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitLogistic, predictLogistic } from '../../src/learn/logistic.js'
import { seededRandom } from '../../src/random.js'

test('a table of two by two has the odds ratio as its weight', () => {
  // 30 of 40 with the mark, 10 of 40 without: log odds ratio log(3 / (1 / 3)) = log 9, on a feature of deviation ½.
  const rows = Array.from({ length: 80 }, (_, i) => [i < 40 ? 1 : 0])
  const truth = rows.map((_, i) => (i % 40 < (i < 40 ? 30 : 10) ? 1 : 0) as 0 | 1)
  const model = fitLogistic(rows, truth, { ridge: 0 })
  assert.ok(Math.abs(model.weights[1] - Math.log(9) / 2) < 1e-6, `${model.weights}`)
  assert.ok(Math.abs(predictLogistic(model, [1]) - 0.75) < 1e-6)
  assert.ok(Math.abs(predictLogistic(model, [0]) - 0.25) < 1e-6)
})

test('importance counts as so many rows, a feature that does not vary has no say, and ridge holds separable data', () => {
  const random = seededRandom(2)
  const rows = Array.from({ length: 60 }, () => [random(), 7, random() - 0.5])
  const truth = rows.map(([a]) => (a + 0.4 * (random() - 0.5) > 0.5 ? 1 : 0) as 0 | 1)
  const importance = rows.map((_, i) => 1 + (i % 3))
  const repeated = rows.flatMap((row, i) => Array.from({ length: importance[i] }, () => row))
  const same = fitLogistic(
    repeated,
    rows.flatMap((_, i) => Array.from({ length: importance[i] }, () => truth[i])),
  )
  const weighed = fitLogistic(rows, truth, { importance })
  same.weights.forEach((w, j) => assert.ok(Math.abs(w - weighed.weights[j]) < 1e-6))
  assert.equal(predictLogistic(weighed, [0.3, 7, 0]), predictLogistic(weighed, [0.3, 9, 0]))
  const separable = fitLogistic([[0], [1], [2], [3]], [0, 0, 1, 1], { ridge: 0.1 })
  assert.ok(separable.weights.every(Number.isFinite))
  assert.ok(predictLogistic(separable, [3]) > 0.9)
})

test('rows of one kind alone, or none, are refused', () => {
  assert.throws(() => fitLogistic([[1], [2]], [1, 1]), RangeError)
  assert.throws(() => fitLogistic([], []), RangeError)
})
