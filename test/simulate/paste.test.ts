import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { drawShape, type LesionBank, lesionBank, shapeDepth, unpackMasks } from '../../src/simulate/bank.js'
import { type PasteCase, pasteLesions, whiteMatterLevel } from '../../src/simulate/paste.js'
import { identity, scaling, type Vec3 } from '../../src/volume/affine.js'
import type { Mask } from '../../src/volume/volume.js'

/** Balls of the radii given, one behind the other along x. */
function balls(radii: readonly number[], size: Vec3 = [1, 1, 1]): Mask {
  const dims: Vec3 = [Math.ceil((30 * radii.length) / size[0]), Math.ceil(30 / size[1]), Math.ceil(30 / size[2])]
  const data = new Uint8Array(dims[0] * dims[1] * dims[2])
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++)
        radii.forEach((radius, n) => {
          const x = i * size[0] - 15 - 30 * n
          if (Math.hypot(x, j * size[1] - 15, k * size[2] - 15) <= radius) data[at] = 1
        })
  return { dims, affine: scaling(size), data }
}

let bank: LesionBank
before(async () => {
  bank = await lesionBank([balls([2.5, 4, 6])])
})

/** White matter 100 ± 4 in a ball, fluid 20 in a ventricle along its middle, air 0; a lesion of 124 at one side. */
function scan(shape: Vec3, spacing: Vec3): PasteCase {
  const normal = gaussianRandom(seededRandom(9))
  const count = shape[0] * shape[1] * shape[2]
  const [flair, t1] = [new Float32Array(count), new Float32Array(count)]
  const [mask, whiteMatter, ventricles] = [new Uint8Array(count), new Uint8Array(count), new Uint8Array(count)]
  for (let k = 0, at = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++)
      for (let i = 0; i < shape[0]; i++, at++) {
        const [x, y, z] = [i, j, k].map((n, axis) => (n - (shape[axis] - 1) / 2) * spacing[axis])
        if (Math.hypot(x, y, z) > 34) continue
        const fluid = Math.hypot(x, z) < 6
        mask[at] = Number(Math.hypot(x - 20, y, z) < 6)
        ventricles[at] = Number(fluid)
        whiteMatter[at] = Number(!fluid)
        flair[at] = (fluid ? 20 : mask[at] ? 124 : 100) + 4 * normal()
        t1[at] = (fluid ? 30 : 100) + 4 * normal()
      }
  return { shape, spacing, flair, t1, mask, whiteMatter, ventricles }
}

test('a bank holds single lesions, with their volumes and a depth that is theirs whatever the turn and scale', () => {
  assert.deepEqual(
    bank.shapes.map(({ volume }) => volume),
    [2.5, 4, 6].map((radius) => balls([radius]).data.reduce((sum, v) => sum + v, 0)),
  )
  const depth = shapeDepth(bank.shapes[2], identity, 1)
  assert.ok(Math.abs(depth(0, 0, 0) - 6) < 0.6, `${depth(0, 0, 0)}`)
  assert.ok(Math.abs(depth(0, 7.5, 0) + 1.5) < 0.7, `${depth(0, 7.5, 0)}`)
  const twice = shapeDepth(bank.shapes[2], [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], 2)
  const [border, middle] = [twice(0, 12, 0), twice(0, 0, 0)]
  assert.ok(Math.abs(border) < 1.4 && Math.abs(middle - 12) < 1.4, `${border}, ${middle}`)
})

test('a bank of coarser masks is brought to 1 mm, an empty one is refused, and a draw keeps to the limits', async () => {
  const coarse = await lesionBank([balls([6], [0.75, 0.75, 3])])
  assert.ok(Math.abs(coarse.shapes[0].volume / ((4 / 3) * Math.PI * 6 ** 3) - 1) < 0.25, `${coarse.shapes[0].volume}`)
  await assert.rejects(lesionBank([{ ...balls([3]), data: new Uint8Array(27000) }]), RangeError)
  const random = seededRandom(1)
  for (let n = 0; n < 20; n++) assert.equal(drawShape(bank, random, { minMm3: 100, maxMm3: 500 }), bank.shapes[1])
})

