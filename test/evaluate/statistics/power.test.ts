import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negativeBinomialRandom } from '../../../src/evaluate/statistics/counts.js'
import { mean, variance } from '../../../src/evaluate/statistics/describe.js'
import { type Alternative, pairedT, wilcoxonSignedRank } from '../../../src/evaluate/statistics/paired.js'
import {
  type LesionCountPlan,
  lesionCountPower,
  lesionCountSampleSize,
  pairedTPower,
  pairedTSampleSize,
  simulatedPower,
  wilcoxonSampleSize,
} from '../../../src/evaluate/statistics/power.js'
import { gaussianRandom, seededRandom } from '../../../src/random.js'
import { close, golden } from './golden.js'

const { power } = golden<{
  power: {
    t: { effect: number; n: number; alternative: Alternative; power: number }[]
    counts: (LesionCountPlan & { n: number; power: number })[]
  }
}>('statistics')

test('power of the paired t test and of lesion counts is that of statsmodels', () => {
  for (const { n, power: wanted, ...plan } of power.t) close(pairedTPower(n, plan), wanted, `dz ${plan.effect}`, 1e-8)
  for (const { n, power: wanted, ...plan } of power.counts)
    close(lesionCountPower(n, plan), wanted, `ratio ${plan.ratio}, ${plan.nullVariance}`, 1e-9)
})

test('sample sizes: those of Cohen’s tables, the least that will do', () => {
  // dz = 0.5, two-sided 5 %, 80 %: 34 pairs (G*Power); dz = 0.2: 199.
  assert.equal(pairedTSampleSize({ effect: 0.5 }), 34)
  assert.equal(pairedTSampleSize({ effect: 0.2 }), 199)
  assert.equal(wilcoxonSampleSize({ effect: 0.5 }), 36)
  for (const effect of [0.15, 0.4, 1.3]) {
    const n = pairedTSampleSize({ effect }, 0.9)
    assert.ok(pairedTPower(n, { effect }) >= 0.9)
    if (n > 2) assert.ok(pairedTPower(n - 1, { effect }) < 0.9)
  }
  const plan = { control: 1.2, ratio: 0.5, dispersion: 1.5 }
  const { control, treated } = lesionCountSampleSize({ ...plan, allocation: 2 }, 0.9)
  assert.equal(treated, 2 * control)
  assert.ok(lesionCountPower(control, { ...plan, allocation: 2 }) >= 0.9)
  assert.ok(lesionCountPower(control - 1, { ...plan, allocation: 2 }) < 0.9)
})

test('plans that cannot be are refused', () => {
  assert.throws(() => pairedTSampleSize({ effect: 0 }), /effect of 0/)
  assert.throws(() => pairedTSampleSize({ effect: -0.5, alternative: 'greater' }), RangeError)
  assert.throws(() => pairedTSampleSize({ effect: 0.5 }, 1), /power lies between/)
  assert.throws(() => lesionCountSampleSize({ control: 1, ratio: 1, dispersion: 1 }), /ratio/)
  assert.throws(() => lesionCountSampleSize({ control: 0, ratio: 0.5, dispersion: 1 }), RangeError)
})

test('simulation finds the power that the formulas say', () => {
  const plan = { effect: 0.6 }
  const n = 24
  const pairs = (random: () => number) => {
    const normal = gaussianRandom(random)
    return Array.from({ length: n }, () => normal() + plan.effect)
  }
  const zero = new Array<number>(n).fill(0)
  const t = simulatedPower((random) => pairedT(pairs(random), zero).p, { trials: 3000 })
  const exact = pairedTPower(n, plan)
  assert.ok(t.low - 0.01 < exact && exact < t.high + 0.01, `${t.power}, ${exact}`)
  const w = simulatedPower((random) => wilcoxonSignedRank(pairs(random), zero).p, { trials: 1500 })
  const sized = pairedTPower(Math.round((n * 3) / Math.PI), plan)
  assert.ok(Math.abs(w.power - sized) < 0.04, `${w.power}, ${sized}`)
})

test('made-up lesion counts have the mean and the spread that were asked for', () => {
  for (const [m, k] of [
    [1.2, 1.5],
    [40, 0.3],
    [5, 0],
  ]) {
    const draw = negativeBinomialRandom(m, k, seededRandom(8))
    const counts = Array.from({ length: 20_000 }, draw)
    close(mean(counts), m, 'mean', 0.04)
    close(variance(counts), m + k * m * m, 'variance', 0.08)
  }
})
