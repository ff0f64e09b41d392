import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setThreads, withArena } from '../../src/kernels/index.js'
import { latticeOf } from '../../src/preprocess/deformable/lattice.js'
import { newPair, whole } from '../../src/preprocess/deformable/pair.js'
import { registerDeformable } from '../../src/preprocess/deformable.js'
import { apply, compose, identity, scaling, translation, type Vec3 } from '../../src/volume/affine.js'
import {
  type Deformation,
  deform,
  deformationOf,
  inverted,
  jacobianDeterminant,
  resampleDeformed,
} from '../../src/volume/deformation.js'
import { resample } from '../../src/volume/resample.js'
import type { Grid, Image } from '../../src/volume/volume.js'
import { phantomBrain, phantomGrid, phantomImage, rigidMap } from '../phantom.js'

const [nx, ny] = phantomGrid.dims
const n = nx * ny * phantomGrid.dims[2]
const place = (i: number): Vec3 =>
  apply(phantomGrid.affine, [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))])
const brain = phantomBrain()

/** The phantom with waves in its tissues, about as fine as gyri: what has no structure cannot be told to have moved. */
function marbled(seed: number): Image {
  const image = phantomImage({ contrast: 't1', seed, noise: 2 })
  for (let i = 0; i < n; i++) {
    const [x, y, z] = place(i)
    const waves = Math.sin(x / 4.1 + y / 9) + Math.sin(y / 4.7 - z / 8) + Math.sin(z / 4.3 + x / 11)
    image.data[i] *= 1 + 0.1 * waves
  }
  return image
}

/** A smooth warp of up to about 6 mm that ends at the border. */
async function knownWarp(after = identity): Promise<Deformation> {
  const data = new Float32Array(3 * n)
  for (let i = 0; i < n; i++) {
    const [x, y, z] = place(i)
    const fade = Math.exp(-(x * x + y * y + z * z) / (2 * 40 * 40))
    data[i] = 5 * Math.sin(y / 20) * fade
    data[n + i] = 5 * Math.cos(z / 18) * fade
    data[2 * n + i] = -4 * Math.sin(x / 22) * fade
  }
  return await deformationOf({ ...phantomGrid, data }, { after })
}

/** Mean and largest distance in mm over the brain between where two maps take a point. */
function apart(a: (p: Vec3) => Vec3, b: (p: Vec3) => Vec3): { mean: number; worst: number } {
  let [sum, count, worst] = [0, 0, 0]
  for (let i = 0; i < n; i += 31) {
    if (brain.data[i] === 0) continue
    const p = place(i)
    const [u, v] = [a(p), b(p)]
    const mm = Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
    sum += mm
    count++
    worst = Math.max(worst, mm)
  }
  return { mean: sum / count, worst }
}

const fixed = marbled(1)
const affine = compose(translation([3, -2, 4]), rigidMap([0.05, -0.04, 0.06], [0, 0, 0]))
const truth = await knownWarp(affine)
const moving = await resampleDeformed(marbled(2), phantomGrid, inverted(truth), { method: 'cubic' })
const start = apart(
  (p) => deform(truth, p),
  (p) => apply(affine, p),
)

for (const model of ['velocity', 'bspline'] as const) {
  test(`${model}: a known smooth warp after an affine is found, does not fold, and has its inverse`, async () => {
    const smoothing = model === 'bspline' ? 8 : undefined
    const found = await registerDeformable(fixed, moving, { initial: affine, model, smoothing })
    const end = apart(
      (p) => deform(truth, p),
      (p) => deform(found, p),
    )
    assert.ok(start.mean > 2.5, `${start.mean} mm before`)
    assert.ok(end.mean < 0.5, `mean ${end.mean} mm`)
    assert.ok((await jacobianDeterminant(found.field)).data.every((v) => v > 0))
    assert.ok((await jacobianDeterminant(found.inverse)).data.every((v) => v > 0))
    const { mean, worst } = apart(
      (p) => p,
      (p) => deform(inverted(found), deform(found, p)),
    )
    assert.ok(mean < 0.05 && worst < 0.3, `there and back: mean ${mean}, worst ${worst} mm`)
  })

  test(`${model}: an image is its own best match, so nothing moves`, async () => {
    const self = await registerDeformable(fixed, fixed, { levels: [8, 4], model })
    assert.ok(self.field.data.every((v) => Math.abs(v) < 0.05))
    assert.ok(self.similarity > 0.999)
  })

  test(`${model}: the same bits for any number of threads`, async () => {
    const options = { initial: affine, levels: [8, 4], iterations: 8, model }
    const one = await registerDeformable(fixed, moving, options)
    setThreads(2)
    const two = await registerDeformable(fixed, moving, options)
    setThreads(1)
    assert.deepEqual(one, two)
  })

  test(`${model}: cancelling ends it with the reason`, async () => {
    const controller = new AbortController()
    const run = registerDeformable(fixed, moving, {
      model,
      signal: controller.signal,
      progress: (fraction) => fraction > 0.2 && controller.abort(new Error('enough')),
    })
    await assert.rejects(run, /enough/)
  })

  test(`${model}: a constant image gives a field of zeros`, async () => {
    const constant: Image = { ...phantomGrid, data: new Float32Array(n).fill(3) }
    const { field } = await registerDeformable(fixed, constant, { levels: [8], iterations: 3, model })
    assert.ok(field.data.every((v) => v === 0))
  })
}

