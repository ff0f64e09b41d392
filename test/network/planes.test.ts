import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../src/network/config.js'
import { planeAxes } from '../../src/network/planes/sample.js'

test('even voxels are cut along three axes, thick slices along their own', () => {
  assert.deepEqual(planeAxes([1, 1, 1]), [0, 1, 2])
  assert.deepEqual(planeAxes([0.9, 0.9, 6]), [2])
  assert.deepEqual(planeAxes([5, 0.5, 0.5]), [0])
})

test('settings that will not do are refused with the name of the setting', () => {
  for (const [value, pattern] of [
    [{ steps: 0 }, /test: steps/],
    [{ size: 50 }, /test: size: is not a multiple/],
    [{ stepz: 5 }, /test: .*stepz/],
    [[], /test/],
  ] as const)
    assert.throws(() => readConfig(value, 'test'), { name: 'UsageError', message: pattern })
})
