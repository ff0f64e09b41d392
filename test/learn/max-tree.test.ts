import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bestNodes,
  componentSums,
  distinctNodes,
  type MaxTree,
  maxTree,
  persistence,
  quantise,
  ringsOf,
} from '../../src/learn/max-tree.js'
import { seededRandom } from '../../src/random.js'
import type { Vec3 } from '../../src/volume/affine.js'
import { labelComponents } from '../../src/volume/components.js'
import { neighbours } from '../../src/volume/morphology.js'
import { emptyImage, emptyMask, type Grid, type Mask, maskWhere, type Volume } from '../../src/volume/volume.js'

const gridOf = (dims: Vec3): Grid => ({ dims, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })
const everywhere = (grid: Grid): Mask => maskWhere(emptyMask(grid), () => true)
const line = (values: number[]): Volume<Uint16Array> => ({
  ...gridOf([values.length, 1, 1]),
  data: Uint16Array.from(values),
})
const componentOf = ({ voxels, first, last }: MaxTree, n: number): number[] =>
  [...voxels.slice(first[n], last[n])].sort((a, b) => a - b)

function randomVolume(dims: Vec3, levels: number, seed: number): Volume<Uint16Array> {
  const random = seededRandom(seed)
  const grid = gridOf(dims)
  return { ...grid, data: Uint16Array.from(emptyMask(grid).data, () => Math.floor(levels * random())) }
}

test('a line with two peaks: nodes, parents and persistence', () => {
  const image = line([1, 3, 2, 5, 1])
  const tree = maxTree(image, everywhere(image), 6)
  assert.deepEqual([...tree.level], [1, 2, 3, 5])
  assert.deepEqual([...tree.parent], [-1, 0, 1, 1])
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => componentOf(tree, n)),
    [[0, 1, 2, 3, 4], [1, 2, 3], [1], [3]],
  )
  // The peak of 5 is never overtaken: it is measured from the root, as are the nodes that it is the peak of.
  assert.deepEqual([...persistence(tree)], [4, 4, 1, 4])
})

test('of two equal peaks one outlives the other', () => {
  const image = line([1, 4, 2, 4, 1])
  const found = persistence(maxTree(image, everywhere(image), 6))
  assert.deepEqual([...found].sort(), [2, 3, 3, 3])
})

for (const connectivity of [6, 18, 26] as const)
  test(`the nodes are the connected components of all thresholds, ${connectivity} neighbours`, () => {
    const image = randomVolume([7, 6, 5], 6, connectivity)
    const mask = maskWhere(image, (_, i) => i % 11 !== 3)
    const tree = maxTree(image, mask, connectivity)
    const found = [...tree.level].map((level, n) => `${level}: ${componentOf(tree, n)}`)
    const expected = new Set<string>()
    for (let level = 1; level < 6; level++) {
      const above = maskWhere(image, (v, i) => v >= level && mask.data[i] !== 0)
      const { labels, count } = labelComponents(above, connectivity)
      for (let label = 1; label <= count; label++) {
        const voxels = [...labels.data.keys()].filter((i) => labels.data[i] === label)
        // The same component at two thresholds is one node, of the higher: its least value.
        expected.add(`${Math.min(...voxels.map((i) => image.data[i]))}: ${voxels}`)
      }
    }
    const all = [...mask.data.keys()].filter((i) => mask.data[i] !== 0)
    expected.add(`0: ${all}`)
    assert.deepEqual(found.sort(), [...expected].sort())
    tree.parent.forEach((up, n) => {
      if (n === 0) return
      assert.ok(up < n && tree.level[up] < tree.level[n])
      assert.ok(tree.first[n] >= tree.first[up] && tree.last[n] <= tree.last[up])
    })
  })

test('the image can be rebuilt from the tree, and the parts of the nodes are all of the mask', () => {
  const image = randomVolume([9, 8, 7], 40, 5)
  const mask = maskWhere(image, (_, i) => i % 7 !== 2)
  const tree = maxTree(image, mask, 6)
  const rebuilt = new Uint16Array(image.data.length)
  // Children overwrite what their parent wrote.
  for (let n = 0; n < tree.level.length; n++)
    for (let v = tree.first[n]; v < tree.last[n]; v++) rebuilt[tree.voxels[v]] = tree.level[n]
  assert.deepEqual(
    rebuilt,
    image.data.map((v, i) => (mask.data[i] !== 0 ? v : 0)),
  )
  const size = componentSums(tree, () => 1)
  const own = size.slice()
  for (let n = 1; n < own.length; n++) own[tree.parent[n]] -= size[n]
  assert.equal(size[0], mask.data.filter((v) => v !== 0).length)
  assert.equal(
    own.reduce((sum, n) => sum + n, 0),
    size[0],
  )
  assert.ok(own.every((n) => n > 0))
  const values = componentSums(tree, (at) => image.data[at])
  for (let n = 0; n < size.length; n += 17) {
    const sum = componentOf(tree, n).reduce((s, at) => s + image.data[at], 0)
    assert.ok(Math.abs(values[n] - sum) < 1e-6)
  }
})

