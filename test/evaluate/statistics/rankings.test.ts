import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  adjustPairs,
  cliques,
  conover,
  friedman,
  nemenyi,
  nemenyiCriticalDifference,
} from '../../../src/evaluate/statistics/friedman.js'
import { benjaminiHochberg } from '../../../src/evaluate/statistics/multiple.js'
import { rankMethods, rankStability, significanceMap } from '../../../src/evaluate/statistics/rank-stability.js'
import { gaussianRandom, seededRandom } from '../../../src/random.js'
import { close, golden } from './golden.js'

interface Golden {
  friedman: {
    name: string
    scores: number[][]
    averageRanks: number[]
    chiSquare: number
    p: number
    f: number
    fP: number
    conoverHolm: number[][]
    nemenyi: number[][]
  }[]
}
const { friedman: rows } = golden<Golden>('statistics')

test('Friedman, Iman–Davenport, Conover with Holm and Nemenyi are those of scipy and scikit-posthocs', () => {
  for (const row of rows) {
    const result = friedman(row.scores)
    for (const key of ['chiSquare', 'p', 'f', 'fP'] as const) close(result[key], row[key], `${row.name}, ${key}`)
    row.averageRanks.forEach((rank, j) => close(result.averageRanks[j], rank, 'rank'))
    const [mineC, mineN] = [conover(result), nemenyi(result)]
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++) {
        close(mineC[i][j], row.conoverHolm[i][j], `${row.name}, Conover ${i}, ${j}`, 1e-8)
        // The peer's infinite degrees of freedom are a large number.
        close(mineN[i][j], row.nemenyi[i][j], `${row.name}, Nemenyi ${i}, ${j}`, 1e-6, 1e-9)
      }
  }
})

test('the example of Demšar (2006): four classifiers on fourteen data sets', () => {
  // Section 3.2.2: average ranks 3.143, 2.000, 2.893, 1.964; χ² = 9.28, F = 3.69; the critical difference is 1.25.
  const scores = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.59, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1, 1, 1, 1],
    [0.94, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975],
    [0.957, 0.978, 0.946, 0.97],
  ]
  const result = friedman(scores)
  ;[3.143, 2, 2.893, 1.964].forEach((rank, j) => close(result.averageRanks[j], rank, 'rank', 0, 5e-4))
  close(nemenyiCriticalDifference(4, 14), 1.25, 'critical difference', 0, 0.005)
})

test('a critical difference and the table of p say the same', () => {
  const result = friedman(rows[0].scores)
  const cd = nemenyiCriticalDifference(5, result.n)
  const p = nemenyi(result)
  for (let i = 0; i < 5; i++)
    for (let j = 0; j < 5; j++)
      assert.equal(Math.abs(result.averageRanks[i] - result.averageRanks[j]) >= cd, p[i][j] <= 0.05)
})

test('cliques are the longest runs, none within another', () => {
  const ranks = [1, 1.5, 2.2, 3.4, 6]
  const within = (width: number) => cliques(ranks, (i, j) => Math.abs(ranks[i] - ranks[j]) >= width)
  assert.deepEqual(within(1.3), [
    [0, 1, 2],
    [2, 3],
  ])
  assert.deepEqual(within(0.1), [])
  assert.deepEqual(within(10), [[0, 1, 2, 3, 4]])
  assert.deepEqual(
    cliques([3, 1, 2], (i, j) => i === 0 || j === 0),
    [[1, 2]],
  )
})

test('cases with a hole are left out; complete agreement has concordance 1; nonsense is refused', () => {
  const result = friedman([
    [0.1, 0.2],
    [0.3, 0.5],
    [0.2, Number.NaN],
    [0.4, 0.6],
  ])
  assert.deepEqual([result.n, result.skipped, result.concordance, result.f], [3, 1, 1, Infinity])
  assert.deepEqual(result.averageRanks, [2, 1])
  assert.deepEqual(
    friedman(
      [
        [1, 2],
        [1, 3],
      ],
      'lower',
    ).averageRanks,
    [1, 2],
  )
  assert.throws(() => friedman([[1], [2]]), RangeError)
  assert.throws(() => friedman([[1, 2], [2]]), RangeError)
  const table = [
    [1, 0.01, 0.04],
    [0.01, 1, 0.5],
    [0.04, 0.5, 1],
  ]
  assert.deepEqual(adjustPairs(table, benjaminiHochberg)[0], [1, 0.03, 0.06])
})

/** Cases × methods, the methods a step apart. */
function contest(cases: number, step: number, seed = 2): number[][] {
  const normal = gaussianRandom(seededRandom(seed))
  return Array.from({ length: cases }, () => {
    const base = normal()
    return [0, 1, 2, 3].map((method) => base - step * method + normal())
  })
}

test('a clear contest has one ranking by every rule, and it stays', () => {
  const scores = contest(40, 2)
  for (const rule of [
    'mean-then-rank',
    'median-then-rank',
    'rank-then-mean',
    'rank-then-median',
    'test-then-rank',
  ] as const) {
    const { ranks, tau, first, distribution } = rankStability(scores, { rule, resamples: 100 })
    assert.deepEqual(ranks, [1, 2, 3, 4], rule)
    assert.ok(tau.mean > 0.98, rule)
    assert.equal(first[0], 1)
    assert.deepEqual(distribution[0], [{ place: 1, share: 1 }])
  }
  const map = significanceMap(scores)
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) assert.equal(map[i][j] < 0.05, i < j)
})

test('equal methods have a ranking that does not last', () => {
  const { tau, first, spread, significance, distribution } = rankStability(contest(30, 0), { resamples: 400 })
  assert.ok(tau.mean < 0.8)
  assert.ok(first.every((share) => share < 0.95))
  assert.ok(spread.some(({ low, high }) => high - low >= 2))
  assert.ok(significance.flat().every((p) => p > 0.05))
  for (const shares of distribution)
    close(
      shares.reduce((sum, { share }) => sum + share, 0),
      1,
      'shares',
    )
})

test('ranking by hand: rules differ, ties share places, missing cases count as told', () => {
  // Method 0 wins two cases narrowly, method 1 one case by far.
  const scores = [
    [0.51, 0.5],
    [0.61, 0.6],
    [0.1, 0.9],
  ]
  assert.deepEqual(rankMethods(scores, { rule: 'mean-then-rank' }), [2, 1])
  assert.deepEqual(rankMethods(scores, { rule: 'rank-then-mean' }), [1, 2])
  assert.deepEqual(rankMethods(scores, { rule: 'mean-then-rank', better: 'lower' }), [1, 2])
  assert.deepEqual(rankMethods([[0.1 + 0.2, 0.3]]), [1.5, 1.5])
  const hole = [
    [0.9, 0.5],
    [Number.NaN, 0.6],
  ]
  assert.deepEqual(rankMethods(hole), [1, 2])
  assert.deepEqual(rankMethods(hole, { missing: 0 }), [2, 1])
  assert.deepEqual(rankMethods(hole, { rule: 'rank-then-mean' }), [1.5, 1.5])
})
