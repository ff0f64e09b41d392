import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anisotropicDiffusion, edgeEnhancingDiffusion, gaussian } from '../../src/preprocess/denoise.js'
import { scaling, type Vec3 } from '../../src/volume/affine.js'
import type { Image } from '../../src/volume/volume.js'
import { waves } from '../generators.js'
import { phantomBrain, phantomImage, phantomLabels, phantomLesionMask, tissue } from '../phantom.js'

const labels = phantomLabels().data
const lesions = phantomLesionMask().data
const noisy = phantomImage({ contrast: 't1' })
const whiteMatter = (i: number) => labels[i] === tissue.wm && lesions[i] === 0 && deep(i)
/** Away from the ventricles, the deep grey matter and the cortex. */
function deep(i: number): boolean {
  for (let c = -3; c <= 3; c++)
    for (let b = -3; b <= 3; b++)
      for (let a = -3; a <= 3; a++) if (labels[i + a + 80 * (b + 96 * c)] !== tissue.wm) return false
  return true
}

const image = (dims: Vec3, size: Vec3, value: (i: number, j: number, k: number) => number): Image => {
  const data = new Float32Array(dims[0] * dims[1] * dims[2])
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) for (let i = 0; i < dims[0]; i++, at++) data[at] = value(i, j, k)
  return { dims, affine: scaling(size), data }
}
const mean = (data: ArrayLike<number>) => Array.from(data).reduce((sum, v) => sum + v, 0) / data.length
function sd(data: ArrayLike<number>, inside: (i: number) => boolean): number {
  const values = Array.from(data).filter((_, i) => inside(i))
  const m = mean(values)
  return Math.sqrt(mean(values.map((v) => (v - m) ** 2)))
}
/** Variance along each axis, in mm², of an image of one spread-out point. */
function variances({ dims: [nx, ny], affine, data }: Image): number[] {
  const sums = [0, 1, 2].map(() => [0, 0, 0])
  for (let at = 0; at < data.length; at++) {
    const place = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    for (const axis of [0, 1, 2]) {
      const mm = place[axis] * affine[5 * axis]
      sums[axis][0] += data[at]
      sums[axis][1] += data[at] * mm
      sums[axis][2] += data[at] * mm * mm
    }
  }
  return sums.map(([n, first, second]) => second / n - (first / n) ** 2)
}

test('diffusion keeps a constant, and the mean of anything', async () => {
  const even = image([9, 8, 7], [1, 1, 1], () => 42)
  for (const conductance of ['exponential', 'rational'] as const)
    for (const neighbours of [26, 6] as const) {
      const options = { kappa: 1, conductance, neighbours }
      assert.deepEqual((await anisotropicDiffusion(even, options)).data, even.data)
      const wavy = waves([21, 18, 13], scaling([1, 1, 2.5]))
      const after = await anisotropicDiffusion(wavy, options)
      assert.ok(Math.abs(mean(after.data) / mean(wavy.data) - 1) < 1e-6)
      assert.notDeepEqual(after.data, wavy.data)
    }
})

test('a step of 5 κ stays where and as it is', async () => {
  const step = image([24, 12, 12], [1, 1, 1], (i) => (i < 12 ? 100 : 150))
  for (const [after, most] of [
    [await anisotropicDiffusion(step, { kappa: 10, iterations: 5 }), 0.5],
    [await edgeEnhancingDiffusion(step, { kappa: 5, iterations: 5, sigmaMm: 0.5 }), 2],
  ] as const)
    for (let i = 0; i < step.data.length; i++)
      assert.ok(Math.abs(after.data[i] - step.data[i]) < most, `${i % 24}: ${after.data[i]}`)
})

test('PH-1: the noise of white matter falls, the edge to the ventricle keeps its width', async () => {
  const before = sd(noisy.data, whiteMatter)
  // Mean profile along x through the body of the left ventricle's outer wall.
  const width = ({ data }: Image) => {
    const profile = Array.from({ length: 16 }, (_, x) => {
      const rows: number[] = []
      for (let k = 40; k < 44; k++) for (let j = 44; j < 52; j++) rows.push(data[44 + x + 80 * (j + 96 * k)])
      return mean(rows)
    })
    const [low, high] = [Math.min(...profile), Math.max(...profile)]
    const crossing = (share: number) => {
      const level = low + share * (high - low)
      const from = profile.indexOf(low)
      let at = from
      while (profile[at + 1] < level) at++
      return at + (level - profile[at]) / (profile[at + 1] - profile[at])
    }
    return crossing(0.9) - crossing(0.1)
  }
  for (const [name, after] of [
    ['Perona-Malik', await anisotropicDiffusion(noisy, { kappa: 12 })],
    ['edge-enhancing', await edgeEnhancingDiffusion(noisy, { kappa: 12 })],
  ] as const) {
    assert.ok(sd(after.data, whiteMatter) < 0.6 * before, `${name}: ${sd(after.data, whiteMatter)} of ${before}`)
    assert.ok(width(after) < 1.1 * width(noisy), `${name}: ${width(after)} after ${width(noisy)}`)
  }
})

