import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/random.js'
import { biasField, gammaShift, ghosts, quickNormal, ricianNoise, thickSlices } from '../../src/simulate/artefacts.js'
import { type SynthesisedContrast, synthesise } from '../../src/simulate/synthesise.js'
import { tissueOfFreeSurfer } from '../../src/simulate/tissue-contrast.js'
import type { Vec3 } from '../../src/volume/affine.js'
import { ballOfLabels } from './labels.js'

const { dims, data: labels } = ballOfLabels(48)
const block = { labels, shape: dims, spacing: [1, 1, 1] as Vec3 }
/** A lesion in white matter beside the ventricle. */
const at = 10 + 24 + 48 * (24 + 48 * 24)
const fraction = new Float32Array(labels.length)
for (let dz = -2; dz <= 2; dz++)
  for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) fraction[at + dx + 48 * (dy + 48 * dz)] = 1

function means(image: Float32Array): Record<'csf' | 'gm' | 'wm' | 'lesion', number> {
  const mean = (test: (i: number) => boolean) => {
    let [sum, n] = [0, 0]
    for (let i = 0; i < image.length; i++) if (test(i)) [sum, n] = [sum + image[i], n + 1]
    return sum / n
  }
  const tissue = (label: number) => mean((i) => labels[i] === label && fraction[i] === 0)
  return { csf: tissue(1), gm: tissue(2), wm: tissue(3), lesion: image[at] }
}

test('contrasts are ordered as in patients, whatever the scanner', () => {
  const order: Partial<Record<SynthesisedContrast, string>> = {
    flair: 'csf<wm<gm<lesion',
    t1: 'csf<gm<lesion<wm',
    t2: 'wm<gm<lesion<csf',
    pd: 'wm<gm<lesion',
  }
  for (const [contrast, wanted] of Object.entries(order))
    for (const variety of [0, 0.5]) {
      const options = { lesions: { fraction }, variety, bias: 0, noise: 0.005, texture: 0.005 }
      const found = means(synthesise(block, contrast as SynthesisedContrast, options, seededRandom(variety * 10 + 1)))
      const names = wanted.split('<') as (keyof typeof found)[]
      for (let n = 1; n < names.length; n++)
        assert.ok(
          found[names[n - 1]] < found[names[n]] + 0.05 * variety,
          `${contrast}: ${names[n - 1]} ${found[names[n - 1]]} against ${names[n]} ${found[names[n]]}`,
        )
    }
})

test('cores are dark in T1, enhancing lesions bright after gadolinium, and dirty white matter is in between', () => {
  const quiet = { variety: 0, bias: 0, noise: 0, texture: 0 }
  const value = (contrast: SynthesisedContrast, layers: object) =>
    synthesise(block, contrast, { ...quiet, lesions: { fraction, ...layers } }, seededRandom(1))[at]
  assert.ok(value('t1', { core: fraction }) < value('t1', {}) - 0.2)
  assert.ok(value('t1gd', { enhancing: fraction }) > 1.3 && value('t1gd', {}) < 0.9)
  const none = new Float32Array(labels.length)
  const dirty = synthesise(block, 'flair', { ...quiet, lesions: { fraction: none, dirty: fraction } }, seededRandom(1))[
    at
  ]
  assert.ok(dirty > 1.05 && dirty < 1.3, `${dirty}`)
})

test('the same seed gives the same image; random contrasts differ from draw to draw', () => {
  const make = (seed: number) => synthesise(block, 'random', { lesions: { fraction } }, seededRandom(seed))
  assert.deepEqual(make(5), make(5))
  const contrast = (image: Float32Array) => {
    const { gm, wm } = means(image)
    return gm / wm
  }
  const ratios = Array.from({ length: 12 }, (_, n) => contrast(make(n)))
  assert.ok(ratios.some((r) => r < 0.8) && ratios.some((r) => r > 1.2), `${ratios}`)
  assert.throws(
    () => synthesise(block, 'flair', { lesions: { fraction: new Float32Array(3) } }, seededRandom(1)),
    RangeError,
  )
})

test('quick normal numbers are normal, and Rician noise in air has the mean σ √(π/2)', () => {
  const normal = quickNormal(seededRandom(2))
  let [sum, squares] = [0, 0]
  for (let n = 0; n < 50000; n++) {
    const value = normal()
    sum += value
    squares += value * value
  }
  assert.ok(Math.abs(sum / 50000) < 0.015 && Math.abs(squares / 50000 - 1) < 0.03)
  const air = new Float32Array(50000)
  ricianNoise(air, 0.1, seededRandom(3))
  const mean = air.reduce((total, v) => total + v / air.length, 0)
  assert.ok(Math.abs(mean - 0.1 * Math.sqrt(Math.PI / 2)) < 0.001, `${mean}`)
})

test('a bias field is smooth and centred on 1; gamma leaves white matter; ghosts lie where they must', () => {
  const flat = new Float32Array(32 ** 3).fill(1)
  biasField(flat, [32, 32, 32], 0.3, seededRandom(4))
  let steepest = 0
  for (let i = 1; i < flat.length; i++) if (i % 32 !== 0) steepest = Math.max(steepest, Math.abs(flat[i] - flat[i - 1]))
  assert.ok(steepest > 0.01 && steepest < 0.2, `${steepest}`)
  const mean = flat.reduce((total, v) => total + Math.log(v) / flat.length, 0)
  assert.ok(Math.abs(mean) < 0.15, `${mean}`)

  const levels = Float32Array.of(0.25, 1, 2)
  gammaShift(levels, 2)
  for (const [i, wanted] of [0.0625, 1, 4].entries()) assert.ok(Math.abs(levels[i] - wanted) < 1e-3)

  const line = new Float32Array(20)
  line[4] = 1
  ghosts(line, [1, 20, 1], { axis: 1, count: 1, strength: 0.2 })
  assert.ok(Math.abs(line[4] - 0.9) < 1e-6)
  assert.ok(Math.abs(line[14] - 0.1) < 1e-6, `${line}`)
})

test('thick slices keep the mean and spread an edge over the thickness', () => {
  const shape: Vec3 = [1, 1, 60]
  const line = Float32Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 1))
  thickSlices(line, { shape, spacing: [1, 1, 1] }, { axis: 2, mm: 6 }, seededRandom(6))
  const mean = line.reduce((sum, v) => sum + v / 60, 0)
  assert.ok(Math.abs(mean - 0.5) < 0.05, `${mean}`)
  const between = line.filter((v) => v > 0.05 && v < 0.95).length
  assert.ok(between >= 4 && between <= 12, `${between} voxels in between`)
  assert.equal(line[5], 0)
  assert.equal(line[55], 1)
})

test("FreeSurfer's labels are known", () => {
  assert.deepEqual([0, 2, 3, 4, 10, 41, 77, 1001, 2035, 258, 165].map(tissueOfFreeSurfer), [
    'air',
    'wm',
    'gm',
    'csf',
    'deepGrey',
    'wm',
    'lesion',
    'gm',
    'gm',
    'soft',
    'bone',
  ])
})
