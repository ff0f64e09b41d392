import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apply, compose, identity, invert, scaling, translation, type Vec3 } from '../../src/volume/affine.js'
import {
  composeDeformations,
  type DisplacementField,
  deform,
  deformationOf,
  inverted,
  jacobianDeterminant,
  resampleDeformed,
} from '../../src/volume/deformation.js'
import { resample } from '../../src/volume/resample.js'
import type { Grid, Image } from '../../src/volume/volume.js'
import { rigidMap } from '../phantom.js'

const grid: Grid = { dims: [60, 54, 48], affine: compose(translation([-60, -50, -45]), scaling([2, 2, 2])) }

function fieldOf(on: Grid, displacement: (p: Vec3) => Vec3): DisplacementField {
  const [nx, ny, nz] = on.dims
  const n = nx * ny * nz
  const data = new Float32Array(3 * n)
  for (let i = 0; i < n; i++) {
    const u = displacement(apply(on.affine, [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]))
    for (const axis of [0, 1, 2]) data[axis * n + i] = u[axis]
  }
  return { ...on, data }
}

const bump =
  (size: number, centre: Vec3, width: number) =>
  ([x, y, z]: Vec3): Vec3 => {
    const e = Math.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2) / (2 * width * width))
    return [size * e, -0.7 * size * e, 0.4 * size * e]
  }
const points: Vec3[] = [
  [0, 0, 0],
  [5, -7, 3],
  [-12, 9, -8],
  [14, 12, 10],
]
const distance = (a: Vec3, b: Vec3) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])

test('the inverse undoes the map, on an oblique flipped grid too', async () => {
  const oblique: Grid = {
    ...grid,
    affine: compose(rigidMap([0.2, 0.1, -0.3], [2, 3, 1]), scaling([-1, 1, 1]), grid.affine),
  }
  for (const on of [grid, oblique]) {
    const d = await deformationOf(fieldOf(on, bump(6, [0, 0, 0], 14)), { after: rigidMap([0.1, 0, 0.2], [4, 5, 6]) })
    for (const p of points) {
      assert.ok(distance(deform(inverted(d), deform(d, p)), p) < 0.1)
      assert.ok(distance(deform(d, deform(inverted(d), p)), p) < 0.1)
    }
  }
})

test('a composition is one map after the other, affines between and around', async () => {
  const shear = compose(rigidMap([0.1, 0.05, -0.1], [3, -2, 1]), scaling([1.1, 0.95, 1]))
  const b = await deformationOf(fieldOf(grid, bump(5, [2, 0, 4], 15)), { before: translation([1, 2, 3]), after: shear })
  const a = await deformationOf(fieldOf(grid, bump(-4, [5, 5, 0], 16)), { after: rigidMap([0, 0.2, 0], [0, 7, 0]) })
  const both = composeDeformations(a, b)
  for (const p of points) {
    assert.ok(distance(deform(both, p), deform(a, deform(b, p))) < 0.15)
    assert.ok(distance(deform(inverted(both), deform(both, p)), p) < 0.15)
  }
})

test('the Jacobian of a linear field is its determinant, and beyond a fold it is negative', async () => {
  const linear = fieldOf(grid, ([x, y, z]) => [0.2 * x + 0.1 * y, -0.1 * y, 0.3 * z])
  for (const v of (await jacobianDeterminant(linear)).data) assert.ok(Math.abs(v - 1.2 * 0.9 * 1.3) < 1e-4)
  const folded = await jacobianDeterminant(fieldOf(grid, ([x]) => [-1.5 * x, 0, 0]))
  assert.ok(folded.data.every((v) => Math.abs(v + 0.5) < 1e-4))
})

const image: Image = {
  ...grid,
  data: Float32Array.from({ length: 60 * 54 * 48 }, (_, i) => {
    const [x, y, z] = apply(grid.affine, [i % 60, Math.floor(i / 60) % 54, Math.floor(i / 3240)])
    return 100 + 40 * Math.sin(x / 15) + 30 * Math.cos(y / 13) + 20 * Math.sin(z / 17)
  }),
}

test('without displacement it is resampling through the affine, to the bit', async () => {
  const map = rigidMap([0.1, -0.2, 0.05], [2, 1, -3])
  const still = await deformationOf(
    fieldOf(grid, () => [0, 0, 0]),
    { after: map },
  )
  for (const method of ['nearest', 'linear', 'cubic'] as const)
    assert.deepEqual(
      await resampleDeformed(image, grid, still, { method }),
      await resample(image, grid, { map, method }),
    )
})

test('one interpolation at the point that the whole chain gives', async () => {
  const map = rigidMap([0.1, -0.2, 0.05], [2, 1, -3])
  const warp = await deformationOf(fieldOf(grid, bump(6, [0, 0, 0], 14)), { after: map })
  const out = await resampleDeformed(image, grid, warp, { method: 'cubic' })
  for (const p of points) {
    const at = apply(invert(grid.affine), p).map(Math.round) as unknown as Vec3
    const [x, y, z] = deform(warp, apply(grid.affine, at))
    const expected = 100 + 40 * Math.sin(x / 15) + 30 * Math.cos(y / 13) + 20 * Math.sin(z / 17)
    const value = out.data[at[0] + 60 * (at[1] + 54 * at[2])]
    assert.ok(Math.abs(value - expected) < 0.1, `${value} and ${expected}`)
  }
})

test('beyond the field nothing moves, beyond the image is `outside`', async () => {
  const far = await deformationOf(fieldOf(grid, () => [1, 1, 1]))
  assert.deepEqual(deform(far, [500, 0, 0]), [500, 0, 0])
  const away = await deformationOf(
    fieldOf(grid, () => [0, 0, 0]),
    { before: identity, after: translation([900, 0, 0]) },
  )
  assert.ok((await resampleDeformed(image, grid, away, { outside: -7 })).data.every((v) => v === -7))
})
