import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootstrapInterval } from '../../../src/evaluate/statistics/bootstrap.js'
import { mean, median } from '../../../src/evaluate/statistics/describe.js'
import { methodEffects, mixedModel, type Reading } from '../../../src/evaluate/statistics/mixed.js'
import { gaussianRandom, seededRandom } from '../../../src/random.js'
import { close, golden } from './golden.js'

interface Model {
  name: string
  readings: Reading[]
  fixed: Record<string, { Estimate: number; 'Std. Error': number; df: number; 't value': number; 'Pr(>|t|)': number }>
  variances: { case: number; rater?: number; Residual: number }
  deviance: number
  caseEffects: Record<string, number>
}
const { models } = golden<{ models: Model[] }>('mixed')
const { bootstrap } = golden<{ bootstrap: { values: number[] } & Record<string, number[]> }>('statistics')

for (const model of models)
  test(`mixed model as lme4 and lmerTest have it: ${model.name}`, () => {
    const fit = methodEffects(model.readings, 'A')
    close(fit.deviance, model.deviance, 'deviance', 1e-8)
    close(fit.variances.case, model.variances.case, 'case', 1e-4)
    close(fit.residualVariance, model.variances.Residual, 'residual', 1e-4)
    if (model.variances.rater !== undefined) close(fit.variances.rater, model.variances.rater, 'rater', 1e-4, 1e-9)
    assert.equal(fit.fixed.length, 3)
    for (const effect of fit.fixed) {
      const wanted = model.fixed[effect.name === 'A' ? '(Intercept)' : `method${effect.name}`]
      close(effect.estimate, wanted.Estimate, 'estimate', 1e-6)
      close(effect.standardError, wanted['Std. Error'], 'standard error', 1e-4)
      if (model.name !== 'no rater variance') close(effect.df, wanted.df, `df of ${effect.name}`, 2e-3)
      else close(effect.df, wanted.df, `df of ${effect.name}`, 0.02)
      close(effect.p, wanted['Pr(>|t|)'], 'p', 0.02)
      assert.ok(effect.low < effect.estimate && effect.estimate < effect.high)
    }
    for (const [label, value] of Object.entries(model.caseEffects))
      close(fit.random.case[label], value, `case ${label}`, 1e-3, 1e-6)
  })

test('a balanced design has the answer of the analysis of variance', () => {
  // One value a method and case: the residual variance is the interaction's mean square, the difference that of means.
  const { readings } = models.find(({ name }) => name === 'one rater')!
  const fit = methodEffects(readings, 'A')
  const of = (method: string) => readings.filter((r) => r.method === method).map((r) => r.value)
  close(fit.fixed[1].estimate, mean(of('B')) - mean(of('A')), 'difference', 1e-9)
  close(fit.fixed[1].df, (14 - 1) * (3 - 1), 'degrees of freedom', 1e-3)
})

test('models that cannot be are refused, rows without a figure are left out', () => {
  const labels = ['a', 'a', 'b', 'b', 'c', 'c']
  const data = {
    response: [1, 2, 2, 4, 3, Number.NaN],
    fixed: [{ name: 'mean', values: [1, 1, 1, 1, 1, 1] }],
    random: [{ name: 'case', labels }],
  }
  const fit = mixedModel(data)
  assert.deepEqual([fit.n, fit.skipped], [5, 1])
  const twice = [...data.fixed, { name: 'again', values: [2, 2, 2, 2, 2, 2] }]
  assert.throws(() => mixedModel({ ...data, fixed: twice }), /collinear/)
  assert.throws(
    () => mixedModel({ ...data, random: [{ name: 'case', labels: ['a'] }] }),
    /case has 1 values for 6 rows/,
  )
  assert.throws(() => mixedModel({ ...data, random: [{ name: 'case', labels: labels.map(() => 'a') }] }), /one level/)
  assert.throws(() => methodEffects([{ method: 'A', case: 'c', value: 1 }], 'B'), /no figure is of "B"; there are A/)
})

test('bootstrap intervals are those of scipy, but for chance', () => {
  for (const [method, theirs] of [
    ['percentile', 'percentile'],
    ['bca', 'BCa'],
  ] as const)
    for (const [name, statistic] of [
      ['mean', mean],
      ['median', median],
    ] as const) {
      const [low, high, error] = bootstrap[`${theirs} ${name}`]
      const mine = bootstrapInterval(bootstrap.values, statistic, { method, resamples: 20_000 })
      const slack = 0.03 * (high - low)
      close(mine.low, low, `${method} ${name} low`, 0, name === 'mean' ? slack : 3 * slack)
      close(mine.high, high, `${method} ${name} high`, 0, name === 'mean' ? slack : 3 * slack)
      close(mine.standardError, error, `${method} ${name} error`, 0.03)
    }
})

test('a bootstrap repeats with its seed, and a flat sample has no width', () => {
  const options = { resamples: 200, seed: 9 }
  assert.deepEqual(bootstrapInterval([1, 2, 4], mean, options), bootstrapInterval([1, 2, 4], mean, options))
  const flat = bootstrapInterval([2, 2, 2], mean, options)
  assert.deepEqual([flat.low, flat.high], [2, 2])
  const gaps = bootstrapInterval([1, Number.NaN, Number.NaN], mean, options)
  assert.ok(gaps.undefinedResamples > 0)
})

test('patients are drawn whole, strata keep their size', () => {
  const items = [1, 1, 1, 5, 5, 5, 9, 9, 9]
  const clusters = ['a', 'a', 'a', 'b', 'b', 'b', 'c', 'c', 'c']
  const seen = new Set<number>()
  bootstrapInterval(items, (drawn) => seen.add(drawn.length) && mean(drawn), { clusters, resamples: 100 })
  assert.deepEqual([...seen], [9, 6])
  const alone = bootstrapInterval(items, mean, { method: 'percentile' })
  const whole = bootstrapInterval(items, mean, { method: 'percentile', clusters })
  assert.ok(whole.high - whole.low > 1.3 * (alone.high - alone.low), 'three patients tell less than nine')
  const strata = ['x', 'x', 'x', 'x', 'x', 'x', 'y', 'y', 'y']
  const nines = (drawn: readonly number[]) => drawn.filter((x) => x === 9).length
  const kept = bootstrapInterval(items, nines, { strata, method: 'percentile', resamples: 50 })
  assert.deepEqual([kept.low, kept.high], [3, 3])
  assert.throws(() => bootstrapInterval([1, 2], mean, { clusters: ['a'] }), /2 items have 1 labels/)
})

test('intervals cover the truth about as often as they say', () => {
  const uniform = seededRandom(4)
  const normal = gaussianRandom(uniform)
  let covered = 0
  const trials = 200
  for (let trial = 0; trial < trials; trial++) {
    const values = Array.from({ length: 30 }, () => Math.exp(normal() * 0.5))
    const { low, high } = bootstrapInterval(values, mean, { resamples: 400, seed: trial })
    if (low <= Math.exp(0.125) && Math.exp(0.125) <= high) covered++
  }
  assert.ok(covered / trials > 0.87 && covered / trials < 0.98, `${covered} of ${trials}`)
})
