import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readNifti } from '../../src/formats/nifti.js'
import { convertStack } from '../../src/run/dicom/dcm2niix.js'
import { importDicom } from '../../src/run/import-dicom.js'
import { voxelSizes } from '../../src/volume/affine.js'
import { sharedData, skipWithout } from '../shared-data.js'

// What real scanners and converters write: a Siemens T1, a converted T1, a diffusion mosaic, one picture in many syntaxes.
const data = sharedData('dicom') ?? ''
const skip = skipWithout('dicom')
const base = mkdtempSync(join(tmpdir(), 'lesionwise-real-dicom-'))
after(() => rmSync(base, { recursive: true, force: true }))

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(json|tsv|gz)$/.test(name))

test('a Siemens series is taken for the T1 that it is, on its own grid, and nobody is named', { skip }, async () => {
  const out = join(base, 'siemens')
  const { series } = await importDicom({ folder: join(data, 'vs_seg_001_t1c'), out })
  assert.deepEqual(
    series.map(({ role, images, chosen }) => [role, images, chosen]),
    [['t1', 16, true]],
  )
  const path = join(out, 'sub-001', 'anat', 'sub-001_T1w.nii.gz')
  const { image } = await readNifti(readFileSync(path), path)
  assert.deepEqual(image.dims, [512, 512, 16])
  assert.deepEqual(
    voxelSizes(image.affine).map((mm) => Number(mm.toFixed(3))),
    [0.41, 0.41, 1.5],
  )
  assert.ok(Math.max(...image.data.subarray(0, 100_000)) <= 1372)
  for (const name of filesBelow(out).filter((one) => !one.endsWith('.gz')))
    assert.doesNotMatch(readFileSync(join(out, name), 'utf8'), /VS-SEG|schwannoma|Gamma|1994|60Y|CTP/i, name)
})

test('a converted volume calls itself derived: left out, with the reason, unless it is named', { skip }, async () => {
  const folder = join(data, 'datalad_t1')
  const dry = await importDicom({ folder, dryRun: true })
  assert.equal(dry.series[0].chosen, false)
  assert.match(dry.series[0].why, /made afterwards from other images/)
  await importDicom({ folder, out: join(base, 'converted'), map: ['401=t1'] })
  const path = join(base, 'converted', 'sub-001', 'anat', 'sub-001_T1w.nii.gz')
  const { image } = await readNifti(readFileSync(path), path)
  assert.deepEqual([...image.dims].sort(), [274, 384, 64].sort())
})

test('a diffusion mosaic is not taken, and a single slice is refused even when it is named', { skip }, async () => {
  const folder = join(data, 'small')
  const { series } = await importDicom({ folder, dryRun: true })
  assert.ok(series.every(({ chosen }) => !chosen))
  const mosaic = series.find(({ problems }) => problems.some(({ code }) => code === 'mosaic'))
  assert.match(mosaic!.why, /diffusion/)
  const single = series.find(({ problems }) => problems.some(({ code }) => code === 'few-slices'))!
  await assert.rejects(
    importDicom({ folder, out: join(base, 'single'), map: [`${single.id}=t2`] }),
    (error) => error instanceof InputError && /one slice/.test(error.message),
  )
  assert.ok(!existsSync(join(base, 'single')))
})

test('the same picture in eight transfer syntaxes gives the same voxels', { skip }, async () => {
  const names = readdirSync(join(data, 'small')).filter((name) => name.startsWith('MR_small'))
  const voxels: Uint8Array[] = []
  for (const name of names) {
    const [made] = await convertStack([new Uint8Array(readFileSync(join(data, 'small', name)))], name, {})
    // Behind the header, which `readNifti` does not take for a single slice.
    voxels.push(made.nifti.subarray(352))
  }
  assert.ok(names.length >= 8)
  for (const [n, one] of voxels.entries()) assert.deepEqual(one, voxels[0], names[n])
})
