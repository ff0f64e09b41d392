import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { caseName, pairCases, readCaseList } from '../../src/run/cases.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-cases-'))
after(() => rmSync(base, { recursive: true, force: true }))
let folders = 0

/** A folder with empty files of these names: pairing reads no voxels. */
function tree(...names: string[]): string {
  const folder = join(base, `tree-${folders++}`)
  mkdirSync(folder)
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), '')
  }
  return folder
}

const paired = async (...of: string[]): Promise<Record<string, (string | undefined)[]>> =>
  Object.fromEntries(
    (await pairCases(of)).cases.map(({ id, files }) => [
      id,
      files.map((file, i) => file && relative(of[i].split('*')[0], file)),
    ]),
  )

const refused = async (words: RegExp, ...of: string[]) =>
  await assert.rejects(pairCases(of), (error) => {
    assert.ok(error instanceof InputError, String(error))
    assert.match(error.message, words)
    assert.ok(!error.message.includes('\n'))
    return true
  })

test('cases are told by BIDS entities, in names or in folders, wherever the masks lie', async () => {
  const reference = tree(
    'sub-01/ses-1/anat/sub-01_ses-1_space-MNI152_label-lesion_mask.nii.gz',
    'sub-01/ses-2/anat/sub-01_ses-2_space-MNI152_label-lesion_mask.nii.gz',
    'sub-02/ses-1/anat/sub-02_ses-1_space-MNI152_label-lesion_mask.nii.gz',
    'dataset_description.json',
  )
  const candidate = tree('sub-02_ses-1.nii', 'sub-01/ses-1/lesion_mask.nii.gz', 'sub-01/ses-2/lesion_mask.nii.gz')
  assert.deepEqual(await paired(reference, candidate), {
    'sub-01_ses-1': [
      'sub-01/ses-1/anat/sub-01_ses-1_space-MNI152_label-lesion_mask.nii.gz',
      'sub-01/ses-1/lesion_mask.nii.gz',
    ],
    'sub-01_ses-2': [
      'sub-01/ses-2/anat/sub-01_ses-2_space-MNI152_label-lesion_mask.nii.gz',
      'sub-01/ses-2/lesion_mask.nii.gz',
    ],
    'sub-02_ses-1': ['sub-02/ses-1/anat/sub-02_ses-1_space-MNI152_label-lesion_mask.nii.gz', 'sub-02_ses-1.nii'],
  })
})

test('what only says that it is a mask does not count, and of a mask called so the folder does', async () => {
  assert.deepEqual(await paired(tree('P1_MASK.nii.gz', 'P10_mask.nii'), tree('P1-seg.nii.gz', 'P10.lesion.nii.gz')), {
    P1: ['P1_MASK.nii.gz', 'P1-seg.nii.gz'],
    P10: ['P10_mask.nii', 'P10.lesion.nii.gz'],
  })
  assert.deepEqual(await paired(tree('Patient_07/Masks/Consensus.nii.gz'), tree('Patient_07/lesion_mask.nii.gz')), {
    Patient_07: ['Patient_07/Masks/Consensus.nii.gz', 'Patient_07/lesion_mask.nii.gz'],
  })
  for (const [file, name] of [
    ['a/013_ground_truth.nii.gz', '013'],
    ['training01_02_mask1.nii', 'training01_02'],
    ['x/sub-03_ses-b_run-2_desc-x_mask.nii.gz', 'sub-03_ses-b_run-2'],
    ['mask.nii.gz', 'mask'],
  ])
    assert.equal(caseName(file), name)
})

test('brains, ventricles, probabilities and images beside the masks are not taken for masks', async () => {
  const expert = tree(
    'sub-01/anat/sub-01_label-lesion_mask.nii.gz',
    'sub-01/anat/sub-01_label-ventricles_mask.nii.gz',
    'sub-01/anat/sub-01_desc-brain_mask.nii.gz',
    'sub-01/anat/sub-01_FLAIR.nii.gz',
  )
  const segmented = tree(
    'sub-01/lesion_mask.nii.gz',
    'sub-01/lesion_probability.nii.gz',
    'sub-01/lesion_instances.nii.gz',
    'sub-01/brain_mask.nii.gz',
    'sub-01/.lesionwise-new-7/lesion_mask.nii.gz',
  )
  assert.deepEqual(await paired(expert, segmented), {
    'sub-01': ['sub-01/anat/sub-01_label-lesion_mask.nii.gz', 'sub-01/lesion_mask.nii.gz'],
  })
  // T1 and T2 are visits here.
  assert.deepEqual(Object.keys(await paired(tree('P1_T1.nii', 'P1_T2.nii', 'P2.nii'), tree('P1_T1.nii'))), [
    'P1_T1',
    'P1_T2',
    'P2',
  ])
  // Where there is nothing else, they are what is meant (with --threshold).
  assert.deepEqual(await paired(tree('sub-01.nii'), tree('sub-01_label-lesion_probseg.nii.gz')), {
    'sub-01': ['sub-01.nii', 'sub-01_label-lesion_probseg.nii.gz'],
  })
})

