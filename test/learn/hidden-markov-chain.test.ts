import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainBeliefs, fitHiddenMarkovChain, forwardBackward } from '../../src/learn/hidden-markov-chain.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

test('beliefs are those of the sum over all paths', () => {
  const random = seededRandom(3)
  const transitions = { initial: [0.5, 0.3, 0.2], next: [0.7, 0.2, 0.1, 0.25, 0.5, 0.25, 0.05, 0.15, 0.8] }
  const n = 6
  const starts = Uint8Array.from([1, 0, 0, 1, 0, 0])
  const evidence = Float32Array.from({ length: 3 * n }, () => 0.05 + random())
  const { posterior, predicted, steps } = forwardBackward(evidence, starts, transitions)
  const expected = {
    posterior: new Float64Array(3 * n),
    predicted: new Float64Array(3 * n),
    steps: new Float64Array(9),
  }
  let all = 0
  for (let path = 0; path < 3 ** n; path++) {
    const state = Array.from({ length: n }, (_, i) => Math.floor(path / 3 ** i) % 3)
    let p = 1
    for (let i = 0; i < n; i++)
      p *=
        evidence[3 * i + state[i]] *
        (starts[i] ? transitions.initial[state[i]] : transitions.next[3 * state[i - 1] + state[i]])
    all += p
    for (let i = 0; i < n; i++) {
      expected.posterior[3 * i + state[i]] += p
      expected.predicted[3 * i + state[i]] += p / evidence[3 * i + state[i]]
      if (!starts[i]) expected.steps[3 * state[i - 1] + state[i]] += p
    }
  }
  for (let i = 0; i < n; i++) {
    const sum = [0, 1, 2].reduce((s, k) => s + expected.predicted[3 * i + k], 0)
    for (let k = 0; k < 3; k++) {
      assert.ok(Math.abs(posterior[3 * i + k] - expected.posterior[3 * i + k] / all) < 1e-5)
      assert.ok(Math.abs(predicted[3 * i + k] - expected.predicted[3 * i + k] / sum) < 1e-5)
    }
  }
  steps.forEach((s, at) => assert.ok(Math.abs(s - expected.steps[at] / all) < 1e-5))
})

/** Two states that stay with chance 0.95, means 0 and 2, σ 1. */
function twoStates(n: number, seed: number) {
  const random = seededRandom(seed)
  const normal = gaussianRandom(random)
  const state = new Uint8Array(n)
  const values = new Float32Array(n)
  for (let i = 0; i < n; i++) {
    state[i] = i === 0 || random() < 0.95 ? (state[i - 1] ?? 0) : 1 - state[i - 1]
    values[i] = 2 * state[i] + normal()
  }
  const starts = new Uint8Array(n)
  starts[0] = 1
  return { state, values, starts }
}
const guess = (mean: number) => ({ weight: 0.5, mean: [mean], covariance: [1] })

test('the chain errs at least 40 % less often than each voxel by itself, and finds the transitions', () => {
  const { state, values, starts } = twoStates(20_000, 5)
  const samples = { channels: [values], starts }
  const model = fitHiddenMarkovChain(samples, { initial: [guess(-0.5), guess(2.5)], trim: 0, iterations: 20 })
  const { posterior } = chainBeliefs(samples, model)
  let [chain, alone] = [0, 0]
  state.forEach((s, i) => {
    if ((posterior[2 * i + 1] > 0.5 ? 1 : 0) !== s) chain++
    if ((values[i] > 1 ? 1 : 0) !== s) alone++
  })
  assert.ok(chain < 0.6 * alone, `${chain} against ${alone} errors`)
  const { next } = model.transitions
  for (const at of [0, 3]) assert.ok(Math.abs(next[at] - 0.95) < 0.01, `${next[at]}`)
})

test('a tenth of uniform outliers leaves the means alone when it is trimmed, and moves them when it is not', () => {
  const random = seededRandom(9)
  const normal = gaussianRandom(random)
  const n = 20_000
  const means = [30, 70, 110]
  const starts = new Uint8Array(n)
  starts[0] = 1
  const values = new Float32Array(n)
  let state = 0
  for (let i = 0; i < n; i++) {
    if (random() > 0.95) state = Math.floor(3 * random())
    values[i] = random() < 0.1 ? 130 + 170 * random() : means[state] + 4 * normal()
  }
  const initial = means.map((mean) => ({ weight: 1 / 3, mean: [mean + 3], covariance: [36] }))
  const furthest = (trim: number) => {
    const { classes } = fitHiddenMarkovChain({ channels: [values], starts }, { initial, trim, iterations: 20 })
    return Math.max(...classes.map(({ mean }, k) => Math.abs(mean[0] / means[k] - 1)))
  }
  assert.ok(furthest(0.1) < 0.02, `${furthest(0.1)}`)
  assert.ok(furthest(0) > 0.02, `${furthest(0)}`)
})

test('a trimmed element is judged by its prior and its neighbours alone', () => {
  const values = Float32Array.from([0, 0, 50, 0, 0])
  const starts = Uint8Array.from([1, 0, 0, 0, 0])
  const model = {
    classes: [guess(0), guess(10)],
    transitions: { initial: [0.5, 0.5], next: [0.9, 0.1, 0.1, 0.9] },
    cut: -20,
  }
  const { posterior, kept } = chainBeliefs({ channels: [values], starts }, model)
  assert.deepEqual([...kept], [1, 1, 0, 1, 1])
  // Two neighbours in the first state: 0.9² against 0.1².
  assert.ok(Math.abs(posterior[4] - 0.81 / 0.82) < 1e-4)
})
