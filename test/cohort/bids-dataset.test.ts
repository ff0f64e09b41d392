import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { chosen, readDataset } from '../../src/cohort/bids-dataset.js'
import { derivativeFiles, isOurs } from '../../src/cohort/bids-files.js'
import { identityDifference } from '../../src/cohort/bids-status.js'
import { visitTimes } from '../../src/cohort/bids-times.js'
import { MemoryGate } from '../../src/cohort/memory-gate.js'
import { InputError, UsageError } from '../../src/errors.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-dataset-'))
after(() => rmSync(base, { recursive: true, force: true }))

function folder(name: string, files: readonly string[], texts: Record<string, string> = {}): string {
  const root = join(base, name)
  for (const [file, text] of [...files.map((one) => [one, ''] as const), ...Object.entries(texts)]) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  return root
}

test('visits with and without sessions, odd names and places; what breaks the rules is listed', async () => {
  const root = folder(
    'odd',
    [
      'sub-2/anat/sub-2_space-MNI152_FLAIR.nii.gz',
      'sub-2/anat/sub-2_space-FLAIR_desc-prep_T1w.nii.gz',
      'sub-2/anat/sub-2_label-lesion_mask.nii.gz',
      'sub-10/ses-b/anat/sub-10_ses-b_FLAIR.nii.gz',
      'sub-10/ses-a/sub-10_ses-a_ce-gadolinium_T1w.nii.gz',
      'sub-10/ses-a/sub-10_ses-a_FLAIR.nii',
      'sub-x_y/anat/flair.nii.gz',
      'derivatives/other/sub-99/anat/sub-99_FLAIR.nii.gz',
      'sourcedata/notes.txt',
    ],
    {
      'participants.tsv': 'participant_id\tage\nsub-2\t30\n10\t40\nsub-44\t50\n',
      'sub-10/sub-10_sessions.tsv': 'session_id\tdays\nses-a\t0\nses-b\t365.25\nses-c\t730.5\n',
      'dataset_description.json': '{"Name": "Odd"',
    },
  )
  const { sessions, problems } = await readDataset(root)
  assert.deepEqual(
    sessions.map(({ id, images, problem }) => [id, Object.keys(images).sort(), problem]),
    [
      ['sub-2', ['flair', 't1'], undefined],
      ['sub-10_ses-a', ['flair', 't1gd'], undefined],
      ['sub-10_ses-b', ['flair'], undefined],
      ['sub-10_ses-c', [], 'is in sub-10_sessions.tsv, but there is no such folder'],
      ['sub-44', [], 'is in participants.tsv, but there is no such folder'],
      ['sub-xy', ['flair'], undefined],
    ],
  )
  const text = problems.map(({ file, problem }) => `${file} ${problem}`).join('\n')
  for (const pattern of [
    /dataset_description\.json is not JSON/,
    /sub-2_space-MNI152_FLAIR\.nii\.gz has space- in its name/,
    /sub-10\/ses-a\/ has its images outside anat/,
    /sub-x_y\/ has a label that BIDS does not allow/,
    /participants\.tsv names sub-44, which has no folder/,
    /participants\.tsv does not name sub-xy/,
  ])
    assert.match(text, pattern)
  const months = await visitTimes({ root, problems }, sessions)
  assert.deepEqual([months[0], months[1], Math.round(months[2])], [0, 0, 12])
})

test('of several images the better one is taken, and said', async () => {
  const name = (entities: string) => `sub-1/anat/sub-1_${entities}FLAIR.nii.gz`
  const root = folder('several', [
    name('acq-2D_'),
    name('acq-3D_run-1_'),
    name('acq-3D_run-2_'),
    name('acq-3D_rec-norm_run-2_'),
  ])
  const [{ images, notes }] = (await readDataset(root)).sessions
  assert.equal(images.flair, name('acq-3D_run-2_'))
  assert.match(notes[0], /4 FLAIR images .*: sub-1_acq-3D_run-2_FLAIR\.nii\.gz was taken/)
})

test('labels: with or without sub-, unknown ones are told with those that are there', async () => {
  const root = folder('labels', ['sub-1/ses-1/anat/sub-1_ses-1_FLAIR.nii', 'sub-2/ses-2/anat/sub-2_ses-2_FLAIR.nii'])
  const data = await readDataset(root)
  assert.deepEqual(
    chosen(data, { participants: ['sub-2'] }).map(({ id }) => id),
    ['sub-2_ses-2'],
  )
  assert.deepEqual(
    chosen(data, { participants: ['1', '2'], sessionLabels: ['1'] }).map(({ id }) => id),
    ['sub-1_ses-1'],
  )
  assert.throws(
    () => chosen(data, { participants: ['3'] }),
    (error) => error instanceof UsageError && /no sub-3; there are 1, 2/.test(error.message),
  )
  const plain = await readDataset(folder('plain', ['sub-1/anat/sub-1_FLAIR.nii']))
  assert.throws(() => chosen(plain, { sessionLabels: ['1'] }), /--session-label 1: the data set has none/)
})

