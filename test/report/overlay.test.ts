import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from 'fast-png'
import { overlayPng } from '../../src/report/overlay.js'
import { scaling } from '../../src/volume/affine.js'
import { emptyMask } from '../../src/volume/volume.js'
import { brain, flair, grid, lesionMask } from './phantom.js'

const count = (png: Uint8Array, [r, g, b]: number[]) => {
  const { data } = decode(png)
  let n = 0
  for (let i = 0; i < data.length; i += 3) if (data[i] === r && data[i + 1] === g && data[i + 2] === b) n++
  return n
}
const [green, red, yellow] = [
  [64, 220, 110],
  [255, 72, 60],
  [255, 214, 40],
]

test('edges are green where mask and reference agree, else red for the mask and yellow for the reference', () => {
  const same = overlayPng(flair, lesionMask, lesionMask, { brain })
  assert.ok(count(same, green) > 100)
  assert.equal(count(same, red) + count(same, yellow), 0)
  const missed = overlayPng(flair, emptyMask(grid), lesionMask)
  assert.ok(count(missed, yellow) > 100)
  assert.equal(count(missed, red) + count(missed, green), 0)
  assert.ok(count(overlayPng(flair, lesionMask), red) > 100)
})

test('the montage is as wide as its columns and shows slices with lesion only', () => {
  const { width } = decode(overlayPng(flair, lesionMask, undefined, { slices: 4, columns: 2, tile: 100 }))
  assert.equal(width, 200)
  assert.ok(decode(overlayPng(flair, emptyMask(grid))).width > 0)
})

test('masks of another grid are refused', () => {
  assert.throws(() => overlayPng(flair, { ...lesionMask, affine: scaling([1, 1, 1]) }), /one grid/)
})