test('a session that one side does not name is the only one, or the pair is refused', async () => {
  assert.deepEqual(await paired(tree('sub-01.nii'), tree('sub-01_ses-1.nii')), {
    'sub-01': ['sub-01.nii', 'sub-01_ses-1.nii'],
  })
  assert.deepEqual(await paired(tree('sub-01_ses-1.nii'), tree('sub-01.nii')), {
    'sub-01_ses-1': ['sub-01_ses-1.nii', 'sub-01.nii'],
  })
  await refused(
    /sub-01_ses-2.nii: both this and .*sub-01_ses-1.nii/,
    tree('sub-01.nii'),
    tree('sub-01_ses-1.nii', 'sub-01_ses-2.nii'),
  )
  await refused(/both this and/, tree('sub-01_ses-1.nii', 'sub-01_ses-2.nii'), tree('sub-01.nii'))
  const { cases, extra } = await pairCases([
    tree('sub-01_ses-1.nii', 'sub-02.nii'),
    tree('sub-01_ses-2.nii', 'sub-02.nii'),
  ])
  assert.equal(cases[0].files[1], undefined, 'two sessions that are named are two')
  assert.deepEqual(extra[1], ['sub-01_ses-2'])
})

test('missing and extra cases are told, and numbers sort as numbers', async () => {
  const { cases, extra } = await pairCases([
    tree('case2.nii', 'case10.nii', 'case1.nii'),
    tree('case2_seg.nii', 'case7_seg.nii', 'case10_seg.nii'),
    tree('case1.nii'),
  ])
  assert.deepEqual(
    cases.map(({ id, files }) => [id, ...files.slice(1).map((file) => file !== undefined)]),
    [
      ['case1', false, true],
      ['case2', true, false],
      ['case10', true, false],
    ],
  )
  assert.deepEqual(extra, [[], ['case7'], []])
})

test('two masks of one case, empty folders and folders of other cases are refused, naming both', async () => {
  await refused(
    /a_seg\.nii: both this and .*a_mask\.nii can be the mask of the case a/,
    tree('a.nii'),
    tree('a_mask.nii', 'a_seg.nii'),
  )
  await refused(
    /both this and/,
    tree('sub-01_space-FLAIR_mask.nii', 'sub-01_space-MNI152_mask.nii'),
    tree('sub-01.nii'),
  )
  await refused(/tree-\d+: holds no \.nii or \.nii\.gz file/, tree('a.nii'), tree('notes.txt'))
  await refused(/there is no such folder/, tree('a.nii'), join(base, 'nowhere'))
  await refused(
    /none of its masks \(x, y\) belongs to a case of .* \(a, b\)/,
    tree('a.nii', 'b.nii'),
    tree('x.nii', 'y.nii'),
  )
})

test('a pattern takes the files that fit it, and its stars are the name', async () => {
  const raters = tree(
    'training01_01_mask1.nii',
    'training01_01_mask2.nii',
    'training01_02_mask1.nii',
    'training01_02_mask2.nii',
  )
  const candidates = tree('training01_01/out.nii', 'training01_02/out.nii')
  assert.deepEqual(
    await paired(join(raters, '*_mask1.nii'), join(raters, '*_mask2.nii'), join(candidates, '*/out.nii')),
    {
      training01_01: ['training01_01_mask1.nii', 'training01_01_mask2.nii', 'training01_01/out.nii'],
      training01_02: ['training01_02_mask1.nii', 'training01_02_mask2.nii', 'training01_02/out.nii'],
    },
  )
  await refused(/no \.nii or \.nii\.gz file fits it/, join(raters, '*_mask3.nii'), candidates)
})

test('links are followed, but not in circles', async () => {
  const masks = tree('case1.nii')
  const linked = tree('note.txt')
  symlinkSync(masks, join(linked, 'masks'))
  symlinkSync(linked, join(linked, 'again'))
  assert.deepEqual((await paired(masks, linked)).case1, ['case1.nii', 'masks/case1.nii'])
})

test('lists name ids and paths beside the list; what is wrong in them is said', async () => {
  const folder = tree('a.nii')
  const list = join(folder, 'cases.tsv')
  writeFileSync(list, 'id\treference\tcandidate\nA\ta.nii\t/b.nii\nB\tc/d.nii\tn/a\n')
  assert.deepEqual(await readCaseList(list), {
    columns: ['reference', 'candidate'],
    cases: [
      { id: 'A', files: { reference: join(folder, 'a.nii'), candidate: '/b.nii' } },
      { id: 'B', files: { reference: join(folder, 'c/d.nii') } },
    ],
  })
  for (const [text, words] of [
    ['id\treference\nA\tx\nA\ty\n', /the case A is there twice/],
    ['case\treference\nA\tx\n', /no column id/],
    ['id\treference\n', /lists no case/],
    ['id\treference\nn/a\tx\n', /row 1 has no id/],
  ] as const) {
    writeFileSync(list, text)
    await assert.rejects(readCaseList(list), (error) => error instanceof InputError && words.test(error.message))
  }
  await assert.rejects(readCaseList(join(folder, 'none.tsv')), /no such file/)
})
