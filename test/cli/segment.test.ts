import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { readNifti, readNiftiMask, writeNifti } from '../../src/formats/nifti.js'
import { readTsv } from '../../src/formats/tsv.js'
import { workbenchApp } from '../../src/server/app.js'
import { openCases } from '../../src/server/opened.js'
import { Recalculation } from '../../src/server/recalculate.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { cornerDistance } from '../../src/volume/affine.js'
import type { Mask } from '../../src/volume/volume.js'
import { lesionwise } from './run.js'

// One small synthetic patient, segmented once, serves the tests below.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-cli-'))
const flair = join(base, 'FLAIR.nii.gz')
const t1 = join(base, 'T1.nii.gz')
const result = join(base, 'result')
let truth: Mask
let summary: Record<string, unknown>
before(async () => {
  const patient = await simulateStudy({ seed: 3, pixelMm: 1.5, sliceMm: 4, lesionMl: 15 })
  truth = patient.truth
  writeFileSync(flair, await writeNifti(patient.flair))
  writeFileSync(t1, await writeNifti(patient.t1))
  const { code, stdout, stderr } = await lesionwise([
    'segment',
    '--flair',
    flair,
    '--t1',
    t1,
    '--out',
    result,
    '--json',
    '--work',
    join(base, 'work'),
  ])
  assert.equal(code, 0, stderr)
  summary = JSON.parse(stdout)
})
after(() => rmSync(base, { recursive: true, force: true }))
const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]))

test('the folder holds what was promised, on the grid of the FLAIR', async () => {
  assert.deepEqual(readdirSync(result).sort(), [
    'brain_mask.nii.gz',
    'lesion_instances.nii.gz',
    'lesion_mask.nii.gz',
    'lesion_probability.nii.gz',
    'lesions.tsv',
    'provenance.json',
    'report.html',
    'summary.json',
  ])
  const given = await readNifti(readFileSync(flair), 'flair')
  for (const name of ['lesion_mask', 'lesion_instances', 'lesion_probability', 'brain_mask']) {
    const { image, header, flags } = await readNifti(readFileSync(join(result, `${name}.nii.gz`)), name)
    assert.deepEqual(image.dims, given.image.dims)
    assert.ok(cornerDistance(image.affine, given.image.affine, image.dims) < 1e-4)
    assert.equal(header.sformCode, header.qformCode)
    assert.deepEqual(flags, [])
  }
  assert.deepEqual(JSON.parse(readFileSync(join(result, 'summary.json'), 'utf8')), summary)
})

test('the lesions are those that were put in, and table, instances and summary agree', async () => {
  const mask = await readNiftiMask(readFileSync(join(result, 'lesion_mask.nii.gz')), 'mask')
  assert.ok(dice({ ...truth, affine: mask.affine }, mask) > 0.7, String(dice({ ...truth, affine: mask.affine }, mask)))
  const { rows, columns } = readTsv(readFileSync(join(result, 'lesions.tsv'), 'utf8'), 'tsv')
  assert.deepEqual(columns.slice(0, 7), [
    'id',
    'location',
    'voxels',
    'volume_mm3',
    'centroid_x_mm',
    'centroid_y_mm',
    'centroid_z_mm',
  ])
  const { image } = await readNifti(readFileSync(join(result, 'lesion_instances.nii.gz')), 'instances')
  for (const { id, voxels } of rows) assert.equal(image.data.filter((v) => v === Number(id)).length, Number(voxels))
  assert.equal(summary.lesionCount, rows.length)
  const byLocation = summary.byLocation as Record<string, { count: number; volumeMl: number }>
  assert.deepEqual(Object.keys(byLocation), ['periventricular', 'juxtacortical', 'infratentorial', 'subcortical'])
  assert.equal(
    Object.values(byLocation).reduce((n, { count }) => n + count, 0),
    rows.length,
  )
})

