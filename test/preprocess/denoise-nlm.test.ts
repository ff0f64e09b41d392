import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setThreads } from '../../src/kernels/index.js'
import { noiseSd, nonLocalMeans } from '../../src/preprocess/denoise.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { scaling, type Vec3 } from '../../src/volume/affine.js'
import type { Image } from '../../src/volume/volume.js'
import { type PhantomLesion, phantomBrain, phantomImage, phantomLabels, phantomLesionMask, tissue } from '../phantom.js'

const brain = phantomBrain()
const inBrain = (i: number) => brain.data[i] !== 0
const clean = phantomImage({ contrast: 't1', noise: 0 })
const noisy = phantomImage({ contrast: 't1' })

function moments(data: ArrayLike<number>, inside: (i: number) => boolean = () => true): { mean: number; sd: number } {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < data.length; i++)
    if (inside(i)) {
      n++
      sum += data[i]
      squares += data[i] * data[i]
    }
  return { mean: sum / n, sd: Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2)) }
}

function rms(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { mean, sd } = moments(
    Float64Array.from(a, (v, i) => v - b[i]),
    inBrain,
  )
  return Math.hypot(mean, sd)
}

function flat(value: number, sd: number, magnitude: boolean, dims: Vec3 = [36, 34, 30], size: Vec3 = [1, 1, 1]): Image {
  const normal = gaussianRandom(seededRandom(7))
  const one = () => (magnitude ? Math.hypot(value + sd * normal(), sd * normal()) : value + sd * normal())
  return { dims, affine: scaling(size), data: Float32Array.from({ length: dims[0] * dims[1] * dims[2] }, one) }
}

test('PH-1: noise falls to a third, small lesions stay, and blocks do as well as voxels', async () => {
  const before = rms(noisy.data, clean.data)
  const blocks = await nonLocalMeans(noisy, { mask: brain, blockwise: true })
  const voxels = await nonLocalMeans(noisy, { mask: brain })
  const [a, b] = [rms(blocks.denoised.data, clean.data), rms(voxels.denoised.data, clean.data)]
  assert.ok(a < 0.35 * before && b < 0.35 * before, `${before} to ${a} and ${b}`)
  assert.ok(Math.abs(a / b - 1) < 0.15, `${a} and ${b}`)
  const labels = phantomLabels().data
  const all = phantomLesionMask().data
  const contrast = (data: Float32Array, lesion: PhantomLesion) => {
    const inside = phantomLesionMask([lesion]).data
    const around = moments(data, (i) => labels[i] === tissue.wm && all[i] === 0).mean
    return around - moments(data, (i) => inside[i] !== 0).mean
  }
  // Eight voxels, and 56: blocks take more from the smallest, and are not held to that.
  for (const [{ denoised }, lesion] of [
    [voxels, 'SC3'],
    [voxels, 'SC1'],
    [blocks, 'SC1'],
  ] as const) {
    const kept = contrast(denoised.data, lesion) / contrast(clean.data, lesion)
    assert.ok(kept > 0.85, `${lesion}: ${kept}`)
  }
})

test('the noise is found: PH-1, even images of high and low signal', () => {
  const found = noiseSd(noisy, { mask: brain, magnitude: true })
  assert.ok(Math.abs(found / 4 - 1) < 0.1, `${found}`)
  for (const [value, magnitude] of [
    [100, false],
    [100, true],
    [8, true],
    [0, true],
  ] as const) {
    const sd = noiseSd(flat(value, 4, magnitude), { magnitude })
    assert.ok(Math.abs(sd / 4 - 1) < 0.06, `${value}: ${sd}`)
  }
  assert.equal(noiseSd(flat(50, 0, false), { magnitude: false }), 0)
})

test('an even image: little noise is left, and the mean is right in magnitude images too', async () => {
  for (const [value, magnitude, options] of [
    [100, false, {}],
    [100, false, { blockwise: true }],
    [100, false, { patch: 2 }],
    [100, false, { adaptive: true }],
    [20, true, { sigma: 5 }],
    [20, true, { sigma: 5, blockwise: true }],
  ] as const) {
    const image = flat(value, 5, magnitude)
    const { denoised } = await nonLocalMeans(image, { rician: magnitude, ...options })
    const { mean, sd } = moments(denoised.data)
    assert.ok(sd < 1.25, `${value} ${JSON.stringify(options)}: sd ${sd}`)
    assert.ok(Math.abs(mean - value) < 0.5, `${value} ${JSON.stringify(options)}: mean ${mean}`)
  }
})

test('noise that grows from side to side is mapped', async () => {
  const dims: Vec3 = [60, 40, 40]
  const normal = gaussianRandom(seededRandom(5))
  const sdAt = (i: number) => 4 + 8 * ((i % 60) / 59)
  const data = Float32Array.from({ length: 60 * 40 * 40 }, (_, i) => 200 + sdAt(i) * normal())
  const { sigma } = await nonLocalMeans({ dims, affine: scaling([1, 1, 1]), data }, { rician: false, adaptive: true })
  const map = (sigma as Image).data
  for (const x of [12, 30, 48]) {
    const { mean } = moments(map, (i) => i % 60 === x)
    assert.ok(Math.abs(mean / sdAt(x) - 1) < 0.15, `${x}: ${mean} for ${sdAt(x)}`)
  }
})

test('thick slices are searched through fewer of them, and slices of a millimetre in a box', async () => {
  const { denoised } = await nonLocalMeans(flat(100, 5, false, [40, 40, 12], [1, 1, 6]), { rician: false })
  const { mean, sd } = moments(denoised.data)
  assert.ok(sd < 1.5 && Math.abs(mean - 100) < 0.5, `${mean} ${sd}`)
  // A spike 4 slices of 6 mm away cannot be reached: an impulse pair stays apart.
  const image = flat(100, 1, false, [20, 20, 9], [1, 1, 6])
  const far = { ...image, data: image.data.map((v, i) => (i < 400 ? v + 1000 : v)) }
  const [a, b] = [await nonLocalMeans(image, { sigma: 1 }), await nonLocalMeans(far, { sigma: 1 })]
  // A block of the second centre plane reaches one slice up and down, and compares patches one further.
  for (let i = 400 * 6; i < 400 * 9; i++) assert.equal(a.denoised.data[i], b.denoised.data[i])
})

test('no noise, a mask, threads, cancelling', async () => {
  const same = await nonLocalMeans(noisy, { sigma: 0 })
  assert.deepEqual(same.denoised.data, noisy.data)
  const constant = flat(5, 0, false)
  assert.deepEqual((await nonLocalMeans(constant, { sigma: 3, rician: false })).denoised.data, constant.data)
  setThreads(1)
  const run = async (blockwise: boolean) => (await nonLocalMeans(noisy, { mask: brain, blockwise })).denoised
  const one = [await run(false), await run(true)]
  setThreads(2)
  const two = [await run(false), await run(true)]
  assert.deepEqual(one, two)
  for (let i = 0; i < noisy.data.length; i += 7) if (!inBrain(i)) assert.equal(two[1].data[i], noisy.data[i])
  await assert.rejects(nonLocalMeans(noisy, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  await assert.rejects(nonLocalMeans(noisy, { patch: 0 }), RangeError)
  await assert.rejects(nonLocalMeans(noisy, { mask: { ...brain, data: new Uint8Array(3) } }), RangeError)
})
