import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyImage, emptyMask, type Grid } from '../../src/volume/volume.js'
import { changeNames, changesSince, differenceSince } from '../../src/web/changes.js'

const grid: Grid = { dims: [10, 4, 3], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] }
const maskOf = (...voxels: number[]) => {
  const mask = emptyMask(grid)
  for (const at of voxels) mask.data[at] = 1
  return mask
}

test('lesion that came, went, grew and shrank is told apart', () => {
  // 0–2 shifts by one voxel; 5 is new; 30 vanishes; 38–39 grows by one.
  const { classes, ml, newLesions, vanishedLesions } = changesSince(maskOf(0, 1, 30, 38), maskOf(1, 2, 5, 38, 39))
  const named = (at: number) => (classes[at] === 0 ? undefined : changeNames[classes[at] - 1])
  assert.deepEqual([0, 1, 2, 5, 30, 38, 39, 3].map(named), [
    'shrinking',
    'stable',
    'growing',
    'new',
    'vanished',
    'stable',
    'growing',
    undefined,
  ])
  assert.deepEqual([newLesions, vanishedLesions], [1, 1])
  assert.deepEqual(ml, { stable: 0.004, new: 0.002, growing: 0.004, shrinking: 0.002, vanished: 0.002 })
})

test('two lesions that became one are not new, and one that became two has not vanished', () => {
  const joined = changesSince(maskOf(0, 2), maskOf(0, 1, 2))
  assert.deepEqual([joined.newLesions, joined.vanishedLesions], [0, 0])
  assert.equal(changeNames[joined.classes[1] - 1], 'growing')
  const parted = changesSince(maskOf(0, 1, 2), maskOf(0, 2))
  assert.deepEqual([parted.newLesions, parted.vanishedLesions], [0, 0])
  assert.equal(changeNames[parted.classes[1] - 1], 'shrinking')
})

test('visits without lesions have no changes', () => {
  const { classes, newLesions, vanishedLesions } = changesSince(maskOf(), maskOf())
  assert.ok(classes.every((v) => v === 0))
  assert.deepEqual([newLesions, vanishedLesions], [0, 0])
})

test('a difference sees the lesion and not another scale of the scanner', () => {
  const now = { ...emptyImage(grid), data: Float32Array.from({ length: 120 }, (_, i) => (i < 20 ? 0 : 100 + (i % 40))) }
  const earlier = { ...now, data: now.data.map((v) => (v === 0 ? 0 : 3 * v + 50)) }
  assert.ok(differenceSince(earlier, now).data.every((v) => Math.abs(v) < 1e-5))
  now.data[60] += 40
  const difference = differenceSince(earlier, now).data
  assert.ok(difference[60] > 1.5, String(difference[60]))
  assert.ok(difference.every((v, at) => at === 60 || Math.abs(v) < 0.2))
  assert.equal(difference[5], 0)
})