test('nothing in the result names the inputs; provenance tells what was done and where the time went', () => {
  const provenance = JSON.parse(readFileSync(join(result, 'provenance.json'), 'utf8'))
  for (const name of ['report.html', 'provenance.json', 'summary.json'])
    assert.ok(!readFileSync(join(result, name), 'utf8').includes(base), name)
  assert.deepEqual(
    provenance.inputs.map(({ role }: { role: string }) => role),
    ['flair', 't1'],
  )
  assert.match(provenance.inputs[0].sha256, /^[0-9a-f]{64}$/)
  assert.ok(provenance.steps.length >= 5 && provenance.stages.length >= 8 && provenance.seconds > 0)
  const page = readFileSync(join(result, 'report.html'), 'utf8')
  assert.match(page, /Research only/)
  assert.doesNotMatch(page, /(src|href)="https?:/)
})

test('the same again, with one thread, from the kept steps: the same bits, and sooner', async () => {
  const again = join(base, 'again')
  const { code } = await lesionwise([
    'segment',
    '--flair',
    flair,
    '--t1',
    t1,
    '--out',
    again,
    '--quiet',
    '--threads',
    '1',
    '--work',
    join(base, 'work'),
  ])
  assert.equal(code, 0)
  const provenance = JSON.parse(readFileSync(join(again, 'provenance.json'), 'utf8'))
  assert.ok(provenance.steps.every(({ cached }: { cached?: boolean }) => cached === true))
  for (const name of ['lesion_mask.nii.gz', 'lesions.tsv', 'brain_mask.nii.gz', 'lesion_probability.nii.gz'])
    assert.deepEqual(readFileSync(join(again, name)), readFileSync(join(result, name)), name)
})

test("another tool's mask gets lesions and a report; own limits on size and neighbours count", async () => {
  const maskFile = join(base, 'mine.nii.gz')
  writeFileSync(maskFile, await writeNifti(truth))
  const out = join(base, 'given')
  const { code, stdout, stderr } = await lesionwise([
    'segment',
    '--flair',
    flair,
    '--lesion-mask',
    maskFile,
    '--brain-mask',
    join(result, 'brain_mask.nii.gz'),
    '--min-size',
    '200',
    '--connectivity',
    '26',
    '--out',
    out,
    '--json',
    '--quiet',
  ])
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const told = JSON.parse(stdout)
  assert.deepEqual([told.method, told.connectivity, told.minimumSizeMm3], ['given', 26, 200])
  const { rows } = readTsv(readFileSync(join(out, 'lesions.tsv'), 'utf8'), 'tsv')
  assert.ok(rows.length > 0 && rows.every(({ volume_mm3 }) => Number(volume_mm3) >= 200))
  assert.ok(!existsSync(join(out, 'lesion_probability.nii.gz')))
})

test('bad inputs: exit code 3, one line with file, fault and fix, and an existing result untouched', async () => {
  const bad = join(base, 'bad')
  mkdirSync(bad)
  const whole = readFileSync(flair)
  const put = (name: string, content: Uint8Array | string) => {
    writeFileSync(join(bad, name), content)
    return join(bad, name)
  }
  const { image } = await readNifti(whole, 'x')
  const zeros = await writeNifti({ ...image, data: new Float32Array(image.data.length) })
  const nan = await writeNifti({ ...image, data: new Float32Array(image.data.length).fill(Number.NaN) })
  const slice = await writeNifti({
    dims: [image.dims[0], image.dims[1], 1],
    affine: image.affine,
    data: image.data.slice(0, image.dims[0] * image.dims[1]),
  })
  const cases: [string, RegExp][] = [
    [put('truncated.nii.gz', whole.subarray(0, whole.length >> 1)), /damaged or ends too early; copy/],
    [put('text.nii.gz', 'this is no image\n'.repeat(50)), /holds text/],
    [put('zeros.nii.gz', zeros), /all voxels are zero/],
    [put('nan.nii.gz', nan), /NaN or infinite/],
    [put('slice.nii.gz', slice), /one slice/],
    [put('empty.nii.gz', ''), /empty/],
    [bad, /is a folder/],
    [join(bad, 'missing.nii.gz'), /no such file/],
  ]
  const earlier = contents(result)
  for (const [path, message] of cases)
    for (const out of [join(base, 'fresh'), result]) {
      const { code, stdout, stderr } = await lesionwise(['segment', '--flair', path, '--t1', t1, '--out', out])
      assert.equal(code, 3, `${path}: ${stderr}`)
      assert.equal(stdout, '')
      assert.match(stderr, /^lesionwise: [^\n]+\n$/)
      assert.ok(stderr.startsWith(`lesionwise: ${path}: `), stderr)
      assert.match(stderr, message)
    }
  assert.deepEqual(contents(result), earlier)
  assert.ok(!existsSync(join(base, 'fresh')))
})

test('a folder that cannot be written: exit code 1 and one line', async () => {
  const { code, stderr } = await lesionwise(['segment', '--flair', flair, '--out', join(flair, 'sub')])
  assert.equal(code, 1)
  assert.match(stderr, /^lesionwise: [^\n]*a part of this path is a file[^\n]*\n$/)
})

test('Ctrl-C: exit code 130, an earlier result as it was, and running again completes', async () => {
  const earlier = contents(result)
  const { code, stderr } = await lesionwise(['segment', '--flair', flair, '--t1', t1, '--out', result], {
    interruptAfter: 'Aligning',
  })
  assert.equal(code, 130, stderr)
  assert.match(stderr, /lesionwise: interrupted\n$/)
  assert.deepEqual(contents(result), earlier)
})

test('the workbench shows the result to who has its token, and nothing to others', async () => {
  const recalculation = new Recalculation()
  const app = workbenchApp({
    cases: await openCases(result),
    token: 'secret',
    recalculation,
    ending: new AbortController().signal,
    page: async () => undefined,
  })
  const get = (path: string, token = 'secret') =>
    app.request(path, { headers: { host: '127.0.0.1', authorization: `Bearer ${token}` } })
  const [one] = (await (await get('/api/cases')).json()) as { id: string; lesionCount: number }[]
  assert.equal(one.id, 'result')
  assert.ok(one.lesionCount > 0)
  assert.match(await (await get('/api/cases/result/report/base')).text(), /MS lesion report/)
  assert.equal((await get('/api/cases/result/report/base', 'wrong')).status, 401)
  for (const path of ['/result/report.html', '/api/cases/result/..%2fFLAIR.nii.gz', '/api/cases/other'])
    assert.equal((await get(path)).status, 404, path)
})
