import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaseResult, Scores } from '../../src/evaluate/protocol.js'
import { fittedScore, rawScore } from '../../src/evaluate/protocols/isbi2015.js'
import { createMsseg2008, points2008 } from '../../src/evaluate/protocols/msseg2008.js'
import { findProtocol } from '../../src/evaluate/protocols.js'
import { boxes, close } from './box-masks.js'

const scan = (
  dsc: number,
  ppv: number,
  lfpr: number,
  ltpr: number,
  candidateMl: number,
  referenceMl: number,
): Scores => ({
  dsc,
  ppv,
  tpr: 0.5,
  lfpr,
  ltpr,
  volumeDifference: 0.1,
  candidateMl,
  referenceMl,
})
const caseOf = (...raters: Scores[]): CaseResult => ({ scores: raters[0], raters })
const isbi = findProtocol('isbi2015')

test('ISBI 2015: the worked example', () => {
  const means = { dsc: 0.65, ppv: 0.85, lfpr: 0.15, ltpr: 0.45, volumeCorrelation: 0.9 }
  assert.ok(close(rawScore(means), 0.7375))
  assert.ok(close(fittedScore(0.7375), 92.51875))
  assert.equal(fittedScore(1), 100)
  // Two scans have a correlation of ±1: with VC = 1 the same scans come to 0.5125 + 0.25.
  const overall = isbi.overall(
    new Map([
      ['s1', caseOf(scan(0.6, 0.9, 0.1, 0.5, 1, 10))],
      ['s2', caseOf(scan(0.7, 0.8, 0.2, 0.4, 2, 30))],
    ]),
  )
  assert.ok(close(overall.volumeCorrelation, 1) && close(overall.rawScore, 0.7625))
  assert.ok(close(overall.score, 100 - 28.5 * 0.2375))
})

test('ISBI 2015: volumes are correlated rater by rater, the score is the mean of the raters', () => {
  const cases = new Map(
    [
      [1, 1, 3],
      [2, 2, 2],
      [3, 4, 2.5],
    ].map(([a, r1, r2], i) => [`s${i}`, caseOf(scan(0.6, 0.8, 0.2, 0.4, a, r1), scan(0.4, 0.8, 0.2, 0.4, a, r2))]),
  )
  const overall = isbi.overall(cases)
  // Pearson by hand: 3 / √(2 · 14/3) and −0.5 / √(2 · 0.5).
  const [vc1, vc2] = [3 / Math.sqrt(28 / 3), -0.5]
  assert.ok(close(overall.volumeCorrelation, (vc1 + vc2) / 2))
  const raw = (dsc: number, vc: number) => dsc / 8 + 0.1 + 0.2 + 0.1 + vc / 4
  assert.ok(close(overall.rawScore, (raw(0.6, vc1) + raw(0.4, vc2)) / 2))
})

test('ISBI 2015: undefined figures are left out of their mean; no correlation, no score', () => {
  const empty = { ...scan(0, Number.NaN, Number.NaN, 0, 0, 10) }
  const two = isbi.overall(
    new Map([
      ['s1', caseOf(scan(0.6, 0.9, 0.1, 0.5, 1, 20))],
      ['s2', caseOf(empty)],
    ]),
  )
  assert.ok(close(two.ppv, 0.9) && close(two.dsc, 0.3) && close(two.lfpr, 0.1))
  const single = isbi.overall(new Map([['s1', caseOf(scan(0.6, 0.9, 0.1, 0.5, 1, 20))]]))
  assert.deepEqual([single.volumeCorrelation, single.rawScore, single.score], [Number.NaN, Number.NaN, Number.NaN])
  assert.equal(isbi.overall(new Map()).score, Number.NaN)
})

