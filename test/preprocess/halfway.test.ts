import assert from 'node:assert/strict'
import { test } from 'node:test'
import { halfway, middle } from '../../src/preprocess/halfway.js'
import { type Affine, apply, compose, invert, type Vec3 } from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import { rigidExp, type Twist } from '../../src/volume/rigid.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomImage } from '../phantom.js'

const distance = (a: Affine, b: Affine): number =>
  Math.max(
    ...([-60, 0, 60] as const).flatMap((x) =>
      [-60, 0, 60].flatMap((y) =>
        [-60, 0, 60].map((z) => {
          const [p, q] = [apply(a, [x, y, z] as Vec3), apply(b, [x, y, z] as Vec3)]
          return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
        }),
      ),
    ),
  )

test('with consistent maps the middle is in the middle, whatever the order', () => {
  const places = [
    [0.1, 0, 0.05, 3, -2, 1],
    [-0.05, 0.2, 0, 0, 8, -4],
    [0.02, -0.1, 0.1, -6, 1, 2],
  ].map((twist) => rigidExp(twist as unknown as Twist))
  const between = (order: number[]) => order.map((i) => order.map((j) => compose(places[j], invert(places[i]))))
  const maps = middle(between([0, 1, 2]))
  for (const i of [0, 1, 2])
    for (const j of [0, 1, 2])
      assert.ok(distance(compose(maps[j], invert(maps[i])), compose(places[j], invert(places[i]))) < 1e-6)
  const turned = middle(between([2, 0, 1]))
  for (const [at, i] of [2, 0, 1].entries()) assert.ok(distance(turned[at], maps[i]) < 1e-6)
})

test('two visits in a known position to each other share the way, and swapping them swaps the images', async () => {
  const baseline = phantomImage({ contrast: 'flair', seed: 1 })
  const truth = rigidExp([0.06, -0.04, 0.09, 4, -5, 3])
  // What lay at p at baseline lies at truth(p) at follow-up.
  const whole = phantomImage({ contrast: 'flair', seed: 2, lesions: ['PV1', 'JC1'] })
  const moved = await resample(whole, whole, { map: invert(truth), method: 'cubic' })
  const one = await halfway([baseline, moved])
  assert.ok(distance(compose(one.maps[1], invert(one.maps[0])), truth) < 0.5)
  // Both go half of the way: the middle's map to one image undoes its map to the other.
  assert.ok(distance(compose(one.maps[0], one.maps[1]), rigidExp([0, 0, 0, 0, 0, 0])) < 1e-6)
  const two = await halfway([moved, baseline])
  assert.deepEqual(two.grid.dims, one.grid.dims)
  const images = async ({ grid, maps }: typeof one, given: Image[]) =>
    await Promise.all(given.map((image, i) => resample(image, grid, { map: maps[i], method: 'cubic' })))
  const [a, b] = await images(one, [baseline, moved])
  const [d, c] = await images(two, [moved, baseline])
  let most = 0
  for (let i = 0; i < a.data.length; i++)
    most = Math.max(most, Math.abs(a.data[i] - c.data[i]), Math.abs(b.data[i] - d.data[i]))
  assert.ok(most < 1e-2, `${most} of 150`)
})

test('a single image has no halfway space', async () => {
  await assert.rejects(halfway([phantomImage({ contrast: 't1' })]), /two images/)
})
