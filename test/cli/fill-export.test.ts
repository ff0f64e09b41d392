import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writeNifti } from '../../src/formats/nifti.js'
import { writeTsv } from '../../src/formats/tsv.js'
import { findLesions } from '../../src/lesions/instances.js'
import { lesionTable, summarise } from '../../src/lesions/summary.js'
import { compose, translation } from '../../src/volume/affine.js'
import { fillPhantom } from '../lesions/fill-phantom.js'
import { provenanceText } from '../run/made-up-result.js'
import { lesionwise } from './run.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-fill-cli-'))
after(() => rmSync(base, { recursive: true, force: true }))
const path = (name: string) => join(base, name)

before(async () => {
  const { t1, lesions, wm } = await fillPhantom()
  const far = { ...lesions, affine: compose(translation([500, 0, 0]), lesions.affine) }
  for (const [name, volume] of [
    ['T1.nii.gz', { ...t1, data: Int16Array.from(t1.data, Math.round) }],
    ['lesions.nii.gz', lesions],
    ['far.nii.gz', far],
    ['wm.nii.gz', wm],
  ] as const)
    writeFileSync(path(name), await writeNifti(volume, { level: 1 }))

  mkdirSync(path('result'))
  const set = findLesions(lesions)
  const { columns, rows } = lesionTable(set.lesions)
  const summary = summarise({ ...set, flags: [], method: 'given' })
  for (const [name, content] of [
    ['lesion_mask.nii.gz', await writeNifti(lesions)],
    ['lesion_instances.nii.gz', await writeNifti(set.labels)],
    ['lesions.tsv', writeTsv(columns, rows)],
    ['summary.json', JSON.stringify(summary)],
    ['provenance.json', provenanceText()],
  ] as const)
    writeFileSync(path(`result/${name}`), content)
})

const fill = (...args: string[]) => lesionwise(['fill', '--t1', path('T1.nii.gz'), ...args])

/** One line on stderr, the exit code, nothing on stdout. */
async function fails(
  ran: Promise<{ code: number | null; stdout: string; stderr: string }>,
  code: number,
  said: RegExp,
) {
  const { code: got, stdout, stderr } = await ran
  assert.equal(got, code, stderr)
  assert.match(stderr, said)
  assert.equal(stderr.trim().split('\n').length, 1, stderr)
  assert.equal(stdout, '')
}

test('fill --json prints what stands beside the image, and nothing else; --quiet keeps stderr empty', async () => {
  const common = ['--lesion-mask', path('lesions.nii.gz'), '--white-matter', path('wm.nii.gz')]
  const { code, stdout, stderr } = await fill(...common, '--out', path('f.nii.gz'), '--json', '--quiet', '--seed', '4')
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const said = JSON.parse(stdout)
  assert.deepEqual(said, JSON.parse(readFileSync(path('f.json'), 'utf8')))
  assert.equal(said.parameters.seed, 4)
  const plain = await fill(...common, '--out', path('g.nii.gz'), '--grow', '0', '--quiet')
  assert.match(
    plain.stdout,
    /^\d+ voxels \([\d.]+ ml\) filled, 0 of them rim; mean [\d.]+ and texture [\d.]+ of the white matter/,
  )
})

test('fill: mistakes are said in one line, and nothing is written', async () => {
  const out = ['--out', path('none.nii.gz'), '--quiet']
  await fails(fill(...out), 2, /--lesion-mask/)
  await fails(fill('--lesion-mask', path('gone.nii.gz'), ...out), 3, /gone\.nii\.gz: there is no such file/)
  await fails(fill('--lesion-mask', path('far.nii.gz'), ...out), 3, /no lesion within the T1/)
  await fails(fill('--lesion-mask', path('lesions.nii.gz'), '--out', path('none.txt')), 2, /ends in \.nii\.gz/)
  await fails(fill('--lesion-mask', path('lesions.nii.gz'), '--grow', 'two', ...out), 2, /"two" is not a number/)
  await fails(fill('--lesion-mask', path('lesions.nii.gz'), '--out', path('T1.nii.gz')), 2, /is an input/)
  assert.ok(!existsSync(path('none.nii.gz')) && !existsSync(path('none.json')))
})

test('export lists its files; several formats at once', async () => {
  const out = path('exported')
  const ran = await lesionwise(['export', path('result'), '--to', 'itksnap', 'csv', '--out', out, '--quiet'])
  assert.equal(ran.code, 0, ran.stderr)
  assert.equal(ran.stderr, '')
  const files = ran.stdout.trim().split('\n')
  assert.equal(files.length, 7)
  for (const file of files) assert.ok(existsSync(file), file)
  const json = await lesionwise(['export', path('result'), '--to', 'csv', '--out', out, '--json'])
  assert.deepEqual(JSON.parse(json.stdout).formats, ['csv'])
})

test('export: mistakes are said in one line, and nothing is written', async () => {
  const out = ['--out', path('refused')]
  await fails(lesionwise(['export', path('result'), ...out]), 2, /--to/)
  await fails(lesionwise(['export', path('result'), '--to', 'spss', ...out]), 2, /spss/)
  await fails(lesionwise(['export', base, '--to', 'csv', ...out]), 3, /holds no provenance\.json/)
  await fails(lesionwise(['export', path('result'), '--to', 'fsl', ...out, '--quiet']), 3, /--flair/)
  assert.ok(!existsSync(path('refused')))
})