test('what is folded is smoothed until it is not', async () => {
  const grid: Grid = { dims: [24, 24, 24], affine: identity }
  const fold = Float32Array.from({ length: 3 * 24 ** 3 }, (_, i) =>
    i < 24 ** 3 && Math.abs((i % 24) - 12) < 4 ? -1.6 * ((i % 24) - 12) : 0,
  )
  assert.ok((await jacobianDeterminant({ ...grid, data: fold })).data.some((v) => v < 0))
  const field = await withArena(async (arena) => {
    const pair = newPair(arena, grid)
    pair.toMoving.view().set(fold)
    return await whole(arena, pair)
  })
  assert.ok((await jacobianDeterminant(field)).data.every((v) => v > 0))
  assert.ok(field.data.some((v) => Math.abs(v) > 0.5))
})

test('thick oblique slices of a mirrored grid as the fixed image', async () => {
  const tilt = compose(rigidMap([0.2, 0.1, -0.15], [1, 2, 3]), translation([75, -90, -70]))
  const slab: Grid = { dims: [76, 92, 36], affine: compose(tilt, scaling([-2, 2, 4])) }
  const slices = await resample(fixed, slab, { antialias: true })
  const found = await registerDeformable(slices, moving, { initial: affine, levels: [8, 4] })
  const end = apart(
    (p) => deform(truth, p),
    (p) => deform(found, p),
  )
  assert.ok(end.mean < 1, `mean ${end.mean} mm`)
})

test('a lattice expands to its splines, and gathers a constant as it is', async () => {
  await withArena(async (arena) => {
    const dims: Vec3 = [14, 11, 9]
    const lattice = latticeOf(arena, dims, 4)
    const [px, py, pz] = lattice.dims
    const points = arena.float32(3 * px * py * pz)
    const voxels = arena.float32(3 * 14 * 11 * 9)
    // Splines reproduce straight lines: control point k lies at voxel 4 (k − 1).
    const planes = points.view()
    for (let i = 0; i < px * py * pz; i++) {
      planes[i] = 4 * ((i % px) - 1)
      planes[px * py * pz + i] = 4 * ((Math.floor(i / px) % py) - 1)
      planes[2 * px * py * pz + i] = 4 * (Math.floor(i / (px * py)) - 1)
    }
    await lattice.expand(points, voxels)
    const out = voxels.view()
    for (let i = 0; i < 14 * 11 * 9; i++)
      for (const [plane, at] of [i % 14, Math.floor(i / 14) % 11, Math.floor(i / 154)].entries())
        assert.ok(Math.abs(out[plane * 14 * 11 * 9 + i] - at) < 1e-4)
    voxels.view().fill(2.5)
    await lattice.gather(voxels.ptr, points)
    assert.ok(points.view().every((v) => Math.abs(v - 2.5) < 1e-4))
  })
})

test('outside of the mask nothing pulls', async () => {
  const half = { ...brain, data: brain.data.map((v, i) => (place(i)[0] < 0 ? v : 0)) }
  const masked = await registerDeformable(fixed, moving, {
    initial: affine,
    fixedMask: half,
    levels: [8, 4],
    smoothing: 5,
  })
  const at = (p: Vec3) => {
    const [u, v] = [deform(masked, p), apply(affine, p)]
    return Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
  }
  assert.ok(at([-25, 10, 0]) > 2, `${at([-25, 10, 0])} mm inside`)
  assert.ok(at([50, 10, 0]) < 0.2, `${at([50, 10, 0])} mm outside`)
})
