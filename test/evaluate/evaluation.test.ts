import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describe, evaluation } from '../../src/evaluate/evaluation.js'
import { everyMeasure, groupsOf, measureOf } from '../../src/evaluate/every-measure.js'
import { findProtocol, protocols } from '../../src/evaluate/protocols.js'
import { emptyMask } from '../../src/volume/volume.js'

const grid = { dims: [8, 8, 8], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] } as const

test('a description counts what is undefined and leaves it out; quartiles as numpy has them', () => {
  const { n, undefined: lacking, mean, sd, median, q1, q3, min, max } = describe([4, Number.NaN, 1, 3, 2])
  assert.deepEqual([n, lacking, mean, median, q1, q3, min, max], [4, 1, 2.5, 2.5, 1.75, 3.25, 1, 4])
  assert.ok(Math.abs(sd - Math.sqrt(5 / 3)) < 1e-12)
  const none = describe([Number.NaN])
  assert.deepEqual([none.n, none.undefined, none.mean, none.median], [0, 1, Number.NaN, Number.NaN])
  const one = describe([7])
  assert.deepEqual([one.mean, one.sd, one.q1, one.max], [7, Number.NaN, 7, 7])
})

test('every measure has a score, every score a measure, each in one group; nothing to compare is undefined', async () => {
  const mask = emptyMask(grid)
  mask.data.fill(1, 100, 104)
  const { scores } = await everyMeasure.score([mask], mask)
  const keys = everyMeasure.measures.map(({ key }) => key)
  assert.deepEqual(Object.keys(scores).sort(), [...keys].sort())
  assert.equal(new Set(keys).size, keys.length)
  assert.deepEqual(
    groupsOf(everyMeasure).flatMap(({ measures }) => measures.map(({ key }) => key)),
    keys,
  )
  assert.deepEqual([scores.dice, scores.assd, scores.f1Score, scores.pq, scores.ltpr0To10], [1, 0, 1, 1, 1])
  const { scores: nothing } = await everyMeasure.score([emptyMask(grid)], emptyMask(grid))
  for (const key of ['dice', 'assd', 'ltpr', 'pq', 'relativeVolumeError'])
    assert.ok(Number.isNaN(nothing[key]), `${key} ${nothing[key]}`)
  // More than nothing: no per cent of it, and no infinity in a table.
  const { scores: found } = await everyMeasure.score([emptyMask(grid)], mask)
  assert.deepEqual([found.dice, found.relativeVolumeError, found.lfpr], [0, Number.NaN, 1])
  for (const value of Object.values(found)) assert.ok(Number.isFinite(value) || Number.isNaN(value))
})

test('a corrected value is named and has its unit', () => {
  const protocol = findProtocol('msseg2016')
  assert.deepEqual(
    [
      measureOf(protocol, 'assd').unit,
      measureOf(protocol, 'dice').label,
      measureOf(protocol, 'surfaceDistanceOfX').label,
    ],
    ['mm', 'Dice', 'Surface distance of x'],
  )
})

test('every protocol can be evaluated with cases missing: figures of what is there, rankings of all teams', async () => {
  const mask = emptyMask(grid)
  mask.data.fill(1, 100, 105)
  for (const protocol of [...protocols, everyMeasure]) {
    const references = protocol.raters === 'several' ? [mask, mask] : [mask]
    const result = await protocol.score(references, mask)
    const told = { referenceMl: 0.005, candidateMl: 0.005, dice: 1 }
    const cases = (first: boolean) => [
      { id: 'a', ...told, ...(first ? { result } : {}) },
      { id: 'b', ...told, result },
    ]
    const { summaries, rankings } = evaluation(protocol, [
      { name: 'half', cases: cases(false) },
      { name: 'all', cases: cases(true) },
    ])
    assert.deepEqual(summaries[0].missing, ['a'], protocol.id)
    assert.ok(Object.values(summaries[0].measures).every(({ n, undefined: lacking }) => n + lacking === 1))
    assert.ok(rankings.length > 0, protocol.id)
    for (const { places } of rankings) assert.deepEqual(places.map(({ team }) => team).sort(), ['all', 'half'])
    assert.deepEqual(evaluation(protocol, [{ name: 'alone', cases: cases(true) }]).rankings, [])
  }
})
