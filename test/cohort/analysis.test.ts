import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultsTable, summaryTable } from '../../src/cohort/tables.js'
import { readTsv } from '../../src/formats/tsv.js'
import { failedRun, madeUpBenchmark, madeUpResult, madeUpRun } from './made-up.js'

test('a failed run counts as 0 where another method has a result, a case that all failed counts for nobody', () => {
  const { analysis } = madeUpResult(
    ['x', 'y'],
    [
      ...[madeUpRun('x', 'a', 0.8), madeUpRun('y', 'a', 0.6)],
      ...[failedRun('x', 'b'), madeUpRun('y', 'b', 0.4)],
      ...[failedRun('x', 'c'), failedRun('y', 'c')],
    ],
  )
  const [x, y] = analysis.methods
  assert.deepEqual(analysis.cases, ['a', 'b'])
  assert.deepEqual([x.failed, y.failed], [1, 0])
  assert.ok(Math.abs(x.estimates.dice.mean - 0.4) < 1e-12 && Math.abs(y.estimates.dice.mean - 0.5) < 1e-12)
  assert.deepEqual([x.places.dice, y.places.dice], [2, 1])
  // Distances have no worst value: the failed run is left out there.
  assert.equal(x.estimates.assd.n, 1)
  assert.deepEqual(
    analysis.rankings[0].places.map(({ team, value }) => [team, Number(value.toFixed(3))]),
    [
      ['y', 0.5],
      ['x', 0.4],
    ],
  )
})

test('patients are compared, not scans: visits of one are averaged', () => {
  const runs = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((id, n) => [
    madeUpRun('x', id, 0.5 + 0.01 * n),
    madeUpRun('y', id, 0.6 + 0.02 * n),
  ])
  const { analysis } = madeUpResult(['x', 'y'], runs, { f: 'e', g: 'e' })
  const [dice] = analysis.comparisons
  assert.equal(analysis.groups, 5)
  assert.deepEqual([dice.better, dice.other, dice.n], ['y', 'x', 5])
  // Differences of the patients: 0.10, 0.11, 0.12, 0.13 and the mean of 0.14, 0.15 and 0.16.
  assert.ok(Math.abs(dice.difference - 0.122) < 1e-12, String(dice.difference))
  // All five of one sign: 2 / 2^5, the least that five can give.
  assert.ok(Math.abs(dice.p - 0.0625) < 1e-12 && dice.adjusted === dice.p)
  assert.ok(dice.low > 0.1 && dice.high < 0.16 && dice.low < dice.difference && dice.high > dice.difference)
})

test('three methods get a critical difference, two the reason why there is none', () => {
  const [three] = madeUpBenchmark(['x', 'y', 'z']).analysis.criticalDifferences
  assert.ok('ranks' in three)
  // Nemenyi's q for three methods at 5 % is 2.343 (Demšar 2006, table 5a); twelve patients.
  assert.ok(Math.abs(three.difference - 2.343 * Math.sqrt((3 * 4) / (6 * 12))) < 1e-3)
  assert.equal(three.n, 12)
  const [two] = madeUpBenchmark(['x', 'y']).analysis.criticalDifferences
  assert.ok('reason' in two && /needs three/.test(two.reason))
})

test('repeats are averaged, and told apart when their masks differ', () => {
  const runs = ['a', 'b', 'c'].flatMap((id) => [
    madeUpRun('x', id, 0.6),
    madeUpRun('x', id, 0.8, 10, { repeat: 2, maskSha256: id === 'c' ? 'another' : `x ${id}` }),
  ])
  const [x] = madeUpResult(['x'], runs).analysis.methods
  assert.ok(Math.abs(x.estimates.dice.mean - 0.7) < 1e-12)
  assert.equal(x.estimates.dice.n, 3)
  assert.equal(x.repeatable, false)
  assert.equal(madeUpResult(['x'], runs.slice(0, 4)).analysis.methods[0].repeatable, true)
})

test('nothing worked, one case, one method: figures that are not defined are NaN', () => {
  const none = madeUpResult(['x', 'y'], [failedRun('x', 'a'), failedRun('y', 'a')]).analysis
  assert.deepEqual([none.cases, none.rankings, none.methods[0].estimates.dice.n], [[], [], 0])
  assert.ok(Number.isNaN(none.methods[0].estimates.dice.mean) && Number.isNaN(none.comparisons[0].p))
  const one = madeUpResult(['x'], [madeUpRun('x', 'a', 0.7)]).analysis
  assert.deepEqual([one.comparisons, one.methods[0].estimates.dice.mean], [[], 0.7])
  assert.ok(Number.isNaN(one.methods[0].estimates.dice.low))
})

test('the table has a row a run with what it took and scored, n/a where there is nothing', () => {
  const result = madeUpResult(['x', 'y'], [madeUpRun('x', 'a', 0.8), failedRun('y', 'a', 'no\tbrain')])
  const { rows, columns } = readTsv(resultsTable(result), 'results.tsv')
  assert.deepEqual(columns.slice(0, 5), ['case', 'group', 'method', 'repeat', 'status'])
  assert.deepEqual([rows[0].dice, rows[0].total_s, rows[0].peak_mb, rows[0].reason], ['0.8', '16', '700', undefined])
  assert.deepEqual(
    [rows[1].dice, rows[1].status, rows[1].exit_code, rows[1].reason],
    [undefined, 'failed', '1', 'no brain'],
  )
  assert.match(summaryTable(result), /failed: y on a: no\tbrain/)
})
