import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { readItkAffine } from '../../src/formats/itk.js'
import { readNifti } from '../../src/formats/nifti.js'
import { setThreads, withArena } from '../../src/kernels/index.js'
import { register, registrationCheck, trustThreshold, trustworthy } from '../../src/preprocess/register.js'
import { ascend } from '../../src/preprocess/registration/optimise.js'
import { coarser, finer, makeLevel, robustRange } from '../../src/preprocess/registration/sampling.js'
import { measureOf } from '../../src/preprocess/registration/similarity.js'
import { freed, parametersToMap } from '../../src/preprocess/registration/transform.js'
import { seededRandom } from '../../src/random.js'
import {
  type Affine,
  apply,
  compose,
  identity,
  invert,
  scaling,
  translation,
  type Vec3,
} from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import type { Grid, Image, Mask } from '../../src/volume/volume.js'
import { phantomBrain, phantomGrid, phantomImage, rigidMap } from '../phantom.js'
import { sharedData, skipWithout } from '../shared-data.js'

const t1 = phantomImage({ contrast: 't1', seed: 1 })
const flair = phantomImage({ contrast: 'flair', seed: 2 })
const brain = phantomBrain()

/** Mean distance over the phantom's brain between where two maps take a point, mm. */
function apart(a: Affine, b: Affine): number {
  let [sum, n] = [0, 0]
  for (let i = 0; i < brain.data.length; i += 97) {
    if (brain.data[i] === 0) continue
    const p = apply(phantomGrid.affine, [i % 80, Math.floor(i / 80) % 96, Math.floor(i / 7680)])
    const [u, v] = [apply(a, p), apply(b, p)]
    sum += Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
    n++
  }
  return sum / n
}

/** The image after its content was moved by `map`: a point p of it shows what was at map⁻¹(p). */
const movedBy = (image: Image, map: Affine, onto: Grid = image): Promise<Image> =>
  resample(image, onto, { map: invert(map), method: 'cubic', antialias: true })

const move = rigidMap([0.05, -0.08, 0.1], [3, -4, 2])

test('a FLAIR moved by a known rigid map is found to 0.3 mm, and tells more than before', async () => {
  const { map, mutualInformation } = await register(t1, await movedBy(flair, move), { dof: 6 })
  assert.ok(apart(map, move) < 0.3, `${apart(map, move)} mm`)
  const start = await register(t1, await movedBy(flair, move), { dof: 6, initial: move })
  assert.ok(Math.abs(start.mutualInformation - mutualInformation) < 0.01)
})

test('moves of up to 15 mm and 15° are found', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(
        fc.double({ min: -0.26, max: 0.26, noNaN: true }),
        fc.double({ min: -0.12, max: 0.12, noNaN: true }),
        fc.double({ min: -0.26, max: 0.26, noNaN: true }),
      ),
      fc.tuple(fc.integer({ min: -15, max: 15 }), fc.integer({ min: -15, max: 15 }), fc.integer({ min: -15, max: 15 })),
      async (turn, shift) => {
        const truth = rigidMap(turn as Vec3, shift as Vec3)
        const moving = { ...flair, affine: compose(truth, flair.affine) }
        const { map } = await register(t1, moving, { dof: 6 })
        assert.ok(apart(map, truth) < 0.3, `${apart(map, truth)} mm`)
      },
    ),
    { numRuns: 5, seed: 3, endOnFailure: true },
  )
})

test('an image is its own best match', async () => {
  const { map } = await register(t1, t1, { dof: 6 })
  assert.ok(apart(map, identity) < 0.02, `${apart(map, identity)} mm`)
})

test('thick oblique slices of a part of the head', async () => {
  const tilt = rigidMap([0.3, 0.1, -0.2], [1, 2, 3])
  const slab: Grid = { dims: [75, 90, 14], affine: compose(tilt, translation([-74, -89, -30]), scaling([2, 2, 5])) }
  const moving = await movedBy(flair, move)
  const slices = await resample(t1, slab, { antialias: true })
  const forward = await register(slices, moving, { dof: 6 })
  assert.ok(apart(forward.map, move) < 1, `slab fixed: ${apart(forward.map, move)} mm`)
  const back = await register(moving, slices, { dof: 6 })
  assert.ok(apart(back.map, invert(move)) < 1, `slab moving: ${apart(back.map, invert(move))} mm`)
})

