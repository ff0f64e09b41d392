import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SurfaceNeighbourhood, surfaceDistances, surfaceSamples } from '../../src/evaluate/surface.js'
import { seededRandom } from '../../src/random.js'
import { scaling, type Vec3 } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'

/** A mask with the given boxes `[i, j, k, ni, nj, nk]` filled with 7: any value but zero is inside. */
function boxes(dims: Vec3, sizes: Vec3, ...list: number[][]): Mask {
  const mask = emptyMask({ dims, affine: scaling(sizes) })
  for (const [i, j, k, ni, nj, nk] of list)
    for (let c = k; c < k + nk; c++)
      for (let b = j; b < j + nj; b++) for (let a = i; a < i + ni; a++) mask.data[a + dims[0] * (b + dims[1] * c)] = 7
  return mask
}

function speckled(dims: Vec3, sizes: Vec3, random: () => number): Mask {
  const mask = boxes(
    dims,
    sizes,
    ...Array.from({ length: 3 }, () => {
      const start = dims.map((n) => Math.floor(random() * n))
      return [...start, ...start.map((s, axis) => Math.ceil(random() * Math.min(5, dims[axis] - s)))]
    }),
  )
  for (let i = 0; i < mask.data.length; i++) if (random() < 0.01) mask.data[i] = 1
  return mask
}

/** The definitions word for word, every pair of voxels compared. */
function byDefinition(r: Mask, c: Mask, sizes: Vec3, neighbourhood: SurfaceNeighbourhood, edgeIsMask: boolean) {
  const [nx, ny, nz] = r.dims
  const at = ([i, j, k]: Vec3) => i + nx * (j + ny * k)
  const outside = ([i, j, k]: Vec3) => i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz
  const all = Array.from(
    { length: nx * ny * nz },
    (_, n): Vec3 => [n % nx, Math.floor(n / nx) % ny, Math.floor(n / nx / ny)],
  )
  const steps = [-1, 0, 1].flatMap((x) => [-1, 0, 1].flatMap((y) => [-1, 0, 1].map((z): Vec3 => [x, y, z])))
  const near = steps.filter(([x, y, z]) => {
    const moved = Math.abs(x) + Math.abs(y) + Math.abs(z)
    const most = { 4: 1, 8: 2, 6: 1, 18: 2, 26: 3 }[neighbourhood]
    return moved > 0 && moved <= most && (neighbourhood === 4 || neighbourhood === 8 ? z === 0 : true)
  })
  const voxels = (m: Mask) => all.filter((v) => m.data[at(v)] !== 0)
  const surface = (m: Mask) =>
    voxels(m).filter((v) =>
      near.some((step) => {
        const next = v.map((x, axis) => x + step[axis]) as unknown as Vec3
        return outside(next) ? !edgeIsMask : m.data[at(next)] === 0
      }),
    )
  const distance = (v: Vec3, w: Vec3) => Math.hypot(...v.map((x, axis) => (x - w[axis]) * sizes[axis]))
  const toNearest = (from: Vec3[], to: Vec3[]) => from.map((v) => Math.min(...to.map((w) => distance(v, w))))
  return {
    fromReference: toNearest(surface(r), surface(c)),
    fromCandidate: toNearest(surface(c), surface(r)),
    hausdorff: Math.max(...toNearest(voxels(r), voxels(c)), ...toNearest(voxels(c), voxels(r))),
  }
}

test('surface voxels, their distances and Hausdorff equal the definitions on random masks of any neighbourhood', async () => {
  const random = seededRandom(5)
  for (let round = 0; round < 30; round++) {
    const dims = [4, 5, 6].map((n) => n + Math.floor(random() * 7)) as unknown as Vec3
    const sizes = [0.4, 0.6, 1].map((s) => s + 2 * random()) as unknown as Vec3
    const [r, c] = [speckled(dims, sizes, random), speckled(dims, sizes, random)]
    for (const neighbourhood of [4, 8, 6, 18, 26] as const)
      for (const beyondEdge of ['mask', 'background'] as const) {
        const ours = await surfaceSamples(r, c, { neighbourhood, beyondEdge })
        const expected = byDefinition(r, c, sizes, neighbourhood, beyondEdge === 'mask')
        const name = `round ${round}, ${neighbourhood} neighbours, ${beyondEdge}`
        near(ours.fromReference, expected.fromReference, name)
        near(ours.fromCandidate, expected.fromCandidate, name)
        near([ours.hausdorff], [expected.hausdorff], name)
      }
  }
})

