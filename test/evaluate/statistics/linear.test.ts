import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jointTest, linearModel } from '../../../src/evaluate/statistics/linear.js'
import { mannWhitney } from '../../../src/evaluate/statistics/unpaired.js'

const close = (value: number, expected: number, relative = 1e-8) =>
  assert.ok(Math.abs(value - expected) <= relative * Math.abs(expected), `${value} is not ${expected}`)

// NIST StRD, data set Longley: certified values of a model whose columns are nearly collinear.
const longley = `60323 83 234289 2356 1590 107608 1947
61122 88.5 259426 2325 1456 108632 1948
60171 88.2 258054 3682 1616 109773 1949
61187 89.5 284599 3351 1650 110929 1950
63221 96.2 328975 2099 3099 112075 1951
63639 98.1 346999 1932 3594 113270 1952
64989 99 365385 1870 3547 115094 1953
63761 100 363112 3578 3350 116219 1954
66019 101.2 397469 2904 3048 117388 1955
67857 104.6 419180 2822 2857 118734 1956
68169 108.4 442769 2936 2798 120445 1957
66513 110.8 444546 4681 2637 121950 1958
68655 112.6 482704 3813 2552 123366 1959
69564 114.2 502601 3931 2514 125368 1960
69331 115.7 518173 4806 2572 127852 1961
70551 116.9 554894 4007 2827 130081 1962`
  .split('\n')
  .map((line) => line.split(' ').map(Number))
const response = longley.map(([y]) => y)
const columns = [
  { name: 'intercept', values: longley.map(() => 1) },
  ...[1, 2, 3, 4, 5, 6].map((at) => ({ name: `x${at}`, values: longley.map((row) => row[at]) })),
]

test('least squares: the certified values of Longley’s data (NIST)', () => {
  const model = linearModel(response, columns)
  const certified = [
    [-3482258.63459582, 890420.383607373],
    [15.0618722713733, 84.9149257747669],
    [-0.035819179292591, 0.0334910077722432],
    [-2.02022980381683, 0.488399681651699],
    [-1.03322686717359, 0.214274163161675],
    [-0.0511041056535807, 0.22607320006937],
    [1829.15146461355, 455.478499142212],
  ]
  for (const [i, [estimate, standardError]] of certified.entries()) {
    close(model.coefficients[i].estimate, estimate, 1e-7)
    close(model.coefficients[i].standardError, standardError, 1e-7)
  }
  close(model.residualSd, 304.854073561965)
  close(model.rSquared, 0.995479004577296)
  assert.deepEqual([model.df, model.n, model.skipped], [9, 16, 0])
  // All columns but the intercept together: the certified F of the regression.
  const all = jointTest(response, columns, new Set(['x1', 'x2', 'x3', 'x4', 'x5', 'x6']))
  close(all.f, 330.285339234588, 1e-6)
  assert.deepEqual([all.df1, all.df2], [6, 9])
})

test('two groups without covariates: the t test; with a covariate that explains all, nothing is left', () => {
  const y = [1, 2, 3, 4, 6, 8, 9, 11]
  const group = [0, 0, 0, 0, 1, 1, 1, 1]
  const one = { name: 'one', values: y.map(() => 1) }
  const { coefficients } = linearModel(y, [one, { name: 'group', values: group }])
  // Means 2.5 and 8.5; pooled variance (5 + 13) / 6 = 3, so t = 6 / sqrt(3 · (1/4 + 1/4)).
  close(coefficients[1].estimate, 6)
  close(coefficients[1].t, 6 / Math.sqrt(1.5))
  // SciPy’s ttest_ind.
  close(coefficients[1].p, 0.0027136820350937944)
  assert.ok(mannWhitney(y.slice(4), y.slice(0, 4)).p < 0.05)
  const age = [20, 30, 40, 50, 35, 45, 55, 65]
  const explained = age.map((years, i) => 2 * years + 3 * group[i])
  const both = linearModel(explained, [one, { name: 'group', values: group }, { name: 'age', values: age }])
  close(both.coefficients[1].estimate, 3)
  close(both.coefficients[2].estimate, 2)
  close(both.rSquared, 1)
})

test('rows with NaN are left out; what cannot be solved is told', () => {
  const one = { name: 'one', values: [1, 1, 1, 1, 1] }
  const x = { name: 'x', values: [1, 2, Number.NaN, 4, 5] }
  const { n, skipped, coefficients } = linearModel([2, 4, 100, 8, 10.5], [one, x])
  assert.deepEqual([n, skipped], [4, 1])
  assert.ok(Math.abs(coefficients[1].estimate - 2.1) < 1e-12)
  const twice = { name: 'twice', values: [2, 4, 6, 8, 10] }
  assert.throws(() => linearModel([1, 2, 3, 4, 6], [one, x, twice]), /the column twice follows from the others/)
  assert.throws(() => linearModel([1, 2], [one]), /one has 5 values for 2 rows/)
  assert.throws(() => linearModel([1, Number.NaN, 1, Number.NaN, Number.NaN], [one, x]), /1 rows are too few for 2/)
})
