import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { readTsv } from '../../src/formats/tsv.js'
import { countVoxels, emptyImage, sameGrid } from '../../src/volume/volume.js'
import { ballOfLabels } from '../simulate/labels.js'
import { lesionwise, type Ran } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'lesionwise-simulate-'))
const labels = join(folder, 'labels.nii.gz')
const out = join(folder, 'set')
const arguments_ = ['--labels', labels, '--subjects', '2', '--visits', '2', '--contrasts', 'flair,t1gd', '--seed', '7']
const options = [...arguments_, '--lesion-ml', '2', '--aligned']
let made: Ran
before(async () => {
  writeFileSync(labels, await writeNifti(ballOfLabels()))
  made = await lesionwise(['simulate', '--out', out, ...options, '--json'])
})
after(() => rm(folder, { recursive: true, force: true }))

const tree = (root: string) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name))
const image = async (name: string) => (await readNifti(readFileSync(join(out, name)), name)).image

test('a data set as BIDS has it, with one JSON value on stdout', () => {
  assert.equal(made.code, 0, made.stderr)
  const { subjects } = JSON.parse(made.stdout) as { subjects: { id: string; visits: { lesions: number }[] }[] }
  assert.deepEqual(
    subjects.map(({ id, visits }) => [id, visits.length]),
    [
      ['sub-01', 2],
      ['sub-02', 2],
    ],
  )
  const files = tree(out)
  for (const name of [
    'dataset_description.json',
    'participants.tsv',
    'sub-02/sub-02_sessions.tsv',
    'sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz',
    'sub-02/ses-02/anat/sub-02_ses-02_ce-gadolinium_T1w.nii.gz',
    'derivatives/truth/dataset_description.json',
    'derivatives/truth/sub-01/ses-01/anat/sub-01_ses-01_label-lesion_mask.nii.gz',
    'derivatives/truth/sub-01/ses-02/anat/sub-01_ses-02_label-change_dseg.nii.gz',
    'derivatives/truth/sub-01/ses-02/anat/sub-01_ses-02_lesions.tsv',
  ])
    assert.ok(files.includes(name), `${name} is missing of ${files.join(' ')}`)
  assert.ok(files.every((name) => !name.includes('ses-01_label-change')))
  const { rows } = readTsv(readFileSync(join(out, 'participants.tsv'), 'utf8'), 'participants.tsv')
  assert.deepEqual([rows.length, rows[0].visits, rows[0].anatomy], [2, '2', 'labels.nii.gz'])
})

test('mask, numbered lesions, table and images agree', async () => {
  const truth = 'derivatives/truth/sub-01/ses-02/anat/sub-01_ses-02_'
  const mask = await image(`${truth}label-lesion_mask.nii.gz`)
  const numbers = await image(`${truth}label-lesion_dseg.nii.gz`)
  const flair = await image('sub-01/ses-02/anat/sub-01_ses-02_FLAIR.nii.gz')
  assert.ok(sameGrid(mask, flair) && sameGrid(mask, ballOfLabels()))
  const { rows } = readTsv(readFileSync(join(out, `${truth}lesions.tsv`), 'utf8'), 'lesions.tsv')
  const ids = new Set([...numbers.data].filter((v) => v !== 0).map(String))
  assert.deepEqual(new Set(rows.map(({ id }) => id)), ids)
  assert.equal(
    rows.reduce((sum, { voxels }) => sum + Number(voxels), 0),
    countVoxels(mask),
  )
})

test('the same seed writes the same bytes', async () => {
  const again = join(folder, 'again')
  assert.equal((await lesionwise(['simulate', '--out', again, ...options, '--quiet'])).code, 0)
  assert.deepEqual(tree(again).sort(), tree(out).sort())
  for (const name of tree(out))
    assert.ok(readFileSync(join(out, name)).equals(readFileSync(join(again, name))), `${name} differs`)
})

test('bad input: one clear line, and nothing written or replaced', async () => {
  const before = tree(out)
  const noise = join(folder, 'noise.nii.gz')
  const half = emptyImage(ballOfLabels())
  half.data.fill(0.5)
  half.data[5] = 0.25
  writeFileSync(noise, await writeNifti(half))
  const fresh = join(folder, 'fresh')
  for (const [code, pattern, ...given] of [
    [2, /holds files already/, '--out', out],
    [2, /--subjects is 0/, '--out', fresh, '--subjects', '0'],
    [2, /"t9" is none; the contrasts are flair, t1/, '--out', fresh, '--contrasts', 'flair,t9'],
    [2, /needs --labels/, '--out', fresh, '--contrasts', 'random'],
    [2, /--slice-thickness is 50/, '--out', fresh, '--slice-thickness', '50'],
    [3, /nowhere\.nii: there is no such file/, '--out', fresh, '--labels', join(folder, 'nowhere.nii')],
    [3, /noise\.nii\.gz: holds values that are no labels/, '--out', fresh, '--labels', noise],
    [3, /no lesion of 3 mm³/, '--out', fresh, '--lesion-bank', join(folder, 'empty.nii.gz')],
  ] as [number, RegExp, ...string[]][]) {
    if (pattern.source.includes('no lesion'))
      writeFileSync(join(folder, 'empty.nii.gz'), await writeNifti({ ...half, data: new Uint8Array(half.data.length) }))
    const ran = await lesionwise(['simulate', ...given])
    assert.equal(ran.code, code, ran.stderr)
    assert.match(ran.stderr, pattern)
    assert.equal(ran.stderr.trim().split('\n').length, 1, ran.stderr)
    assert.ok(!readdirSync(folder).includes('fresh'))
  }
  assert.deepEqual(tree(out), before)
})
