import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { InputError } from '../../src/errors.js'
import { readItkAffine, writeItkAffine } from '../../src/formats/itk.js'
import { readTsv, writeTsv } from '../../src/formats/tsv.js'
import { apply } from '../../src/volume/affine.js'
import { affines, fixed } from '../generators.js'
import { sharedData, skipWithout } from '../shared-data.js'

test('an affine survives the ITK file', () => {
  fc.assert(
    fc.property(affines, (map) => {
      const back = readItkAffine(writeItkAffine(map), 'x.txt')
      back.forEach((value, i) => assert.ok(Math.abs(value - map[i]) < 1e-9 * (1 + Math.abs(map[i]))))
    }),
    fixed(100),
  )
})

test('ITK files are in LPS mm and turn about their centre', () => {
  const text =
    '#Insight Transform File V1.0\n#Transform 0\nTransform: Euler3DTransform_double_3_3\nParameters: 0 0 1.5707963267948966 1 2 3\nFixedParameters: 10 0 0 0\n'
  // LPS (10, 5, 0) is turned by 90° about z at (10, 0, 0): (5, 0, 0) + shift (1, 2, 3) = (6, 2, 3).
  const [x, y, z] = apply(readItkAffine(text, 'x'), [-10, -5, 0])
  assert.ok(Math.hypot(x + 6, y + 2, z - 3) < 1e-9)
})

test('other ITK files are refused', () => {
  for (const text of [
    'hello',
    '#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1\n',
    '#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2\n',
  ])
    assert.throws(() => readItkAffine(text, 'x.txt'), InputError)
})

test("the data set's transforms are read", { skip: skipWithout('ljubljana-long') }, () => {
  const path = `${sharedData('ljubljana-long')}/derivatives/authors/sub-01/ses-1/from-FLAIR_to-T1w.txt`
  const map = readItkAffine(readFileSync(path, 'utf8'), path)
  const moved = apply(map, [20, -30, 40])
  assert.ok(Math.hypot(moved[0] - 20, moved[1] + 30, moved[2] - 40) < 2, 'visits of one session lie within 2 mm')
})

test('tables are written as BIDS wants them and read back', () => {
  const text = writeTsv(
    ['id', 'location', 'gap'],
    [
      [1, 'a\tb', undefined],
      [2, 'c', 0.5],
      [3, 'd', Number.NaN],
    ],
  )
  assert.equal(text, 'id\tlocation\tgap\n1\ta b\tn/a\n2\tc\t0.5\n3\td\tn/a\n')
  assert.deepEqual(readTsv(text, 'x').rows, [
    { id: '1', location: 'a b' },
    { id: '2', location: 'c', gap: '0.5' },
    { id: '3', location: 'd' },
  ])
})

test('a table that does not fit its header names the line', () => {
  assert.throws(() => readTsv('a\tb\n1\t2\n3\n', 't.tsv'), /t\.tsv: line 3 has 1 cells, the header 2/)
  assert.throws(() => readTsv('a\ta\n', 't.tsv'), /column "a" is there twice/)
  assert.throws(() => readTsv('', 't.tsv'), /empty/)
})
