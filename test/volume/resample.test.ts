import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { setThreads } from '../../src/kernels/index.js'
import { apply, compose, invert, type Vec3 } from '../../src/volume/affine.js'
import { gaussian, gaussianInMask } from '../../src/volume/filter.js'
import { reorient, towardsRas } from '../../src/volume/orient.js'
import { resample, resampleMask } from '../../src/volume/resample.js'
import { emptyMask } from '../../src/volume/volume.js'
import { affines, fixed, rotation, waves } from '../generators.js'

const dims: Vec3 = [30, 28, 26]

test('linear interpolation reproduces a linear function through any affine', async () => {
  await fc.assert(
    fc.asyncProperty(affines, async (own) => {
      const f = ([x, y, z]: Vec3) => 2 * x - 3 * y + 0.5 * z + 7
      const image = { dims, affine: own, data: new Float32Array(dims[0] * dims[1] * dims[2]) }
      for (let i = 0; i < image.data.length; i++)
        image.data[i] = f(apply(own, [i % 30, Math.floor(i / 30) % 28, Math.floor(i / 840)]))
      // The same block of space seen on a grid with other axes: points inside agree with the function itself.
      const onto = {
        dims: [9, 8, 7] as Vec3,
        affine: compose(own, [2, 0.3, 0, 4, -0.2, 2, 0.1, 5, 0, 0.2, 2, 6, 0, 0, 0, 1]),
      }
      const out = await resample(image, onto, { outside: Number.NaN })
      const scale = Math.max(...image.data.map(Math.abs))
      for (let i = 0; i < out.data.length; i++) {
        if (Number.isNaN(out.data[i])) continue
        const p = apply(onto.affine, [i % 9, Math.floor(i / 9) % 8, Math.floor(i / 72)])
        const index = apply(invert(own), p)
        if (index.some((v, axis) => v < 0 || v > dims[axis] - 1)) continue
        assert.ok(Math.abs(out.data[i] - f(p)) < 1e-4 * scale, `${out.data[i]} for ${f(p)}`)
      }
    }),
    fixed(25),
  )
})

test('there and back through a rotation gives the image again: cubic and sinc closely, linear roughly', async () => {
  const image = waves(dims, [1, 0, 0, -15, 0, 1, 0, -14, 0, 0, 1, -13, 0, 0, 0, 1])
  const map = compose(rotation(0, 0.2), rotation(2, 0.35))
  for (const [method, bound] of [
    ['cubic', 0.002],
    ['sinc', 0.03],
    ['linear', 0.06],
  ] as const) {
    const there = await resample(image, image, { map, method })
    const back = await resample(there, image, { map: invert(map), method })
    let worst = 0
    for (let k = 9; k < 17; k++)
      for (let j = 10; j < 18; j++)
        for (let i = 11; i < 19; i++) {
          const at = i + 30 * (j + 28 * k)
          worst = Math.max(worst, Math.abs(back.data[at] - image.data[at]))
        }
    assert.ok(worst < bound, `${method}: ${worst}`)
  }
})

test('on its own grid every method gives the image, and outside it the value asked for', async () => {
  const image = waves(dims, [2, 0, 0, 5, 0, 3, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1])
  for (const method of ['nearest', 'linear', 'cubic', 'sinc'] as const) {
    const same = await resample(image, image, { method })
    for (let i = 0; i < same.data.length; i++) assert.ok(Math.abs(same.data[i] - image.data[i]) < 1e-4, method)
    const away = await resample(
      image,
      { dims: [2, 2, 2], affine: [1, 0, 0, 900, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] },
      { method, outside: -1 },
    )
    assert.ok(away.data.every((v) => v === -1))
  }
})

test('a turned copy resampled onto the original grid is the original', async () => {
  await fc.assert(
    fc.asyncProperty(affines, async (affine) => {
      const image = waves([7, 6, 5], affine)
      const turned = reorient(image, towardsRas(affine))
      const back = await resample(turned, image, { method: 'nearest' })
      assert.deepEqual(back.data, image.data)
    }),
    fixed(40),
  )
})

test('a mask survives by nearest voxel and by half coverage', async () => {
  const mask = emptyMask({ dims: [8, 8, 8], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
  for (let i = 0; i < 512; i++) mask.data[i] = i % 8 >= 4 ? 1 : 0
  assert.deepEqual((await resampleMask(mask, mask)).data, mask.data)
  const shifted = { dims: [8, 8, 8] as Vec3, affine: [1, 0, 0, 0.4, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
  assert.deepEqual(
    (await resampleMask(mask, shifted, { method: 'linear' })).data.slice(0, 8),
    Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  )
})

test('the same bits for one thread and two', async () => {
  const image = waves([40, 50, 60], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  const map = rotation(1, 0.1)
  const results = []
  for (const threads of [1, 2]) {
    setThreads(threads)
    results.push([await gaussian(image, 1.7), await resample(image, image, { map, method: 'cubic' })])
  }
  setThreads(1)
  assert.deepEqual(results[0], results[1])
})

test('smoothing keeps a constant, the total of a spot, and widens it by the variance asked for', async () => {
  const affine = [1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  const flat = await gaussian({ dims: [20, 20, 20], affine, data: new Float32Array(8000).fill(3) }, 2)
  assert.ok(flat.data.every((v) => Math.abs(v - 3) < 1e-5))
  const spot = new Float32Array(41 ** 3)
  spot[20 + 41 * (20 + 41 * 20)] = 1
  const smooth = await gaussian({ dims: [41, 41, 41], affine, data: spot }, 3)
  let [total, alongX, alongY] = [0, 0, 0]
  for (let i = 0; i < spot.length; i++) {
    total += smooth.data[i]
    alongX += smooth.data[i] * ((i % 41) - 20) ** 2
    alongY += smooth.data[i] * (2 * ((Math.floor(i / 41) % 41) - 20)) ** 2
  }
  assert.ok(Math.abs(total - 1) < 1e-4)
  assert.ok(Math.abs(alongX - 9) < 0.1, String(alongX))
  assert.ok(Math.abs(alongY - 9) < 0.15, String(alongY))
})

test('smoothing inside a mask does not see what lies outside', async () => {
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  const mask = emptyMask({ dims: [16, 16, 16], affine })
  const data = new Float32Array(4096)
  for (let i = 0; i < 4096; i++) {
    mask.data[i] = i % 16 < 8 ? 1 : 0
    data[i] = mask.data[i] ? 5 : 1000
  }
  const smooth = await gaussianInMask({ dims: [16, 16, 16], affine, data }, mask, 2)
  for (let i = 0; i < 4096; i++) assert.ok(Math.abs(smooth.data[i] - (mask.data[i] ? 5 : 0)) < 1e-4)
})
