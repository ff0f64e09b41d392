import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cliffsDelta, cohensDz, hodgesLehmann } from '../../../src/evaluate/statistics/effects.js'
import { adjustments, holm } from '../../../src/evaluate/statistics/multiple.js'
import {
  type Alternative,
  pairedT,
  permutationTest,
  signTest,
  wilcoxonSignedRank,
} from '../../../src/evaluate/statistics/paired.js'
import { mannWhitney } from '../../../src/evaluate/statistics/unpaired.js'
import { gaussianRandom, seededRandom } from '../../../src/random.js'
import { close, golden } from './golden.js'

type Row = { name: string; first: number[]; second: number[]; dz: number[] } & Record<string, number>
const { paired, unpaired, multiple } = golden<{
  paired: Row[]
  unpaired: Row[]
  multiple: Record<string, number[]>
}>('statistics')
const sides: Alternative[] = ['two-sided', 'greater', 'less']

test('paired tests are those of scipy: Wilcoxon exact and normal, with ties and zeros, t, sign, permutations', () => {
  let exact = 0
  for (const row of paired) {
    const { first, second, name } = row
    for (const alternative of sides) {
      for (const zeros of ['wilcox', 'pratt'] as const) {
        const { p } = wilcoxonSignedRank(first, second, { alternative, zeros, method: 'normal' })
        close(p, row[`normal ${zeros} ${alternative}`], `${name}, ${zeros}, ${alternative}`)
      }
      const wanted = row[`exact ${alternative}`]
      const auto = wilcoxonSignedRank(first, second, { alternative })
      assert.equal(auto.method, wanted === undefined ? 'normal' : 'exact', name)
      if (wanted !== undefined) {
        close(auto.p, wanted, `${name}, exact, ${alternative}`)
        exact++
      }
      close(pairedT(first, second, alternative).p, row[`t ${alternative}`], `${name}, t, ${alternative}`)
      close(signTest(first, second, alternative).p, row[`sign ${alternative}`], `${name}, sign, ${alternative}`)
      const flips = row[`permutation ${alternative}`]
      if (flips !== undefined) {
        const mine = permutationTest(first, second, { alternative })
        assert.equal(mine.method, 'exact')
        close(mine.p, flips, `${name}, permutation, ${alternative}`)
      }
    }
    assert.equal(wilcoxonSignedRank(first, second).statistic, row['W+'])
    close(pairedT(first, second).statistic, row.t, `${name}, t`)
    const dz = cohensDz(first, second)
    ;[dz.estimate, dz.low, dz.high].forEach((value, i) => close(value, row.dz[i], `${name}, dz ${i}`, 1e-7))
  }
  assert.ok(exact >= 6)
})

test('an exact test with ties counts the sign patterns of the tied ranks', () => {
  const first = [3, 5, 5, 2, 8, 1]
  const second = [1, 3, 6, 2, 3, 2]
  // Differences 2, 2, −1, 0, 5, −1: the ranks of the five are 3.5, 3.5, 1.5, 5, 1.5 and W+ is 12.
  const patterns = Array.from({ length: 32 }, (_, bits) =>
    [3.5, 3.5, 1.5, 5, 1.5].reduce((sum, rank, i) => sum + ((bits >> i) & 1) * rank, 0),
  )
  const result = wilcoxonSignedRank(first, second, { method: 'exact', alternative: 'greater' })
  assert.equal(result.statistic, 12)
  assert.equal(result.zeros, 1)
  assert.equal(result.p, patterns.filter((w) => w >= 12).length / 32)
  close(result.rankBiserial, (12 - 3) / 15, 'rank-biserial')
})

test('differences that should tie do, whatever rounding did to them', () => {
  const result = wilcoxonSignedRank([0.3, 0.2, 0.9], [0.1, 0, 0.9000000000000001])
  assert.equal(result.zeros, 1)
  assert.equal(result.n, 2)
  assert.equal(result.method, 'normal')
})

test('NaN pairs are left out and counted; nothing that differs gives no p', () => {
  const first = [1, 2, Number.NaN, 4, 5, Infinity]
  const second = [0.5, 1, 3, Number.NaN, 3, Infinity]
  for (const result of [
    wilcoxonSignedRank(first, second),
    signTest(first, second),
    pairedT(first, second),
    permutationTest(first, second),
  ])
    assert.deepEqual([result.skipped, result.n], [3, 3])
  assert.ok(Number.isNaN(wilcoxonSignedRank([1, 2], [1, 2]).p))
  assert.ok(Number.isNaN(signTest([1], [1]).p))
  assert.ok(Number.isNaN(permutationTest([], []).p))
  assert.throws(() => wilcoxonSignedRank([1], [1, 2]), RangeError)
})

