import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { derivativeFiles } from '../../src/cohort/bids-files.js'
import { writeNifti } from '../../src/formats/nifti.js'
import { exportResult } from '../../src/run/export.js'
import { readResult } from '../../src/run/read-result.js'
import { reportResult } from '../../src/run/report.js'
import { ResultFolder } from '../../src/run/result-files.js'
import { openCases } from '../../src/server/opened.js'
import { maskWhere } from '../../src/volume/volume.js'
import { flairFile, storeResult } from './stored-result.js'

// One result under the names of `segment`, and the same as a visit of BIDS derivatives whose images carry an acquisition.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-result-files-'))
const [plain, bids] = [join(base, 'plain'), join(base, 'derivatives', 'sub-1', 'ses-2')]
const flair = join(base, 'FLAIR.nii.gz')
before(async () => {
  const { labels } = await storeResult(plain)
  await flairFile(flair)
  const made = new Map<string, Uint8Array>(
    readdirSync(plain).map((name) => [name, new Uint8Array(readFileSync(join(plain, name)))]),
  )
  made.set('lesion_mask.nii.gz', await writeNifti(maskWhere(labels, (id) => id !== 0)))
  made.set('report.html', new TextEncoder().encode('<p>'))
  writeFileSync(join(plain, 'lesion_mask.nii.gz'), made.get('lesion_mask.nii.gz')!)
  const visit = {
    subject: '1',
    session: '2',
    images: { flair: 'sub-1/ses-2/anat/sub-1_ses-2_acq-3D_FLAIR.nii.gz' },
  }
  const provenance = JSON.parse(readFileSync(join(plain, 'provenance.json'), 'utf8')) as object
  for (const [name, content] of derivativeFiles(made, visit, provenance)) {
    mkdirSync(dirname(join(bids, name)), { recursive: true })
    writeFileSync(join(bids, name), content)
  }
})
after(() => rmSync(base, { recursive: true, force: true }))

test('a visit of BIDS derivatives is read as the result that it is', async () => {
  const [a, b] = [await readResult(plain), await readResult(bids)]
  assert.deepEqual({ ...b, folder: '', provenance: {} }, { ...a, folder: '', provenance: {} })
  const cases = await openCases(join(base, 'derivatives'))
  const [one] = cases.values()
  const mask = one.files.path('lesion_mask.nii.gz')
  assert.ok(existsSync(mask), mask)
  assert.match(mask, /sub-1_ses-2_acq-3D_space-orig_label-lesion_mask/)
})

test('its report is written under its own name, and its exports are those of the result', async () => {
  const { html, pdf } = await reportResult({ result: bids, flair })
  assert.deepEqual([html, pdf], [join(bids, 'sub-1_ses-2_report.html'), join(bids, 'sub-1_ses-2_report.pdf')])
  assert.equal(readFileSync(pdf).subarray(0, 5).toString(), '%PDF-')
  const visit = await ResultFolder.open(bids)
  assert.equal(visit.path('report.pdf'), pdf)
  assert.equal(await visit.optional('lesion_probability.nii.gz'), undefined)
  await exportResult({ result: bids, out: join(base, 'from-bids'), to: ['itksnap', 'csv'] })
  await exportResult({ result: plain, out: join(base, 'from-plain'), to: ['itksnap', 'csv'] })
  const names = readdirSync(join(base, 'from-plain')).sort()
  assert.deepEqual(readdirSync(join(base, 'from-bids')).sort(), names)
  assert.ok(names.length > 1)
})
