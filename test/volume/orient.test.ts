import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { apply, compose, invert, orientation, type Vec3 } from '../../src/volume/affine.js'
import { inverseReorientation, reorient, towardsRas } from '../../src/volume/orient.js'
import { affines, fixed } from '../generators.js'

const orders: Vec3[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
]
const all48 = orders.flatMap((order) =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
    const affine = new Array<number>(16).fill(0)
    affine[15] = 1
    order.forEach((world, voxel) => {
      affine[4 * world + voxel] = (bits >> voxel) & 1 ? -(1 + voxel) : 1 + voxel
    })
    return affine
  }),
)

test('each of the 48 orientations is turned to RAS, every voxel staying where it was, and back', () => {
  const names = new Set<string>()
  for (const affine of all48) {
    names.add(orientation(affine))
    const dims: Vec3 = [2, 3, 4]
    const volume = { dims, affine, data: Float32Array.from({ length: 24 }, (_, i) => i) }
    const turned = reorient(volume, towardsRas(affine))
    assert.equal(orientation(turned.affine), 'RAS')
    for (let at = 0; at < 24; at++) {
      const world = apply(turned.affine, [
        at % turned.dims[0],
        Math.floor(at / turned.dims[0]) % turned.dims[1],
        Math.floor(at / (turned.dims[0] * turned.dims[1])),
      ])
      const [i, j, k] = apply(invert(affine), world).map(Math.round)
      assert.equal(turned.data[at], volume.data[i + 2 * (j + 3 * k)])
    }
    assert.deepEqual(reorient(turned, inverseReorientation(towardsRas(affine))).data, volume.data)
  }
  assert.equal(names.size, 48)
})

test('an affine times its inverse is the identity', () => {
  fc.assert(
    fc.property(affines, (affine) => {
      const product = compose(affine, invert(affine))
      product.forEach((value, i) => assert.ok(Math.abs(value - (i % 5 === 0 ? 1 : 0)) < 1e-9))
    }),
    fixed(200),
  )
})
