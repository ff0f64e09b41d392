import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withArena } from '../../src/kernels/index.js'
import { register } from '../../src/preprocess/register.js'
import { figureOf } from '../../src/preprocess/registration/joint.js'
import { coarser, makeLevel, robustRange } from '../../src/preprocess/registration/sampling.js'
import { measureOf } from '../../src/preprocess/registration/similarity.js'
import { parametersToMap } from '../../src/preprocess/registration/transform.js'
import { rotations } from '../../src/preprocess/registration/wide.js'
import { seededRandom } from '../../src/random.js'
import { type Affine, apply, compose, determinant, invert, scaling, translation } from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import type { Grid, Image } from '../../src/volume/volume.js'
import { phantomBrain, phantomImage, rigidMap } from '../phantom.js'

const t1 = withFace(phantomImage({ contrast: 't1', seed: 1 }))
const flair = withFace(phantomImage({ contrast: 'flair', seed: 2 }))
const move = rigidMap([0.05, -0.08, 0.1], [3, -4, 2])

/** A nose and an ear: without them an ellipsoid head looks the same from several sides. */
function withFace(image: Image): Image {
  const data = image.data.slice()
  for (const [x, y, z] of [
    [0, 74, -22],
    [52, -40, 30],
  ])
    for (let i = 0; i < data.length; i++) {
      const p = [2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79]
      if (Math.hypot(p[0] - x, p[1] - y, p[2] - z) < 16) data[i] = 150
    }
  return { ...image, data }
}

/** Mean distance at the corners of a cube of 9 cm. */
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
const movedBy = (image: Image, map: Affine, onto: Grid = image): Promise<Image> =>
  resample(image, onto, { map: invert(map), method: 'cubic', antialias: true })

test('each similarity finds a known move: mutual information across contrasts, correlation within one', async () => {
  for (const [similarity, fixed] of [
    ['mi', t1],
    ['nmi', t1],
    ['ncc', flair],
  ] as const) {
    const { map, correlation } = await register(fixed, await movedBy(flair, move), { dof: 6, similarity, seed: 3 })
    assert.ok(apart(map, move) < 0.3, `${similarity}: ${apart(map, move)} mm`)
    if (similarity === 'ncc') assert.ok(correlation > 0.9, `${correlation}`)
  }
})

test('the slope of each similarity is that of its differences', async () => {
  const [small, moving] = [await coarser(t1, 4), await coarser(flair, 4)]
  const ranges = { fixedRange: robustRange(small), movingRange: robustRange(moving) }
  // Inside the brain: points that cross the image's border make steps that have no slope.
  const sampling = { count: 30_000, mm: 4, random: seededRandom(1), fixedMask: phantomBrain(), ...ranges }
  const level = makeLevel(small, moving, sampling)
  await withArena(async (arena) => {
    const measure = measureOf(arena, level)
    const at = (q: number[]) => parametersToMap(q, [0, 0, 0])
    const p = [2, -3, 1, 4, 2, -3]
    for (const kind of ['nmi', 'mi', 'ncc'] as const) {
      const { slope } = await measure.withSlope(at(p), kind)
      for (const k of [0, 1, 2, 3, 4, 5]) {
        const [up, down] = [at(p.with(k, p[k] + 0.05)), at(p.with(k, p[k] - 0.05))]
        const measured = (figureOf(await measure(up), kind) - figureOf(await measure(down), kind)) / 0.1
        const change = measure.aboutOrigin(up).map((v, i) => (v - measure.aboutOrigin(down)[i]) / 0.1)
        const predicted = slope.reduce((sum, s, i) => sum + s * change[i], 0)
        assert.ok(
          Math.abs(measured - predicted) < 0.1 * Math.abs(measured) + 2e-4,
          `${kind} ${k}: ${measured} and ${predicted}`,
        )
      }
    }
  })
})

test('seven and nine parameters find one scale, and one for each axis', async () => {
  for (const [dof, scales] of [
    [7, [8, 8, 8]],
    [9, [8, -4, 5]],
  ] as const) {
    const truth = parametersToMap([4, -6, 3, 6, -4, 5, ...scales], [0, 0, 0])
    const { map } = await register(t1, await movedBy(t1, truth), { dof })
    assert.ok(apart(map, truth) < 0.4, `${dof}: ${apart(map, truth)} mm`)
    if (dof === 7)
      assert.ok(Math.abs(Math.cbrt(determinant(map)) ** 2 - map[0] ** 2 - map[4] ** 2 - map[8] ** 2) < 1e-9)
  }
})

test('few points and all of them', async () => {
  const moving = await movedBy(flair, move)
  for (const [sampling, within] of [
    [20_000, 0.6],
    ['full', 0.3],
  ] as const) {
    const { map } = await register(t1, moving, { dof: 6, sampling })
    assert.ok(apart(map, move) < within, `${sampling}: ${apart(map, move)} mm`)
  }
})

test('a head that lies any way is found from anywhere, and by itself', async () => {
  const turned = rotations(23)[5]
  const truth = compose(translation([40, -50, 30]), turned)
  const moving = { ...flair, affine: compose(truth, flair.affine) }
  for (const search of ['wide', 'auto'] as const) {
    const { map } = await register(t1, moving, { dof: 6, search })
    assert.ok(apart(map, truth) < 0.3, `${search}: ${apart(map, truth)} mm`)
  }
})

test('a slab of 40 mm finds its place in the head', async () => {
  const slab: Grid = { dims: [80, 96, 20], affine: compose(translation([-79, -95, -10]), scaling([2, 2, 2])) }
  const { map } = await register(await movedBy(t1, invert(move), slab), flair, { dof: 6 })
  assert.ok(apart(map, move) < 0.7, `${apart(map, move)} mm`)
})

test('the net of rotations leaves no hole: every rotation has one within 30°', () => {
  const net = rotations(800)
  const angle = (a: Affine, b: Affine) => {
    const trace = [0, 1, 2].reduce((sum, r) => sum + [0, 1, 2].reduce((s, c) => s + a[4 * r + c] * b[4 * r + c], 0), 0)
    return (Math.acos(Math.max(-1, Math.min(1, (trace - 1) / 2))) * 180) / Math.PI
  }
  for (const one of net) assert.ok(Math.abs(determinant(one) - 1) < 1e-12)
  const farthest = Math.max(...rotations(1999).map((one) => Math.min(...net.map((other) => angle(one, other)))))
  assert.ok(farthest < 30, `${farthest}°`)
})