test('without an edge it is linear diffusion, also across thick slices', async () => {
  const dot = image([25, 25, 25], [1, 1, 1], (i, j, k) => (i === 12 && j === 12 && k === 12 ? 1 : 0))
  for (const iterations of [1, 4]) {
    const found = variances(await anisotropicDiffusion(dot, { kappa: 1e6, iterations }))
    for (const v of found) assert.ok(Math.abs(v / (0.5909 * iterations) - 1) < 1e-3, `${v}`)
  }
  const thick = image([25, 25, 25], [1, 1, 3], (i, j, k) => (i === 12 && j === 12 && k === 12 ? 1 : 0))
  const six = variances(await anisotropicDiffusion(thick, { kappa: 1e6, neighbours: 6, timeStep: 0.1, iterations: 3 }))
  for (const v of six) assert.ok(Math.abs(v / 0.6 - 1) < 1e-3, `${v}`)
})

test('a flipped image gives the flipped result', async () => {
  const [nx, ny, nz] = [17, 13, 11]
  const wavy = waves([nx, ny, nz], scaling([1, 1, 2]))
  const flip = (data: Float32Array) =>
    data.map((_, at) => data[(at % (nx * ny)) + nx * ny * (nz - 1 - Math.floor(at / (nx * ny)))])
  for (const filter of [
    (i: Image) => anisotropicDiffusion(i, { kappa: 0.5 }),
    (i: Image) => edgeEnhancingDiffusion(i, { kappa: 0.5 }),
  ]) {
    const [a, b] = [await filter(wavy), await filter({ ...wavy, data: flip(wavy.data) })]
    const back = flip(b.data)
    assert.ok(a.data.every((v, i) => Math.abs(v - back[i]) < 1e-5))
  }
})

test('a mask holds the flow back, and what is not a number is left out', async () => {
  const brain = phantomBrain()
  const loud = { ...noisy, data: noisy.data.map((v, i) => (brain.data[i] !== 0 ? v : 1000)) }
  const a = await anisotropicDiffusion(noisy, { kappa: 50, mask: brain })
  const b = await anisotropicDiffusion(loud, { kappa: 50, mask: brain })
  for (let i = 0; i < a.data.length; i++) assert.equal(b.data[i], brain.data[i] !== 0 ? a.data[i] : 1000)
  const holed = image([9, 9, 9], [1, 1, 1], (i, j) => (i === 4 && j === 4 ? Number.NaN : 7))
  const after = await anisotropicDiffusion(holed, { kappa: 1 })
  assert.deepEqual(after.data, holed.data)
  await assert.rejects(anisotropicDiffusion(noisy, { kappa: 5, timeStep: 0.2 }), /stable/)
  await assert.rejects(anisotropicDiffusion(noisy, { mask: { ...brain, data: new Uint8Array(1) } }), RangeError)
})

test('Gaussian: width in mm or as full width at half maximum, on thick slices, within a mask', async () => {
  const dot = image([41, 41, 25], [1, 1, 3], (i, j, k) => (i === 20 && j === 20 && k === 12 ? 1 : 0))
  const blurred = await gaussian(dot, { sigmaMm: 3 })
  assert.ok(Math.abs(blurred.data.reduce((sum, v) => sum + v, 0) - 1) < 1e-5)
  for (const v of variances(blurred)) assert.ok(Math.abs(v / 9 - 1) < 0.01, `${v}`)
  const same = await gaussian(dot, { fwhmMm: 3 * 2.354820045 })
  assert.ok(same.data.every((v, i) => Math.abs(v - blurred.data[i]) < 1e-9))
  const brain = phantomBrain()
  const patch = { ...brain, data: Float32Array.from(brain.data, (v) => (v !== 0 ? 5 : 900)) }
  const inside = await gaussian(patch, { sigmaMm: 4, mask: brain })
  assert.ok(inside.data.every((v, i) => Math.abs(v - (brain.data[i] !== 0 ? 5 : 0)) < 5e-6))
  await assert.rejects(gaussian(dot, { sigmaMm: 0 }), RangeError)
})
