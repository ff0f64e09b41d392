import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hilbertChain } from '../../src/learn/hilbert.js'
import { identity, type Vec3 } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'

const full = (dims: Vec3): Mask => {
  const mask = emptyMask({ dims, affine: identity })
  mask.data.fill(1)
  return mask
}
const place = (at: number, [nx, ny]: Vec3) => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]

test('a full cube is visited once, in steps across faces', () => {
  for (const n of [1, 2, 4, 8, 32]) {
    const { voxels, starts } = hilbertChain(full([n, n, n]))
    assert.equal(new Set(voxels).size, n ** 3)
    assert.equal(voxels.length, n ** 3)
    for (let i = 1; i < voxels.length; i++) {
      const [a, b] = [place(voxels[i - 1], [n, n, n]), place(voxels[i], [n, n, n])]
      assert.equal(Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]), 1)
    }
    assert.deepEqual([...starts].filter((s) => s === 1).length, 1)
  }
})

test('each octant is passed through as a whole', () => {
  const { voxels } = hilbertChain(full([16, 16, 16]))
  for (let piece = 0; piece < 64; piece++) {
    const cubes = new Set(
      [...voxels.subarray(64 * piece, 64 * piece + 64)].map((at) =>
        place(at, [16, 16, 16])
          .map((v) => v >> 2)
          .join(),
      ),
    )
    assert.equal(cubes.size, 1)
  }
})

test('a mask of any shape keeps its voxels, and jumps begin a new piece', () => {
  const dims: Vec3 = [13, 7, 21]
  const mask = emptyMask({ dims, affine: identity })
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = (i * 7919) % 11 < 6 ? 1 : 0
  const { voxels, starts } = hilbertChain(mask)
  assert.deepEqual(
    [...voxels].sort((a, b) => a - b),
    [...mask.data.keys()].filter((i) => mask.data[i] === 1),
  )
  assert.equal(starts[0], 1)
  let jumps = 0
  for (let i = 1; i < voxels.length; i++) {
    const [a, b] = [place(voxels[i - 1], dims), place(voxels[i], dims)]
    const far = a.some((v, axis) => Math.abs(v - b[axis]) > 1)
    assert.equal(starts[i], far ? 1 : 0)
    if (far) jumps++
  }
  assert.ok(jumps > 0)
  assert.equal(hilbertChain(emptyMask({ dims, affine: identity })).voxels.length, 0)
})