test('ISBI 2015: a scan that is missing counts as an empty mask that is wrong', () => {
  const good = (ml: number) => caseOf(scan(0.6, 0.9, 0.1, 0.5, ml, ml))
  const poor = (ml: number) => caseOf(scan(0.5, 0.7, 0.3, 0.4, ml, ml))
  const teams = new Map([
    [
      'skips',
      new Map([
        ['s1', good(1)],
        ['s2', good(2)],
        ['s3', undefined],
      ]),
    ],
    [
      'all',
      new Map([
        ['s1', poor(1)],
        ['s2', poor(2)],
        ['s3', poor(4)],
      ]),
    ],
  ])
  const [{ title, places }] = isbi.rank(teams)
  assert.match(title, /fitted/)
  assert.deepEqual(
    places.map((p) => p.team),
    ['all', 'skips'],
  )
  // Volumes 1, 2, 0 against 1, 2, 4.
  const vc = -2 / Math.sqrt(2 * (14 / 3))
  const raw = 0.4 / 8 + 0.6 / 8 + (1 - 1.2 / 3) / 4 + 1 / 3 / 4 + vc / 4
  assert.ok(close(places[1].value, fittedScore(raw)))
})

test('MSSEG 2008: the worked example', () => {
  const points = points2008({ volumeDifference: 50, surfaceDistance: 4, lesionTpr: 62, lesionFpr: 46 })
  const expected = {
    volumeDifferenceScore: 92.68,
    surfaceDistanceScore: 91.75,
    lesionTprScore: 88.13,
    lesionFprScore: 85.63,
    score: 89.5,
  }
  for (const [key, value] of Object.entries(expected))
    assert.ok(close(points[key], value, 0.05), `${key} ${points[key]}`)
  assert.deepEqual(points2008({ volumeDifference: 50, surfaceDistance: 4, lesionTpr: 62, lesionFpr: 46 }, true), {
    volumeDifferenceScore: 93,
    surfaceDistanceScore: 92,
    lesionTprScore: 88,
    lesionFprScore: 86,
    score: 90,
  })
})

test('MSSEG 2008: no points below 0, a rater has 90, halves are rounded to even', () => {
  const rater = points2008({ volumeDifference: 68.29, surfaceDistance: 4.8464, lesionTpr: 68, lesionFpr: 32 })
  for (const value of Object.values(rater)) assert.ok(close(value, 90))
  const awful = points2008({ volumeDifference: 1e4, surfaceDistance: 99, lesionTpr: 0, lesionFpr: 100 })
  assert.deepEqual(
    [awful.volumeDifferenceScore, awful.surfaceDistanceScore, awful.lesionTprScore, awful.lesionFprScore],
    [0, 0, 68.75, 68.75],
  )
  // 100 − 10 · 4.8/32 = 98.5 and 100 − 10 · 1.6/32 = 99.5.
  assert.equal(
    points2008({ volumeDifference: 0, surfaceDistance: 0, lesionTpr: 100, lesionFpr: 4.8 }, true).lesionFprScore,
    98,
  )
  assert.equal(
    points2008({ volumeDifference: 0, surfaceDistance: 0, lesionTpr: 100, lesionFpr: 1.6 }, true).lesionFprScore,
    100,
  )
})

test('MSSEG 2008: the mean of both raters, and a ranking where a missing case scores 0', async () => {
  const mask = (...list: number[][]) => boxes([20, 10, 5], [1, 1, 1], ...list)
  const [first, second] = [mask([0, 0, 0, 4, 4, 4]), mask([0, 0, 0, 4, 4, 4], [10, 0, 0, 4, 4, 4])]
  for (const rounded of [false, true]) {
    const protocol = rounded ? createMsseg2008({ rounded }) : findProtocol('msseg2008')
    const result = await protocol.score([first, second], first)
    assert.equal(result.raters![0].score, 100)
    assert.equal(result.raters![1].lesionTpr, 50)
    assert.ok(close(result.scores.score, (100 + result.raters![1].score) / 2))
    assert.equal(Number.isInteger(result.raters![1].score), rounded)
    const teams = new Map([
      [
        'a',
        new Map([
          ['x', result],
          ['y', undefined],
        ]),
      ],
      [
        'b',
        new Map([
          ['x', { scores: { score: 40 } }],
          ['y', { scores: { score: 60 } }],
        ]),
      ],
    ])
    const [{ places }] = protocol.rank(teams)
    assert.deepEqual(
      places.map((p) => [p.team, p.place]),
      [
        ['b', 1],
        ['a', 2],
      ],
    )
    assert.ok(close(places[1].value, result.scores.score / 2))
  }
})
