import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GaussianClass } from '../../src/learn/gaussian.js'
import { distanceFromLine, lineBetween, logLineDensityAt, moreOfB, upperTail } from '../../src/learn/partial-volume.js'

const gaussian = (mean: number[], covariance: number[]): GaussianClass => ({
  weight: 1,
  mean,
  covariance,
  empty: false,
})
const a = gaussian([30, 20], [9, 2, 2, 16])
const b = gaussian([72, 118], [11, -1, -1, 12])

test('the density of mixed samples is the mean of the Gaussians along the line', () => {
  const line = lineBetween(a, b, 2)
  // the mean covariance of both
  const [s00, s01, s11] = [10, 0.5, 14]
  const det = s00 * s11 - s01 * s01
  for (const [x, y] of [
    [51, 69],
    [30, 20],
    [28, 25],
    [75, 110],
    [60, 70],
    [20, 0],
    [90, 150],
  ]) {
    let sum = 0
    const steps = 20_000
    for (let i = 0; i < steps; i++) {
      const t = (i + 0.5) / steps
      const [u, v] = [x - 30 - 42 * t, y - 20 - 98 * t]
      sum += Math.exp(-(s11 * u * u - 2 * s01 * u * v + s00 * v * v) / (2 * det))
    }
    const wanted = Math.log(sum / steps / (2 * Math.PI * Math.sqrt(det)))
    const got = logLineDensityAt(line, x, y)
    assert.ok(Math.abs(got - wanted) < 0.03, `at ${x}, ${y}: ${got}, not ${wanted}`)
  }
})

test('in one channel it integrates to 1, and either end looks alike', () => {
  const line = lineBetween(gaussian([30], [16]), gaussian([70], [16]), 1)
  let sum = 0
  for (let x = -20; x < 120; x += 0.1) sum += 0.1 * Math.exp(logLineDensityAt(line, x, 0))
  assert.ok(Math.abs(sum - 1) < 1e-4, `${sum}`)
  assert.ok(Math.abs(logLineDensityAt(line, 21, 0) - logLineDensityAt(line, 79, 0)) < 1e-9)
  // two classes in one place are one Gaussian
  const point = lineBetween(gaussian([30], [16]), gaussian([30], [16]), 1)
  const height = Math.log(1 / Math.sqrt(2 * Math.PI * 16))
  assert.ok(Math.abs(logLineDensityAt(point, 34, 0) - (height - 0.5)) < 1e-9)
  assert.equal(moreOfB(point, 34, 0), 0.5)
})

test('beyond the middle there is more of b, the surer the less noise', () => {
  const clear = lineBetween(gaussian([30], [4]), gaussian([70], [4]), 1)
  const noisy = lineBetween(gaussian([30], [400]), gaussian([70], [400]), 1)
  assert.ok(Math.abs(moreOfB(clear, 50, 0) - 0.5) < 1e-6 && Math.abs(moreOfB(noisy, 50, 0) - 0.5) < 1e-6)
  assert.ok(moreOfB(clear, 54, 0) > 0.97 && moreOfB(noisy, 54, 0) < 0.65 && moreOfB(noisy, 54, 0) > 0.5)
  for (const line of [clear, noisy])
    for (let x = -100; x < 200; x += 5) {
      const more = moreOfB(line, x, 0)
      assert.ok(more >= 0 && more <= 1 && Math.abs(more + moreOfB(line, 100 - x, 0) - 1) < 1e-6, `${x}: ${more}`)
    }
})

test('the distance from the line is that from its nearest point', () => {
  const line = lineBetween(gaussian([30], [16]), gaussian([70], [16]), 1)
  assert.ok(Math.abs(distanceFromLine(line, 50, 0)) < 1e-9)
  assert.ok(Math.abs(distanceFromLine(line, 22, 0) - 4) < 1e-9)
  assert.ok(Math.abs(distanceFromLine(line, 82, 0) - 9) < 1e-9)
})

test('tails of the normal distribution', () => {
  for (const [z, wanted] of [
    [0, 0.5],
    [1, 0.158655254],
    [1.959964, 0.025],
    [4, 3.1671242e-5],
  ])
    assert.ok(Math.abs(upperTail(z) / wanted - 1) < 3e-3, `${z}: ${upperTail(z)}`)
})
