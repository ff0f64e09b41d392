import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CosineBasis, unthinned } from '../../src/learn/cosine-basis.js'
import { fitTiedMixture, healthyDensities, logDiagonal } from '../../src/learn/tied-mixture.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { Grid } from '../../src/volume/volume.js'

const near = (a: number, b: number, most: number, what = '') =>
  assert.ok(Math.abs(a - b) <= most, `${what} ${a} is not ${b} ± ${most}`)

/** Grey matter about 1, white about 0, lesions about 0.6, two channels; priors as an atlas has them. */
function scene(n: number, lesions: number, seed = 1) {
  const normal = gaussianRandom(seededRandom(seed))
  const [a, b, gm, wm, f] = [0, 1, 2, 3, 4].map(() => new Float32Array(n))
  for (let i = 0; i < n; i++) {
    const grey = i % 2 === 0
    const lesion = !grey && i / n > 0.5 && i < n / 2 + 2 * lesions
    a[i] = (lesion ? 0.6 : grey ? 1 : 0) + 0.1 * normal()
    b[i] = (lesion ? -0.5 : grey ? -1 : 0) + 0.1 * normal()
    gm[i] = grey ? 0.95 : 0.05
    wm[i] = 1 - gm[i]
    f[i] = 0.03 * wm[i]
  }
  return { channels: [a, b], structures: [gm, wm], lesion: f }
}
const tie = { white: 1, strength: 60, inflation: 50, gaussians: [1, 1] }

test('structures and lesions are told apart', () => {
  const { structures, lesion } = fitTiedMixture(scene(20_000, 500), tie)
  near(structures[0][0].mean[0], 1, 0.01)
  near(structures[1][0].mean[1], 0, 0.01)
  near(Math.sqrt(structures[1][0].variance[0]), 0.1, 0.01)
  // 60 pseudo-samples of white matter pull 500 lesion voxels by about a tenth.
  near(lesion.mean[0], (0.6 * 500) / 560, 0.06)
  near(lesion.mean[1], (-0.5 * 500) / 560, 0.06)
})

test('with an endless tie the lesion Gaussian is that of white matter, inflated', () => {
  const { structures, lesion } = fitTiedMixture(scene(20_000, 500), { ...tie, strength: 1e9 })
  const [w] = structures[1]
  for (const c of [0, 1]) {
    near(lesion.mean[c], w.mean[c], 1e-3)
    near(lesion.variance[c] / w.variance[c], 50, 0.1)
  }
})

test('a healthy brain leaves the lesion Gaussian near white matter and wide', () => {
  const { structures, lesion } = fitTiedMixture(scene(20_000, 0), { ...tie, strength: 500 })
  const [w] = structures[1]
  near(lesion.mean[0], w.mean[0], 0.05)
  assert.ok(lesion.variance[0] > 10 * w.variance[0], `${lesion.variance[0]} of ${w.variance[0]}`)
})

test('one update of white matter and lesion is that of the paper', () => {
  // Classes that are certain by their prior, so that posteriors are 1 and 0: two white samples, two lesion samples, ν = 4.
  const channels = [Float32Array.from([0, 0.2, 1, 1.4])]
  const structures = [new Float32Array(4), Float32Array.from([1, 1, 1, 1])]
  const lesion = Float32Array.from([0, 0, 1, 1])
  const options = { white: 1, strength: 4, inflation: 3, gaussians: [1, 1], iterations: 1 }
  const found = fitTiedMixture({ channels, structures, lesion }, options)
  // Start: white matter is all four samples, the lesion three times as wide. So Σ1/Σ2 = 1/3.
  const t = ((4 * 2) / (2 + 4)) * (1 / 3)
  const m1 = (0.2 + t * 1.2) / (2 + t)
  const m2 = (2.4 + 4 * m1) / 6
  const s2 = (1 - m2) ** 2 + (1.4 - m2) ** 2 + 4 * (m2 - m1) ** 2
  const v1 = (m1 ** 2 + (0.2 - m1) ** 2 + s2 / 3) / (2 + 0 + 2 + 2 + 1)
  const v2 = (s2 + 4 * 3 * v1) / 6
  near(found.structures[1][0].mean[0], m1, 1e-6)
  near(found.lesion.mean[0], m2, 1e-6)
  near(found.structures[1][0].variance[0], v1, 1e-6)
  near(found.lesion.variance[0], v2, 1e-6)
})

