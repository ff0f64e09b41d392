import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import dcmjs from 'dcmjs'
import { InputError } from '../../src/errors.js'
import { exportDicom } from '../../src/run/export-dicom.js'
import { flairRecipe, mprageRecipe, type SeriesRecipe, uid } from '../formats/dicom/series.js'
import { resultOf, writeSeries } from './dicom-result.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-export-dicom-'))
after(() => rmSync(base, { recursive: true, force: true }))
let count = 0
const place = () => join(base, String(count++))
const root = fileURLToPath(new URL('../..', import.meta.url))

const oblique: SeriesRecipe = {
  ...flairRecipe,
  row: [0.96, 0.28, 0],
  column: [-0.28 * 0.8, 0.96 * 0.8, 0.6],
}

async function exported(recipe: SeriesRecipe = oblique) {
  const folder = place()
  const dicom = writeSeries(join(folder, 'dicom'), recipe, { ...mprageRecipe, patient: recipe.patient })
  const { result, image, ids } = await resultOf(dicom, folder)
  const out = join(folder, 'objects')
  const made = await exportDicom({ result, dicom, out })
  return { folder, dicom, result, image, ids, out, made }
}

const read = (path: string) => {
  const bytes = readFileSync(path)
  return dcmjs.data.DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)).dict
}

test('every lesion voxel becomes one pixel, on the slice where it lies', async () => {
  const { out, made, ids } = await exported({ ...oblique, patient: 'MÜLLER^ŻANETA' })
  assert.deepEqual(made.flags, [])
  assert.equal(made.series, '5')
  assert.deepEqual(made.files, [
    'seg_lesions.dcm',
    'seg_probability.dcm',
    'sr_measurements.dcm',
    ...[1, 2, 3, 4, 5, 6].map((n) => `key_image_${n}.dcm`),
    'report_pdf.dcm',
  ])
  const voxels = ids.reduce((sum, id) => sum + (id > 0 ? 1 : 0), 0)
  assert.equal(made.voxels, voxels)
  assert.equal(made.pixels, voxels)
  const seg = read(join(out, 'seg_lesions.dcm'))
  assert.match(JSON.stringify(seg['00100010'].Value), /MÜLLER\^ŻANETA/)
  assert.deepEqual(seg['0020000D'].Value, [uid('study-1')])
  assert.deepEqual(seg['00200052'].Value, [uid('study-1/frame')])
  const [reference] = seg['00081115'].Value as Record<string, { Value: unknown[] }>[]
  assert.deepEqual(reference['0020000E'].Value, [uid('study-1/5')])
  const frames = seg['52009230'].Value as unknown[]
  // Periventricular on slices 2–5, juxtacortical on 7–9, infratentorial on 9 and 10.
  assert.equal(frames.length, 9)
  const bytes = new Uint8Array((seg['7FE00010'].Value as ArrayBuffer[])[0])
  let bits = 0
  for (let byte of bytes) for (; byte > 0; byte >>= 1) bits += byte & 1
  assert.equal(bits, voxels)
})

const has = (name: string) => spawnSync('which', [name]).status === 0

test('dciodvfy finds no error', { skip: !has('dciodvfy') && 'dicom3tools is not here' }, async () => {
  const { out, made } = await exported()
  for (const name of made.files) {
    const { stderr, stdout } = spawnSync('dciodvfy', [join(out, name)], { encoding: 'utf8' })
    const errors = `${stderr}\n${stdout}`.split('\n').filter((line) => line.startsWith('Error'))
    assert.deepEqual(errors, [], name)
  }
})

const python = join(root, 'bench/peers/.venv-dicom/bin/python')

test('highdicom reads voxels, places, numbers and volumes back', {
  skip: !existsSync(python) && 'sh bench/peers/dicom.sh installs highdicom',
}, async () => {
  const { folder, out, dicom, image, ids } = await exported()
  const text = execFileSync(python, [join(root, 'bench/peers/dicom.py'), out, dicom], { encoding: 'utf8' })
  const said = JSON.parse(text)
  assert.deepEqual(said.segments, {
    'Periventricular lesions': 35,
    'Juxtacortical lesions': 27,
    'Infratentorial lesions': 8,
  })
  const mm3 = 2 * 2.5 * 4
  assert.deepEqual(said.measures, {
    'All lesions': { 'Number of lesions': 4, Volume: 70 * mm3 },
    'Periventricular lesions': { 'Number of lesions': 2, Volume: 35 * mm3 },
    'Juxtacortical lesions': { 'Number of lesions': 1, Volume: 27 * mm3 },
    'Infratentorial lesions': { 'Number of lesions': 1, Volume: 8 * mm3 },
  })
  // The middle of all lesion voxels, in mm.
  const middle = [0, 0, 0]
  let n = 0
  ids.forEach((id, at) => {
    if (id === 0) return
    n++
    const v = [
      at % image.dims[0],
      Math.floor(at / image.dims[0]) % image.dims[1],
      Math.floor(at / (image.dims[0] * image.dims[1])),
    ]
    for (let r = 0; r < 3; r++)
      middle[r] += [0, 1, 2].reduce((sum, c) => sum + image.affine[4 * r + c] * v[c], image.affine[4 * r + 3])
  })
  const expected = [-middle[0] / n, -middle[1] / n, middle[2] / n]
  for (const [i, mm] of (said.middleLps as number[]).entries())
    assert.ok(Math.abs(mm - expected[i]) < 0.01, `${said.middleLps} and ${expected} (${folder})`)
  assert.ok(Math.abs(said.probability.most - 229 / 255) < 1e-3)
  assert.equal(said.probability.voxels, 70)
  assert.equal(said.sourceImages, 8)
})

test('a result of another image is refused, or flagged where it overlaps', async () => {
  const { result, folder } = await exported()
  const other = writeSeries(join(folder, 'other'), { ...flairRecipe, origin: [400, 400, 400], study: 'other' })
  const out = join(folder, 'none')
  await assert.rejects(exportDicom({ result, dicom: other, out }), (error: unknown) => {
    assert.ok(error instanceof InputError)
    assert.match(error.message, /no series that the result lies on.*--series \(5\)/)
    return true
  })
  await assert.rejects(exportDicom({ result, dicom: other, out, series: '5' }), /no lesion of the result lies within/)
  assert.ok(!existsSync(out))
  const near = writeSeries(join(folder, 'near'), { ...oblique, origin: [-24.7, -25, -24], study: 'near' })
  await assert.rejects(exportDicom({ result, dicom: near, out }), /no series that the result lies on/)
  const made = await exportDicom({ result, dicom: near, out, series: '5' })
  assert.deepEqual(
    made.flags.map(({ code }) => code),
    ['other-grid', 'source-not-proved'],
  )
})

test('no lesions: a report that says so, and no segmentation', async () => {
  const folder = place()
  const dicom = writeSeries(join(folder, 'dicom'), flairRecipe)
  const { result } = await resultOf(dicom, folder, [])
  const made = await exportDicom({ result, dicom, out: join(folder, 'objects') })
  assert.deepEqual(made.files, ['sr_measurements.dcm', 'report_pdf.dcm'])
  assert.deepEqual(
    made.flags.map(({ code }) => code),
    ['no-lesions'],
  )
})
