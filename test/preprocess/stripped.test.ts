import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readNifti } from '../../src/formats/nifti.js'
import { isStripped, strippedFigures } from '../../src/preprocess/brain.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomImage, phantomLabels } from '../phantom.js'
import { sharedData, skipWithout } from '../shared-data.js'

test('a head is not stripped, not even with its air set to zero; the brain cut out of it is', () => {
  for (const contrast of ['t1', 'flair'] as const) {
    const head = phantomImage({ contrast, head: true, seed: 1 })
    const labels = phantomLabels(true).data
    const brain = phantomLabels().data
    const only = (where: Uint8Array, outside = 0): Image => ({
      ...head,
      data: head.data.map((v, i) => (where[i] ? v : outside)),
    })
    assert.equal(isStripped(head), false, contrast)
    assert.equal(isStripped(only(labels)), false, `${contrast}, air zero`)
    assert.equal(isStripped(only(brain)), true, contrast)
    assert.equal(isStripped(only(brain, Number.NaN)), true, `${contrast}, outside NaN`)
  }
})

test('z-scores of a stripped image: the background is no zero', () => {
  const image = phantomImage({ contrast: 't1', seed: 1 })
  const brain = phantomLabels().data
  const scores = { ...image, data: image.data.map((v, i) => ((brain[i] ? v : 0) - 95) / 20) }
  const { stripped, background } = strippedFigures(scores)
  assert.ok(stripped)
  assert.ok(Math.abs(background + 4.75) < 1e-6)
})

test('an empty image is not stripped', () => {
  assert.equal(isStripped({ ...phantomImage({ contrast: 't1' }), data: new Float32Array(80 * 96 * 80) }), false)
})

const scans: [path: string, stripped: boolean][] = [
  ['ljubljana-long/sub-01/ses-1/anat/sub-01_ses-1_FLAIR.nii.gz', false],
  ['ljubljana-long/sub-03/ses-2/anat/sub-03_ses-2_T1w.nii.gz', false],
  ['ljubljana-long/sub-19/ses-2/anat/sub-19_ses-2_FLAIR.nii.gz', false],
  ['tabriz/sub-08/anat/sub-08_FLAIR.nii.gz', true],
  ['tabriz/sub-04/anat/sub-04_T1w.nii.gz', true],
  ['ljubljana/sub-19/anat/sub-19_space-MNI152_T1w.nii.gz', true],
  ['mslesseg/sub-14/ses-2/anat/sub-14_ses-2_space-MNI152_T1w.nii.gz', true],
  ['nih-pair/sub-01/ses-1/anat/sub-01_ses-1_desc-znorm_FLAIR.nii.gz', true],
]
for (const [path, expected] of scans)
  test(`${path} is ${expected ? '' : 'not '}stripped`, { skip: skipWithout(path) }, async () => {
    const { image } = await readNifti(readFileSync(sharedData(path)!), path)
    assert.equal(isStripped(image), expected)
  })
