import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { voxelSizes } from '../../src/volume/affine.js'
import {
  type Connectivity,
  fillHoles,
  keepLargerThan,
  keepTouching,
  labelComponents,
  largestComponent,
} from '../../src/volume/components.js'
import { distanceTo } from '../../src/volume/distance.js'
import { histogram, percentiles, smoothedMode } from '../../src/volume/histogram.js'
import { close, dilate, dilateSteps, erode, neighbours, open } from '../../src/volume/morphology.js'
import { countVoxels, emptyMask, type Mask } from '../../src/volume/volume.js'
import { fixed, masks } from '../generators.js'

const places = ({ dims: [nx, ny], data }: Mask) =>
  Array.from(data, (_, at) => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])

test('components are those of a flood fill, for 6, 18 and 26 neighbours', () => {
  fc.assert(
    fc.property(masks, fc.constantFrom<Connectivity>(6, 18, 26), (mask, connectivity) => {
      const { labels, count, sizes } = labelComponents(mask, connectivity)
      const [nx, ny, nz] = mask.dims
      const seen = new Int32Array(mask.data.length)
      let found = 0
      for (let start = 0; start < seen.length; start++) {
        if (mask.data[start] === 0 || seen[start] !== 0) continue
        found++
        const stack = [start]
        seen[start] = found
        let size = 0
        while (stack.length > 0) {
          const at = stack.pop()!
          size++
          assert.equal(labels.data[at], labels.data[start])
          const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
          for (const [dx, dy, dz] of neighbours(connectivity)) {
            const [x, y, z] = [i + dx, j + dy, k + dz]
            if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
            const next = x + nx * (y + ny * z)
            if (mask.data[next] !== 0 && seen[next] === 0) {
              seen[next] = found
              stack.push(next)
            }
          }
        }
        assert.equal(sizes[labels.data[start]], size)
        assert.equal(labels.data[start], found)
      }
      assert.equal(count, found)
      assert.equal(labels.data.filter((label) => label > 0).length, countVoxels(mask))
    }),
    fixed(300),
  )
})

test('distances are those of brute force, in mm, whatever the voxel sizes', async () => {
  await fc.assert(
    fc.asyncProperty(masks, async (mask) => {
      const size = voxelSizes(mask.affine)
      const where = places(mask)
      const inside = where.filter((_, at) => mask.data[at] !== 0)
      const { data } = await distanceTo(mask)
      where.forEach((p, at) => {
        const nearest = Math.min(
          Number.POSITIVE_INFINITY,
          ...inside.map((q) => Math.hypot(...p.map((v, axis) => (v - q[axis]) * size[axis]))),
        )
        if (nearest === Number.POSITIVE_INFINITY) assert.equal(data[at], nearest)
        else assert.ok(Math.abs(data[at] - nearest) < 1e-4 * (1 + nearest), `${data[at]} for ${nearest}`)
      })
    }),
    fixed(150),
  )
})

test('opening never adds, closing never removes, and erosion undoes dilation only where nothing was filled', async () => {
  await fc.assert(
    fc.asyncProperty(masks, fc.double({ min: 0.5, max: 6, noNaN: true }), async (mask, mm) => {
      const [wide, narrow, opened, closed] = [
        await dilate(mask, mm),
        await erode(mask, mm),
        await open(mask, mm),
        await close(mask, mm),
      ]
      mask.data.forEach((v, i) => {
        assert.ok(narrow.data[i] <= v && v <= wide.data[i])
        assert.ok(opened.data[i] <= v && v <= closed.data[i])
      })
    }),
    fixed(80),
  )
})

test('a ball of 2 mm around one voxel has the voxels whose centres lie within 2 mm', async () => {
  const mask = emptyMask({ dims: [9, 9, 9], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] })
  mask.data[4 + 9 * (4 + 9 * 4)] = 1
  assert.equal(countVoxels(await dilate(mask, 2)), 13 + 2)
  assert.equal(countVoxels(dilateSteps(mask, 6, 1)), 7)
  assert.equal(countVoxels(dilateSteps(mask, 26, 1)), 27)
})

test('sizes are in mm³ and voxels, holes are filled, seeds keep what they touch', () => {
  const mask = emptyMask({ dims: [10, 10, 3], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] })
  for (let j = 1; j < 6; j++) for (let i = 1; i < 6; i++) mask.data[i + 10 * j + 100] = i === 3 && j === 3 ? 0 : 1
  mask.data[8 + 80 + 100] = 1
  assert.equal(countVoxels(keepLargerThan(mask, 3, 18)), 25)
  assert.equal(countVoxels(keepLargerThan(mask, 3.1, 18)), 24)
  assert.equal(countVoxels(keepLargerThan(mask, 3, 18, 2)), 24)
  assert.equal(countVoxels(largestComponent(mask, 6)), 24)
  assert.equal(countVoxels(fillHoles(mask)), 25, 'open above and below: not a hole in 3-D')
  assert.equal(countVoxels(fillHoles(mask, { plane: 2 })), 26)
  const seeds = emptyMask(mask)
  seeds.data[8 + 80 + 100] = 1
  seeds.data[0] = 1
  assert.equal(countVoxels(keepTouching(mask, seeds, 6)), 1)
})

test('percentiles interpolate between order statistics (type 7)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ noNaN: true, min: -1000, max: 1000 }), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      (list, p) => {
        const sorted = Float32Array.from(list).sort()
        const position = ((sorted.length - 1) * p) / 100
        const low = Math.floor(position)
        const expected =
          low + 1 < sorted.length ? sorted[low] + (position - low) * (sorted[low + 1] - sorted[low]) : sorted[low]
        const image = {
          dims: [list.length, 1, 1] as const,
          affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
          data: Float32Array.from(list),
        }
        const [value] = percentiles(image, [p])
        assert.ok(Math.abs(value - expected) <= 1e-9 + 1e-9 * Math.abs(expected), `${value} for ${expected}`)
      },
    ),
    fixed(300),
  )
})

test('the mode and its half widths are those of a Gaussian, on a comb-like histogram too', () => {
  let state = 5
  const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647
  for (const comb of [false, true]) {
    const data = Float32Array.from({ length: 100_000 }, () => {
      const value = 100 + 5 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
      return comb ? Math.round(value / 0.6) * 0.6 : value
    })
    const image = { dims: [100_000, 1, 1] as const, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], data }
    const { mode, halfWidth } = smoothedMode(image)
    assert.ok(Math.abs(mode - 100) < 0.7, `mode ${mode}`)
    assert.ok(Math.abs(halfWidth / 1.1774 - 5) < 0.3, `sigma ${halfWidth / 1.1774}`)
    assert.equal(
      histogram(image, { bins: 10 }).counts.reduce((sum, n) => sum + n, 0),
      100_000,
    )
  }
})
