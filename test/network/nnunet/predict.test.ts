import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { importNnunet } from '../../../src/network/nnunet/import.js'
import { predictLogits, segmentNnunet } from '../../../src/network/nnunet/predict.js'
import { axisTiles, slideWindows } from '../../../src/network/sliding.js'
import { head, made } from './made-up.js'

test('windows are spaced as nnU-Net spaces them', () => {
  const starts = (size: number, patch: number) => axisTiles(size, patch, 0.5).map(({ at }) => at[0])
  assert.deepEqual(starts(10, 4), [0, 2, 4, 6])
  assert.deepEqual(starts(11, 4), [0, 2, 4, 5, 7])
  assert.deepEqual(starts(8, 8), [0])
  assert.deepEqual([...axisTiles(3, 6, 0.5)[0].at], [-1, 0, 1, 2, -1, -1])
  const [first] = axisTiles(8, 8, 0.5)
  assert.ok(first.weight.every((weight) => Math.abs(weight - 1) < 1e-12))
})

test('weights of the windows sum to 1 at every voxel, and fall off as a Gaussian of an eighth of the patch', () => {
  for (const [size, patch] of [
    [37, 16],
    [16, 16],
    [5, 8],
    [50, 7],
  ]) {
    const sum = new Float64Array(size)
    for (const { at, weight } of axisTiles(size, patch, 0.5))
      for (const [i, voxel] of at.entries()) if (voxel >= 0) sum[voxel] += weight[i]
    assert.ok(
      sum.every((value) => Math.abs(value - 1) < 1e-12),
      `${size} by ${patch}`,
    )
  }
  // Two windows of 16 that start 8 apart: σ is 2, and voxel 10 is 2 from the first's centre and 6 from the second's.
  const [first, second] = axisTiles(24, 16, 0.5)
  assert.ok(Math.abs(second.weight[2] / first.weight[10] - Math.exp((-36 + 4) / 8)) < 1e-12)
})

test('a network that copies its input gives the image back, whatever the windows and mirrors', async () => {
  for (const [patch, mirrorAxes, windows] of [
    [[4, 8, 6], [0, 1, 2], 4 * 1 * 3 * 8],
    [[8, 6], [0, 1], 9 * 1 * 3 * 4],
  ] as const) {
    const shape = [9, 7, 11] as const
    const channels = [made(693, 1), made(693, 2)]
    const sums = channels.map((data) => new Float32Array(data.length))
    const seen: number[] = []
    let calls = 0
    const copy = async (window: Float32Array) => {
      calls++
      return window.slice()
    }
    await slideWindows({ shape, channels }, { patch, mirrorAxes, share: 0.5 }, copy, sums, {
      progress: (fraction) => seen.push(fraction),
    })
    assert.equal(calls, windows)
    for (const [c, data] of channels.entries())
      assert.ok(data.every((value, i) => Math.abs(value / 2 - sums[c][i]) < 1e-6))
    assert.equal(seen.length, windows)
    assert.ok(seen.every((fraction, i) => fraction > (seen[i - 1] ?? 0)))
    assert.equal(seen.at(-1), 1)
  }
})

test('mirrored windows are turned back', async () => {
  const image = { shape: [1, 1, 4] as const, channels: [Float32Array.of(1, 2, 3, 4)] }
  const sums = [new Float32Array(4)]
  // Marks the window's first voxel: with the mirror image, both ends are marked by half.
  const run = async (window: Float32Array) => window.map((value, i) => (i === 0 ? value : 0))
  await slideWindows(image, { patch: [1, 1, 4], mirrorAxes: [2] }, run, sums)
  assert.deepEqual([...sums[0]], [0.5, 0, 0, 2])
})

const file = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../golden/nnunet/tiny/${name}`, import.meta.url)))
const checkpoint = file('fold_0/checkpoint_final.pth')
const model = importNnunet(
  {
    plans: file('plans.json'),
    dataset: file('dataset.json'),
    folds: new Map([
      ['fold_0', checkpoint],
      ['fold_1', checkpoint],
    ]),
  },
  'model',
)

test('a case is segmented on its own grid; folds are averaged', async () => {
  const shape = [6, 20, 18] as const
  const image = { shape, spacing: [3, 1, 1] as const, channels: head(shape, 1) }
  const seen: number[] = []
  const both = await segmentNnunet(image, model, 'case', {
    probabilities: true,
    progress: (fraction) => seen.push(fraction),
  })
  const one = { ...model, folds: new Map([...model.folds].slice(0, 1)) }
  const single = await segmentNnunet(image, one, 'case', { probabilities: true })
  assert.equal(both.labels.length, 6 * 20 * 18)
  assert.deepEqual(both.labels, single.labels)
  const [a, b] = [both.probabilities!, single.probabilities!]
  assert.ok(a.every((map, h) => map.every((p, i) => Math.abs(p - b[h][i]) < 1e-5)))
  assert.equal(seen.at(-1), 1)
})

test('stops when aborted', async () => {
  const controller = new AbortController()
  const image = { shape: [4, 16, 16] as const, channels: [made(1024, 3)] }
  const run = predictLogits(image, model, { signal: controller.signal, progress: () => controller.abort() })
  await assert.rejects(run, { name: 'AbortError' })
})
