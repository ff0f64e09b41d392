import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describe, mean, median, quantile, sd } from '../../../src/evaluate/statistics/describe.js'
import * as distributions from '../../../src/evaluate/statistics/distributions.js'
import { kendallTau, midRanks } from '../../../src/evaluate/statistics/ranks.js'
import { logGamma } from '../../../src/evaluate/statistics/special.js'
import { close, golden } from './golden.js'

interface Golden {
  distributions: { name: string; arguments: number[]; value: number }[]
  described: {
    values: number[]
    other: number[]
    mean: number
    sd: number
    quantiles: Record<string, number>
    kendall: number
  }
}
const { distributions: rows, described } = golden<Golden>('statistics')

test('distributions are those of scipy, tails included', () => {
  assert.ok(rows.length > 200)
  const byName = distributions as unknown as Record<string, (...x: number[]) => number>
  for (const { name, arguments: given, value } of rows) {
    // Integrals have an absolute accuracy; a lower tail of t is a difference.
    const absolute = /noncentral|studentised/.test(name) ? 1e-10 : 1e-14
    close(
      byName[name](...given),
      value,
      `${name}(${given})`,
      name === 'studentisedRangeQuantile' ? 1e-8 : 2e-11,
      absolute,
    )
  }
})

test('the tail is not a difference from one', () => {
  close(distributions.tUpper(1e6, 5), 9.5e-30, 't far out', 2e-3, 0)
  assert.ok(distributions.normalUpper(30) > 0)
  assert.equal(distributions.normalQuantile(0), -Infinity)
  assert.equal(distributions.tQuantile(1, 4), Infinity)
  assert.ok(Number.isNaN(distributions.normalQuantile(1.2)))
  assert.ok(Number.isNaN(distributions.chiSquareUpper(Number.NaN, 3)))
})

test('critical values of Nemenyi as Demšar (2006, table 5) prints them', () => {
  const printed = [1.96, 2.343, 2.569, 2.728, 2.85, 2.949, 3.031, 3.102, 3.164]
  // The table's values were cut or rounded to three digits.
  printed.forEach((q, i) =>
    close(distributions.studentisedRangeQuantile(0.95, i + 2) / Math.SQRT2, q, `k = ${i + 2}`, 0, 1.1e-3),
  )
})

test('factorials', () => {
  close(logGamma(1), 0, 'Γ(1)', 0, 1e-14)
  close(logGamma(0.5), Math.log(Math.PI) / 2, 'Γ(½)', 1e-14)
  close(logGamma(11), Math.log(3628800), '10!', 1e-14)
})

test('descriptions are those of NumPy, NaN left out and counted', () => {
  const values = [...described.values, Number.NaN, Number.NaN]
  close(mean(values), described.mean, 'mean')
  close(sd(values), described.sd, 'sd')
  for (const [p, value] of Object.entries(described.quantiles)) close(quantile(values, Number(p)), value, p)
  const told = describe(values)
  assert.equal(told.n, 23)
  assert.equal(told.skipped, 2)
  assert.equal(told.median, median(described.values))
  assert.equal(told.max, Math.max(...described.values))
})

test('nothing, and one value', () => {
  const none = describe([Number.NaN])
  assert.deepEqual([none.n, none.skipped, none.mean, none.median], [0, 1, Number.NaN, Number.NaN])
  const one = describe([3])
  assert.deepEqual([one.mean, one.sd, one.q1, one.max], [3, Number.NaN, 3, 3])
  assert.equal(quantile([1, Infinity, Infinity], 0.9), Infinity)
  assert.throws(() => quantile([1], 1.5), RangeError)
})

test('ranks share the mean of their places; τ-b is that of scipy', () => {
  assert.deepEqual(midRanks([3, 1, 3, Infinity, 2, 3]), { ranks: [4, 1, 4, 6, 2, 4], ties: 24 })
  close(kendallTau(described.values, described.other), described.kendall, 'τ')
  assert.equal(kendallTau([1, 2, 3], [3, 2, 1]), -1)
  assert.ok(Number.isNaN(kendallTau([1, 1], [1, 2])))
})
