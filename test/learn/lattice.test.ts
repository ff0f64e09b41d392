import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latticeOf, meanField, onLattice } from '../../src/learn/lattice.js'
import { emptyMask, type Grid } from '../../src/volume/volume.js'

const grid: Grid = { dims: [4, 3, 2], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1] }

/** All of the grid but one voxel in its middle. */
function holed() {
  const mask = emptyMask(grid)
  mask.data.fill(1)
  mask.data[1 + 4 * 1] = 0
  return mask
}

test('neighbours lie one step along an axis, never outside the mask, and are of the other colour', () => {
  const mask = holed()
  const { voxels, neighbours, colours, weights } = latticeOf(mask)
  assert.equal(voxels.length, 23)
  const colour = new Uint8Array(voxels.length)
  for (const v of colours[1]) colour[v] = 1
  assert.equal(colours[0].length + colours[1].length, 23)
  const steps = [-1, 1, -4, 4, -12, 12]
  let links = 0
  voxels.forEach((_, v) => {
    for (let side = 0; side < 6; side++) {
      const other = neighbours[6 * v + side]
      if (other < 0) continue
      links++
      assert.equal(voxels[other], voxels[v] + steps[side])
      assert.notEqual(colour[other], colour[v])
      assert.equal(neighbours[6 * other + (side ^ 1)], v)
    }
  })
  // 3·3·2 + 4·2·2 + 4·3·1 pairs in the full box, five of which the hole takes.
  assert.equal(links, 2 * (18 + 16 + 12 - 5))
  assert.deepEqual(weights, [1, 1, 0.25])
})

test('values are taken in the order of the voxels', () => {
  const mask = holed()
  const values = onLattice(latticeOf(mask), { data: Float32Array.from(mask.data, (_, i) => i) })
  assert.deepEqual(
    [...values],
    [...mask.data.keys()].filter((i) => i !== 5),
  )
})

test('two voxels settle where the mean-field equations hold', () => {
  const pair = { ...emptyMask({ dims: [2, 1, 1], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }) }
  pair.data.fill(1)
  const evidence = Float32Array.of(1, 0, 0, 0.3)
  const smoothness = 0.8
  const belief = meanField(latticeOf(pair), evidence, 2, { smoothness, rounds: 200 })
  for (const [v, other] of [
    [0, 1],
    [1, 0],
  ]) {
    const [a, b] = [0, 1].map((k) => Math.exp(evidence[2 * v + k] + smoothness * belief[2 * other + k]))
    assert.ok(Math.abs(belief[2 * v] - a / (a + b)) < 1e-6)
    assert.ok(Math.abs(belief[2 * v] + belief[2 * v + 1] - 1) < 1e-6)
  }
})

test('without smoothness the evidence decides alone, and a cancelled field stops', () => {
  const lattice = latticeOf(holed())
  const evidence = Float32Array.from({ length: 2 * lattice.voxels.length }, (_, i) =>
    i % 2 === 0 ? Math.log(0.7) : Math.log(0.3),
  )
  const belief = meanField(lattice, evidence, 2, { smoothness: 0, rounds: 5 })
  assert.ok(belief.every((p, i) => Math.abs(p - (i % 2 === 0 ? 0.7 : 0.3)) < 1e-6))
  assert.throws(() => meanField(lattice, evidence, 2, { smoothness: 1, rounds: 5, signal: AbortSignal.abort() }), {
    name: 'AbortError',
  })
})
