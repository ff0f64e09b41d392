import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLesions, measureIntensities } from '../../src/lesions/instances.js'
import { longestAxis, type Voxel } from '../../src/lesions/longest-axis.js'
import { compose, identity, scaling, translation } from '../../src/volume/affine.js'
import { reorient } from '../../src/volume/orient.js'
import { emptyImage, emptyMask, type Grid, type Mask } from '../../src/volume/volume.js'

const grid: Grid = { dims: [20, 16, 12], affine: compose(translation([-10, 5, 3]), scaling([1, 1, 2])) }

/** A mask with the given boxes `[i, j, k, ni, nj, nk]` filled. */
function boxes(on: Grid, ...list: number[][]): Mask {
  const mask = emptyMask(on)
  const [nx, ny] = on.dims
  for (const [i, j, k, ni, nj, nk] of list)
    for (let c = k; c < k + nk; c++)
      for (let b = j; b < j + nj; b++) for (let a = i; a < i + ni; a++) mask.data[a + nx * (b + ny * c)] = 1
  return mask
}

test('lesions come largest first, with volume, centroid, box and longest axis in mm', () => {
  const { lesions, labels, mask } = findLesions(boxes(grid, [2, 2, 2, 3, 1, 1], [8, 4, 5, 4, 2, 3]))
  assert.deepEqual(
    lesions.map(({ id, voxels, volumeMm3 }) => [id, voxels, volumeMm3]),
    [
      [1, 24, 48],
      [2, 3, 6],
    ],
  )
  assert.deepEqual(lesions[0].centroid, [-10 + 9.5, 5 + 4.5, 3 + 12])
  assert.deepEqual(lesions[0].box, { start: [8, 4, 5], dims: [4, 2, 3] })
  assert.deepEqual(lesions[1].longestAxisMm, 3)
  assert.equal(labels.data[2 + 20 * (2 + 16 * 2)], 2)
  assert.equal(
    mask.data.reduce((n, v) => n + v, 0),
    27,
  )
})

test('what is smaller than the minimum in mm³ or in voxels is not a lesion and leaves the mask', () => {
  const given = boxes(grid, [2, 2, 2, 2, 1, 1], [8, 4, 5, 3, 1, 1])
  assert.equal(findLesions(given).lesions.length, 1, 'two voxels of 2 mm³ are 4 mm³, but only two voxels')
  assert.equal(findLesions(given).mask.data[2 + 20 * (2 + 16 * 2)], 0)
  assert.equal(findLesions(given, { minimumVoxels: 1 }).lesions.length, 2)
  assert.equal(findLesions(given, { minimumSizeMm3: 6.5 }).lesions.length, 0)
  assert.equal(findLesions(given, { minimumSizeMm3: 6 }).lesions.length, 1)
})

test('voxels that meet at an edge are one lesion by default, at a corner with 26 neighbours only', () => {
  const edge = boxes(grid, [2, 2, 2, 3, 1, 1], [5, 3, 2, 3, 1, 1])
  const corner = boxes(grid, [2, 2, 2, 3, 1, 1], [5, 3, 3, 3, 1, 1])
  const count = (mask: Mask, connectivity: 6 | 18 | 26) => findLesions(mask, { connectivity }).lesions.length
  assert.equal(findLesions(edge).lesions.length, 1)
  assert.deepEqual([count(edge, 6), count(corner, 18), count(corner, 26)], [2, 2, 1])
})

test('an empty mask has no lesions', () => {
  const none = findLesions(emptyMask(grid))
  assert.deepEqual(none.lesions, [])
  assert.equal(none.labels.data.length, none.mask.data.length)
})

test('order, sizes and centroids do not depend on how the axes of the grid run', () => {
  const given = boxes(grid, [2, 2, 2, 3, 1, 1], [8, 4, 5, 3, 1, 1], [15, 10, 9, 3, 3, 2])
  const plain = findLesions(given).lesions
  const turned = findLesions(reorient(given, { from: [2, 0, 1], flip: [true, false, true] })).lesions
  const facts = (list: typeof plain) => list.map((l) => [l.id, l.voxels, l.centroid.map((x) => x.toFixed(6)).join()])
  assert.deepEqual(facts(turned), facts(plain))
})

test('intensities are means over each lesion', () => {
  const { lesions, labels } = findLesions(boxes(grid, [2, 2, 2, 3, 1, 1], [8, 4, 5, 4, 2, 3]))
  const image = emptyImage(grid)
  for (let i = 0; i < image.data.length; i++) image.data[i] = labels.data[i] === 1 ? 7 : i % 20
  const [first, second] = measureIntensities(lesions, labels, 'flair', image)
  assert.equal(first.intensities?.flair, 7)
  assert.equal(second.intensities?.flair, 3)
  assert.throws(() => measureIntensities(lesions, labels, 't1', emptyImage({ ...grid, affine: identity })), /grid/)
})

test('the longest axis is that of the two farthest voxels, found without comparing all pairs', () => {
  let seed = 7
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647
  for (let round = 0; round < 30; round++) {
    const set = new Map<string, Voxel>()
    for (let n = 0; n < 60; n++) {
      const v: Voxel = [Math.floor(random() * 9), Math.floor(random() * 7), Math.floor(random() * 5)]
      set.set(v.join(), v)
    }
    const voxels = [...set.values()].sort((a, b) => a[2] - b[2] || a[1] - b[1] || a[0] - b[0])
    const size = [0.7, 1, 3] as const
    let most = 0
    for (const a of voxels)
      for (const b of voxels) most = Math.max(most, Math.hypot(...size.map((s, axis) => s * (a[axis] - b[axis]))))
    const axis = longestAxis(voxels, size)
    assert.ok(axis > most && axis <= most + Math.hypot(...size), `${axis} for voxel centres ${most} mm apart`)
  }
})