test('one image stripped, the other a whole head: either way round', async () => {
  const head = await movedBy(phantomImage({ contrast: 't1', seed: 4, head: true }), move)
  const stripped = { ...flair, data: flair.data.map((v, i) => (brain.data[i] !== 0 ? v : 0)) }
  const there = await register(stripped, head, { dof: 6 })
  assert.ok(apart(there.map, move) < 0.3, `${apart(there.map, move)} mm`)
  assert.ok(trustworthy(await registrationCheck(stripped, head, there.map)))
  const back = await register(head, stripped, { dof: 6 })
  assert.ok(apart(invert(back.map), move) < 0.3, `${apart(invert(back.map), move)} mm`)
  assert.ok(trustworthy(await registrationCheck(head, stripped, back.map)))
})

test('masks leave out what does not belong', async () => {
  const moving = await movedBy(flair, move)
  // A bright block beside the brain, in the moving image only.
  for (let i = 0; i < moving.data.length; i++) if (i % 80 < 8 && Math.floor(i / 80) % 96 > 40) moving.data[i] = 300
  const movingMask: Mask = { ...moving, data: Uint8Array.from(moving.data, (v) => (v > 250 ? 0 : 1)) }
  const { map } = await register(t1, moving, { dof: 6, fixedMask: brain, movingMask })
  assert.ok(apart(map, move) < 0.3, `${apart(map, move)} mm`)
})

test('twelve parameters find scales and shears', async () => {
  const truth = parametersToMap([4, -6, 3, 6, -4, 5, 12, -9, 6, 4, -3, 5], [0, 0, 0])
  // An ellipsoid with free scales fits at any turn: a nose and an ear make it a head.
  const face = { ...t1, data: t1.data.slice() }
  for (const [x, y, z] of [
    [0, 74, -22],
    [52, -40, 30],
  ])
    for (let i = 0; i < face.data.length; i++) {
      const p = [2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79]
      if (Math.hypot(p[0] - x, p[1] - y, p[2] - z) < 16) face.data[i] = 150
    }
  const { map } = await register(face, await movedBy(face, truth), { dof: 12 })
  assert.ok(apart(map, truth) < 0.4, `${apart(map, truth)} mm`)
})

test('the same seed gives the same bits, whatever the threads', async () => {
  const moving = await movedBy(flair, move)
  const one = await register(t1, moving, { dof: 6, seed: 5 })
  setThreads(2)
  const two = await register(t1, moving, { dof: 6, seed: 5 })
  setThreads(1)
  assert.deepEqual(one, two)
})

test('cancelling ends it with the reason', async () => {
  const controller = new AbortController()
  const run = register(t1, flair, {
    dof: 6,
    signal: controller.signal,
    progress: () => controller.abort(new Error('enough')),
  })
  await assert.rejects(run, /enough/)
})

test('an empty image, a constant one, and one of a single slice give some map, not an error', async () => {
  const empty = { ...t1, data: new Float32Array(t1.data.length) }
  const slice: Image = { dims: [80, 96, 1], affine: phantomGrid.affine, data: t1.data.slice(0, 80 * 96) }
  for (const [fixed, moving] of [
    [empty, t1],
    [t1, empty],
    [slice, t1],
    [t1, slice],
  ]) {
    const { map } = await register(fixed, moving, { dof: 6 })
    assert.ok(map.every(Number.isFinite))
  }
})

test('the check tells a fit from a move, from another head, and from nothing', async () => {
  const here = await registrationCheck(flair, t1, identity)
  assert.ok(trustworthy(here), `${here}`)
  const away = await registrationCheck(flair, t1, rigidMap([0, 0, 0], [6, 6, 5]))
  assert.ok(away < trustThreshold, `${away}`)
  assert.equal(await registrationCheck(flair, t1, rigidMap([0, 0, 0], [900, 0, 0])), 0)
  assert.equal(await registrationCheck(flair, { ...t1, data: new Float32Array(t1.data.length) }, identity), 0)
})

