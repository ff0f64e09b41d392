import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { readItkAffine } from '../../src/formats/itk.js'
import { readNifti, readNiftiMask } from '../../src/formats/nifti.js'
import { loadAtlas } from '../../src/preprocess/atlas.js'
import { extractBrain, findBrain } from '../../src/preprocess/brain.js'
import { register } from '../../src/preprocess/register.js'
import { type Affine, compose, invert, translation } from '../../src/volume/affine.js'
import { resampleMask } from '../../src/volume/resample.js'
import { type Image, type Mask, volumeMl } from '../../src/volume/volume.js'
import { phantomBrain, phantomGrid, phantomImage, phantomLabels } from '../phantom.js'
import { sharedData, skipWithout } from '../shared-data.js'

const labels = phantomLabels()
/** The phantom's own brain as atlas; its tissue ends at rho 0.95, its fluid at 1. */
const atlas = {
  brain: phantomBrain(),
  ventricles: { ...labels, data: labels.data.map((v, i) => (v === 1 && deep(i) ? 1 : 0)) } as Mask,
}
const t1 = phantomImage({ contrast: 't1', head: true, seed: 1 })
const flair = phantomImage({ contrast: 'flair', head: true, seed: 1 })
const tissueOnly: Mask = { ...labels, data: labels.data.map((v, i) => (v >= 2 || (v === 1 && deep(i)) ? 1 : 0)) }

test('the brain of a head, from an atlas that is 7 mm off and 8 % too large', async () => {
  const off = compose(translation([4, -3, 5]), [1.08, 0, 0, 0, 0, 1.08, 0, 0, 0, 0, 1.08, 0, 0, 0, 0, 1])
  for (const images of [{ t1 }, { flair }, { t1, flair }]) {
    const { mask, toAtlas } = await findBrain(images, atlas, off)
    // the edge lies between that of the tissue (rho 0.95) and that of the fluid (rho 1)
    for (const reference of [tissueOnly, phantomBrain()]) {
      const overlap = dice(mask, reference)
      assert.ok(overlap > 0.945, `${Object.keys(images)}: Dice ${overlap.toFixed(3)}`)
    }
    // the phantom's tissue is 95 % of the atlas's brain: the map is corrected to that
    assert.ok(Math.abs(toAtlas[0] - 1 / 0.95) < 0.04, `scale ${toAtlas[0]}`)
    assert.ok(Math.hypot(toAtlas[3], toAtlas[7], toAtlas[11]) < 2.5)
  }
})

test('thick slices hold the same brain', async () => {
  const thick = everyThirdSlice(flair)
  const mask = await extractBrain({ flair: thick }, atlas, translation([0, 0, 0]))
  assert.deepEqual(mask.dims, thick.dims)
  const [ours, isotropic] = [volumeMl(mask), volumeMl(await extractBrain({ flair }, atlas, translation([0, 0, 0])))]
  assert.ok(Math.abs(ours / isotropic - 1) < 0.04, `${ours} ml, ${isotropic} ml from thin slices`)
})

test('a stripped brain stays whole', async () => {
  const brain = phantomBrain()
  const stripped = { ...flair, data: flair.data.map((v, i) => (tissueOnly.data[i] ? v : 0)) }
  const mask = await extractBrain({ flair: stripped }, atlas, translation([0, 0, 0]))
  assert.ok(dice(mask, tissueOnly) > 0.99)
  assert.ok(volumeMl(mask) < volumeMl(brain))
})

const long = 'ljubljana-long/'
test('a whole head of the clinic against its authors’ mask', { skip: skipWithout(long), timeout: 60_000 }, async () => {
  const authors = `${long}derivatives/authors/sub-01/`
  const visit = `${long}sub-01/ses-1/anat/sub-01_ses-1_`
  const image = (name: string) => readNifti(readFileSync(sharedData(name)!), name).then((read) => read.image)
  const map = (name: string): Affine => readItkAffine(readFileSync(sharedData(name)!, 'utf8'), name)
  const [flair, t1] = [await image(`${visit}FLAIR.nii.gz`), await image(`${visit}T1w.nii.gz`)]
  const whole = await loadAtlas()
  const { map: toAtlas } = await register(t1, whole.t1, { dof: 12, seed: 1 })
  const fromFlair = compose(toAtlas, map(`${authors}ses-1/from-FLAIR_to-T1w.txt`))
  const mask = await extractBrain({ flair }, whole, fromFlair)
  const path = `${authors}sub-01_space-common_desc-brain_mask.nii.gz`
  const reference = await resampleMask(await readNiftiMask(readFileSync(sharedData(path)!), path), flair, {
    map: invert(map(`${authors}ses-1/from-common_to-FLAIR.txt`)),
    method: 'linear',
  })
  const overlap = dice(mask, reference)
  assert.ok(overlap > 0.94, `Dice ${overlap.toFixed(3)}`)
})

/** True in the middle of the phantom, where fluid is ventricle. */
function deep(index: number): boolean {
  const [nx, ny] = phantomGrid.dims
  const [i, j, k] = [index % nx, Math.floor(index / nx) % ny, Math.floor(index / (nx * ny))]
  return Math.abs(i - 39.5) < 12 && Math.abs(j - 47.5) < 15 && Math.abs(k - 39.5) < 10
}

function everyThirdSlice({ dims: [nx, ny, nz], affine, data }: Image): Image {
  const slices = Math.floor(nz / 3)
  const out = new Float32Array(nx * ny * slices)
  for (let k = 0; k < slices; k++) out.set(data.subarray((3 * k + 1) * nx * ny, (3 * k + 2) * nx * ny), k * nx * ny)
  return {
    dims: [nx, ny, slices],
    affine: compose(affine, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 1, 0, 0, 0, 1]),
    data: out,
  }
}
