import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  blandAltman,
  concordance,
  type Estimate,
  intraclassCorrelation,
  pearson,
  spearman,
  volumeAgreement,
} from '../../src/evaluate/agreement.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

interface Icc {
  icc21: { value: number; interval: number[] }
  icc31: { value: number; interval: number[] }
}
interface Golden {
  raters: number[][]
  pearson: number
  pearsonInterval: number[]
  spearman: number
  tied: number[][]
  tiedSpearman: number
  concordance: number
  two: Icc
  three: Icc
  blandAltman: {
    bias: number
    biasInterval: number[]
    limits: number[]
    limitHalfWidth: number
    slope: number
    slopeInterval: number[]
    slopeP: number
  }
}
const { agreement: golden } = JSON.parse(readFileSync(new URL('golden/metrics.json', import.meta.url), 'utf8')) as {
  agreement: Golden
}
const column = (j: number) => golden.raters.map((row) => row[j])
const near = (ours: number, expected: number, what: string, tolerance = 1e-9) =>
  assert.ok(
    Math.abs(ours - expected) < tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${ours}, not ${expected}`,
  )
const estimate = (ours: Estimate, value: number, [low, high]: number[], what: string) => {
  near(ours.value, value, what)
  near(ours.low, low, `${what}, low`)
  near(ours.high, high, `${what}, high`)
}

test('Pearson and Spearman as scipy has them', () => {
  estimate(pearson(column(0), column(2)), golden.pearson, golden.pearsonInterval, 'Pearson')
  near(spearman(column(0), column(2)), golden.spearman, 'Spearman')
  near(spearman(golden.tied[0], golden.tied[1]), golden.tiedSpearman, 'Spearman with ties')
})

test('ICC(2,1) and ICC(3,1) of two and three raters as pingouin has them, with intervals', () => {
  for (const [raters, expected] of [
    [[0, 2], golden.two],
    [[0, 1, 2], golden.three],
  ] as const) {
    const ours = intraclassCorrelation(golden.raters.map((row) => raters.map((j) => row[j])))
    estimate(ours.icc21, expected.icc21.value, expected.icc21.interval, `ICC(2,1) of ${raters.length}`)
    estimate(ours.icc31, expected.icc31.value, expected.icc31.interval, `ICC(3,1) of ${raters.length}`)
  }
})

test("the six targets and four judges of Shrout and Fleiss's paper", () => {
  const { icc21, icc31 } = intraclassCorrelation([
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
  ])
  near(icc21.value, 0.29, 'ICC(2,1)', 0.005)
  near(icc31.value, 0.71, 'ICC(3,1)', 0.006)
})

test('Bland–Altman as computed with scipy', () => {
  const { limits, limitHalfWidth: half, ...expected } = golden.blandAltman
  const ours = blandAltman(column(0), column(2))
  estimate(ours.bias, expected.bias, expected.biasInterval, 'bias')
  estimate(ours.lower, limits[0], [limits[0] - half, limits[0] + half], 'lower limit')
  estimate(ours.upper, limits[1], [limits[1] - half, limits[1] + half], 'upper limit')
  estimate(ours.slope, expected.slope, expected.slopeInterval, 'slope')
  near(ours.slopeP, expected.slopeP, 'p of the slope', 1e-12)
})

test('concordance: the definition, one for equal series, less than the correlation for a shift', () => {
  const ours = concordance(column(0), column(2))
  near(ours.value, golden.concordance, 'concordance')
  assert.ok(ours.low < ours.value && ours.value < ours.high)
  assert.deepEqual(concordance([1, 2, 4], [1, 2, 4]), { value: 1, low: 1, high: 1 })
  near(pearson([1, 2, 3], [2, 3, 4]).value, 1, 'correlation of a shifted series')
  near(concordance([1, 2, 3], [2, 3, 4]).value, 4 / 7, 'concordance of a shifted series')
})

test("the concordance's interval holds the true value 95 times in 100", () => {
  const normal = gaussianRandom(seededRandom(1))
  const [rho, shift, scale] = [0.8, 0.5, 1.3]
  const truth = (2 * rho * scale) / (1 + scale ** 2 + shift ** 2)
  let held = 0
  for (let round = 0; round < 1000; round++) {
    const x = Array.from({ length: 60 }, normal)
    const y = x.map((v) => shift + scale * (rho * v + Math.sqrt(1 - rho ** 2) * normal()))
    const { low, high } = concordance(x, y)
    if (low < truth && truth < high) held++
  }
  assert.ok(Math.abs(held / 1000 - 0.95) < 0.02, `${held} of 1000`)
})

test('pairs with a value that is not defined are left out; series of different length are refused', () => {
  const [x, y] = [column(0), column(2)]
  const whole = volumeAgreement(x, y)
  assert.deepEqual(volumeAgreement([...x, Number.NaN, 3], [...y, 1, Number.NaN]), whole)
  assert.equal(whole.n, 17)
  assert.throws(() => volumeAgreement([1, 2], [1]), /2 and 1 values/)
  assert.throws(() => intraclassCorrelation([[1, 2], [1]]), /one rating of each rater/)
})

test('too few values and constant series give NaN', () => {
  for (const n of [0, 1]) {
    const few = volumeAgreement(new Array(n).fill(2), new Array(n).fill(3))
    for (const value of [
      few.pearson.value,
      few.spearman,
      few.icc21.value,
      few.blandAltman.sd,
      few.blandAltman.slope.value,
    ])
      assert.ok(Number.isNaN(value))
  }
  const flat = volumeAgreement([2, 2, 2, 2], [1, 2, 3, 4])
  assert.ok(Number.isNaN(flat.pearson.value) && Number.isNaN(flat.spearman))
  assert.equal(flat.concordance.value, 0)
  const same = volumeAgreement([1, 2, 3, 5], [1, 2, 3, 5])
  for (const value of [same.icc21, same.icc31, same.pearson, same.concordance])
    assert.deepEqual(value, { value: 1, low: 1, high: 1 })
  assert.deepEqual(same.blandAltman.bias, { value: 0, low: 0, high: 0 })
  const shifted = volumeAgreement([1, 2, 3, 5], [2, 3, 4, 6])
  assert.deepEqual(shifted.icc31, { value: 1, low: 1, high: 1 })
  assert.ok(shifted.icc21.low < shifted.icc21.value && shifted.icc21.value < 1)
})
