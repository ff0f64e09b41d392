import assert from 'node:assert/strict'
import { test } from 'node:test'
import { variableName, writeCsv } from '../../src/formats/csv.js'
import { writeSnapLabels } from '../../src/formats/itk-snap.js'

test('cells are quoted as RFC 4180 has it, and what is missing is empty', () => {
  const text = writeCsv(['a', 'b', 'c'], [[1.5, 'x,y', 'say "no"'], [Number.NaN, undefined, 'two\nlines'], ['plain']])
  assert.equal(text, 'a,b,c\r\n1.5,"x,y","say ""no"""\r\n,,"two\nlines"\r\nplain,,\r\n')
})

test('names of variables are valid in R and in Stata', () => {
  assert.equal(variableName('lesionVolumeMl'), 'lesion_volume_ml')
  assert.equal(variableName('mean_t1-gd (raw)'), 'mean_t1_gd_raw')
  assert.equal(variableName('2nd'), 'v_2nd')
  assert.equal(variableName('if'), 'if_')
  assert.equal(variableName('str12'), 'str12_')
  assert.equal(variableName('µ'), 'v_')
  assert.equal(variableName('x'.repeat(50)).length, 32)
})

test('a label description is what ITK-SNAP writes and reads', () => {
  const lines = writeSnapLabels([
    { index: 1, colour: [255, 0, 0], name: 'Lesion 1: "deep"' },
    { index: 120, colour: [0, 128, 9], name: 'two\nlines' },
  ]).split('\n')
  assert.equal(lines[1], '# ITK-SnAP Label Description File')
  assert.equal(lines[3], '# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL')
  const entries = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const pattern = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+([0-9.]+)\s+(\d+)\s+(\d+)\s+"([^"]*)"$/
  assert.deepEqual(
    entries.map((line) => pattern.exec(line)?.slice(1)),
    [
      ['0', '0', '0', '0', '0', '0', '0', 'Clear Label'],
      ['1', '255', '0', '0', '1', '1', '1', 'Lesion 1: ’deep’'],
      ['120', '0', '128', '9', '1', '1', '1', 'two lines'],
    ],
  )
})