test('two plates 3 mm apart: every measure is 3', async () => {
  const dims: Vec3 = [10, 10, 10]
  const [a, b] = [boxes(dims, [1, 1, 1.5], [2, 2, 2, 5, 5, 1]), boxes(dims, [1, 1, 1.5], [2, 2, 4, 5, 5, 1])]
  const { surfaceDice, ...distances } = await surfaceDistances(a, b, { tolerancesMm: [2.9, 3] })
  for (const [key, value] of Object.entries(distances)) assert.equal(value, 3, key)
  assert.deepEqual(surfaceDice, [0, 1])
})

test('a hole makes Hausdorff depend on the inside: solid against hollow', async () => {
  const solid = boxes([11, 11, 11], [1, 1, 1], [1, 1, 1, 9, 9, 9])
  const hollow = boxes([11, 11, 11], [1, 1, 1], [1, 1, 1, 9, 9, 9])
  for (let k = 2; k < 9; k++)
    for (let j = 2; j < 9; j++) hollow.data.fill(0, 2 + 11 * (j + 11 * k), 9 + 11 * (j + 11 * k))
  const d = await surfaceDistances(solid, hollow)
  assert.equal(d.hausdorff, 4, 'the centre of the solid is 4 mm from the shell')
  assert.equal(d.hausdorff95, 0, 'both surfaces are the shell')
})

test('directed and pooled 95th percentiles, means and surface Dice of a known case', async () => {
  // One voxel against itself and three more, 1, 2 and 3 mm away along x.
  const r = boxes([8, 3, 3], [1, 1, 1], [1, 1, 1, 1, 1, 1])
  const c = boxes([8, 3, 3], [1, 1, 1], [1, 1, 1, 4, 1, 1])
  const d = await surfaceDistances(r, c, { tolerancesMm: [0, 1, 2.5, 9] })
  assert.equal(d.hausdorff, 3)
  assert.ok(Math.abs(d.hausdorff95 - 2.85) < 1e-6, 'numpy.percentile([0, 1, 2, 3], 95)')
  assert.ok(Math.abs(d.hausdorff95Pooled - 2.8) < 1e-6, 'numpy.percentile([0, 0, 1, 2, 3], 95)')
  assert.equal(d.assd, 6 / 5)
  assert.equal(d.meanSurface, 0.75)
  assert.equal(d.contourMean, 1.5)
  assert.deepEqual([d.meanFromReference, d.meanFromCandidate], [0, 1.5])
  assert.deepEqual(d.surfaceDice, [2 / 5, 3 / 5, 4 / 5, 1])
})

test('empty, full, equal and single-voxel masks are defined; masks on two grids are refused', async () => {
  const dims: Vec3 = [6, 6, 6]
  const some = boxes(dims, [1, 1, 1], [1, 1, 1, 2, 2, 2])
  const none = emptyMask(some)
  const full = { ...some, data: new Uint8Array(216).fill(1) }
  const one = boxes(dims, [1, 1, 1], [5, 5, 5, 1, 1, 1])
  const { surfaceDice, ...same } = await surfaceDistances(some, some)
  assert.ok(Object.values(same).every((value) => value === 0))
  assert.deepEqual(surfaceDice, [1, 1])
  for (const [a, b] of [
    [some, none],
    [none, some],
    [none, none],
  ]) {
    const { surfaceDice, ...rest } = await surfaceDistances(a, b)
    assert.ok(Object.values(rest).every(Number.isNaN))
    assert.deepEqual(surfaceDice, a === b ? [Number.NaN, Number.NaN] : [0, 0])
  }
  const filled = await surfaceDistances(full, one)
  assert.equal(filled.hausdorff, Math.sqrt(75))
  assert.ok(Number.isNaN(filled.assd), 'a mask that fills the grid has no surface …')
  const cutOff = await surfaceDistances(full, one, { beyondEdge: 'background' })
  assert.ok(cutOff.assd > 0, '… unless what lies beyond the grid is background')
  await assert.rejects(surfaceDistances(some, { ...some, affine: scaling([2, 1, 1]) }), /two grids/)
})

function near(ours: ArrayLike<number>, expected: number[], name: string): void {
  assert.equal(ours.length, expected.length, name)
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(ours[i] - expected[i]) <= 1e-6 * Math.max(1, expected[i]),
      `${name}: ${ours[i]}, not ${expected[i]}`,
    )
}
