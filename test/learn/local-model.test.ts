import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Density } from '../../src/learn/density.js'
import { invertedCholesky, localModel, samplesInWindow } from '../../src/learn/local-model.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { gaussianWeights } from '../../src/volume/filter.js'
import { emptyMask, type Grid, type Image, voxelCount } from '../../src/volume/volume.js'

const grid: Grid = { dims: [17, 15, 13], affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] }
const random = seededRandom(4)
const normal = gaussianRandom(random)
const image = (value: (at: number) => number): Image => ({
  ...grid,
  data: Float32Array.from({ length: voxelCount(grid) }, (_, at) => value(at)),
})
const whole = { ...emptyMask(grid), data: new Uint8Array(voxelCount(grid)).fill(1) }
const everywhere = image(() => 1)
const middle = 8 + 17 * (7 + 15 * 6)

test('in the middle of a volume it is the Gaussian of weighted moments, drawn towards the global one', async () => {
  const first = image(() => 100 + 5 * normal())
  const second = image((at) => 0.5 * first.data[at] + 3 * normal())
  const tissue = image(() => (random() < 0.7 ? random() : 0))
  const classes = [{ weight: 1, mean: [97, 51], covariance: [20, 5, 5, 16] }]
  const [window, shrink] = [3, 20]
  const options = { channels: [first, second], mask: whole, classes, window, shrink }
  const model = await localModel([{ channels: [first, second], tissue: [tissue] }], options)

  const kernel = gaussianWeights(window / 2)
  const reach = (kernel.length - 1) / 2
  const sums = { w: 0, mean: [0, 0], square: [0, 0, 0] }
  for (let k = 0; k < 13; k++)
    for (let j = 0; j < 15; j++)
      for (let i = 0; i < 17; i++) {
        if ([i - 8, j - 7, k - 6].some((step) => Math.abs(step) > reach)) continue
        const at = i + 17 * (j + 15 * k)
        const w = tissue.data[at] * kernel[i - 8 + reach] * kernel[j - 7 + reach] * kernel[k - 6 + reach]
        const [x, y] = [first.data[at] - 97, second.data[at] - 51]
        sums.w += w
        ;[x, y].forEach((v, c) => (sums.mean[c] += w * v))
        ;[x * x, x * y, y * y].forEach((v, c) => (sums.square[c] += w * v))
      }
  const n = samplesInWindow(grid, window) * sums.w
  const [mx, my] = sums.mean.map((m) => m / sums.w)
  const [xx, xy, yy] = [mx * mx, mx * my, my * my].map((m, c) => sums.square[c] / sums.w - m)
  const mixed = (local: number, global: number) => (n * local + shrink * global) / (n + shrink)
  const expected = new Density({
    mean: [97 + (n / (n + 1)) * mx, 51 + (n / (n + 1)) * my],
    covariance: [mixed(xx, 20), mixed(xy, 5), mixed(xy, 5), mixed(yy, 16)],
  })
  const channels = [first.data, second.data]
  // The last slices are a window's reach away from the middle one, so that the border does not matter there.
  assert.ok(reach <= 6)
  assert.ok(Math.abs(model.distance(0, middle) - expected.distance(channels, middle)) < 1e-3)
  assert.ok(Math.abs(model.log(0, middle) - expected.log(channels, middle)) < 1e-3)
})

test('where a tissue does not occur it is that of the whole subject; two heads count as twice the samples', async () => {
  const values = image(() => 60 + 2 * normal())
  const classes = [{ weight: 1, mean: [50], covariance: [9] }]
  const options = { channels: [values], mask: whole, classes, window: 4, shrink: 20 }
  const none = await localModel([{ channels: [values], tissue: [image(() => 0)] }], options)
  const global = new Density(classes[0])
  assert.ok(Math.abs(none.log(0, middle) - global.log([values.data], middle)) < 1e-4)

  // One head whose voxels count twice is as good as two.
  const head = { channels: [values], tissue: [everywhere] }
  const [two, twice] = [
    await localModel([head, head], options),
    await localModel([{ channels: [values], tissue: [image(() => 2)] }], options),
  ]
  assert.ok(Math.abs(two.log(0, middle) - twice.log(0, middle)) < 1e-5)
  // Sixty is typical here, though far from the global mean of fifty.
  const typical = image(() => 60)
  const here = await localModel([head], { ...options, channels: [typical] })
  assert.ok(here.distance(0, middle) < 0.5)
  assert.ok(global.distance([typical.data], middle) > 10)
})

test('the window counts for the samples that a box of its second moment holds', () => {
  // A box of three voxels a side has σ = 0.816 voxels; its 27 voxels weigh as 24 in a Gaussian of that σ.
  assert.ok(Math.abs(samplesInWindow(grid, 2 * Math.sqrt(2 / 3)) - 24.2) < 0.3)
})

test('an inverted Cholesky factor turns its matrix into the identity', () => {
  const a = [4, 2, 0.5, 2, 5, -1, 0.5, -1, 3]
  const packed = Float64Array.from([a[0], a[3], a[4], a[6], a[7], a[8]])
  invertedCholesky(packed, 3)
  const l = [
    [packed[0], 0, 0],
    [packed[1], packed[2], 0],
    [packed[3], packed[4], packed[5]],
  ]
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++) {
      let sum = 0
      for (let p = 0; p < 3; p++) for (let q = 0; q < 3; q++) sum += l[r][p] * a[3 * p + q] * l[c][q]
      assert.ok(Math.abs(sum - (r === c ? 1 : 0)) < 1e-12)
    }
})
