import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bareLabel,
  bidsName,
  byVisit,
  entityOrder,
  isLabel,
  labelOf,
  parseBidsName,
  rawNameProblems,
  visitFolder,
  visitId,
} from '../../src/formats/bids.js'

test('names are taken apart in whatever order and put together in that of BIDS', () => {
  const parsed = parseBidsName('sub-01_ses-02_space-MNI152_acq-3D_FLAIR.nii.gz')
  assert.deepEqual(parsed, {
    entities: { sub: '01', ses: '02', space: 'MNI152', acq: '3D' },
    suffix: 'FLAIR',
    extension: '.nii.gz',
  })
  assert.equal(
    bidsName(
      { label: 'lesion', space: 'orig', ses: '02', run: '1', sub: '01', acq: '3D', desc: undefined },
      'mask',
      '.nii.gz',
    ),
    'sub-01_ses-02_acq-3D_run-1_space-orig_label-lesion_mask.nii.gz',
  )
  for (const name of ['FLAIR', 'sub-01_sub-02_T1w.nii', 'patient_T1w.nii.gz', 'sub-_T1w.nii', 'sub-01_T1 w.nii'])
    assert.equal(parseBidsName(name), undefined, name)
  assert.equal(parseBidsName('FLAIR.nii.gz')?.suffix, 'FLAIR')
})

test('what BIDS does not allow cannot be written', () => {
  assert.throws(() => bidsName({ sub: '01', colour: 'red' }, 'mask', '.nii.gz'), /no entity "colour"/)
  assert.throws(() => bidsName({ sub: '0_1' }, 'mask', '.nii.gz'), /"0_1" cannot be the label of sub/)
  assert.deepEqual([isLabel('3D+'), isLabel('a-b'), labelOf('a-b_c'), labelOf('__')], [true, false, 'abc', undefined])
})

test('any entities: written and read again they are the same, in one order', () => {
  const label = fc.stringMatching(/^[0-9a-zA-Z+]{1,8}$/)
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...entityOrder), label, { minKeys: 1 }), (entities) => {
      const name = bidsName(entities, 'mask', '.nii.gz')
      const parsed = parseBidsName(name)
      assert.deepEqual({ ...parsed?.entities }, { ...entities })
      const places = Object.keys(parsed?.entities ?? {}).map((key) => entityOrder.indexOf(key))
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      )
      assert.equal(bidsName(parsed?.entities ?? {}, 'mask', '.nii.gz'), name)
    }),
  )
})

test('visits: ids, folders, order', () => {
  const visits = [{ subject: '10' }, { subject: '2', session: '10' }, { subject: '2', session: '9' }]
  assert.deepEqual(visits.sort(byVisit).map(visitId), ['sub-2_ses-9', 'sub-2_ses-10', 'sub-10'])
  assert.deepEqual(visits.map(visitFolder), ['sub-2/ses-9', 'sub-2/ses-10', 'sub-10'])
  assert.deepEqual([bareLabel('sub-07', 'sub'), bareLabel('07', 'sub')], ['07', '07'])
})

test('what breaks the rules in a raw name is told', () => {
  const visit = { subject: '01', session: '1' }
  for (const [name, pattern] of [
    ['sub-01_ses-1_space-MNI152_FLAIR.nii.gz', /space- in its name, which only derivatives/],
    ['sub-02_ses-1_FLAIR.nii.gz', /lies in the folder of sub-01/],
    ['sub-01_FLAIR.nii.gz', /lies in ses-1/],
    ['sub-01_ses-1_run-1_acq-3D_FLAIR.nii.gz', /another order/],
    ['sub-01_ses-1_site-A_FLAIR.nii.gz', /site-, which BIDS does not know/],
    ['sub-01_ses-1_acq-a.b_FLAIR.nii.gz', /not named as BIDS wants/],
    ['flair.nii.gz', /named so/],
  ] as const)
    assert.ok(
      rawNameProblems(name, visit).some((problem) => pattern.test(problem)),
      `${name}: ${rawNameProblems(name, visit)}`,
    )
  assert.deepEqual(rawNameProblems('sub-01_ses-1_acq-3D_run-1_FLAIR.nii.gz', visit), [])
})
