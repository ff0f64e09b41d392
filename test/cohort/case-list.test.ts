import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { readCases } from '../../src/cohort/case-list.js'
import { InputError } from '../../src/errors.js'
import { sharedData, skipWithout } from '../shared-data.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-cases-'))
after(() => rmSync(base, { recursive: true, force: true }))

let lists = 0
/** A list of its own folder. */
function list(...lines: string[]): string {
  const folder = join(base, `list-${lists++}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'cases.tsv'), `${lines.join('\n')}\n`)
  return join(folder, 'cases.tsv')
}

/** A folder with files that have a name and nothing else. */
function tree(name: string, files: readonly string[]): string {
  for (const file of files) {
    mkdirSync(dirname(join(base, name, file)), { recursive: true })
    writeFileSync(join(base, name, file), '')
  }
  return join(base, name)
}

test('a list: paths beside it, groups, several raters, and what has no mask is left out', async () => {
  const path = list(
    'id\tflair\tt1\tmask\tmask2\tgroup\tage',
    'a\tA.nii\tA_t1.nii\tA_m.nii\tA_m2.nii\tp\t31',
    'b\tB.nii\tn/a\tB_m.nii\tn/a\tp\t32',
    'c\tC.nii\t\tn/a\t\t\t33',
  )
  const { cases, leftOut } = await readCases(path)
  const beside = (name: string) => join(dirname(path), name)
  assert.deepEqual(cases, [
    {
      id: 'a',
      group: 'p',
      images: { flair: beside('A.nii'), t1: beside('A_t1.nii') },
      masks: [beside('A_m.nii'), beside('A_m2.nii')],
    },
    { id: 'b', group: 'p', images: { flair: beside('B.nii') }, masks: [beside('B_m.nii')] },
  ])
  assert.deepEqual(leftOut, [{ id: 'c', reason: 'no reference mask' }])
})

test('a list without masks takes them from a folder; without ids and groups each line stands alone', async () => {
  const masks = tree('masks', ['a_mask.nii.gz', 'deep/case-2.nii.gz', 'a/other.txt', 'ab.nii.gz'])
  const named = await readCases(list('id\tflair', 'a\tA.nii'), masks)
  assert.deepEqual(named.cases[0].masks, [join(masks, 'a_mask.nii.gz')])
  const bare = await readCases(list('flair\tmask', 'A.nii\tM.nii', 'B.nii\tN.nii'))
  assert.deepEqual(
    bare.cases.map(({ id, group }) => [id, group]),
    [
      ['case-1', 'case-1'],
      ['case-2', 'case-2'],
    ],
  )
})

test('where a scan comes from: a column of the list, or participants.tsv in BIDS', async () => {
  const named = await readCases(list('id\tflair\tmask\tsite', 'a\tA.nii\tM.nii\tRome', 'b\tB.nii\tM.nii\tn/a'))
  assert.deepEqual(
    named.cases.map(({ centre }) => centre),
    ['Rome', undefined],
  )
  const root = tree('centres', [
    'sub-1/anat/sub-1_FLAIR.nii.gz',
    'sub-2/anat/sub-2_FLAIR.nii.gz',
    'derivatives/expert/sub-1/anat/sub-1_label-lesion_mask.nii.gz',
    'derivatives/expert/sub-2/anat/sub-2_label-lesion_mask.nii.gz',
  ])
  writeFileSync(join(root, 'participants.tsv'), 'participant_id\tcentre\nsub-1\tBasel\n')
  const { cases } = await readCases(root)
  assert.deepEqual(
    cases.map(({ centre }) => centre),
    ['Basel', undefined],
  )
})

test('a BIDS folder: sessions, the subject as group, only lesion masks, and visits that cannot be told', async () => {
  const root = tree('bids', [
    'sub-1/ses-1/anat/sub-1_ses-1_FLAIR.nii.gz',
    'sub-1/ses-1/anat/sub-1_ses-1_T1w.nii.gz',
    'sub-1/ses-2/anat/sub-1_ses-2_FLAIR.nii.gz',
    'sub-10/anat/sub-10_FLAIR.nii.gz',
    'sub-2/anat/sub-2_run-1_FLAIR.nii.gz',
    'sub-2/anat/sub-2_run-2_FLAIR.nii.gz',
    'derivatives/expert/sub-1/ses-1/anat/sub-1_ses-1_label-lesion_mask.nii.gz',
    'derivatives/expert/sub-1/ses-1/anat/sub-1_ses-1_label-ventricles_mask.nii.gz',
    'derivatives/expert/sub-10/anat/sub-10_desc-brain_mask.nii.gz',
    'derivatives/expert/sub-2/anat/sub-2_label-lesion_mask.nii.gz',
  ])
  const { cases, leftOut } = await readCases(root)
  assert.deepEqual(
    cases.map(({ id, group, masks }) => [id, group, masks.length]),
    [
      ['sub-1_ses-1', 'sub-1', 1],
      ['sub-2', 'sub-2', 1],
    ],
  )
  assert.deepEqual(Object.keys(cases[0].images), ['flair', 't1'])
  assert.match(cases[1].problem?.message ?? '', /holds two FLAIR images/)
  assert.deepEqual(
    leftOut.map(({ id }) => id),
    ['sub-1_ses-2', 'sub-10'],
  )
})

test('the real layouts are understood', { skip: skipWithout('mslesseg') }, async () => {
  const count = async (name: string) => (await readCases(sharedData(name)!)).cases.length
  assert.deepEqual([await count('ljubljana'), await count('mslesseg'), await count('tabriz')], [2, 4, 9])
  const { cases } = await readCases(sharedData('mslesseg')!)
  assert.deepEqual([...new Set(cases.map(({ group }) => group))], ['sub-14', 'sub-18'])
})

test('what cannot be a list of cases is refused with the reason', async () => {
  const bad: [string, RegExp][] = [
    [list('id\tflair', 'a\tA.nii'), /no column "mask" \(its columns are id, flair\)/],
    [list('id\tmask', 'a\tM.nii'), /no column of images/],
    [list('id\tflair\tmask'), /holds no case/],
    [list('id\tflair\tmask', 'a\tA.nii\tn/a'), /no case can be scored \(a: no reference mask\)/],
    [list('id\tflair\tmask', 'a\tA.nii\tM.nii', 'a\tB.nii\tN.nii'), /the id "a" is there twice/],
    [list('id\tflair\tmask', 'a\tA.nii\tM.nii', 'A\tB.nii\tN.nii'), /"a" and "A" differ in case only/],
    [list('id\tflair\tmask', '../a\tA.nii\tM.nii'), /cannot be the name of a folder/],
    [tree('nothing', ['readme.txt']), /holds no case/],
    [join(base, 'missing.tsv'), /no such file or folder/],
  ]
  for (const [path, message] of bad)
    await assert.rejects(readCases(path), (error) => {
      assert.ok(error instanceof InputError)
      assert.ok(error.message.startsWith(path))
      assert.match(error.message, message)
      return true
    })
})
