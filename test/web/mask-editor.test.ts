import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyImage, emptyMask, type Grid } from '../../src/volume/volume.js'
import { MaskEditor } from '../../src/web/mask-editor.js'
import { signedDistance2d } from '../../src/web/plane.js'

const grid: Grid = { dims: [20, 16, 10], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] }
const editor = () => new MaskEditor(emptyMask(grid), [1, 1, 3])
const count = ({ mask }: MaskEditor) => mask.data.reduce((sum, v) => sum + v, 0)
const at = (i: number, j: number, k: number) => i + 20 * (j + 16 * k)

test('the brush paints a disc of millimetres in its plane, a ball without one, and stays inside the volume', () => {
  const one = editor()
  one.begin('brush')
  one.brush([10, 8, 5], 2, 1, 2)
  assert.equal(count(one), 13)
  one.end()
  one.begin('brush')
  one.brush([10, 8, 5], 3, 1)
  // 29 voxels of the disc of 3 mm, and the one above and below it.
  assert.equal(count(one), 31)
  one.end()
  one.begin('brush')
  one.brush([0, 0, 0], 2, 1, 2)
  one.brush([19, 15, 9], 0, 1, 0)
  assert.equal(count(one), 31 + 6 + 1)
})

test('a fast stroke leaves no gap', () => {
  const one = editor()
  one.begin('brush')
  one.line([2, 8, 5], [17, 8, 5], 0, 1, 2)
  assert.equal(count(one), 16)
})

test('undo and redo go stroke by stroke, and a new stroke forgets what was undone', () => {
  const one = editor()
  for (const i of [3, 6, 9]) {
    one.begin(`dot ${i}`)
    one.brush([i, 8, 5], 0, 1)
    one.brush([i + 1, 8, 5], 0, 1)
    assert.equal(one.end()!.at.length, 2)
  }
  assert.equal(one.undo()!.name, 'dot 9')
  assert.equal(one.undo()!.name, 'dot 6')
  assert.equal(count(one), 2)
  assert.equal(one.redo()!.name, 'dot 6')
  assert.equal(count(one), 4)
  one.begin('erase')
  one.brush([3, 8, 5], 0, 0)
  one.end()
  assert.equal(one.canRedo, false)
  assert.deepEqual(
    one.history.map(({ name }) => name),
    ['dot 3', 'dot 6', 'erase'],
  )
  while (one.undo());
  assert.equal(count(one), 0)
  assert.equal(one.canUndo, false)
})

test('what is settled is not undone; what comes after is', () => {
  const one = editor()
  for (const i of [3, 6]) {
    one.begin(`dot ${i}`)
    one.brush([i, 8, 5], 0, 1)
    one.end()
    if (i === 3) one.settle()
  }
  assert.equal(one.undo()!.name, 'dot 6')
  assert.equal(one.canUndo, false)
  assert.equal(one.undo(), undefined)
  assert.equal(count(one), 1)
  assert.equal(one.redo()!.name, 'dot 6')
  assert.equal(one.canUndo, true)
})

test('what was painted and erased in one stroke is no step', () => {
  const one = editor()
  one.begin('brush')
  one.brush([3, 3, 3], 1, 1)
  one.brush([3, 3, 3], 1, 0)
  assert.equal(one.end(), undefined)
  assert.throws(() => one.brush([3, 3, 3], 1, 1), /begin/)
})

test('fill closes an outline in its plane and nothing else', () => {
  const one = editor()
  one.begin('outline')
  for (let t = 0; t < 200; t++)
    one.brush([10 + 5 * Math.cos((t * Math.PI) / 100), 8 + 5 * Math.sin((t * Math.PI) / 100), 5], 0, 1, 2)
  const outline = count(one)
  assert.ok(one.fillEnclosed([10, 8, 5], 2) > 20)
  one.end()
  assert.equal(one.mask.data[at(10, 8, 5)], 1)
  assert.equal(one.mask.data[at(10, 8, 4)], 0)
  assert.equal(one.mask.data[at(1, 1, 5)], 0)
  one.undo()
  assert.ok(count(one) < outline)
})

