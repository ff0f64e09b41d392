import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latticeOf } from '../../src/learn/lattice.js'
import { gammaRandom, sampleLesions } from '../../src/learn/lesion-sampler.js'
import { logDiagonal } from '../../src/learn/tied-mixture.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { Mask } from '../../src/volume/volume.js'

const near = (a: number, b: number, most: number, what = '') =>
  assert.ok(Math.abs(a - b) <= most, `${what} ${a} is not ${b} ± ${most}`)

const box = (dims: [number, number, number]): Mask => ({
  dims,
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  data: new Uint8Array(dims[0] * dims[1] * dims[2]).fill(1),
})
const white = { weight: 1, mean: [0], variance: [0.01] }
const healthyOf = (channel: Float32Array) => Float32Array.from(channel, (_, i) => logDiagonal(white)([channel], i))
const options = { white, inflation: 50, cohesion: 0, burnIn: 50, samples: 50, seed: 1 }

test('gamma variates have the mean and the variance of their shape', () => {
  const uniform = seededRandom(5)
  const normal = gaussianRandom(uniform)
  for (const shape of [1, 2.5, 60]) {
    const drawn = Array.from({ length: 40_000 }, () => gammaRandom(shape, uniform, normal))
    const mean = drawn.reduce((sum, v) => sum + v, 0) / drawn.length
    near(mean / shape, 1, 0.03)
    near(drawn.reduce((sum, v) => sum + (v - mean) ** 2, 0) / drawn.length / shape, 1, 0.05)
  }
})

test('without cohesion and with a certain Gaussian, beliefs are those of Bayes’ rule', () => {
  const mask = box([20, 20, 10])
  const channel = Float32Array.from(mask.data, (_, i) => 0.6 * (i / 4000))
  const healthy = healthyOf(channel)
  const start = new Uint8Array(4000)
  const prior = new Float32Array(4000).fill(0.05)
  // So strong a tie that every draw is N(white mean, 50 variances).
  const { belief, lesion } = sampleLesions(
    { lattice: latticeOf(mask), channels: [channel], prior, healthy, start },
    { ...options, strength: 1e9, samples: 400 },
  )
  near(lesion.mean[0], 0, 1e-3)
  near(lesion.variance[0], 0.5, 1e-3)
  const density = logDiagonal({ weight: 1, mean: [0], variance: [0.5] })
  let worst = 0
  let bias = 0
  for (let i = 0; i < 4000; i++) {
    const odds = (0.05 / 0.95) * Math.exp(density([channel], i) - healthy[i])
    const off = belief[i] - odds / (1 + odds)
    worst = Math.max(worst, Math.abs(off))
    bias += off / 4000
  }
  assert.ok(worst < 0.12, `${worst}`)
  near(bias, 0, 0.002)
})

test('the field agrees with all states of three voxels counted out', () => {
  const mask = box([3, 1, 1])
  const [prior, cohesion] = [0.3, 2]
  // Nothing is seen: densities are equal, so that place and neighbours decide.
  const strength = 1e12
  const inflation = 1
  const channel = new Float32Array(3)
  const found = sampleLesions(
    {
      lattice: latticeOf(mask),
      channels: [channel],
      prior: new Float32Array(3).fill(prior),
      healthy: healthyOf(channel),
      start: new Uint8Array(3),
    },
    { ...options, strength, inflation, cohesion, burnIn: 100, samples: 60_000 },
  )
  // The stationary distribution of the sampler: end voxels, then the middle one, again and again.
  const chance = (around: number) => prior * Math.exp(-cohesion * (1 - around / 6))
  let p = new Float64Array(8).fill(1 / 8)
  for (let step = 0; step < 200; step++)
    for (const group of [[0, 2], [1]])
      for (const v of group) {
        const next = new Float64Array(8)
        for (let s = 0; s < 8; s++) {
          const bit = (k: number) => (s >> k) & 1
          const one = chance(v === 1 ? bit(0) + bit(2) : bit(1))
          next[s | (1 << v)] += p[s] * one
          next[s & ~(1 << v)] += p[s] * (1 - one)
        }
        p = next
      }
  for (const v of [0, 1, 2]) {
    const expected = p.reduce((sum, q, s) => sum + ((s >> v) & 1 ? q : 0), 0)
    near(found.belief[v], expected, 0.006, `voxel ${v}`)
  }
})

/** Two balls' worth of lesion in white matter, and lone bright voxels. */
function scene() {
  const mask = box([24, 24, 24])
  const normal = gaussianRandom(seededRandom(9))
  const truth = mask.data.map((_, at) => {
    const [i, j, k] = [at % 24, Math.floor(at / 24) % 24, Math.floor(at / 576)]
    return Math.hypot(i - 12, j - 12, k - 12) < 5 ? 1 : 0
  })
  const lone = mask.data.map((_, at) => (at % 997 === 5 && truth[at] === 0 ? 1 : 0))
  const channel = Float32Array.from(truth, (t, i) => (t === 1 ? 0.5 : lone[i] === 1 ? 0.32 : 0) + 0.1 * normal())
  const prior = new Float32Array(channel.length).fill(0.03)
  const healthy = healthyOf(channel)
  const start = Uint8Array.from(channel, (v) => (v > 0.3 ? 1 : 0))
  return { truth, lone, input: { lattice: latticeOf(mask), channels: [channel], prior, healthy, start } }
}
const dice = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let [both, all] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    both += a[i] * b[i]
    all += a[i] + b[i]
  }
  return (2 * both) / all
}

test('lesions are found, the Gaussian follows them, and two seeds agree', () => {
  const { truth, input } = scene()
  const run = (seed: number) => sampleLesions(input, { ...options, strength: 100, cohesion: 3, seed })
  const [first, second] = [run(1), run(2)]
  const found = [first, second].map(({ belief }) => belief.map((p) => (p > 0.3 ? 1 : 0)))
  assert.ok(dice(found[0], truth) > 0.9, `${dice(found[0], truth)}`)
  assert.ok(dice(found[0], found[1]) > 0.95)
  near(first.lesion.mean[0], (0.5 * 500) / 600, 0.05)
  assert.notDeepEqual(first.belief, second.belief)
  assert.deepEqual(run(1), first)
})

test('cohesion takes lone voxels away', () => {
  const { lone, input } = scene()
  const of = (cohesion: number) => {
    const { belief } = sampleLesions(input, { ...options, strength: 100, cohesion })
    return belief.reduce((sum, p, i) => sum + p * lone[i], 0)
  }
  assert.ok(of(4) < 0.5 * of(0), `${of(4)} of ${of(0)}`)
})

test('no candidate, no lesion', () => {
  const empty = { ...box([3, 3, 3]), data: new Uint8Array(27) }
  const none = new Float32Array(0)
  const input = { lattice: latticeOf(empty), channels: [none], prior: none, healthy: none, start: new Uint8Array(0) }
  const { belief, lesion } = sampleLesions(input, { ...options, strength: 500 })
  assert.equal(belief.length, 0)
  assert.ok(Number.isFinite(lesion.mean[0]) && lesion.variance[0] > 0)
})

test('stops when it is cancelled', () => {
  const { input } = scene()
  const signal = AbortSignal.abort()
  assert.throws(() => sampleLesions(input, { ...options, strength: 500, signal }), { name: 'AbortError' })
})
