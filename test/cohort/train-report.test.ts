import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lossLine } from '../../src/cohort/train-report.js'

test('the losses of a fold as a line of bars: never longer than asked for, the least the lowest', () => {
  assert.equal(lossLine([1]), '▁')
  assert.equal(lossLine([8, 7, 6, 5, 4, 3, 2, 1]), '█▇▆▅▄▃▂▁')
  const long = lossLine(
    Array.from({ length: 1000 }, (_, i) => 1 / (1 + i)),
    16,
  )
  assert.equal(long.length, 16)
  assert.ok(long.startsWith('█') && long.endsWith('▁'))
})
