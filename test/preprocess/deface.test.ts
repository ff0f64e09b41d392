import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readNifti, readNiftiMask } from '../../src/formats/nifti.js'
import { facePlane, faceVoxels } from '../../src/preprocess/deface.js'
import { defaced } from '../../src/run/deface.js'
import { importDicom } from '../../src/run/import-dicom.js'
import { apply, identity, type Vec3 } from '../../src/volume/affine.js'
import { emptyMask, type Grid, voxelsIn } from '../../src/volume/volume.js'
import { mprageRecipe } from '../formats/dicom/series.js'
import { writeSeries } from '../run/dicom-result.js'
import { sharedData, skipWithout } from '../shared-data.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-deface-'))
after(() => rmSync(base, { recursive: true, force: true }))
const grid: Grid = { dims: [60, 80, 70], affine: [3, 0, 0, -90, 0, 3, 0, -120, 0, 0, 3, -100, 0, 0, 0, 1] }

test('the plane runs along the underside of the brain, and keeps its distance', () => {
  // A cerebrum, and behind and below it a cerebellum: the hull bridges the two at the front.
  const brain = emptyMask(grid)
  const inside = ([x, y, z]: Vec3) =>
    (x / 65) ** 2 + ((y + 10) / 80) ** 2 + ((z - 10) / 50) ** 2 < 1 || x ** 2 + (y + 50) ** 2 + (z + 45) ** 2 < 30 ** 2
  for (let at = 0; at < brain.data.length; at++) if (inside(placeOf(at))) brain.data[at] = 1
  const plane = facePlane(brain, identity, 10)
  assert.ok(plane.normal[0] > 0.25 && plane.normal[1] < -0.25, String(plane.normal))
  const along = ([, y, z]: Vec3) => plane.normal[0] * y + plane.normal[1] * z
  const nearest = Math.max(...Array.from(voxelsIn(brain), (at) => along(placeOf(at))))
  assert.ok(Math.abs(plane.offset - nearest - 10) < 1e-6, `${plane.offset - nearest} mm`)
  const face = new Set(faceVoxels(grid, plane))
  assert.ok(voxelsIn(brain).every((at) => !face.has(at)))
  const voxelAt = ([x, y, z]: Vec3) => (x + 90) / 3 + 60 * ((y + 120) / 3 + 80 * ((z + 100) / 3))
  // Nose and mouth are cut off; forehead, vertex and nape stay.
  assert.deepEqual(
    (
      [
        [0, 99, -40],
        [0, 84, -79],
        [0, 84, 50],
        [0, 0, 101],
        [0, -111, -61],
      ] as Vec3[]
    ).map((p) => face.has(voxelAt(p))),
    [true, true, false, false, false],
  )
})

function placeOf(at: number): Vec3 {
  return apply(grid.affine, [at % 60, Math.floor(at / 60) % 80, Math.floor(at / 4800)])
}

const head = 'templates/mni152_fsl/MNI152_T1_2mm.nii.gz'
test('of a whole head the face goes and the brain stays, voxel by voxel', { skip: skipWithout(head) }, async () => {
  const bytes = new Uint8Array(readFileSync(sharedData(head)!))
  const [without] = await defaced([{ modality: 't1', nifti: bytes }], 'template')
  const before = (await readNifti(bytes, 'before')).image
  const after = (await readNifti(without, 'after')).image
  const path = sharedData('templates/mni152_fsl/MNI152_T1_2mm_brain_mask_dil.nii.gz')!
  const brain = await readNiftiMask(readFileSync(path), path)
  assert.ok(voxelsIn(brain).every((at) => after.data[at] === before.data[at]))
  assert.ok(after.data.every((value, at) => value === before.data[at] || value === 0))
  const kept = voxelsIn(after).length / voxelsIn(before).length
  assert.ok(kept > 0.85 && kept < 0.99, `${kept}`)
  // The tip of the nose in MNI152.
  const [nx, ny] = before.dims
  const nose = Math.round((90 - 0) / 2) + nx * (Math.round((126 + 84) / 2) + ny * Math.round((72 - 60) / 2))
  assert.ok(before.data[nose] > 0)
  assert.equal(after.data[nose], 0)
})

test('where the brain cannot be found for sure, nothing is written', async () => {
  const cd = writeSeries(join(base, 'cd'), mprageRecipe)
  const out = join(base, 'bids')
  await assert.rejects(
    importDicom({ folder: cd, out, deface: true }),
    (error) => error instanceof InputError && /the face cannot be found for sure|no brain/i.test(error.message),
  )
  await assert.rejects(defaced([], 'nothing'), /has neither FLAIR nor T1/)
})
