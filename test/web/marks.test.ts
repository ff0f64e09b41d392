import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyMask } from '../../src/volume/volume.js'
import type { Mark } from '../../src/web/api.js'
import { Marks } from '../../src/web/marks.js'
import { MaskEditor } from '../../src/web/mask-editor.js'
import { grid } from '../server/result.js'

const of = (location: 'subcortical' | 'infratentorial'): Mark => ({ kind: 'location', at: [0, 0, 0], location })

test('marks go and come with their steps, over strokes that mark nothing', () => {
  const editor = new MaskEditor(emptyMask(grid), [1, 2, 1.5])
  const marks = new Marks([of('subcortical')])
  const follow = () => marks.follow(editor.history.at(-1))
  const mark = (all: readonly Mark[]) => {
    editor.begin('location')
    marks.set(editor.end(true)!, all)
    follow()
  }
  const stroke = (at: number) => {
    editor.begin('brush')
    editor.setAll([at], 1)
    editor.end()
    follow()
  }
  const undo = () => {
    editor.undo()
    follow()
  }
  stroke(1)
  assert.deepEqual(marks.all, [of('subcortical')])
  mark([of('infratentorial')])
  stroke(2)
  assert.deepEqual(marks.all, [of('infratentorial')])
  undo()
  undo()
  assert.deepEqual(marks.all, [of('subcortical')])
  editor.redo()
  follow()
  assert.deepEqual(marks.all, [of('infratentorial')])
  undo()
  stroke(3)
  assert.deepEqual(marks.all, [of('subcortical')])
  undo()
  undo()
  assert.deepEqual(marks.all, [of('subcortical')])
})

test('a step without voxels is one only where that is asked for', () => {
  const editor = new MaskEditor(emptyMask(grid), [1, 2, 1.5])
  editor.begin('brush')
  assert.equal(editor.end(), undefined)
  editor.begin('location')
  assert.equal(editor.end(true)?.name, 'location')
  assert.ok(editor.canUndo)
})