test('drawn permutations agree with the t test, repeat with their seed, and never give 0', () => {
  const row = paired.find(({ name }) => name === 'eighty')!
  const options = { permutations: 20_000, seed: 5 }
  const { p, method } = permutationTest(row.first, row.second, options)
  assert.equal(method, 'random permutations')
  assert.equal(p, permutationTest(row.first, row.second, options).p)
  close(p, row['t two-sided'], 'p', 0.1, 0.002)
  const apart = Array.from({ length: 30 }, (_, i) => i + 10)
  close(
    permutationTest(
      apart,
      apart.map(() => 0),
      { permutations: 999 },
    ).p,
    1 / 1000,
    'the least p',
  )
})

test('Mann–Whitney and Cliff’s delta are those of scipy', () => {
  for (const row of unpaired) {
    for (const alternative of sides)
      for (const [theirs, method] of [
        ['exact', 'exact'],
        ['asymptotic', 'normal'],
      ] as const) {
        const wanted = row[`${theirs} ${alternative}`]
        if (wanted === undefined) continue
        close(
          mannWhitney(row.first, row.second, { alternative, method }).p,
          wanted,
          `${row.name} ${method} ${alternative}`,
        )
      }
    const { statistic, superiority } = mannWhitney(row.first, row.second)
    assert.equal(statistic, row.U)
    close(cliffsDelta(row.first, row.second), row.cliff, 'delta')
    close(2 * superiority - 1, row.cliff, 'superiority')
  }
  assert.equal(mannWhitney(unpaired[0].first, unpaired[0].second).method, 'exact')
  assert.throws(() => mannWhitney([1, 2], [2, 3], { method: 'exact' }), RangeError)
  assert.ok(Number.isNaN(cliffsDelta([], [1])))
})

test('the Hodges–Lehmann interval is that of R, and belongs to the test', () => {
  const { hodgesLehmann: r } = golden<{
    hodgesLehmann: { first: number[]; second: number[]; estimate: number; low: number; high: number }
  }>('mixed')
  const mine = hodgesLehmann(r.first, r.second)
  for (const key of ['estimate', 'low', 'high'] as const) close(mine[key], r[key], key)
  // A shift just inside the interval is not rejected, one just outside is.
  const p = (shift: number) =>
    wilcoxonSignedRank(
      r.first.map((x) => x - shift),
      r.second,
    ).p
  assert.ok(p(mine.low + 1e-6) > 0.05 && p(mine.low - 1e-6) <= 0.05)
  assert.ok(p(mine.high - 1e-6) > 0.05 && p(mine.high + 1e-6) <= 0.05)
  assert.equal(hodgesLehmann([1, 2], [0, 0]).low, -Infinity)
})

test('adjusted p values are those of statsmodels; a NaN is no test', () => {
  for (const [name, adjust] of Object.entries(adjustments))
    adjust(multiple.p).forEach((p, i) => close(p, multiple[name][i], `${name} ${i}`))
  assert.deepEqual(holm([0.01, Number.NaN, 0.02]), [0.02, Number.NaN, 0.02])
})

test('without a difference, each test rejects as often as it says', () => {
  const uniform = seededRandom(3)
  const normal = gaussianRandom(uniform)
  const trials = 1500
  const rejected = { wilcoxon: 0, normal: 0, t: 0, permutation: 0 }
  for (let trial = 0; trial < trials; trial++) {
    const first = Array.from({ length: 12 }, normal)
    const second = Array.from({ length: 12 }, normal)
    if (wilcoxonSignedRank(first, second).p <= 0.05) rejected.wilcoxon++
    if (wilcoxonSignedRank(first, second, { method: 'normal' }).p <= 0.05) rejected.normal++
    if (pairedT(first, second).p <= 0.05) rejected.t++
    if (permutationTest(first, second, { permutations: 4096 }).p <= 0.05) rejected.permutation++
  }
  for (const [name, n] of Object.entries(rejected))
    assert.ok(n / trials > 0.03 && n / trials < 0.065, `${name} rejects ${n} of ${trials}`)
})
