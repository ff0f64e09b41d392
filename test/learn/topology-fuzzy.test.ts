import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latticeOf, onLattice } from '../../src/learn/lattice.js'
import { bitOffsets } from '../../src/learn/simple-point.js'
import { relabelKeepingTopology, spatialFuzzy } from '../../src/learn/topology-fuzzy.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { labelComponents } from '../../src/volume/components.js'
import { type Grid, type Mask, maskWhere } from '../../src/volume/volume.js'

const grid = (n: number): Grid => ({ dims: [n, n, n], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
const volume = (n: number, value: (x: number, y: number, z: number) => number): Mask => ({
  ...grid(n),
  data: Uint8Array.from({ length: n ** 3 }, (_, i) => value(i % n, Math.floor(i / n) % n, Math.floor(i / (n * n)))),
})

test('without neighbours and atlas it is fuzzy c-means: memberships and centres meet its two equations', () => {
  const random = seededRandom(1)
  const normal = gaussianRandom(random)
  const mask = volume(12, () => 1)
  const lattice = latticeOf(mask)
  const n = lattice.voxels.length
  const values = Float32Array.from({ length: n }, (_, v) => [0, 1, 2.5][v % 3] + 0.1 * normal())
  const classes = [0.2, 0.8, 2].map((value) => ({ centre: [value] }))
  const none = classes.map(() => new Float32Array(n))
  const { centres, membership } = spatialFuzzy(lattice, [values], classes, none, {
    smoothness: 0,
    atlasWeight: 0,
    rounds: 100,
    tolerance: 1e-7,
  })
  for (let k = 0; k < 3; k++) {
    assert.ok(Math.abs(centres[k][0] - [0, 1, 2.5][k]) < 0.03, `${centres[k]}`)
    let [top, bottom] = [0, 0]
    for (let v = 0; v < n; v++) {
      const inverse = centres.map(([c]) => 1 / (values[v] - c) ** 2)
      const u = inverse[k] / inverse.reduce((a, b) => a + b)
      assert.ok(Math.abs(u - membership[3 * v + k]) < 1e-4)
      top += u * u * values[v]
      bottom += u * u
    }
    assert.ok(Math.abs(top / bottom - centres[k][0]) < 1e-5)
  }
})

test('neighbours outvote noise, the atlas decides between structures of one intensity, a guest shares its place', () => {
  const random = seededRandom(2)
  const normal = gaussianRandom(random)
  const n = 16
  // Left half structure 0, right half structure 1; a third structure looks like 1, and the atlas has it at the top.
  const truth = volume(n, (x, _, z) => (x < 8 ? 0 : z < 8 ? 1 : 2))
  const lattice = latticeOf(volume(n, () => 1))
  const count = lattice.voxels.length
  const values = Float32Array.from(truth.data, (label) => (label === 0 ? 0 : 1) + 0.35 * normal())
  const classes = [0.1, 0.9, 0.9].map((value) => ({ centre: [value] }))
  const prior = (test: (x: number, z: number) => boolean) =>
    onLattice(
      lattice,
      volume(n, (x, _, z) => (test(x, z) ? 1 : 0)),
    )
  const priors = [new Float32Array(count), prior((_, z) => z < 8), prior((_, z) => z >= 8)]
  const wrong = (smoothness: number, atlasWeight: number) => {
    const { membership } = spatialFuzzy(lattice, [values], classes, priors, { smoothness, atlasWeight, rounds: 20 })
    let errors = 0
    for (let v = 0; v < count; v++) {
      const best = [0, 1, 2].reduce((a, k) => (membership[3 * v + k] > membership[3 * v + a] ? k : a))
      if (best !== truth.data[v]) errors++
    }
    return errors / count
  }
  const [plain, smooth] = [wrong(0, 0.3), wrong(0.15, 0.3)]
  assert.ok(smooth < 0.05 && smooth < plain / 3, `${plain} to ${smooth}`)
  assert.ok(wrong(0.15, 0) > 0.2)

  // A guest as bright as 2 in the host's half: together they keep the whole half, apart they share it.
  const spot = volume(n, (x, y, z) => (x < 8 ? 0 : Math.hypot(x - 12, y - 8, z - 8) < 3 ? 2 : 1))
  const { centres, membership } = spatialFuzzy(
    lattice,
    [Float32Array.from(spot.data, (v) => v + 0.05 * normal())],
    [{ centre: [0] }, { centre: [1] }, { centre: [1.7], host: 1 }],
    [prior((x) => x < 8), prior((x) => x >= 8)],
    { smoothness: 0.1, atlasWeight: 0.3, rounds: 30 },
  )
  assert.ok(Math.abs(centres[2][0] - 2) < 0.1, `${centres[2]}`)
  spot.data.forEach((label, v) => {
    const u = [0, 1, 2].map((k) => membership[3 * v + k])
    assert.ok(Math.abs(u[0] + u[1] + u[2] - 1) < 1e-5)
    assert.equal(u[2] > u[1], label === 2 || (label === 0 && u[2] > u[1]))
    assert.equal(u[0] > u[1] + u[2], label === 0)
  })
})

test('labels follow the memberships as far as the topology of each object lets them', () => {
  const random = seededRandom(3)
  const n = 20
  const start = volume(n, (x, y, z) => (Math.hypot(x - 9.5, y - 9.5, z - 9.5) < 4 ? 1 : 0))
  const lattice = latticeOf(volume(n, (x, y, z) => (Math.min(x, y, z) > 0 && Math.max(x, y, z) < n - 1 ? 1 : 0)))
  const count = lattice.voxels.length
  // Wanted: a bigger ball, riddled with holes and islands.
  const wanted = Float32Array.from(lattice.voxels, (at) => {
    const [x, y, z] = [at % n, Math.floor(at / n) % n, Math.floor(at / (n * n))]
    const inside = Math.hypot(x - 9.5, y - 9.5, z - 9.5) < 7
    return random() < 0.1 ? (inside ? 0.3 : 0.7) : inside ? 0.8 : 0.2
  })
  const membership = new Float32Array(2 * count)
  wanted.forEach((u, v) => {
    membership[2 * v] = 1 - u
    membership[2 * v + 1] = u
  })
  const free = maskWhere(start, () => false)
  lattice.voxels.forEach((at, v) => (free.data[at] = wanted[v] > 0.5 ? 1 : 0))
  assert.notEqual(euler(free), 1)
  for (const topology of ['26,6', '18,6', '6,26', '6,18'] as const) {
    const found = relabelKeepingTopology(start, lattice, membership, { topology, objects: [0, 1] })
    const background = maskWhere(found, (v) => v === 0)
    const [object, rest] = topology.split(',').map((c) => Number(c) as 6 | 18 | 26)
    assert.equal(labelComponents(found, object).count, 1, topology)
    assert.equal(labelComponents(background, rest).count, 1, topology)
    // Of the two dual pairs Euler's number counts the object's pieces, tunnels and cavities.
    if (topology === '26,6') assert.equal(euler(found), 1)
    if (topology === '6,26')
      assert.equal(
        euler(background, true),
        euler(
          maskWhere(start, (v) => v === 0),
          true,
        ),
      )
    const right = found.data.filter((v, i) => v === free.data[i]).length / found.data.length
    assert.ok(right > 0.93, `${topology}: ${right}`)
    assert.deepEqual(relabelKeepingTopology(start, lattice, membership, { topology, objects: [0, 1] }), found)
  }
  // No object to keep: the labels spread over whatever touches.
  const unbound = relabelKeepingTopology(start, lattice, membership, { topology: '18,6', objects: [0, 0] })
  const missed = unbound.data.filter((v, i) => v !== free.data[i]).length
  // Islands that nothing of their label touches are out of reach.
  assert.ok(missed < 200, `${missed}`)
})

/** Euler's number of the union of closed unit cubes (26-connectivity), by counting vertices, edges, faces and cubes. */
function euler(mask: Mask, beyond = false): number {
  const [nx, ny, nz] = mask.dims
  const filled = (x: number, y: number, z: number) =>
    x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz ? beyond : mask.data[x + nx * (y + ny * z)] !== 0
  let sum = 0
  for (let z = 0; z <= 2 * nz; z++)
    for (let y = 0; y <= 2 * ny; y++)
      for (let x = 0; x <= 2 * nx; x++) {
        // Cells on a grid of half steps: an odd coordinate runs through a voxel, an even one lies between two.
        const span = [x, y, z].map((v) => (v % 2 === 1 ? [(v - 1) / 2] : [v / 2 - 1, v / 2]))
        if (!span[0].some((i) => span[1].some((j) => span[2].some((k) => filled(i, j, k))))) continue
        sum += [x, y, z].filter((v) => v % 2 === 1).length % 2 === 0 ? 1 : -1
      }
  return sum
}

test('the bits of a neighbourhood are its offsets', () => {
  assert.equal(bitOffsets.length, 26)
  assert.equal(new Set(bitOffsets.map(String)).size, 26)
})
