import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DifferenceCounts, type DifferenceModel, differenceField } from '../../src/learn/difference-field.js'
import { latticeOf } from '../../src/learn/lattice.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { type Grid, type Mask, voxelCount } from '../../src/volume/volume.js'

const grid = (nx: number, ny: number, nz: number, thick = 1): Grid => ({
  dims: [nx, ny, nz],
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, thick, 0, 0, 0, 0, 1],
})
const full = (of: Grid): Mask => ({ ...of, data: new Uint8Array(voxelCount(of)).fill(1) })

test('pairs are counted in both directions, and shares sum to 1', () => {
  const lattice = latticeOf(full(grid(6, 5, 4)))
  const random = seededRandom(1)
  const labels = Uint8Array.from(lattice.voxels, () => Math.floor(3 * random()))
  const values = Float32Array.from(labels, (label) => label + random())
  const counts = new DifferenceCounts(3, [2], 11)
  counts.add(lattice, [values], labels)
  const { transition, differences } = counts.model()
  for (let c = 0; c < 3; c++) {
    near(
      transition.slice(3 * c, 3 * c + 3).reduce((a, b) => a + b),
      1,
      1e-3,
    )
    for (let to = 0; to < 3; to++) {
      const row = differences[0].slice(11 * (3 * c + to), 11 * (3 * c + to) + 11)
      const other = differences[0].slice(11 * (3 * to + c), 11 * (3 * to + c) + 11)
      near(
        row.reduce((a, b) => a + b),
        1,
        1e-3,
      )
      row.forEach((p, b) => near(p, other[10 - b], 1e-9))
    }
  }
})

test('stripes: every neighbour along x is of the other class and 1 apart, and thick slices are no neighbours', () => {
  const of = grid(8, 1, 3, 5)
  const lattice = latticeOf(full(of))
  const labels = Uint8Array.from(lattice.voxels, (at) => (at % 8) & 1)
  const counts = new DifferenceCounts(2, [2], 5)
  counts.add(lattice, [Float32Array.from(labels)], labels)
  const { transition, differences } = counts.model(0)
  assert.deepEqual(transition, [0, 1, 1, 0])
  // From 0 to 1 the difference is −1, bin 1 of −2 … 2, smoothed by (1, 2, 1) / 4.
  assert.deepEqual(differences[0].slice(5, 10), [0.25, 0.5, 0.25, 0, 0])
})

test('one round on four voxels is what the formula says', () => {
  const lattice = latticeOf(full(grid(2, 2, 1)))
  const model: DifferenceModel = {
    classes: 2,
    bins: 3,
    reach: [1],
    transition: [0.8, 0.2, 0.3, 0.7],
    differences: [[0.1, 0.8, 0.1, 0.6, 0.3, 0.1, 0.1, 0.3, 0.6, 0.2, 0.6, 0.2]],
  }
  const values = Float32Array.from([0, 1, 0, 0.2])
  const evidence = Float32Array.from([0, -1, -1, 0, 0, -0.5, -0.2, 0])
  const result = differenceField(lattice, evidence, [values], model, { weight: 0.5, rounds: 1 })
  const edges = [
    [1, 2],
    [0, 3],
    [3, 0],
    [2, 1],
  ]
  const belief = Array.from({ length: 4 }, (_, v) => softmax([evidence[2 * v], evidence[2 * v + 1]]))
  for (const colour of [
    [0, 3],
    [1, 2],
  ])
    for (const v of colour)
      belief[v] = softmax(
        [0, 1].map((c) => {
          let sum = evidence[2 * v + c]
          for (const to of edges[v]) {
            const bin = Math.round(values[v] - values[to]) + 1
            for (let d = 0; d < 2; d++)
              sum +=
                0.5 *
                belief[to][d] *
                Math.log(model.transition[2 * c + d] * model.differences[0][3 * (2 * c + d) + bin])
          }
          return sum
        }),
      )
  belief.flat().forEach((p, i) => near(result[i], p, 1e-5))
})

test('a lesion of 4 voxels stays with the differences and is smoothed away without them', () => {
  const of = grid(12, 12, 12)
  const lattice = latticeOf(full(of))
  const inside = (at: number) => {
    const [i, j, k] = [at % 12, Math.floor(at / 12) % 12, Math.floor(at / 144)]
    return k === 5 && [i, j].every((v) => v === 5 || v === 6) ? 1 : 0
  }
  const labels = Uint8Array.from(lattice.voxels, inside)
  const normal = gaussianRandom(seededRandom(2))
  const values = Float32Array.from(labels, (label) => label + 0.12 * normal())
  const counts = new DifferenceCounts(2, [2])
  counts.add(lattice, [values], labels)
  const model = { ...counts.model(), transition: [0.97, 0.03, 0.05, 0.95] }
  // Each voxel alone is in doubt.
  const evidence = Float32Array.from({ length: 2 * labels.length }, (_, i) => (i % 2 === 0 ? 0 : labels[i >> 1] - 0.9))
  const lesion = (differences: boolean) => {
    const belief = differenceField(lattice, evidence, [values], model, { weight: 0.3, rounds: 8, differences })
    return Array.from(labels.keys()).filter((v) => belief[2 * v + 1] > 0.5)
  }
  assert.deepEqual(
    lesion(true),
    Array.from(labels.keys()).filter((v) => labels[v] === 1),
  )
  assert.equal(lesion(false).length, 0)
})

test('no neighbours, no rounds, no voxels', () => {
  const model = { classes: 2, bins: 3, reach: [], transition: [0.5, 0.5, 0.5, 0.5], differences: [] }
  const options = { weight: 1, rounds: 3 }
  assert.equal(
    differenceField(
      latticeOf({ ...full(grid(2, 2, 2)), data: new Uint8Array(8) }),
      new Float32Array(0),
      [],
      model,
      options,
    ).length,
    0,
  )
  const single = differenceField(
    latticeOf(full(grid(1, 1, 1))),
    Float32Array.from([0, Math.log(3)]),
    [],
    model,
    options,
  )
  near(single[1], 0.75, 1e-6)
  assert.throws(
    () =>
      differenceField(latticeOf(full(grid(2, 1, 1))), new Float32Array(4), [], model, {
        ...options,
        signal: AbortSignal.abort(),
      }),
    { name: 'AbortError' },
  )
})

function softmax(logs: readonly number[]): number[] {
  const total = logs.reduce((sum, x) => sum + Math.exp(x), 0)
  return logs.map((x) => Math.exp(x) / total)
}

function near(actual: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${actual} is not ${wanted}`)
}
