import assert from 'node:assert/strict'
import { test } from 'node:test'
import { segment } from '../../src/run/segment.js'
import { sharedData, skipWithout } from '../shared-data.js'

const skip = skipWithout('tabriz')
const scan = (subject: string, kind: string) => `${sharedData('tabriz')}/${subject}/anat/${subject}_${kind}.nii.gz`
const codes = async (options: Parameters<typeof segment>[0]) => (await segment(options)).flags.map(({ code }) => code)

test('a sound pair raises no doubt about people or contrasts', { skip }, async () => {
  const found = await codes({ flair: scan('sub-01', 'FLAIR'), t1: scan('sub-01', 'T1w') })
  for (const code of [
    'registration-check-failed',
    'flair-looks-like-t1',
    'flair-looks-like-t2',
    'sform-qform-conflict',
  ])
    assert.ok(!found.includes(code), code)
  assert.ok(found.includes('thick-slices'))
})

test('FLAIR and T1 of two people are told apart, and the T1 is left out', { skip }, async () => {
  const { flags, provenance, summary } = await segment({ flair: scan('sub-01', 'FLAIR'), t1: scan('sub-04', 'T1w') })
  assert.ok(
    flags.some(({ code }) => code === 'registration-check-failed'),
    flags.map(({ code }) => code).join(' '),
  )
  assert.ok(summary.flags.some(({ severity }) => severity === 'serious'))
  assert.ok(provenance.steps.every(({ step }) => step !== 'correct-t1'))
})

test('a T1 given as FLAIR, and a T2 given as FLAIR, are noticed', { skip }, async () => {
  assert.ok((await codes({ flair: scan('sub-03', 'T1w') })).includes('flair-looks-like-t1'))
  assert.ok((await codes({ flair: scan('sub-03', 'T2w') })).includes('flair-looks-like-t2'))
})
