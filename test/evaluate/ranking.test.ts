import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CaseResult, Measure, Scores } from '../../src/evaluate/protocol.js'
import {
  aggregateThenRank,
  caseValues,
  meanScores,
  placesOf,
  rankThenAggregate,
  stretched,
  withMissing,
} from '../../src/evaluate/ranking.js'
import { mean } from '../../src/evaluate/statistics/describe.js'
import { fixed } from '../generators.js'

const values = (record: Record<string, number>) => new Map(Object.entries(record))
const table = (record: Record<string, Record<string, number>>) =>
  new Map(Object.entries(record).map(([team, cases]) => [team, values(cases)]))
const places = (list: readonly { team: string; place: number }[]) =>
  Object.fromEntries(list.map(({ team, place }) => [team, place]))

test('places: best first, ties share the mean place, NaN last', () => {
  const scores = values({ a: 0.5, b: 0.7, c: 0.7, d: Number.NaN, e: 0.1, f: Number.NaN })
  assert.deepEqual(places(placesOf(scores, 'higher')), { b: 1.5, c: 1.5, a: 3, e: 4, d: 5.5, f: 5.5 })
  assert.deepEqual(places(placesOf(scores, 'lower')), { e: 1, a: 2, b: 3.5, c: 3.5, d: 5.5, f: 5.5 })
  assert.deepEqual(
    placesOf(scores, 'higher').map((p) => p.team),
    ['b', 'c', 'a', 'e', 'd', 'f'],
  )
  assert.deepEqual(placesOf(new Map(), 'higher'), [])
  assert.deepEqual(places(placesOf(values({ a: -0, b: 0, c: Number.POSITIVE_INFINITY }), 'lower')), {
    a: 1.5,
    b: 1.5,
    c: 3,
  })
})

test('places add up to the same whatever the ties', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(Number.NaN))), (list) => {
      const placed = placesOf(new Map(list.map((value, i) => [`${i}`, value])), 'higher')
      assert.equal(
        placed.reduce((sum, p) => sum + p.place, 0),
        (list.length * (list.length + 1)) / 2,
      )
    }),
    fixed(200),
  )
})

test('aggregating first and ranking first may disagree', () => {
  // One splendid case lifts a's mean; b is better in the two others.
  const dice = table({ a: { x: 0.9, y: 0.5, z: 0.5 }, b: { x: 0.5, y: 0.6, z: 0.6 } })
  assert.deepEqual(places(aggregateThenRank('Dice', dice, 'higher').places), { a: 1, b: 2 })
  const byCase = rankThenAggregate('Dice', dice, 'higher')
  assert.deepEqual(places(byCase.places), { b: 1, a: 2 })
  assert.deepEqual(
    byCase.places.map((p) => p.value),
    [4 / 3, 5 / 3],
  )
})

test('undefined cases: left out of means; last where others have a value, nobody ranked where none has', () => {
  const dice = table({ a: { x: 0.9, y: Number.NaN }, b: { x: 0.8, y: Number.NaN, z: 0.3 } })
  assert.deepEqual(
    aggregateThenRank('Dice', dice, 'higher').places.map((p) => p.value),
    [0.9, 0.55],
  )
  // x: a 1, b 2; y: nobody; z: b 1, a 2.
  assert.deepEqual(places(rankThenAggregate('Dice', dice, 'higher').places), { a: 1.5, b: 1.5 })
  assert.equal(mean([]), Number.NaN)
  assert.deepEqual(meanScores([{ d: 1, n: Number.NaN }, undefined, { d: 3, v: 2 }]), { d: 2, n: Number.NaN, v: 2 })
})

test('stretching between best and worst', () => {
  assert.deepEqual([...stretched(values({ a: 10, b: 20, c: 12 }), 'lower').values()], [0, 1, 0.2])
  assert.deepEqual([...stretched(values({ a: 10, b: 20, c: Number.NaN }), 'higher').values()], [1, 0, 1])
  assert.deepEqual([...stretched(values({ a: 3, b: 3 }), 'higher').values()], [0, 0])
})

const measures: Measure[] = [
  { key: 'dice', label: 'Dice', unit: '', better: 'higher' },
  { key: 'count', label: 'Count', unit: 'lesions', better: 'lower' },
  { key: 'f', label: 'F', unit: '', better: 'higher' },
  { key: 'ml', label: 'Volume', unit: 'ml', better: 'neither' },
]
const result = (scores: Scores): CaseResult => ({ scores })

test('a missing case counts as the worst', () => {
  const teams = new Map([
    [
      'a',
      new Map([
        ['x', result({ dice: 0.5, count: 3, f: 0.4, ml: 2 })],
        ['y', result({ count: 1, ml: 2 })],
      ]),
    ],
    [
      'b',
      new Map<string, CaseResult | undefined>([
        ['x', result({ dice: 0.6, count: 5, f: 0.3, ml: 2 })],
        ['y', undefined],
      ]),
    ],
    ['c', new Map<string, CaseResult | undefined>()],
  ])
  const complete = withMissing(teams, measures, { dice: 0 })
  assert.deepEqual(complete.get('c')!.get('x')!.scores, { dice: 0, count: 5, f: 0.3, ml: 2 })
  assert.deepEqual(complete.get('b')!.get('y')!.scores, { count: 1, ml: 2 })
  assert.deepEqual(complete.get('b')!.get('x'), teams.get('b')!.get('x'))
  assert.deepEqual(
    [...caseValues(complete, 'dice').get('c')!],
    [
      ['x', 0],
      ['y', Number.NaN],
    ],
  )
})

test('a case that nobody handed in has the bounds only; raters are filled one by one', () => {
  const none = withMissing(new Map([['a', new Map([['x', undefined]])]]), measures, { dice: 0 })
  assert.deepEqual(none.get('a')!.get('x'), { scores: { dice: 0 } })
  const rated: CaseResult = {
    scores: { count: 2, dice: 0.5 },
    raters: [
      { count: 1, dice: 0.4 },
      { count: 3, dice: 0.6 },
    ],
  }
  const filled = withMissing(
    new Map([
      ['a', new Map([['x', rated]])],
      ['b', new Map()],
    ]),
    measures,
    { dice: 0 },
  )
  assert.deepEqual(filled.get('b')!.get('x'), {
    scores: { count: 2, dice: 0 },
    raters: [
      { count: 1, dice: 0 },
      { count: 3, dice: 0 },
    ],
  })
})
