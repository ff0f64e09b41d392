import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CosineBasis, thinnedVoxels, thinning, unthinned } from '../../src/learn/cosine-basis.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { Grid } from '../../src/volume/volume.js'

const grid: Grid = { dims: [30, 24, 12], affine: [3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1] }
const count = 30 * 24 * 12

/** The field as its formula has it. */
function byFormula(basis: CosineBasis, coefficients: ArrayLike<number>): Float64Array {
  const [qx, qy] = basis.counts
  const [nx, ny, nz] = grid.dims
  const out = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    for (let f = 0; f < basis.size; f++) {
      const [a, b, c] = [(f + 1) % qx, Math.floor((f + 1) / qx) % qy, Math.floor((f + 1) / (qx * qy))]
      out[at] +=
        coefficients[f] *
        Math.cos((Math.PI * a * (i + 0.5)) / nx) *
        Math.cos((Math.PI * b * (j + 0.5)) / ny) *
        Math.cos((Math.PI * c * (k + 0.5)) / nz)
    }
  }
  return out
}

const draw = (n: number, seed: number) => {
  const normal = gaussianRandom(seededRandom(seed))
  return Float64Array.from({ length: n }, normal)
}

test('as many cosines as the first zero allows: 90, 96 and 96 mm at 45 mm', () => {
  const basis = new CosineBasis(grid, 45)
  assert.deepEqual(basis.counts, [2, 2, 2])
  assert.equal(basis.size, 7)
  assert.equal(new CosineBasis(grid, 500).size, 0)
})

test('the field follows its formula, on the whole grid and on a thinned one', () => {
  const basis = new CosineBasis(grid, 30)
  const coefficients = draw(basis.size, 1)
  const expected = byFormula(basis, coefficients)
  const field = basis.field(coefficients, unthinned(grid))
  assert.ok(field.every((v, i) => Math.abs(v - expected[i]) < 1e-5))
  const thin = thinning(grid, count, 1000)
  const coarse = basis.field(coefficients, thin)
  const { chosen, places } = thinnedVoxels(
    grid,
    Uint32Array.from({ length: count }, (_, i) => i),
    thin,
  )
  assert.equal(chosen.length, coarse.length)
  chosen.forEach((v, s) => assert.ok(Math.abs(coarse[places[s]] - expected[v]) < 1e-5))
})

test('the fit gives back the coefficients of a field, also from part of the grid and from a thinned one', () => {
  const basis = new CosineBasis(grid, 30)
  const truth = draw(basis.size, 2)
  for (const thin of [unthinned(grid), thinning(grid, count, 1500)]) {
    const values = basis.field(truth, thin)
    // What has no weight may hold anything.
    const weights = values.map((_, i) => (i % 3 === 0 ? 0 : 1 + (i % 5)))
    const found = basis.fit(
      values.map((v, i) => (weights[i] > 0 ? v : 99)),
      weights,
      thin,
    )
    assert.ok(found.every((v, f) => Math.abs(v - truth[f]) < 1e-4))
  }
})

test('of noise it is the weighted least-squares fit: no function is left in the residuals', () => {
  const basis = new CosineBasis(grid, 45)
  const values = draw(count, 3)
  const weights = draw(count, 4).map((v) => v * v)
  const field = basis.field(basis.fit(values, weights, unthinned(grid)), unthinned(grid))
  for (let f = 0; f < basis.size; f++) {
    const one = byFormula(
      basis,
      Float64Array.from({ length: basis.size }, (_, g) => (g === f ? 1 : 0)),
    )
    let [left, scale] = [0, 0]
    for (let i = 0; i < count; i++) {
      left += weights[i] * (values[i] - field[i]) * one[i]
      scale += weights[i] * one[i] * one[i]
    }
    assert.ok(Math.abs(left / scale) < 1e-5, `${f}: ${left / scale}`)
  }
})

test('without any weight there is no field', () => {
  const basis = new CosineBasis(grid, 45)
  assert.ok(basis.fit(new Float32Array(count).fill(3), new Float32Array(count), unthinned(grid)).every((c) => c === 0))
})

test('a grid is thinned where its voxels are closest; thick slices are all kept', () => {
  const thick: Grid = { dims: [200, 200, 20], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 0, 1] }
  const { stride, dims } = thinning(thick, 800_000, 100_000)
  assert.equal(stride[2], 1)
  assert.ok(stride[0] * stride[1] >= 8 && Math.abs(stride[0] - stride[1]) <= 1)
  assert.ok(dims[0] * dims[1] * dims[2] <= 101_000)
  assert.deepEqual(thinning(thick, 90_000, 100_000).stride, [1, 1, 1])
})

test('only listed voxels are taken', () => {
  const thin = thinning(grid, count, 1000)
  const voxels = Uint32Array.from({ length: count / 2 }, (_, i) => 2 * i)
  const { chosen, places } = thinnedVoxels(grid, voxels, thin)
  const [nx, ny, nz] = thin.dims
  assert.ok(chosen.length > 0 && chosen.length < nx * ny * nz)
  assert.ok(chosen.every((v) => v < voxels.length))
  assert.equal(new Set(places).size, places.length)
})