test('an increasing map of the values leaves all but the levels as it was', () => {
  const image = randomVolume([8, 8, 8], 30, 9)
  const before = maxTree(image, everywhere(image), 26)
  const after = maxTree({ ...image, data: image.data.map((v) => v * v + 7) }, everywhere(image), 26)
  assert.deepEqual({ ...after, level: before.level }, before)
  assert.deepEqual(
    after.level,
    before.level.map((v) => v * v + 7),
  )
})

test('pieces of the mask that do not touch meet at the root', () => {
  const image = line([4, 9, 9, 2, 2])
  const tree = maxTree(
    image,
    maskWhere(image, (_, i) => i !== 2),
    6,
  )
  assert.deepEqual(
    [...tree.level].map((level, n) => [level, tree.parent[n], componentOf(tree, n)]),
    [
      [2, -1, [0, 1, 3, 4]],
      [4, 0, [0, 1]],
      [9, 1, [1]],
    ],
  )
})

test('an empty mask has an empty tree', () => {
  const image = line([1, 2])
  const tree = maxTree(image, emptyMask(image), 6)
  assert.equal(tree.voxels.length + tree.level.length, 0)
  assert.deepEqual(bestNodes(tree, new Float64Array(), new Float64Array()), [])
})

test('quantising: equal steps over the range, the rest at its ends; a constant is 0', () => {
  const image = { ...emptyImage(gridOf([6, 1, 1])), data: Float32Array.from([-1, 0, 1, 3, 100, -9]) }
  const mask = maskWhere(image, (_, i) => i < 5)
  const { levels, step } = quantise(image, mask, 9, [-1, 3])
  assert.deepEqual([...levels.data], [0, 2, 4, 8, 8, 0])
  assert.equal(step, 0.5)
  const flat = quantise({ ...image, data: image.data.map(() => 7) }, mask, 9, [7, 7])
  assert.deepEqual([[...flat.levels.data], flat.step], [[0, 0, 0, 0, 0, 0], 0])
})

test('a ring is the mask within reach of a component, without the component', () => {
  const image = randomVolume([7, 6, 5], 5, 3)
  const mask = maskWhere(image, (_, i) => i % 5 !== 1)
  const tree = maxTree(image, mask, 6)
  const offsets = [...neighbours(18), [2, 0, 0], [-2, 0, 0]] as [number, number, number][]
  const ring = ringsOf(tree, image, offsets)
  for (let n = tree.level.length - 1; n >= 0; n--) {
    const inside = new Set(componentOf(tree, n))
    const expected = new Set<number>()
    for (const at of inside)
      for (const [dx, dy, dz] of offsets) {
        const [x, y, z] = [(at % 7) + dx, (Math.floor(at / 7) % 6) + dy, Math.floor(at / 42) + dz]
        const to = x + 7 * (y + 6 * z)
        if (x < 0 || y < 0 || z < 0 || x > 6 || y > 5 || z > 4 || mask.data[to] === 0 || inside.has(to)) continue
        expected.add(to)
      }
    const found: number[] = []
    ring(n, (at) => found.push(at))
    assert.deepEqual(
      found.sort((a, b) => a - b),
      [...expected].sort((a, b) => a - b),
    )
  }
})

test('the best nodes do not overlap; an ancestor wins by at least the weighted score of its descendants', () => {
  const image = line([1, 3, 2, 5, 1])
  const tree = maxTree(image, everywhere(image), 6)
  const volume = componentSums(tree, () => 1)
  const best = (...score: number[]) => bestNodes(tree, Float64Array.from(score), volume)
  const never = Number.NEGATIVE_INFINITY
  assert.deepEqual(best(never, 1, 2, 3), [2, 3])
  assert.deepEqual(best(never, 2.4, 2, 3), [2, 3])
  assert.deepEqual(best(never, 2.5, 2, 3), [1])
  assert.deepEqual(best(never, 1, 2, never), [2])
  assert.deepEqual(best(4, 1, 2, 3), [0])
  assert.deepEqual(best(never, never, never, never), [])
})

test('distinct nodes have lost enough of the last distinct one above them', () => {
  // Components of 10, 9, 8, … voxels.
  const image = line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const tree = maxTree(image, everywhere(image), 6)
  const kept = (loss: number) => [...distinctNodes(tree, loss)].flatMap((is, n) => (is ? [10 - n] : []))
  assert.deepEqual(kept(0), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  assert.deepEqual(kept(0.2), [10, 8, 6, 4, 3, 2, 1])
  assert.deepEqual(kept(0.5), [10, 5, 2, 1])
})
