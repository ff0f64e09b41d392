import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readField, writeField } from '../../src/formats/field.js'
import { writeNifti } from '../../src/formats/nifti.js'
import { gunzip } from '../../src/platform/index.js'
import { compose, scaling, translation, type Vec3 } from '../../src/volume/affine.js'
import { type DisplacementField, deform, deformationOf } from '../../src/volume/deformation.js'
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

test('points go where SimpleITK takes them through the file and an affine after it', async () => {
  const back = await readField(await writeField(field), 'field.nii.gz')
  const warp = await deformationOf(back, { after: rigidMap([0.1, -0.2, 0.3], [4, 5, 6]) })
  // SimpleITK 2.5.7 on the file of this field, turned from LPS; the last point lies beyond the grid.
  const golden: [Vec3, Vec3][] = [
    [
      [-11, 17.14, 15.73],
      [-20.772765928138053, 15.667252575175493, 25.28077799916236],
    ],
    [
      [-14.4, 18.37, 22.65],
      [-24.490637515471818, 18.259226181508076, 34.618541836951],
    ],
    [
      [-16.6, 22.02, 10.78],
      [-26.826743100318414, 18.314869811123135, 18.365474227770875],
    ],
    [
      [-28, 19.09, 14.16],
      [-30.55839863228674, 14.170008690648281, 14.400102653265442],
    ],
  ]
  for (const [from, to] of golden) {
    const [x, y, z] = deform(warp, from)
    assert.ok(Math.hypot(x - to[0], y - to[1], z - to[2]) < 1e-5, `${from}: ${[x, y, z]}`)
  }
})
