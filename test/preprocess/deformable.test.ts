import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setThreads } from '../../src/kernels/index.js'
import { registerDeformable } from '../../src/preprocess/deformable.js'
import { apply, compose, identity, translation, type Vec3 } from '../../src/volume/affine.js'
import {
  type Deformation,
  deform,
  deformationOf,
  inverted,
  jacobianDeterminant,
  resampleDeformed,
} from '../../src/volume/deformation.js'
import { resample } from '../../src/volume/resample.js'
import type { Image } from '../../src/volume/volume.js'
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
const found = await registerDeformable(fixed, moving, { initial: affine })

test('a known smooth warp after an affine is found, and does not fold', () => {
  const start = apart(
    (p) => deform(truth, p),
    (p) => apply(affine, p),
  )
  const end = apart(
    (p) => deform(truth, p),
    (p) => deform(found, p),
  )
  assert.ok(start.mean > 2.5, `${start.mean} mm before`)
  assert.ok(end.mean < 0.5, `mean ${end.mean} mm`)
  assert.ok(jacobianDeterminant(found.field).data.every((v) => v > 0))
  assert.ok(jacobianDeterminant(found.inverse).data.every((v) => v > 0))
})

test('there and back is where one was', () => {
  const { mean, worst } = apart(
    (p) => p,
    (p) => deform(inverted(found), deform(found, p)),
  )
  assert.ok(mean < 0.05 && worst < 0.3, `mean ${mean}, worst ${worst} mm`)
})

test('an image is its own best match: nothing moves', async () => {
  const self = await registerDeformable(fixed, fixed, { levels: [8, 4] })
  assert.ok(self.field.data.every((v) => Math.abs(v) < 0.05))
  assert.ok(self.similarity > 0.999)
})

test('the same bits for any number of threads', async () => {
  const one = await registerDeformable(fixed, moving, { initial: affine, levels: [8, 4], iterations: 8 })
  setThreads(2)
  const two = await registerDeformable(fixed, moving, { initial: affine, levels: [8, 4], iterations: 8 })
  setThreads(1)
  assert.deepEqual(one, two)
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

test('cancelling ends it with the reason', async () => {
  const controller = new AbortController()
  const run = registerDeformable(fixed, moving, {
    signal: controller.signal,
    progress: () => controller.abort(new Error('enough')),
  })
  await assert.rejects(run, /enough/)
})

test('a constant image gives a field of zeros', async () => {
  const constant = await resample({ ...fixed, data: new Float32Array(n).fill(3) }, phantomGrid)
  const { field } = await registerDeformable(fixed, constant, { levels: [8], iterations: 3 })
  assert.ok(field.data.every((v) => v === 0))
})
