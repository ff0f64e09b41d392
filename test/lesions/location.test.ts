import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLesions } from '../../src/lesions/instances.js'
import { type Anatomy, locateLesions, locationRules } from '../../src/lesions/location.js'
import { compose, scaling, translation, type Vec3, voxelSizes } from '../../src/volume/affine.js'
import { type Reorientation, reorient } from '../../src/volume/orient.js'
import { emptyMask, type Grid, type Mask } from '../../src/volume/volume.js'

// A box-shaped brain of 60×60×60 mm around the origin: a ventricle in the middle, a cortical shell, and the lowest
// 12 mm as brainstem and cerebellum.
const fine: Grid = { dims: [60, 60, 60], affine: translation([-29.5, -29.5, -29.5]) }
const thick: Grid = { dims: [60, 60, 10], affine: compose(translation([-29.5, -29.5, -27]), scaling([1, 1, 6])) }

function fill(grid: Grid, inside: (p: Vec3) => boolean): Mask {
  const mask = emptyMask(grid)
  const { dims, affine } = grid
  let at = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++)
        if (inside([affine[0] * i + affine[3], affine[5] * j + affine[7], affine[10] * k + affine[11]]))
          mask.data[at] = 1
  return mask
}

const anatomyOn = (grid: Grid): Anatomy => ({
  ventricles: fill(grid, ([x, y, z]) => Math.abs(x) < 5 && Math.abs(y) < 10 && Math.abs(z) < 9),
  cortex: fill(grid, (p) => Math.max(...p.map(Math.abs)) > 26),
  infratentorial: fill(grid, ([, , z]) => z < -18),
})

const ball = (grid: Grid, centre: Vec3, radius: number): Mask =>
  fill(grid, (p) => Math.hypot(...p.map((x, axis) => x - centre[axis])) <= radius + 1e-6)

async function locate(mask: Mask, anatomy: Anatomy, rule?: (typeof locationRules)['clinical']) {
  const { lesions, labels } = findLesions(mask)
  return await locateLesions(lesions, labels, anatomy, rule)
}

test('a ball at 0 and 1 mm from the ventricle is periventricular, at 2 and 4 mm it is not', async () => {
  const anatomy = anatomyOn(fine)
  for (const [gap, location] of [
    [0, 'periventricular'],
    [1, 'periventricular'],
    [2, 'subcortical'],
    [4, 'subcortical'],
  ] as const) {
    // The ventricle's last voxel is centred at 4.5 mm; the ball's first is at 8.5 + gap − 3.
    const [lesion] = await locate(ball(fine, [8.5 + gap, 0.5, 0.5], 3), anatomy)
    assert.equal(lesion.ventricleGapMm, gap)
    assert.equal(lesion.location, location, `${gap} mm`)
  }
})

test('gaps are in mm whatever the slice thickness', async () => {
  const anatomy = anatomyOn(thick)
  const place = async (mask: Mask) => (await locate(mask, anatomy))[0]
  const inPlane = await place(fill(thick, ([x, y, z]) => x > 7 && x < 12 && Math.abs(y) < 3 && Math.abs(z - 3) < 1))
  assert.equal(inPlane.ventricleGapMm, 2)
  assert.equal(inPlane.location, 'subcortical')
  const sliceAbove = await place(fill(thick, ([x, y, z]) => Math.abs(x) < 3 && Math.abs(y) < 3 && z === 9))
  assert.equal(sliceAbove.ventricleGapMm, 0)
  const twoAbove = await place(fill(thick, ([x, y, z]) => Math.abs(x) < 3 && Math.abs(y) < 3 && z === 15))
  assert.equal(twoAbove.ventricleGapMm, 6)
})

test('each region has its lesions, and the order of the rule settles those that touch two', async () => {
  const anatomy = anatomyOn(fine)
  const classOf = async (mask: Mask, rule?: (typeof locationRules)['clinical']) => {
    const [{ location, touches }] = await locate(mask, anatomy, rule)
    return [location, touches]
  }
  assert.deepEqual(await classOf(ball(fine, [23.5, 0.5, 5.5], 2)), ['juxtacortical', ['juxtacortical']])
  assert.deepEqual(await classOf(ball(fine, [16.5, 0.5, 5.5], 2)), ['subcortical', ['subcortical']])
  assert.deepEqual(await classOf(ball(fine, [0.5, 0.5, -21.5], 2)), ['infratentorial', ['infratentorial']])
  const both = fill(fine, ([x, y, z]) => Math.abs(x) < 2 && Math.abs(y) < 2 && z < -9 && z > -24)
  // 6 of its 15 slices lie in the infratentorial mask: less than half.
  assert.deepEqual(await classOf(both), ['periventricular', ['periventricular', 'infratentorial']])
  const mostlyBelow = fill(fine, ([x, y, z]) => Math.abs(x) < 2 && Math.abs(y) < 2 && z < -10 && z > -27)
  assert.deepEqual(await classOf(mostlyBelow), [
    'infratentorial',
    ['infratentorial', 'periventricular', 'juxtacortical'],
  ])
  assert.deepEqual(await classOf(mostlyBelow, locationRules['lst-ai']), [
    'juxtacortical',
    ['juxtacortical', 'infratentorial'],
  ])
  assert.equal((await classOf(both, locationRules['lst-ai']))[0], 'periventricular')
})

test('classes and gaps stay when the axes are turned, flipped, or the anatomy lies on another grid', async () => {
  const mask = emptyMask(fine)
  for (const part of [
    ball(fine, [9.5, 0.5, 0.5], 3),
    ball(fine, [23.5, 12.5, 5.5], 2),
    ball(fine, [16.5, -12.5, 5.5], 2.5),
    ball(fine, [0.5, 0.5, -23.5], 2),
  ])
    part.data.forEach((v, i) => {
      if (v) mask.data[i] = 1
    })
  const anatomy = anatomyOn(fine)
  const facts = (list: Awaited<ReturnType<typeof locate>>) =>
    list.map((l) => [l.location, l.touches?.join(), l.ventricleGapMm?.toFixed(4), l.cortexGapMm?.toFixed(4)])
  const plain = facts(await locate(mask, anatomy))
  assert.deepEqual(plain.map(([location]) => location).sort(), [
    'infratentorial',
    'juxtacortical',
    'periventricular',
    'subcortical',
  ])
  const turn: Reorientation = { from: [1, 2, 0], flip: [true, false, true] }
  const turned = reorient(mask, turn)
  assert.deepEqual(facts(await locate(turned, anatomy)), plain, 'anatomy as it was')
  const all = Object.fromEntries(Object.entries(anatomy).map(([name, m]) => [name, reorient(m as Mask, turn)]))
  assert.deepEqual(facts(await locate(turned, all as unknown as Anatomy)), plain, 'anatomy turned too')
})

test('without ventricles in the mask nothing is periventricular', async () => {
  const anatomy = { ...anatomyOn(fine), ventricles: emptyMask(fine) }
  const [lesion] = await locate(ball(fine, [8.5, 0.5, 0.5], 3), anatomy)
  assert.deepEqual([lesion.location, lesion.ventricleGapMm], ['subcortical', Number.POSITIVE_INFINITY])
  assert.deepEqual(voxelSizes(fine.affine), [1, 1, 1])
})
