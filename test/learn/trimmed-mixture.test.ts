import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Density, type Gaussian, weightedGaussian } from '../../src/learn/density.js'
import { fitTrimmedMixture, mixturePosterior } from '../../src/learn/trimmed-mixture.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

test('a Gaussian of three channels: distance and log-density as by hand', () => {
  const covariance = [4, 1, 0, 1, 2, 0.5, 0, 0.5, 1]
  const density = new Density({ mean: [1, 2, 3], covariance })
  const at = [[2], [1], [5]]
  // x = (1, −1, 2); det = 4·(2 − .25) − 1·(1 − 0) = 6
  const inverse = [1.75 / 6, -1 / 6, 0.5 / 6, -1 / 6, 4 / 6, -2 / 6, 0.5 / 6, -2 / 6, 7 / 6]
  const x = [1, -1, 2]
  const distance = x.reduce((sum, a, r) => sum + x.reduce((row, b, c) => row + a * inverse[3 * r + c] * b, 0), 0)
  assert.ok(Math.abs(density.distance(at, 0) - distance) < 1e-12)
  assert.ok(Math.abs(density.log(at, 0) - (-0.5 * (3 * Math.log(2 * Math.PI) + Math.log(6)) - distance / 2)) < 1e-12)
})

test('a covariance without an inverse is helped along', () => {
  const density = new Density({ mean: [0, 0], covariance: [1, 1, 1, 1] })
  assert.ok(Number.isFinite(density.log([[1], [-1]], 0)))
  assert.ok(Number.isFinite(new Density({ mean: [0], covariance: [0] }).log([[0]], 0)))
})

test('weighted moments count what the weights say, and nothing has none', () => {
  const found = weightedGaussian([Float32Array.of(0, 2, 4, 100), Float32Array.of(1, 1, 4, 100)], [1, 1, 2, 0], 0)!
  assert.deepEqual(found.mean, [2.5, 2.5])
  assert.equal(found.weight, 1)
  assert.deepEqual(found.covariance, [2.75, 2.25, 2.25, 2.25])
  assert.equal(weightedGaussian([Float32Array.of(1, 2)], [0, 0]), undefined)
})

/** Three tissues in three channels, and a tenth of the samples anywhere. */
function samples(outliers: number) {
  const normal = gaussianRandom(seededRandom(3))
  const random = seededRandom(4)
  const means = [
    [30, 160, 25],
    [70, 100, 95],
    [110, 75, 75],
  ]
  const n = 30000
  const channels = [0, 1, 2].map(() => new Float32Array(n))
  for (let i = 0; i < n; i++) {
    const odd = random() < outliers
    for (let c = 0; c < 3; c++) channels[c][i] = odd ? 250 * random() : means[i % 3][c] + 5 * normal()
  }
  return { channels, means }
}

const start = (means: number[][]): Gaussian[] =>
  means.map((mean) => ({
    weight: 1 / 3,
    mean: mean.map((m) => m + 8),
    covariance: [400, 0, 0, 0, 400, 0, 0, 0, 400],
  }))

test('a tenth of outliers moves no mean by 1 % when as much is trimmed, and widens the classes when not', () => {
  const { channels, means } = samples(0.1)
  const trimmed = fitTrimmedMixture({ channels }, { initial: start(means), trim: 0.12 })
  for (const [k, { mean, covariance }] of trimmed.classes.entries()) {
    mean.forEach((m, c) => {
      assert.ok(Math.abs(m - means[k][c]) <= 0.01 * means[k][c], `class ${k} channel ${c}: ${m}`)
    })
    assert.ok(Math.abs(Math.sqrt(covariance[0]) - 5) < 0.5)
  }
  const plain = fitTrimmedMixture({ channels }, { initial: start(means), trim: 0 })
  assert.ok(Math.max(...plain.classes.map(({ covariance }) => Math.sqrt(covariance[0]))) > 15)
})

test('posteriors sum to one, follow the prior, and the likelihood never falls without trimming', () => {
  const { channels, means } = samples(0)
  let before = Number.NEGATIVE_INFINITY
  for (const iterations of [1, 2, 4, 8]) {
    const { logLikelihood, posterior } = fitTrimmedMixture(
      { channels },
      { initial: start(means), trim: 0, iterations, tolerance: 0, ridge: 0 },
    )
    assert.ok(logLikelihood >= before - 1e-9)
    before = logLikelihood
    for (let i = 0; i < 50; i++) assert.ok(Math.abs(posterior[0][i] + posterior[1][i] + posterior[2][i] - 1) < 1e-5)
  }
  const n = channels[0].length
  const prior = [1, 0, 0].map((p) => new Float32Array(n).fill(p))
  const { posterior } = mixturePosterior({ channels, prior }, start(means))
  assert.ok(posterior[0][0] > 0.99)
})

test('no samples: the classes as they were', () => {
  const initial = start([[0, 0, 0]])
  const { classes, iterations } = fitTrimmedMixture(
    { channels: [0, 1, 2].map(() => new Float32Array(0)) },
    { initial, trim: 0.1 },
  )
  assert.deepEqual(classes, initial)
  assert.equal(iterations, 0)
})
