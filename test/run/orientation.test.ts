import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { readNifti } from '../../src/formats/nifti.js'
import { segment } from '../../src/run/segment.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { compose, orientation, translation } from '../../src/volume/affine.js'
import { type Reorientation, reorient, towardsRas } from '../../src/volume/orient.js'
import { countVoxels, type Image, type Mask } from '../../src/volume/volume.js'
import { rotation } from '../generators.js'
import { sharedData, skipWithout } from '../shared-data.js'

/** Axial in four ways, sagittal and coronal in two and one: how scanners and converters store the same scan. */
const stored: Reorientation[] = [
  { from: [0, 1, 2], flip: [false, false, false] },
  { from: [0, 1, 2], flip: [true, true, false] },
  { from: [0, 1, 2], flip: [true, false, false] },
  { from: [0, 1, 2], flip: [false, false, true] },
  { from: [1, 2, 0], flip: [true, true, true] },
  { from: [1, 2, 0], flip: [false, true, false] },
  { from: [0, 2, 1], flip: [false, true, true] },
]

async function lesionsOf(flair: Image, t1: Image | undefined): Promise<Mask> {
  const { mask } = await segment({ flair, ...(t1 ? { t1 } : {}) })
  return mask
}

/** Dice of the lesions of each stored form, and of the head lying askew in its scanner, with those of the first. */
async function agreement(flair: Image, t1?: Image): Promise<[string, number][]> {
  const upright = reorient(flair, towardsRas(flair.affine))
  let first: Mask | undefined
  const found: [string, number][] = []
  for (const [n, how] of stored.entries()) {
    const again = reorient(upright, how)
    // The T1 stored another way again: the two need not agree.
    const other = t1 && reorient(t1, stored[(n + 3) % stored.length])
    const mask = await lesionsOf(again, other)
    assert.deepEqual(mask.dims, again.dims)
    const back = reorient(mask, towardsRas(mask.affine))
    first ??= back
    found.push([orientation(again.affine), dice(first, back)])
  }
  const askew = compose(translation([12, -8, 20]), rotation(0, 0.15), rotation(2, -0.2))
  const turn = <T extends Image>(image: T): T => ({ ...image, affine: compose(askew, image.affine) })
  const oblique = await lesionsOf(turn(upright), t1 && turn(t1))
  found.push(['oblique', dice(first!, { ...oblique, affine: first!.affine })])
  assert.ok(countVoxels(first!) > 20)
  return found
}

test('a scan stored in eight orientations gives the same lesions (synthetic FLAIR)', async () => {
  const { flair } = await simulateStudy({ seed: 5, pixelMm: 1.8, sliceMm: 5, lesionMl: 15 })
  const found = await agreement(flair)
  assert.equal(new Set(found.map(([name]) => name)).size, 8)
  for (const [name, overlap] of found) assert.ok(overlap >= 0.98, `${name}: Dice ${overlap}`)
})

test('a raw clinical visit stored in eight orientations gives the same lesions', {
  skip: skipWithout('ljubljana-long'),
}, async (t) => {
  const anat = `${sharedData('ljubljana-long')}/sub-01/ses-1/anat/sub-01_ses-1`
  const load = async (kind: string) => (await readNifti(readFileSync(`${anat}_${kind}.nii.gz`), kind)).image
  const found = await agreement(await load('FLAIR'), await load('T1w'))
  t.diagnostic(found.map(([name, overlap]) => `${name} ${overlap.toFixed(4)}`).join(', '))
  for (const [name, overlap] of found) assert.ok(overlap >= 0.98, `${name}: Dice ${overlap}`)
})
