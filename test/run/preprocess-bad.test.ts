import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InputError, LesionwiseError } from '../../src/errors.js'
import { preprocess } from '../../src/run/preprocess.js'
import type { Affine } from '../../src/volume/affine.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomImage } from '../phantom.js'

// Ten ways in which images go wrong. Each must end in a flag or a clear error: never in a wrong result that is called good.

const flair = phantomImage({ contrast: 'flair', head: true })
const t1 = phantomImage({ contrast: 't1', head: true })
const mapped = (image: Image, change: (value: number, index: number) => number): Image => ({
  ...image,
  data: image.data.map(change),
})
const scaled = (image: Image, size: number): Image => ({
  ...image,
  affine: image.affine.map((v, i) => (i < 12 ? (v * size) / 2 : v)),
})

/** Flags of a run, or the one-line error it ended in. */
async function outcome(images: { flair: Image; t1?: Image }): Promise<string[]> {
  try {
    return (await preprocess({ ...images, steps: 'register,bias,brain' })).flags.map(({ code }) => code)
  } catch (error) {
    assert.ok(error instanceof LesionwiseError, `not an error for a user: ${String((error as Error).stack)}`)
    assert.ok(!error.message.includes('\n') && error.message.length < 250, error.message)
    return [error instanceof InputError ? 'input-error' : 'error']
  }
}

const doubted = async (images: { flair: Image; t1?: Image }, ...codes: string[]) => {
  const seen = await outcome(images)
  assert.ok(
    codes.some((code) => seen.includes(code)),
    `${seen.join() || 'no flag'}; wanted ${codes.join(' or ')}`,
  )
}

const sound = preprocess({ flair, t1, steps: 'register,bias,brain' })

test('a sound pair raises no doubt', async () => {
  assert.deepEqual((await sound).flags, [])
})

test('another part of the body: a leg, a ball', async () => {
  const at = (index: number) => [
    ((index % 80) - 39.5) * 2,
    ((Math.floor(index / 80) % 96) - 47.5) * 2,
    (Math.floor(index / 7680) - 39.5) * 2,
  ]
  const leg = mapped(flair, (_, index) => {
    const [x, y] = at(index)
    const r = Math.hypot(x, y)
    return (r < 15 ? 60 : r < 18 ? 5 : r < 50 ? 80 : r < 60 ? 150 : 0) + (index % 7)
  })
  const ball = mapped(flair, (_, index) => (Math.hypot(...at(index)) < 65 ? 100 : 0) + (index % 5))
  await doubted({ flair: leg }, 'not-like-a-head', 'input-error')
  await doubted({ flair: ball }, 'not-like-a-head', 'input-error')
})

test('an empty image, one slice', async () => {
  await doubted({ flair: mapped(flair, () => 0) }, 'input-error')
  await doubted({ flair: { ...flair, dims: [80, 96, 1], data: flair.data.slice(40 * 7680, 41 * 7680) } }, 'input-error')
})

test('two heads that are not one', async () => {
  const other = { ...t1, affine: t1.affine.map((v, i) => (i === 0 ? v * 0.8 : i === 5 ? v * 1.15 : v)) }
  const turned = mapped(other, (value, i) => value * (1 + 0.4 * Math.sin((i % 80) / 6) * Math.cos(i / 9000)))
  await doubted({ flair, t1: turned }, 'registration-check-failed')
})

test('a header that lies by a quarter turn is put right', async () => {
  const [a, b, c] = [t1.affine.slice(0, 4), t1.affine.slice(4, 8), t1.affine.slice(8, 12)]
  const lying: Affine = [...a, ...c, ...b.map((v) => -v), 0, 0, 0, 1]
  const { visits, flags } = await preprocess({ flair, t1: { ...t1, affine: lying }, steps: 'register,brain' })
  assert.deepEqual(
    flags.map(({ code }) => code),
    [],
  )
  const map = visits[0].toImage.t1!
  // FLAIR (x, y, z) lies at (x, z, −y) of the T1's header.
  const error = [1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0].map((v, i) => map[i] - v)
  assert.ok(Math.hypot(...error.filter((_, i) => i % 4 < 3)) < 0.03, `${map}`)
})

test('a huge border of zeros changes nothing that matters', async () => {
  const dims = [200, 200, 160] as const
  const data = new Float32Array(dims[0] * dims[1] * dims[2])
  for (let k = 0; k < 80; k++)
    for (let j = 0; j < 96; j++)
      data.set(flair.data.subarray(80 * (j + 96 * k), 80 * (j + 96 * k) + 80), 60 + 200 * (j + 52 + 200 * (k + 40)))
  const affine = flair.affine.map((v, i) => (i === 3 ? v - 120 : i === 7 ? v - 104 : i === 11 ? v - 80 : v))
  const wide = await preprocess({ flair: { dims, affine, data }, t1, steps: 'register,brain' })
  const plain = await sound
  assert.deepEqual(wide.flags, [])
  assert.ok(Math.abs(wide.summary.visits[0].brainMl / plain.summary.visits[0].brainMl - 1) < 0.02)
})

test('voxels of 0.3 mm and of 8 mm make no head', async () => {
  await doubted({ flair: scaled(flair, 0.3) }, 'implausible-brain-volume')
  await doubted({ flair: scaled(flair, 8) }, 'implausible-brain-volume', 'not-like-a-head', 'input-error')
})

test('negative values, clipped ones, and int16 that ran over', async () => {
  // Shifted values are images like others; nothing is lost and nothing is wrong.
  const shifted = await preprocess({ flair: mapped(flair, (v) => v - 100), t1, steps: 'register,brain' })
  const plain = await sound
  assert.ok(Math.abs(shifted.summary.visits[0].brainMl / plain.summary.visits[0].brainMl - 1) < 0.02)
  await doubted({ flair: mapped(flair, (v) => Math.min(60, v)), t1 }, 'saturated')
  await doubted({ flair: mapped(flair, (v) => (((v * 600) | 0) << 16) >> 16), t1 }, 'wrapped-intensities')
})

test('half of the voxels not a number', async () => {
  await doubted({ flair: mapped(flair, (v, i) => (i % 5 < 3 ? Number.NaN : v)) }, 'input-error')
})