test('packed masks are unpacked bit by bit, and a collection cut short is refused', () => {
  const affine = [
    [-1, 0, 0, 90],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ]
  const index = JSON.stringify({ affine, lesions: [{ size: [3, 3, 1], offset: 1, bytes: 2 }] })
  const [mask] = unpackMasks(index, Uint8Array.of(255, 0b10000010, 1), 'lesions.json')
  assert.deepEqual([...mask.data], [0, 1, 0, 0, 0, 0, 0, 1, 1])
  assert.throws(() => unpackMasks(index, Uint8Array.of(255, 1), 'lesions.json'), /lesions.json.*shorter/)
})

for (const [name, shape, spacing] of [
  ['1 mm', [72, 72, 72], [1, 1, 1]],
  ['thick slices', [96, 96, 15], [0.75, 0.75, 5]],
] as const)
  test(`${name}: pasted lesions lie in white matter, keep the scan's own and have the contrast asked for`, () => {
    const given = scan(shape, spacing)
    const options = { count: [6, 6], contrast: [5, 5], ownContrast: 0, darkness: [3, 3], t1Invisible: 0 } as const
    const plain = { ...options, core: 0, halo: 0, edge: [0.5, 0.5] } as const
    const out = pasteLesions(given, bank, plain, seededRandom(3))
    assert.ok(out.lesions.length >= 4, `${out.lesions.length} lesions`)
    let [added, brighter, darker] = [0, 0, 0]
    for (let i = 0; i < out.mask.length; i++) {
      if (given.mask[i] !== 0) assert.ok(out.mask[i] === given.mask[i] && out.flair[i] === given.flair[i])
      else if (out.mask[i] !== 0) {
        added++
        assert.equal(given.whiteMatter[i], 1)
        brighter += out.flair[i] - given.flair[i]
        darker += given.t1![i] - out.t1![i]
      }
      if (given.whiteMatter[i] === 0) assert.equal(out.flair[i], given.flair[i])
    }
    assert.equal(
      added,
      out.lesions.reduce((sum, { voxels }) => sum + voxels, 0),
    )
    // Standard deviation 4, contrast 5 and 3 of them, each lesion's own factor 0.8–1.2.
    assert.ok(brighter / added > 14 && brighter / added < 24, `FLAIR + ${brighter / added}`)
    assert.ok(darker / added > 8.4 && darker / added < 14.4, `T1 − ${darker / added}`)
  })

test("the scan's own contrast is taken where asked for, and T1 can show nothing", () => {
  const given = scan([72, 72, 72], [1, 1, 1])
  const options = { ownContrast: 1, t1Invisible: 1, count: [5, 5] } as const
  const out = pasteLesions(given, bank, options, seededRandom(4))
  const mean = out.lesions.reduce((sum, { contrast }) => sum + contrast / out.lesions.length, 0)
  assert.ok(mean > 4.5 && mean < 8, `${mean}`)
  assert.deepEqual(out.t1, given.t1)
})

test('periventricular lesions reach the ventricle; the same seed gives the same lesions; nothing given is changed', () => {
  const given = scan([72, 72, 72], [1, 1, 1])
  const before = given.flair.slice()
  const options = { count: [5, 5], periventricular: 1, volumeMm3: [200, 2000] } as const
  const out = pasteLesions(given, bank, options, seededRandom(5))
  assert.deepEqual(given.flair, before)
  assert.deepEqual(pasteLesions(given, bank, options, seededRandom(5)), out)
  for (const { centre } of out.lesions) {
    const away = Math.hypot(centre[0] - 35.5, centre[2] - 35.5)
    assert.ok(away > 4.5 && away < 12, `${away} mm from the middle of a ventricle 6 mm wide`)
  }
})

test('no white matter: nothing is pasted; arrays that do not fit are refused', () => {
  const given = scan([40, 40, 40], [2, 2, 2])
  const none = pasteLesions({ ...given, whiteMatter: new Uint8Array(64000) }, bank, {}, seededRandom(1))
  assert.deepEqual([none.lesions, none.mask], [[], given.mask])
  assert.throws(
    () => pasteLesions({ ...given, t1: new Float32Array(5) }, bank, {}, seededRandom(1)),
    /t1 holds 5 values.*64000/,
  )
  const level = whiteMatterLevel(given, given.flair)!
  assert.ok(Math.abs(level.median - 100) < 0.5 && Math.abs(level.sd - 4) < 0.4)
})