test('a bias field is found and taken off', () => {
  const grid: Grid = { dims: [40, 40, 20], affine: [3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] }
  const data = scene(32_000, 500)
  const basis = new CosineBasis(grid, 60)
  const truth = Float64Array.from({ length: basis.size }, (_, f) => 0.2 / (f + 1))
  const field = basis.field(truth, unthinned(grid))
  for (const channel of data.channels) for (let i = 0; i < field.length; i++) channel[i] += field[i]
  const bias = { basis, thinning: unthinned(grid), places: Uint32Array.from(field, (_, i) => i) }
  const found = fitTiedMixture(data, { ...tie, bias, tolerance: 1e-6 })
  for (const coefficients of found.bias) coefficients.forEach((v, f) => near(v, truth[f], 0.01, `function ${f}`))
  near(Math.sqrt(found.structures[0][0].variance[0]), 0.1, 0.005)
  const without = fitTiedMixture(data, tie)
  assert.ok(without.structures[0][0].variance[0] > 2 * found.structures[0][0].variance[0])
})

test('a structure of two Gaussians takes what is two-fold', () => {
  const normal = gaussianRandom(seededRandom(3))
  const channel = Float32Array.from({ length: 6000 }, (_, i) => (i % 3 === 0 ? 1 : -1) + 0.2 * normal())
  const structures = [new Float32Array(6000).fill(1), new Float32Array(6000)]
  const { structures: found } = fitTiedMixture(
    { channels: [channel], structures, lesion: new Float32Array(6000) },
    { ...tie, gaussians: [2, 1], tolerance: 1e-7 },
  )
  near(found[0][0].mean[0], -1, 0.02)
  near(found[0][1].mean[0], 1, 0.02)
  near(found[0][0].weight, 2 / 3, 0.02)
})

test('healthy densities are sums over Gaussians and structures', () => {
  const one = { weight: 1, mean: [0, 0], variance: [1, 4] }
  const two = [
    { weight: 0.25, mean: [1, 1], variance: [1, 1] },
    { weight: 0.75, mean: [2, 0], variance: [2, 1] },
  ]
  const channels = [Float32Array.from([0.5, 3]), Float32Array.from([0.2, -1])]
  const priors = [Float32Array.from([0.9, 0]), Float32Array.from([0.1, 1])]
  const found = healthyDensities([[one], two], channels, priors)
  for (const i of [0, 1]) {
    const a = priors[0][i] * Math.exp(logDiagonal(one)(channels, i))
    const b = priors[1][i] * two.reduce((sum, g) => sum + g.weight * Math.exp(logDiagonal(g)(channels, i)), 0)
    near(found.log[i], Math.log(a + b), 1e-5)
    near(found.best[i], Math.log(Math.max(a, b)), 1e-5)
    assert.equal(found.structure[i], a > b ? 0 : 1)
  }
  near(logDiagonal(one)(channels, 0), -0.5 * Math.log(4) - 0.5 * (0.25 + 0.04 / 4), 1e-6)
})

test('a structure without samples breaks nothing', () => {
  const data = scene(2000, 0)
  const none = { ...data, structures: [...data.structures, new Float32Array(2000)] }
  const found = fitTiedMixture(none, { ...tie, gaussians: [1, 1, 1] })
  near(found.structures[0][0].mean[0], 1, 0.02)
  assert.ok(found.structures[2][0].mean.every(Number.isFinite))
})

test('stops when it is cancelled', () => {
  assert.throws(() => fitTiedMixture(scene(1000, 0), { ...tie, signal: AbortSignal.abort() }), { name: 'AbortError' })
})
