import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chooseClusters,
  jumpMethod,
  jumpsAt,
  kMeans,
  nearestCentre,
  withinCovariance,
} from '../../src/learn/k-means.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

/** Gaussians of deviation 1 at the origin and ten along each axis. */
function fourBalls(n: number, deviations = [1, 1, 1]): Float64Array[] {
  const normal = gaussianRandom(seededRandom(5))
  const centres = [[0, 0, 0], ...[0, 1, 2].map((axis) => [0, 1, 2].map((c) => (c === axis ? 10 : 0)))]
  const channels = [0, 1, 2].map(() => new Float64Array(n))
  for (let i = 0; i < n; i++)
    for (let c = 0; c < 3; c++) channels[c][i] = deviations[c] * (centres[i % 4][c] + normal())
  return channels
}

test('four Gaussians: the jump is at four, 0.93 against 0.15 and less elsewhere', () => {
  const { clusters, jumps, clustering } = jumpMethod(fourBalls(4000), {
    most: 8,
    random: seededRandom(1),
    powers: [1.5, 1.5],
    covariance: 'none',
  })
  assert.equal(clusters, 4)
  assert.ok(Math.abs(jumps[3] - 0.93) < 0.03, `${jumps[3]}`)
  assert.ok(jumps.every((jump, k) => k === 3 || jump <= 0.15))
  assert.ok(Math.abs(clustering.distortion - 1) < 0.05)
})

test('with channels of other units and correlated noise the four are found as well', () => {
  const [x, y, z] = fourBalls(4000, [1, 30, 0.01])
  const mixed = [x, y, z.map((v, i) => v + 0.002 * x[i])]
  const { clusters, power } = jumpMethod(mixed, { most: 8, random: seededRandom(2) })
  assert.equal(clusters, 4)
  assert.ok(power >= 0.5 && power <= 1.5)
})

test('three clusters of six numbers: the best of all partitions', () => {
  const values = [1, 2, 4, 10, 11.5, 30]
  const { distortion, labels } = kMeans([values], { clusters: 3, random: seededRandom(3) })
  let best = Number.POSITIVE_INFINITY
  for (let code = 0; code < 3 ** 6; code++) {
    const part = values.map((_, i) => Math.floor(code / 3 ** i) % 3)
    let sum = 0
    for (let k = 0; k < 3; k++) {
      const own = values.filter((_, i) => part[i] === k)
      const mean = own.reduce((total, value) => total + value, 0) / own.length
      for (const value of own) sum += (value - mean) ** 2
    }
    best = Math.min(best, sum / 6)
  }
  assert.ok(Math.abs(distortion - best) < 1e-9)
  assert.equal(new Set(labels).size, 3)
})

test('the exponent is the middle of the longest run that agrees', () => {
  // d⁻ʸ jumps most at K = 3 while Y is small, at K = 4 when it is large; by the definition, exponent by exponent.
  const distortions = [8, 4, 1.2, 0.85]
  const choose = (power: number) => {
    const jumps = jumpsAt(distortions, power)
    return 1 + jumps.indexOf(Math.max(...jumps))
  }
  assert.deepEqual(jumpsAt([4, 1], 0.5), [0.5, 0.5])
  assert.equal(choose(0.6), 3)
  assert.equal(choose(3), 4)
  assert.equal(chooseClusters(distortions, [0.5, 2]).clusters, 3)
  const { power } = chooseClusters(distortions, [0.5, 2])
  assert.equal(choose(power), 3)
  assert.equal(chooseClusters(distortions, [2.5, 6]).clusters, 4)
  assert.equal(chooseClusters([1, 0.9, 0.5], [0.5, 1]).clusters, 1)
  assert.equal(chooseClusters([1, 0.9, 0.5], [0.5, 1], 2).clusters, 3)
})

test('covariance within clusters is not that between them', () => {
  const channels = fourBalls(4000)
  const labels = Uint8Array.from({ length: 4000 }, (_, i) => i % 4)
  const within = withinCovariance(channels, labels, 4)
  for (let r = 0; r < 3; r++)
    for (let c = 0; c < 3; c++) assert.ok(Math.abs(within[3 * r + c] - (r === c ? 1 : 0)) < 0.07)
})

test('the order of the channels changes nothing but the order of the centres', () => {
  const channels = fourBalls(1000)
  const run = (order: number[]) =>
    kMeans(
      order.map((c) => channels[c]),
      { clusters: 4, random: seededRandom(4) },
    )
  const [first, other] = [run([0, 1, 2]), run([2, 0, 1])]
  assert.ok(Math.abs(first.distortion - other.distortion) < 1e-9)
  const names = new Map<number, number>()
  for (let i = 0; i < 1000; i++) {
    const name = names.get(first.labels[i]) ?? other.labels[i]
    names.set(first.labels[i], name)
    assert.equal(other.labels[i], name)
  }
})

test('fewer different samples than clusters, and constant ones, do not break it', () => {
  const same = kMeans([[2, 2, 2, 2]], { clusters: 3, random: seededRandom(1) })
  assert.equal(same.distortion, 0)
  const constant = jumpMethod([new Float64Array(50).fill(1), new Float64Array(50).fill(2)], {
    most: 4,
    random: seededRandom(1),
  })
  assert.ok(constant.clusters >= 1 && Number.isFinite(constant.power))
  assert.equal(nearestCentre([Float64Array.of(0, 0), Float64Array.of(5, 5)], [4, 3]), 1)
})
