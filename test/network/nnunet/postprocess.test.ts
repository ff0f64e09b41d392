import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyPostprocessing, choosePostprocessing, keepLargest } from '../../../src/network/nnunet/postprocess.js'
import { identity } from '../../../src/volume/affine.js'
import type { Mask } from '../../../src/volume/volume.js'
import { readGolden } from './made-up.js'

const golden = readGolden<{ largest: { shape: number[]; blobs: string; both: string; second: string } }>('preprocess')
const map = (data: Uint8Array, [nz, ny, nx]: number[]): Mask => ({ dims: [nx, ny, nz], affine: identity, data })

test("keeping the largest component is nnU-Net's, several of one size included", () => {
  const { shape, ...maps } = golden.largest
  const [blobs, both, second] = [maps.blobs, maps.both, maps.second].map(
    (text) => new Uint8Array(Buffer.from(text, 'base64')),
  )
  assert.deepEqual(keepLargest(map(blobs, shape), [1, 2]).data, both)
  assert.deepEqual(keepLargest(map(blobs, shape), [2]).data, second)
})

const row = (...values: number[]): Mask => map(Uint8Array.from(values), [1, 1, values.length])

test('largest component is chosen where it helps, and not for many lesions', () => {
  const organ = { prediction: row(1, 1, 1, 0, 1), reference: row(1, 1, 1, 0, 0) }
  assert.deepEqual(choosePostprocessing([organ], [[1]]), [[1]])
  assert.deepEqual(applyPostprocessing(organ.prediction, [[1]]).data, organ.reference.data)
  const lesions = { prediction: row(1, 1, 1, 0, 1), reference: row(1, 1, 0, 0, 1) }
  assert.deepEqual(choosePostprocessing([lesions], [[1]]), [])
  assert.deepEqual(choosePostprocessing([lesions, organ, lesions], [[1]]), [])
})

test('a label that would lose holds the whole back, and each label is then judged by itself', () => {
  // The foreground's largest component takes label 1's false voxel away, and label 2 whole.
  const one = { prediction: row(1, 1, 1, 0, 1, 0, 2, 2), reference: row(1, 1, 1, 0, 0, 0, 2, 2) }
  assert.deepEqual(choosePostprocessing([one], [[1], [2]]), [[1]])
  // Nothing of label 3 anywhere: its Dice is undefined and decides nothing but the foreground's mean.
  assert.deepEqual(choosePostprocessing([one], [[1], [2], [3]]), [[1]])
})
