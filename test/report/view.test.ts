import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outline } from '../../src/report/outline.js'
import { dataUri, grey, shrink } from '../../src/report/raster.js'
import { keySlice, montageSlices, spread } from '../../src/report/slices.js'
import { planes, positionMm, slice, upright } from '../../src/report/view.js'
import { reorient } from '../../src/volume/orient.js'
import { brain, fill, grid, lesionMask } from './phantom.js'

// A value that tells where it comes from: right (100), front (10), head (1).
const compass = fill(grid, ([x, y, z]) => (x > 0 ? 100 : 0) + (y > 0 ? 10 : 0) + (z > 0 ? 1 : 0))

test('radiological convention: the patient’s right is on the left, front and head are at the top', () => {
  const corner = (plane: (typeof planes)[number], index: number) => slice(compass, plane, index).data[0]
  assert.equal(corner('axial', 10), 110, 'top left: right and front, below the origin')
  assert.equal(corner('coronal', 10), 101, 'top left: right and head')
  assert.equal(corner('sagittal', 10), 11, 'top left: front and head, left half')
})

test('slices have their true size and position, however the axes of the file run', () => {
  const turned = upright(reorient(compass, { from: [2, 0, 1], flip: [true, true, false] }))
  for (const plane of planes) assert.deepEqual(slice(turned, plane, 7), slice(compass, plane, 7))
  const { widthMm, heightMm } = slice(compass, 'coronal', 7)
  assert.deepEqual([widthMm, heightMm], [192, 180])
  assert.equal(positionMm(compass, 'axial', 20), -28.5)
})

test('a box cuts the picture without moving it', () => {
  const whole = slice(compass, 'axial', 30)
  const part = slice(compass, 'axial', 30, { start: [10, 20, 0], dims: [30, 40, 60] })
  assert.deepEqual([part.width, part.height], [30, 40])
  const at = (i: number, j: number) => 95 - i + 96 * (111 - j)
  assert.equal(part.data[0], whole.data[at(39, 59)])
  assert.equal(part.data[30 * 40 - 1], whole.data[at(10, 20)])
})

test('outlines run along voxel edges and close', () => {
  const data = new Uint8Array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0])
  const path = outline({ data, width: 4, height: 3, widthMm: 4, heightMm: 3 }, (v) => v === 1)
  assert.equal(path, 'M1 1h2M1 2h1M2 3h1M1 1v1M2 2v1M3 1v2')
  assert.equal(
    outline({ data, width: 4, height: 3, widthMm: 4, heightMm: 3 }, (v) => v === 2),
    '',
  )
})

test('greys follow the window, shrinking averages, and what is not a number is black', () => {
  const cut = { data: new Float32Array([0, 50, 100, Number.NaN]), width: 2, height: 2, widthMm: 2, heightMm: 2 }
  assert.deepEqual([...grey(cut, { low: 0, high: 50 })], [0, 255, 255, 0])
  const small = shrink({ ...cut, data: new Float32Array([0, 50, 100, 10]) }, 2)
  assert.deepEqual([...small.data, small.width, small.heightMm], [40, 1, 2])
  assert.equal(dataUri(new Uint8Array([1, 2, 3])), 'data:image/png;base64,AQID')
})

test('the key slice shows most lesion; without lesions it is the middle of the box', () => {
  const box = { start: [0, 0, 0], dims: grid.dims } as const
  assert.equal(Math.round(positionMm(lesionMask, 'axial', keySlice(lesionMask, 'axial', box)) / 10), 1)
  const none = { ...lesionMask, data: new Uint8Array(lesionMask.data.length) }
  assert.equal(keySlice(none, 'sagittal', box), 48)
})

test('the montage runs from the head down over the slices that hold more than a rim of brain', () => {
  const shown = montageSlices(brain, { start: [0, 0, 0], dims: grid.dims }, 12)
  assert.equal(shown.length, 12)
  assert.ok(shown.every((k, n) => n === 0 || k < shown[n - 1]))
  assert.ok(positionMm(brain, 'axial', shown[0]) < 60)
  assert.deepEqual(spread([1, 2, 3], 5), [1, 2, 3])
  assert.deepEqual(spread([1, 2, 3, 4, 5], 3), [1, 3, 5])
})
