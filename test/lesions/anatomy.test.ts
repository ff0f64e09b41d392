import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anatomyOf } from '../../src/lesions/anatomy.js'
import { translation, type Vec3 } from '../../src/volume/affine.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask } from '../../src/volume/volume.js'

// A box of 80 mm: atlas ventricle of 10×20×14 mm in the middle, the subject's twice as wide; fluid around the brain;
// a cortical shell; a cistern that the subject's ventricle reaches.
const grid: Grid = { dims: [80, 80, 80], affine: translation([-39.5, -39.5, -39.5]) }
const image = (test: (p: Vec3) => boolean): Image => {
  const out = emptyImage(grid)
  let at = 0
  for (let k = 0; k < 80; k++)
    for (let j = 0; j < 80; j++)
      for (let i = 0; i < 80; i++, at++) if (test([i - 39.5, j - 39.5, k - 39.5])) out.data[at] = 1
  return out
}
const mask = (test: (p: Vec3) => boolean): Mask => ({ ...emptyMask(grid), data: Uint8Array.from(image(test).data) })
const box = (x: number, y: number, z: number) => (p: Vec3) =>
  Math.abs(p[0]) < x && Math.abs(p[1]) < y && Math.abs(p[2]) < z

const radius = (p: Vec3) => Math.max(...p.map(Math.abs))
const cistern = (p: Vec3) => Math.abs(p[0]) < 3 && Math.abs(p[1]) < 3 && p[2] < -5 && p[2] > -36
const island = (p: Vec3) => Math.hypot(p[0] - 20, p[1], p[2]) < 3

const study = (subjectVentricle: (p: Vec3) => boolean): PreparedStudy =>
  ({
    grid,
    brain: mask((p) => radius(p) < 38),
    atlas: {
      ventricles: mask(box(5, 10, 7)),
      csf: image((p) => box(5, 10, 7)(p) || radius(p) > 35 || (cistern(p) && p[2] < -20)),
      cortex: image((p) => radius(p) > 28),
      infratentorial: mask((p) => p[2] < -30),
    },
    tissue: {
      csf: image((p) => subjectVentricle(p) || radius(p) > 35 || cistern(p)),
      gm: image((p) => (radius(p) > 31 && radius(p) <= 35) || island(p)),
      wm: image((p) => radius(p) <= 31),
    },
  }) as unknown as PreparedStudy

const holds = ({ data }: Mask, [x, y, z]: Vec3) => data[x + 39.5 + 80 * (y + 39.5 + 80 * (z + 39.5))] === 1

test('ventricles follow the subject where they are wider than the atlas, and stop at the cistern', async () => {
  const { ventricles } = await anatomyOf(study(box(10, 20, 9)))
  assert.ok(holds(ventricles, [0.5, 0.5, 0.5]))
  assert.ok(holds(ventricles, [9.5, 15.5, 0.5]), 'beyond the atlas')
  assert.ok(!holds(ventricles, [12.5, 0.5, 0.5]), 'white matter')
  assert.ok(!holds(ventricles, [0.5, 0.5, -25.5]), 'the cistern below')
  assert.ok(!holds(ventricles, [37.5, 0.5, 0.5]), 'fluid around the brain')
})

test('ventricles too narrow to be seen are taken from the atlas', async () => {
  const { ventricles } = await anatomyOf(study(() => false))
  assert.ok(holds(ventricles, [4.5, 9.5, 6.5]))
})

test('cortex is the ribbon: no island of grey in the white matter, no lesion, no cerebellum', async () => {
  const lesion = mask((p) => p[0] > 31 && p[0] < 33 && Math.abs(p[1]) < 3 && Math.abs(p[2]) < 3)
  const { cortex } = await anatomyOf(study(box(5, 10, 7)), lesion)
  assert.ok(holds(cortex, [33.5, 10.5, 0.5]))
  assert.ok(!holds(cortex, [20.5, 0.5, 0.5]), 'island')
  assert.ok(!holds(cortex, [32.5, 0.5, 0.5]), 'lesion')
  assert.ok(!holds(cortex, [0.5, 0.5, -33.5]), 'infratentorial')
})