test('the gradient of the similarity is that of its differences', async () => {
  const mm = 4
  const [small, moving] = [await coarser(t1, mm), await coarser(flair, mm)]
  const level = makeLevel(small, moving, {
    count: 30_000,
    mm,
    random: seededRandom(1),
    fixedRange: robustRange(small),
    movingRange: robustRange(moving),
    fixedMask: brain,
  })
  await withArena(async (arena) => {
    const measure = measureOf(arena, level)
    const p = [2, -3, 1, 4, 2, -3]
    const at = (q: number[]) => parametersToMap(q, [0, 0, 0])
    const { slope } = await measure.withSlope(at(p))
    for (const k of [0, 1, 2, 3, 4, 5]) {
      const h = 0.05
      const [up, down] = [at(p.with(k, p[k] + h)), at(p.with(k, p[k] - h))]
      const measured = ((await measure(up)).normalised - (await measure(down)).normalised) / (2 * h)
      const change = measure.aboutOrigin(up).map((v, i) => (v - measure.aboutOrigin(down)[i]) / (2 * h))
      const predicted = slope.reduce((sum, s, i) => sum + s * change[i], 0)
      assert.ok(Math.abs(measured - predicted) < 0.1 * Math.abs(measured) + 1e-4, `${k}: ${measured} and ${predicted}`)
    }
  })
})

test('finer slices pass through the given ones and keep a constant', async () => {
  const image: Image = {
    dims: [2, 2, 6],
    affine: scaling([1, 1, 3]),
    data: Float32Array.from({ length: 24 }, (_, i) => Math.floor(i / 4)),
  }
  const out = await finer(image, 1)
  assert.deepEqual(out.dims, [2, 2, 18])
  assert.deepEqual(apply(out.affine, [0, 0, 1]), [0, 0, 0])
  for (let k = 0; k < 6; k++) assert.ok(Math.abs(out.data[4 * (3 * k + 1)] - k) < 1e-6)
  const flat = await finer({ ...image, data: new Float32Array(24).fill(7) }, 1)
  assert.ok(flat.data.every((v) => Math.abs(v - 7) < 1e-5))
})

test('more parameters leave the map as it is', () => {
  const p = [3, -2, 1, 10, -5, 7, 8]
  for (const freedom of [9, 12] as const)
    assert.deepEqual(parametersToMap(freed(p, freedom), [1, 2, 3]), parametersToMap(p, [1, 2, 3]))
})

test('the optimiser finds the top of a skewed hill', async () => {
  const value = ([x, y, z]: readonly number[]) => -((x - 3) ** 2) - 10 * (y + 1 - 0.3 * x) ** 2 - 0.1 * (z - 8) ** 2
  const f = async (p: readonly number[]) => ({
    value: value(p),
    gradient: Float64Array.from(p, (_, k) => (value(p.with(k, p[k] + 1e-5)) - value(p.with(k, p[k] - 1e-5))) / 2e-5),
  })
  const { point } = await ascend(f, [0, 0, 0], { longest: 4, tolerance: 1e-3, steps: 60 })
  for (const [i, want] of [3, -0.1, 8].entries()) assert.ok(Math.abs(point[i] - want) < 0.01, `${point}`)
})

const visit = 'ljubljana-long/sub-03/ses-2/anat/sub-03_ses-2_'
test('raw 2-D scans of one visit, 6 mm apart, to 0.7 mm', { skip: skipWithout(`${visit}FLAIR.nii.gz`) }, async () => {
  const load = async (kind: string) =>
    (await readNifti(readFileSync(sharedData(`${visit}${kind}.nii.gz`)!), kind)).image
  const [fixed, moving] = [await load('FLAIR'), await load('T1w')]
  const path = sharedData('ljubljana-long/derivatives/authors/sub-03/ses-2/from-FLAIR_to-T1w.txt')!
  const truth = readItkAffine(readFileSync(path, 'utf8'), path)
  setThreads(2)
  const { map } = await register(fixed, moving, { dof: 6 })
  const centre = apply(fixed.affine, fixed.dims.map((n) => (n - 1) / 2) as unknown as Vec3)
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(
    (c) => centre.map((x, i) => x + (c & (1 << i) ? 45 : -45)) as unknown as Vec3,
  )
  const error = corners.reduce((sum, p) => {
    const [u, v] = [apply(map, p), apply(truth, p)]
    return sum + Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]) / 8
  }, 0)
  assert.ok(error < 0.7, `${error} mm`)
  assert.ok(trustworthy(await registrationCheck(fixed, moving, map)))
  setThreads(1)
})
