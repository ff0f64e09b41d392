import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readField, writeField } from '../../src/formats/field.js'
import { writeNifti } from '../../src/formats/nifti.js'
import { gunzip } from '../../src/platform/index.js'
import { compose, scaling, translation } from '../../src/volume/affine.js'
import type { DisplacementField } from '../../src/volume/deformation.js'
import { rigidMap } from '../phantom.js'

const field: DisplacementField = {
  dims: [4, 3, 5],
  affine: compose(rigidMap([0.25, 0, 0], [0, 0, 0]), translation([-10, 20, 5]), scaling([-2, 2, 4])),
  data: Float32Array.from({ length: 3 * 60 }, (_, i) => Math.fround(0.1 * i - 7)),
}

test('a field comes back as it was', async () => {
  const back = await readField(await writeField(field), 'field.nii.gz')
  assert.deepEqual(back.dims, field.dims)
  assert.deepEqual(back.data, field.data)
  back.affine.forEach((value, i) => assert.ok(Math.abs(value - field.affine[i]) < 1e-5))
})

test('the file is what ITK writes: five dimensions, vector intent, components in LPS one behind the other', async () => {
  const bytes = await gunzip(await writeField(field))
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map((i) => view.getInt16(40 + 2 * i, true)),
    [5, 4, 3, 5, 1, 3],
  )
  assert.equal(view.getInt16(68, true), 1007)
  assert.equal(view.getInt16(70, true), 16)
  const value = (i: number) => view.getFloat32(352 + 4 * i, true)
  for (const voxel of [0, 17, 59]) {
    assert.equal(value(voxel), -field.data[voxel])
    assert.equal(value(60 + voxel), -field.data[60 + voxel])
    assert.equal(value(120 + voxel), field.data[120 + voxel])
  }
  assert.equal(bytes.length, 352 + 4 * 180)
})

test('an image is no field, and a cut file is said to be', async () => {
  const image = await writeNifti({ dims: field.dims, affine: field.affine, data: field.data.slice(0, 60) })
  await assert.rejects(readField(image, 'T1.nii.gz'), (error: Error) => {
    assert.ok(error instanceof InputError)
    assert.match(error.message, /T1\.nii\.gz: holds 1 component a voxel/)
    return true
  })
  const whole = await gunzip(await writeField(field))
  await assert.rejects(readField(whole.slice(0, 700), 'cut.nii'), /ends too early/)
})
