import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeRank, fractionByEdges } from '../../src/learn/edge-model.js'
import { gaussian } from '../../src/volume/filter.js'
import { emptyImage, emptyMask, type Grid, maskWhere } from '../../src/volume/volume.js'

const grid: Grid = { dims: [40, 40, 40], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
const ball = emptyImage(grid)
for (let at = 0; at < ball.data.length; at++) {
  const [x, y, z] = [at % 40, Math.floor(at / 40) % 40, Math.floor(at / 1600)]
  ball.data[at] = Math.hypot(x - 20, y - 20, z - 20) < 10 ? 1 : 0
}
const all = maskWhere(ball, () => true)

test('of two intensities and a blur, the fraction is the partial volume', async () => {
  const share = await gaussian(ball, 1)
  const image = { ...share, data: share.data.map((p) => 75 + 75 * p) }
  const fraction = fractionByEdges(image, await edgeRank(image, all, 1), all, { from: 75, to: 150 })
  let [n, squares] = [0, 0]
  for (let at = 0; at < share.data.length; at++) {
    const p = share.data[at]
    if (p < 0.01 || p > 0.99) continue
    n++
    squares += (fraction(image.data[at]) - p) ** 2
  }
  assert.ok(n > 1000)
  assert.ok(Math.sqrt(squares / n) < 0.1, `rms ${Math.sqrt(squares / n)}`)
})

test('the fraction rises from 0 to 1, and fastest where voxels lie at edges', () => {
  // Values 0 … 100; those from 40 to 60 lie at edges.
  const image = { ...grid, data: Float32Array.from(ball.data, (_, at) => (at % 1001) / 10) }
  const edge = { ...grid, data: image.data.map((v) => (v >= 40 && v < 60 ? 0.9 : 0.1)) }
  const fraction = fractionByEdges(image, edge, all, { from: 0, to: 100 })
  assert.deepEqual([fraction(-5), fraction(0), fraction(100), fraction(150)], [0, 0, 1, 1])
  for (let v = 1; v <= 100; v++) assert.ok(fraction(v) > fraction(v - 1))
  // ∫ρ = 80 · 0.1 + 20 · 0.9 = 26.
  for (const [value, expected] of [
    [30, 3 / 26],
    [50, 13 / 26],
    [70, 23 / 26],
  ])
    assert.ok(Math.abs(fraction(value) - expected) < 0.01, `${value}: ${fraction(value)}`)
})

test('intensities that no voxel has are as any other', () => {
  const image = { ...grid, data: new Float32Array(ball.data.length) }
  const fraction = fractionByEdges(image, emptyImage(grid), emptyMask(grid), { from: 0, to: 10 })
  assert.ok(Math.abs(fraction(5) - 0.5) < 1e-9)
})

test('ranks are of the gradient, inside the mask, whatever the contrast', async () => {
  const rank = await edgeRank(ball, all, 1)
  const times = await edgeRank({ ...ball, data: ball.data.map((v) => 1000 * v) }, all, 1)
  const at = (x: number) => x + 40 * (20 + 40 * 20)
  assert.ok(rank.data[at(30)] > 0.95 && rank.data[at(20)] < 0.7)
  for (const x of [20, 28, 30, 35]) assert.ok(Math.abs(rank.data[at(x)] - times.data[at(x)]) < 1e-3)
  const none = await edgeRank(ball, emptyMask(grid), 1)
  assert.ok(none.data.every((v) => v === 0))
})

test('steps between thick slices are no edges', async () => {
  const slices = { ...ball, data: Float32Array.from(ball.data, (_, at) => (at >= 32000 ? 1 : 0)) }
  const thick = { ...slices, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1] }
  assert.equal(new Set((await edgeRank(thick, all, 1)).data).size, 1)
  assert.ok(new Set((await edgeRank(slices, all, 1)).data).size > 1)
})
