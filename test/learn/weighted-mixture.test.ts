import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latticeOf, meanField } from '../../src/learn/lattice.js'
import { fitWeightedMixture, type WeightedOptions } from '../../src/learn/weighted-mixture.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { identity, type Vec3 } from '../../src/volume/affine.js'

const dims: Vec3 = [20, 10, 10]
const lattice = latticeOf({ dims, affine: identity, data: new Uint8Array(2000).fill(1) })
/** Class 0 in the left half, class 1 in the right; two channels. */
const truth = Uint8Array.from(lattice.voxels, (at) => (at % 20 < 10 ? 0 : 1))
const normal = gaussianRandom(seededRandom(2))
const channels = [
  [20, 40],
  [100, 90],
].map((means) => Float32Array.from(truth, (k) => means[k] + 4 * normal()))
const even = new Float32Array(4000).fill(Math.log(0.5))
const start = Float32Array.from({ length: 4000 }, (_, i) => (i % 2 === (channels[0][i >> 1] > 33 ? 1 : 0) ? 0.9 : 0.1))
const options: WeightedOptions = {
  start,
  experts: [{ weight: 1, rate: 1 }],
  smoothness: 0.5,
  iterations: 12,
  tolerance: 0,
}
const near = (value: number, wanted: number, by: number) =>
  assert.ok(Math.abs(value - wanted) <= by, `${value}, not ${wanted} ± ${by}`)

test('with firm weights of 1 it is the ordinary mixture with a random field', () => {
  const found = fitWeightedMixture(
    { lattice, channels, logPrior: even },
    { ...options, experts: [{ weight: 1, rate: 1e9 }] },
  )
  const belief = start.slice()
  const share = (k: number, value: (v: number) => number) => {
    let [sum, total] = [0, 0]
    for (let v = 0; v < 2000; v++) {
      sum += belief[2 * v + k] * value(v)
      total += belief[2 * v + k]
    }
    return sum / total
  }
  const fit = () =>
    [0, 1].map((k) =>
      channels.map((y) => {
        const mean = share(k, (v) => y[v])
        return { mean, variance: share(k, (v) => (y[v] - mean) ** 2) }
      }),
    )
  let classes = fit()
  for (let round = 0; round < 12; round++) {
    const evidence = Float32Array.from({ length: 4000 }, (_, i) =>
      channels.reduce((sum, y, m) => {
        const { mean, variance } = classes[i % 2][m]
        return sum - 0.5 * Math.log(variance) - (0.5 * (y[i >> 1] - mean) ** 2) / variance
      }, Math.log(0.5)),
    )
    meanField(lattice, evidence, 2, { smoothness: 0.5, rounds: 1, start: belief })
    classes = fit()
  }
  classes.forEach((c, k) => {
    c.forEach(({ mean, variance }, m) => {
      near(found.classes[k].mean[m] / mean, 1, 1e-4)
      near(found.classes[k].variance[m] / variance, 1, 1e-4)
    })
  })
  for (let i = 0; i < 4000; i++) near(found.belief[i], belief[i], 1e-4)
})

test('the means of two tissues, and the weight by its formula', () => {
  const { classes, weights, belief } = fitWeightedMixture({ lattice, channels, logPrior: even }, options)
  near(classes[0].mean[0], 20, 0.5)
  near(classes[1].mean[0], 40, 0.5)
  near(classes[0].mean[1], 100, 0.5)
  near(classes[1].mean[1], 90, 0.5)
  let wrong = 0
  truth.forEach((k, v) => {
    if (belief[2 * v + k] < 0.5) wrong++
  })
  assert.ok(wrong < 10, `${wrong} voxels on the wrong side`)
  // After the last round the classes have hardly moved: (1·1 + 1 + ½) / (1 + ½ · distance).
  for (const v of [0, 777, 1999]) {
    const distance = [0, 1].reduce(
      (sum, k) => sum + (belief[2 * v + k] * (channels[0][v] - classes[k].mean[0]) ** 2) / classes[k].variance[0],
      0,
    )
    near(weights[0][v], 2.5 / (1 + 0.5 * distance), 0.02)
  }
})

test('what is odd in one channel weighs little there, does not move the tissues and keeps its label', () => {
  const odd = channels[1].slice()
  const places = [25, 26, 45, 46, 225, 226, 245, 246]
  for (const v of places) odd[v] = 200
  const calm = fitWeightedMixture({ lattice, channels, logPrior: even }, options)
  const { classes, weights, belief } = fitWeightedMixture(
    { lattice, channels: [channels[0], odd], logPrior: even },
    options,
  )
  for (const v of places) {
    assert.ok(weights[1][v] < 0.1 && weights[0][v] > 0.5, `${weights[0][v]} and ${weights[1][v]}`)
    assert.ok(belief[2 * v] > 0.9)
  }
  near(classes[0].mean[1], calm.classes[0].mean[1], 0.2)
})

test('a region that is expected to weigh more does, and a class is held', () => {
  const region = Uint8Array.from(truth, (_, v) => (v < 20 ? 1 : 0))
  const experts = [
    { weight: 1, rate: 1000 },
    { weight: 10, rate: 1000 },
  ]
  const { weights } = fitWeightedMixture({ lattice, channels, logPrior: even }, { ...options, experts, region })
  near(weights[0][5], 10, 0.5)
  near(weights[0][500], 1, 0.05)
  const held = fitWeightedMixture(
    { lattice, channels, logPrior: even },
    { ...options, iterations: 2, held: { class: 1, rounds: 2 } },
  )
  const first = fitWeightedMixture({ lattice, channels, logPrior: even }, { ...options, iterations: 0 })
  assert.deepEqual(held.classes[1], first.classes[1])
  assert.notDeepEqual(held.classes[0], first.classes[0])
})

test('no voxels, an empty class, a constant channel: no crash and nothing that is not finite', () => {
  const none = latticeOf({ dims, affine: identity, data: new Uint8Array(2000) })
  const nothing = new Float32Array(0)
  const empty = fitWeightedMixture(
    { lattice: none, channels: [nothing], logPrior: nothing },
    { ...options, start: nothing },
  )
  assert.equal(empty.iterations, 0)
  const flat = [channels[0], new Float32Array(2000).fill(7)]
  const one = Float32Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? 1 : 0))
  const found = fitWeightedMixture({ lattice, channels: flat, logPrior: even }, { ...options, start: one })
  assert.ok(found.belief.every(Number.isFinite))
  assert.ok(found.classes[0].mean.every(Number.isFinite))
})