test('no data set: where it may lie instead; a linked subject is followed', async () => {
  const root = folder('nested', ['raw/sub-1/anat/sub-1_FLAIR.nii'])
  await assert.rejects(
    readDataset(root),
    (error) => error instanceof InputError && /holds no folder sub-\*, but raw\/ does/.test(error.message),
  )
  symlinkSync(join(root, 'raw', 'sub-1'), join(root, 'sub-1'))
  assert.equal((await readDataset(root)).sessions[0].images.flair, 'sub-1/anat/sub-1_FLAIR.nii')
})

test('names of the derivatives keep what the FLAIR’s name tells, and only those are ours to replace', () => {
  const visit = {
    subject: '1',
    session: '2',
    images: { flair: 'sub-1/ses-2/anat/sub-1_ses-2_space-MNI_run-1_acq-3D_FLAIR.nii' },
  }
  const bytes = new Uint8Array(1)
  const text = (content: string) => new TextEncoder().encode(content)
  const made = new Map([
    ...['lesion_mask', 'structures', 'mask_roura2015', 'consensus_staple', 'lesion_uncertainty'].map(
      (name) => [`${name}.nii.gz`, bytes] as const,
    ),
    ['lesions.tsv', text('id\tlocation\tvolume_mm3\n1\tsubcortical\t9\n')],
    ['summary.json', text('{}')],
    ['report.html', text('<p>')],
    ['report.pdf', bytes],
  ])
  const files = [...derivativeFiles(made, visit, {}).keys()]
  const stem = 'anat/sub-1_ses-2_acq-3D_run-1_space-orig_'
  for (const name of [
    'label-lesion_mask',
    'desc-structures_dseg',
    'label-lesion_desc-roura2015_mask',
    'label-lesion_desc-consensusstaple_probseg',
    'label-lesion_desc-uncertainty_probseg',
  ])
    assert.ok(files.includes(`${stem}${name}.nii.gz`) && files.includes(`${stem}${name}.json`), `${name} of ${files}`)
  assert.ok(files.includes(`${stem}desc-structures_dseg.tsv`))
  assert.ok(files.includes('sub-1_ses-2_report.pdf'))
  assert.equal(files.at(-1), 'provenance.json')
  assert.ok(files.every(isOurs(visit)))
  for (const name of [
    'anat/notes.txt',
    'anat/sub-1_ses-2_FLAIR.nii.gz',
    'mine_report.html',
    'anat/sub-1_ses-22_space-orig_mask.nii.gz',
  ])
    assert.ok(!isOurs(visit)(name), name)
})

test('what changed since an earlier run is said', () => {
  const before = { version: '1', method: 'm', params: { k: 1 }, settings: {}, images: { flair: 'a' }, seed: 1 }
  assert.equal(identityDifference(before, { ...before, params: { k: 1 } }), undefined)
  for (const [change, said] of [
    [{ method: 'n' }, 'method m, now n'],
    [{ params: { k: 2 } }, 'k = 1, now 2'],
    [{ settings: { threshold: 0.3 } }, 'threshold = its default, now 0.3'],
    [{ version: '2' }, 'version 1, now 2'],
    [{ seed: 2 }, 'seed 1, now 2'],
    [{ images: { flair: 'b' } }, 'another FLAIR'],
    [{ images: { flair: 'a', t1: 'c' } }, 'T1 is new'],
  ] as const)
    assert.equal(identityDifference(before, { ...before, ...change }), said)
})

test('memory: one at a time until it is known what one takes, then as many as fit, and always one', async () => {
  const gate = new MemoryGate(1000)
  let [now, most] = [0, 0]
  const work = async (peakMegabytes: number) =>
    await gate.run(async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 3))
      now--
      return { peakMegabytes }
    })
  await Promise.all([work(300), work(300)])
  // The second waited for the first, and might then have run beside a third.
  assert.equal(most, 1)
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => work(300)))
  assert.deepEqual([most, gate.allowed], [3, 3])
  most = 0
  await work(5000)
  await Promise.all([work(100), work(100)])
  assert.deepEqual([most, gate.allowed, gate.peakMegabytes], [1, 1, 5000])
  assert.equal(new MemoryGate(undefined).allowed, Number.POSITIVE_INFINITY)
})
