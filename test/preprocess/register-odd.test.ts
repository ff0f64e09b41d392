import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setThreads } from '../../src/kernels/index.js'
import { register, registrationCheck, trustworthy } from '../../src/preprocess/register.js'
import { type Affine, apply, compose, invert, scaling, translation } from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import type { Grid, Image } from '../../src/volume/volume.js'
import { phantomImage, rigidMap } from '../phantom.js'

// Odd images of one head: the right map, or one that is not trusted.

setThreads(2)
const t1 = phantomImage({ contrast: 't1', seed: 1, head: true })
const flair = phantomImage({ contrast: 'flair', seed: 2, head: true })
const move = rigidMap([0.05, -0.08, 0.1], [3, -4, 2])
const movedFlair: Image = { ...flair, affine: compose(move, flair.affine) }

function apart(a: Affine, b: Affine): number {
  let sum = 0
  for (const x of [-45, 45])
    for (const y of [-45, 45])
      for (const z of [-45, 45]) {
        const [u, v] = [apply(a, [x, y, z]), apply(b, [x, y, z])]
        sum += Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]) / 8
      }
  return sum
}

async function registered(fixed: Image, moving: Image): Promise<{ map: Affine; check: number }> {
  const { map, similarity } = await register(fixed, moving, { dof: 6 })
  assert.ok(map.every(Number.isFinite) && Number.isFinite(similarity), `${map}, ${similarity}`)
  const check = await registrationCheck(fixed, moving, map)
  assert.ok(Number.isFinite(check), `${check}`)
  return { map, check }
}

const each = (image: Image, change: (value: number, index: number) => number): Image => ({
  ...image,
  data: image.data.map(change),
})

/** Images that are odd but can be aligned: the right map, or one that is not trusted. */
async function rightOrFlagged(fixed: Image, moving: Image, truth: Affine, within = 1): Promise<boolean> {
  const { map, check } = await registered(fixed, moving)
  const error = apart(map, truth)
  assert.ok(error < within || !trustworthy(check), `${error} mm off and trusted (${check})`)
  return error < within && trustworthy(check)
}

const odd: [string, () => Promise<Image> | Image][] = [
  ['negative values', () => each(movedFlair, (v) => v - 1000)],
  ['intensities clipped at the grey of the brain', () => each(movedFlair, (v) => Math.min(v, 85))],
  [
    'a wide border of zeros',
    () => {
      const [n, at] = [
        [128, 144, 128],
        [24, 24, 24],
      ] as const
      const data = new Float32Array(n[0] * n[1] * n[2])
      for (let i = 0; i < movedFlair.data.length; i++) {
        const [x, y, z] = [i % 80, Math.floor(i / 80) % 96, Math.floor(i / 7680)]
        data[x + at[0] + n[0] * (y + at[1] + n[1] * (z + at[2]))] = movedFlair.data[i]
      }
      return { dims: n, affine: compose(movedFlair.affine, translation([-24, -24, -24])), data }
    },
  ],
  ['a few voxels a million times as bright', () => each(movedFlair, (v, i) => (i % 50_021 === 0 ? 1e8 : v))],
]
for (const [name, make] of odd)
  test(`${name}: aligned all the same`, async () => {
    assert.ok(await rightOrFlagged(t1, await make(), move))
  })

test('voxels of 8 mm: the right map, or flagged', async () => {
  const grid: Grid = { dims: [20, 24, 20], affine: compose(translation([-76, -92, -76]), scaling([8, 8, 8])) }
  const coarse = await resample(flair, grid, { antialias: true })
  await rightOrFlagged(t1, { ...coarse, affine: compose(move, coarse.affine) }, move, 2)
})

test('voxels of 0.3 mm, a block of the head: the right map, or flagged', async () => {
  const grid: Grid = { dims: [200, 200, 160], affine: compose(translation([-30, -30, -24]), scaling([0.3, 0.3, 0.3])) }
  const fine = await resample(flair, grid, { method: 'cubic' })
  await rightOrFlagged({ ...fine, affine: compose(move, fine.affine) }, t1, invert(move), 2)
})

test('integers that overflowed and wrapped: the right map, or flagged', async () => {
  const wrapped = each(movedFlair, (v) => new Int16Array([Math.round(v * 500)])[0])
  await rightOrFlagged(t1, wrapped, move)
})

test('a header that lies by quarter turns is found out', async () => {
  for (const turn of [rigidMap([Math.PI / 2, 0, 0], [0, 0, 0]), rigidMap([0, 0, -Math.PI / 2], [20, 0, 0])])
    await rightOrFlagged(t1, { ...flair, affine: compose(turn, flair.affine) }, turn)
})
