import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { InputError, UsageError } from '../../src/errors.js'
import { writeNifti } from '../../src/formats/nifti.js'
import { readImage, visitFrom } from '../../src/run/inputs.js'
import { waves } from '../generators.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-inputs-'))
after(() => rmSync(base, { recursive: true, force: true }))
const file = (name: string, content: Uint8Array | string = 'x') => {
  const path = join(base, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

test('a visit is found by the names in its folder', async () => {
  for (const name of [
    'sub-01_ses-1_FLAIR.nii.gz',
    'sub-01_ses-1_T1w.nii.gz',
    'sub-01_ses-1_ce-gadolinium_T1w.nii.gz',
    'sub-01_ses-1_T2w.nii',
    'sub-01_label-lesion_FLAIR_mask.nii.gz',
    'sub-01_T1w.json',
  ])
    file(`bids/anat/${name}`)
  const visit = await visitFrom(join(base, 'bids'))
  assert.deepEqual(Object.keys(visit).sort(), ['flair', 't1', 't1gd', 't2'])
  assert.ok(visit.t1!.endsWith('ses-1_T1w.nii.gz') && !visit.t1!.includes('gadolinium'))
  assert.deepEqual(await visitFrom('flair=a b.nii,t1=c.nii'), { flair: 'a b.nii', t1: 'c.nii' })
})

test('a visit that is unclear says so', async () => {
  file('two/FLAIR_a.nii')
  file('two/FLAIR_b.nii')
  file('none/readme.txt')
  await assert.rejects(visitFrom(join(base, 'two')), /two FLAIR images \(FLAIR_a\.nii and FLAIR_b\.nii\); name the one/)
  await assert.rejects(visitFrom(join(base, 'none')), InputError)
  await assert.rejects(visitFrom(join(base, 'nowhere')), InputError)
  await assert.rejects(visitFrom('swan=a.nii'), UsageError)
})

test('an image comes with its hash and geometry, and without its path unless it is asked for', async () => {
  const path = file(
    'img/FLAIR.nii.gz',
    await writeNifti(waves([5, 6, 7], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])),
  )
  const { about, sha256 } = await readImage(path, 'flair')
  assert.match(sha256, /^[0-9a-f]{64}$/)
  assert.deepEqual([about.dims, about.voxelSizeMm, about.orientation, about.path], [[5, 6, 7], [1, 1, 2], 'RAS', path])
})

test('a missing file is answered with names that are near', async () => {
  await assert.rejects(
    readImage(join(base, 'img', 'FLAIR.nii'), 'flair'),
    /there is no such file; did you mean FLAIR\.nii\.gz\?/,
  )
  await assert.rejects(readImage(join(base, 'img', 'T1.nii'), 't1'), /the folder holds FLAIR\.nii\.gz/)
  await assert.rejects(readImage(join(base, 'gone', 'T1.nii'), 't1'), /the folder .*gone is not there either/)
  await assert.rejects(readImage(base, 't1'), /is a folder, not an image/)
})
