import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { datasetFiles } from '../../src/cohort/bids-files.js'
import { bidsGroup } from '../../src/cohort/bids-group.js'
import { RunError, UsageError } from '../../src/errors.js'
import { readTsv } from '../../src/formats/tsv.js'
import { provenanceText, summaryText } from '../run/made-up-result.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-group-'))
after(() => rmSync(base, { recursive: true, force: true }))

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

/** Raw data and derivatives of some visits, as the participant level leaves them, with a lesion more from visit to visit. */
function cohort(name: string, visits: Record<string, string[]>, tables: Record<string, string> = {}) {
  const [bids, out] = [join(base, name, 'raw'), join(base, name, 'out')]
  put(join(bids, 'dataset_description.json'), JSON.stringify({ Name: name, BIDSVersion: '1.10.0' }))
  for (const [file, text] of Object.entries(tables)) put(join(bids, file), text)
  for (const [file, content] of datasetFiles('1.0.0', { name })) put(join(out, file), content)
  for (const [subject, sessions] of Object.entries(visits))
    for (const [n, session] of sessions.entries()) {
      const [id, folder] = [`sub-${subject}_ses-${session}`, `sub-${subject}/ses-${session}`]
      put(join(bids, folder, 'anat', `${id}_FLAIR.nii.gz`), '')
      const summary = summaryText({ lesionCount: n + 1, lesionVolumeMl: n + 1 })
      put(join(out, folder, `${id}_summary.json`), summary)
      const identity = { version: '1', method: 'roura2015', params: {}, settings: {}, images: { flair: 'a' }, seed: 1 }
      const files = [{ name: `${id}_summary.json`, bytes: summary.length }]
      const more = { identity, sources: { flair: 'a' }, files, brainMl: 1400 }
      put(join(out, folder, 'provenance.json'), JSON.stringify({ ...JSON.parse(provenanceText()), ...more }))
    }
  const rows = () => readTsv(readFileSync(join(out, 'cohort.tsv'), 'utf8'), 'cohort.tsv').rows
  return { bids, out, rows }
}

test('visits stand in the order of their dates, whatever their labels', async () => {
  const { bids, out, rows } = cohort(
    'dated',
    { A: ['m6', 'post', 'pre'], B: ['1', '2'] },
    {
      'sub-A/sub-A_sessions.tsv':
        'session_id\tacq_time\nses-pre\t2019-01-01T00:00:00\nses-m6\t2019-07-02\nses-post\t2021-01-01T12:30:00\n',
      'sub-B/sub-B_sessions.tsv': 'session_id\tacq_time\tmonths\nses-1\t05.03.2020\t0\nses-2\t2020-02-31\t8\n',
    },
  )
  await bidsGroup({ bids, out })
  assert.deepEqual(
    rows().map(({ session_id, visit, months }) => [session_id, Number(visit), Math.round(Number(months))]),
    [
      ['ses-pre', 1, 0],
      ['ses-m6', 2, 6],
      ['ses-post', 3, 24],
      ['ses-1', 1, 0],
      ['ses-2', 2, 8],
    ],
  )
  // Neither date is one as BIDS writes it: the column of months tells, and both are listed.
  const page = readFileSync(join(out, 'cohort.html'), 'utf8')
  for (const session of ['1', '2']) assert.match(page, new RegExp(`acq_time of ses-${session} is no date`))
})

test('a damaged visit is told as that, and one whose later run failed keeps its figures', async () => {
  const { bids, out, rows } = cohort('damaged', { A: ['1'], B: ['1'], C: ['1'], D: ['1'] })
  const at = (subject: string, file: string) => join(out, `sub-${subject}`, 'ses-1', file)
  writeFileSync(at('A', 'sub-A_ses-1_summary.json'), '{}')
  writeFileSync(at('B', 'provenance.json'), readFileSync(at('B', 'provenance.json')).subarray(0, 99))
  rmSync(at('C', 'sub-C_ses-1_summary.json'))
  const log = { id: 'sub-D_ses-1', subject: 'D', session: '1', status: 'failed', notes: [], date: '2026-01-01' }
  put(join(out, 'logs', 'sub-D_ses-1.json'), JSON.stringify({ ...log, reason: 'there is no model "nothere"' }))
  await bidsGroup({ bids, out })
  assert.deepEqual(
    rows().map(({ status, reason }) => [status, reason]),
    [
      ['failed', 'its sub-A_ses-1_summary.json is damaged; run the participant level again'],
      ['failed', 'its provenance.json is damaged; run the participant level again'],
      ['failed', 'its sub-C_ses-1_summary.json is missing; run the participant level again'],
      ['done', undefined],
    ],
  )
  assert.match(readFileSync(join(out, 'cohort.html'), 'utf8'), /A later run failed \(there is no model/)
})

test('who is named twice counts once; a table that cannot be read is told as that', async () => {
  const table = 'participant_id\tage\tgroup\nsub-A\t25\ta\nsub-A\t99\tb\nsub-B\t30\tb\n'
  const { bids, out, rows } = cohort('people', { A: ['1'], B: ['1'] }, { 'participants.tsv': table })
  await bidsGroup({ bids, out })
  assert.deepEqual(
    rows().map(({ age }) => age),
    ['25', '30'],
  )
  assert.match(readFileSync(join(out, 'cohort.html'), 'utf8'), /names sub-A more than once: the first line counts/)
  writeFileSync(join(bids, 'participants.tsv'), 'participant_id\tage\tgroup\nsub-A\n')
  await assert.rejects(bidsGroup({ bids, out, groupBy: 'group' }), (error) => {
    assert.ok(error instanceof UsageError)
    assert.match(error.message, /--group-by group: participants\.tsv cannot be read \(line 2/)
    return true
  })
})

test('derivatives of another data set are left alone', async () => {
  const one = cohort('one', { A: ['1'] })
  const other = cohort('other', { A: ['1'] })
  await assert.rejects(bidsGroup({ bids: other.bids, out: one.out }), (error) => {
    assert.ok(error instanceof RunError)
    assert.match(error.message, /holds "MS lesions by Lesionwise of one", and this data set is "other"; give another/)
    return true
  })
})