/** A square outline of a side of five voxels, and its corner. */
const square = (one: MaskEditor, i: number, j: number, k = 5) => {
  for (let t = 0; t < 5; t++)
    for (const [u, v] of [
      [t, 0],
      [t, 4],
      [0, t],
      [4, t],
    ])
      one.brush([i + u, j + v, k], 0, 1)
}

test('fill takes the hole that the place lies in, or those of the outline that it belongs to', () => {
  const one = editor()
  one.begin('two squares')
  square(one, 1, 1)
  square(one, 10, 8)
  assert.equal(one.fillEnclosed([8, 2, 5], 2), 0)
  assert.equal(one.fillEnclosed([3, 3, 5], 2), 9)
  assert.equal(one.mask.data[at(12, 10, 5)], 0)
  assert.equal(one.fillEnclosed([10, 8, 5], 2), 9)
})

test('interpolation takes the outlines nearest to the place and leaves other lesions alone', () => {
  const one = editor()
  one.begin('two lesions, two slices')
  for (const k of [2, 6]) {
    one.brush([4, 4, k], 2, 1, 2)
    one.brush([14, 11, k], 2, 1, 2)
  }
  assert.equal(one.interpolate(2, 2, 6, [5, 5, 4]), 3 * 13)
  assert.equal(one.mask.data[at(4, 4, 4)], 1)
  assert.equal(one.mask.data[at(14, 11, 4)], 0)
})

test('growing stops at the edge of what is bright and at its radius', () => {
  const image = emptyImage(grid)
  for (let k = 3; k <= 6; k++) for (let j = 6; j <= 9; j++) for (let i = 8; i <= 13; i++) image.data[at(i, j, k)] = 100
  const one = editor()
  one.begin('grow')
  assert.equal(one.grow([10, 7, 4], image, { tolerance: 20, radius: 100 }), 4 * 4 * 6)
  assert.equal(one.mask.data[at(7, 7, 4)], 0)
  one.end()
  one.undo()
  one.begin('grow')
  one.grow([10, 7, 4], image, { tolerance: 20, radius: 2 })
  assert.equal(one.mask.data[at(13, 7, 4)], 0)
  assert.equal(one.mask.data[at(12, 7, 4)], 1)
})

test('between two discs of radius 3 and 1, two slices apart, stands one of radius 2', () => {
  const one = editor()
  one.begin('two slices')
  one.brush([10, 8, 2], 3, 1, 2)
  one.brush([10, 8, 4], 1, 1, 2)
  one.end()
  one.begin('interpolate')
  const added = one.interpolate(2, 4, 2, [10, 8, 3])
  assert.ok(Math.abs(added - 13) <= 4, `${added} voxels`)
  assert.equal(one.mask.data[at(10, 8, 3)], 1)
  assert.equal(one.mask.data[at(13, 8, 3)], 0)
  assert.equal(one.interpolate(2, 2, 3, [10, 8, 3]), 0)
  assert.equal(one.interpolate(2, 2, 9, [10, 8, 3]), 0)
})

test('distances in a plane are those to every border voxel, tried one by one', () => {
  const [width, height] = [13, 9]
  const flat = new Uint8Array(width * height)
  for (const [u, v] of [
    [2, 2],
    [3, 2],
    [8, 6],
    [9, 6],
    [9, 7],
  ])
    flat[u + width * v] = 1
  const found = signedDistance2d(flat, width, height, 1, 2)
  for (let p = 0; p < flat.length; p++) {
    let nearest = Infinity
    for (let q = 0; q < flat.length; q++)
      if (flat[q] !== flat[p])
        nearest = Math.min(
          nearest,
          Math.hypot((p % width) - (q % width), 2 * (Math.floor(p / width) - Math.floor(q / width))),
        )
    const wanted = flat[p] ? 0.5 - nearest : nearest - 0.5
    assert.ok(Math.abs(found[p] - wanted) < 1e-5, `${p}: ${found[p]}, not ${wanted}`)
  }
})
