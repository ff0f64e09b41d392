import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  phantomBrain,
  phantomImage,
  phantomLabels,
  phantomLesionMask,
  phantomLesionNames,
  phantomLesions,
  tissue,
} from './phantom.js'

const count = (data: Uint8Array, label: number) => data.reduce((n, value) => n + (value === label ? 1 : 0), 0)

test('PH-1 has the voxel counts it was published with', () => {
  const { data } = phantomLabels()
  assert.equal(count(data, tissue.csf), 22_704)
  assert.equal(count(data, tissue.gm), 33_920)
  assert.equal(count(data, tissue.wm), 95_256)
  assert.equal(count(phantomBrain().data, 1), 151_880)
  for (const name of phantomLesionNames)
    assert.equal(count(phantomLesionMask([name]).data, 1), phantomLesions[name].voxels, name)
  assert.equal(count(phantomLesionMask().data, 1), 458)
})

test('PH-1 images repeat by seed and differ between contrasts', () => {
  const a = phantomImage({ contrast: 'flair', seed: 3 })
  assert.deepEqual(a.data, phantomImage({ contrast: 'flair', seed: 3 }).data)
  assert.notDeepEqual(a.data, phantomImage({ contrast: 'flair', seed: 4 }).data)
})
