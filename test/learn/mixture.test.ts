import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standardDeviations } from '../../src/learn/gaussian.js'
import { fitMixture } from '../../src/learn/mixture.js'

test('two classes in one channel are found with their weights', () => {
  const normal = gaussian(1)
  const x = Float32Array.from({ length: 20000 }, (_, i) => (i % 4 === 0 ? 30 + 3 * normal() : 70 + 6 * normal()))
  const { classes, converged } = fitMixture({ channels: [x] }, { classes: 2, robust: Infinity })
  assert.ok(converged)
  near(classes[0].mean[0], 30, 0.3)
  near(classes[1].mean[0], 70, 0.3)
  near(standardDeviations(classes[0])[0], 3, 0.15)
  near(standardDeviations(classes[1])[0], 6, 0.15)
  near(classes[0].weight, 0.25, 0.01)
})

test('outliers shift a plain mixture and not the robust one', () => {
  const normal = gaussian(2)
  const x: number[] = []
  const y: number[] = []
  for (let i = 0; i < 20000; i++) {
    const wm = i % 2 === 0
    const lesion = i % 20 === 1
    x.push((wm ? 110 : 70) + 4 * normal())
    y.push(lesion ? 150 + 4 * normal() : (wm ? 75 : 95) + 4 * normal())
  }
  const options = { classes: 2 }
  const plain = fitMixture({ channels: [x, y] }, { ...options, robust: Infinity }).classes[0]
  const robust = fitMixture({ channels: [x, y] }, { ...options, robust: 3 })
  assert.ok(plain.mean[1] > 98, `plain ${plain.mean[1]}`)
  near(robust.classes[0].mean[1], 95, 0.6)
  near(standardDeviations(robust.classes[0])[1], 4, 0.4)
  near(robust.outliers, 0.05, 0.02)
})

test('the prior decides where intensities do not', () => {
  const normal = gaussian(3)
  const x = Float32Array.from({ length: 8000 }, () => 50 + 5 * normal())
  const prior = [0.9, 0.1].map((p) => new Float32Array(8000).fill(p))
  const { classes } = fitMixture({ channels: [x], prior })
  near(classes[0].weight, 0.9, 0.02)
  near(classes[0].mean[0], 50, 0.5)
})

test('mixed samples between two classes widen neither', () => {
  const normal = gaussian(4)
  const x = Float32Array.from({ length: 20000 }, (_, i) => {
    const mixed = i % 5 === 0 ? (i % 1000) / 1000 : (i >> 1) % 2
    return 30 + 60 * mixed + 4 * normal()
  })
  const plain = fitMixture({ channels: [x] }, { classes: 2, robust: Infinity })
  const mixed = fitMixture({ channels: [x] }, { classes: 2, between: [[0, 1]] })
  assert.ok(standardDeviations(plain.classes[0])[0] > 5)
  near(standardDeviations(mixed.classes[0])[0], 4, 0.5)
  near(mixed.classes[0].mean[0], 30, 0.7)
  near(mixed.between[0], 0.2, 0.06)
})

test('weights stand for repeated samples', () => {
  const x = [10, 11, 12, 40, 41, 42]
  const repeated = fitMixture({ channels: [[...x, ...x, ...x]] }, { classes: 2 })
  const weighted = fitMixture({ channels: [x], weights: x.map(() => 3) }, { classes: 2 })
  near(weighted.classes[0].mean[0], repeated.classes[0].mean[0], 1e-6)
  near(weighted.classes[1].covariance[0], repeated.classes[1].covariance[0], 1e-6)
})

test('degenerate samples give what is known and never throw', () => {
  assert.equal(fitMixture({ channels: [[]] }, { classes: 3 }).classes.length, 3)
  const constant = fitMixture({ channels: [new Float32Array(100).fill(7)] }, { classes: 2 })
  assert.ok(constant.classes.every((c) => Number.isFinite(c.mean[0]) && c.covariance[0] > 0))
  const holes = fitMixture({ channels: [[1, 2, Number.NaN, Infinity, 3, 2, 1, 2]] }, { classes: 1 })
  near(holes.classes[0].mean[0], 11 / 6, 0.05)
  const prior = [new Float32Array(50).fill(1), new Float32Array(50)]
  const empty = fitMixture({ channels: [Float32Array.from({ length: 50 }, (_, i) => i)], prior })
  assert.ok(empty.classes[1].empty && !empty.classes[0].empty)
})

const near = (value: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(value - expected) <= tolerance, `${value} is not within ${tolerance} of ${expected}`)

/** Standard normal numbers from a small seeded generator (mulberry32, Box–Muller). */
function gaussian(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
