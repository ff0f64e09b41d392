import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply } from '../../src/volume/affine.js'
import { boundingBox, crop, uncrop } from '../../src/volume/crop.js'
import type { Volume } from '../../src/volume/volume.js'

const volume = (): Volume<Float32Array> => {
  const data = new Float32Array(6 * 5 * 4)
  data[2 + 6 * (1 + 5 * 2)] = 3
  data[4 + 6 * (3 + 5 * 2)] = 7
  return { dims: [6, 5, 4], affine: [2, 0, 0, -10, 0, 1, 0, 5, 0, 0, 3, 0, 0, 0, 0, 1], data }
}

test('the bounding box holds every non-zero voxel and the margin in mm', () => {
  assert.deepEqual(boundingBox(volume()), { start: [2, 1, 2], dims: [3, 3, 1] })
  assert.deepEqual(boundingBox(volume(), 2), { start: [1, 0, 1], dims: [5, 5, 3] })
  assert.equal(boundingBox({ ...volume(), data: new Float32Array(120) }), null)
})

test('crop keeps voxels at their places in the world, and uncrop undoes it', () => {
  const whole = volume()
  const box = boundingBox(whole)!
  const part = crop(whole, box)
  assert.deepEqual(apply(part.affine, [0, 0, 0]), apply(whole.affine, [2, 1, 2]))
  assert.equal(part.data[0], 3)
  assert.deepEqual(uncrop(part, box, whole), whole)
})
