import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { InputError, UsageError } from '../../src/errors.js'
import { readItkAffine } from '../../src/formats/itk.js'
import { readMgh, writeMgh } from '../../src/formats/mgh.js'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { writeTsv } from '../../src/formats/tsv.js'
import { findLesions } from '../../src/lesions/instances.js'
import { lesionTable, summarise } from '../../src/lesions/summary.js'
import type { Lesion, Location } from '../../src/lesions/types.js'
import { type ExportOptions, exportResult } from '../../src/run/export.js'
import type { Provenance } from '../../src/run/provenance.js'
import { type Affine, apply, compose, cornerDistance, invert, translation, type Vec3 } from '../../src/volume/affine.js'
import { conformedGrid } from '../../src/volume/conform.js'
import { emptyImage, maskWhere, type Volume, volumeMl } from '../../src/volume/volume.js'
import { provenanceText } from './made-up-result.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-export-'))
after(() => rmSync(base, { recursive: true, force: true }))
const path = (name: string) => join(base, name)
const image = async (name: string) => (await readNifti(readFileSync(path(name)), name)).image

/** Where a mask's voxels lie on average, RAS mm. */
function centre({ dims, affine, data }: Volume): Vec3 {
  const sum = [0, 0, 0]
  let n = 0
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue
    sum[0] += i % dims[0]
    sum[1] += Math.floor(i / dims[0]) % dims[1]
    sum[2] += Math.floor(i / (dims[0] * dims[1]))
    n++
  }
  return apply(affine, sum.map((s) => s / n) as unknown as Vec3)
}
const near = (a: Vec3, b: Vec3, mm: number) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) < mm

// A result as `segment` leaves it: two lesions on an oblique FLAIR of 1 × 1 × 2 mm.
const [c, s] = [Math.cos(0.2), Math.sin(0.2)]
const affine = compose(translation([-30, -40, -10]), [c, -s, 0, 0, s, c, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])
const grid = { dims: [60, 70, 30] as const, affine }
const mask = maskWhere(emptyImage(grid), (_, i) => {
  const [x, y, z] = [i % 60, Math.floor(i / 60) % 70, 2 * Math.floor(i / 4200)]
  return Math.hypot(x - 20, y - 30, z - 30) < 7 || Math.hypot(x - 42, y - 50, z - 20) < 5
})
const found = findLesions(mask)
const places: Location[] = ['periventricular', 'infratentorial']
const lesions: Lesion[] = found.lesions.map((lesion, i) => ({
  ...lesion,
  location: places[i],
  touches: i === 0 ? ['periventricular', 'juxtacortical'] : ['infratentorial'],
  intensities: { flair: 100 + i },
}))
const toAtlas: Affine = compose(translation([3, -12, 8]), [1.1, 0, 0.02, 0, 0, 1.05, 0, 0, 0, 0, 0.98, 0, 0, 0, 0, 1])
const toT1: Affine = translation([7, -5, 4])
const steps = [
  { step: 'align-t1', version: 1, params: {}, result: { map: toT1, trust: 0.2 }, seconds: 0 },
  { step: 'brain', version: 1, params: {}, result: { toAtlas }, seconds: 0 },
]
async function result(name: string, { steps: recorded }: Pick<Provenance, 'steps'>): Promise<string> {
  mkdirSync(path(name), { recursive: true })
  const { columns, rows } = lesionTable(lesions)
  const summary = summarise({
    ...found,
    lesions,
    flags: [{ code: 'thick-slices', severity: 'info', message: 'x' }],
    method: 'm',
  })
  for (const [file, content] of [
    ['lesion_mask.nii.gz', await writeNifti(mask)],
    ['lesion_instances.nii.gz', await writeNifti(found.labels)],
    ['lesions.tsv', writeTsv(columns, rows)],
    ['summary.json', JSON.stringify(summary)],
    ['provenance.json', provenanceText({ steps: recorded })],
  ] as const)
    writeFileSync(path(`${name}/${file}`), content)
  return path(name)
}
const whole = await result('result', { steps })
const run = (change: Partial<ExportOptions>) =>
  exportResult({ result: whole, to: ['csv'], out: path('out'), ...change })

test('ITK-SNAP: every label of both maps has its line', async () => {
  const { files } = await run({ to: ['itksnap'], out: path('snap') })
  assert.equal(files.length, 4)
  const labels = (name: string) =>
    readFileSync(path(`snap/itksnap/${name}.txt`), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'))
      .map((line) => [Number(line.trim().split(/\s+/)[0]), line.slice(line.indexOf('"') + 1, -1)])
  const volumes = lesions.map(({ volumeMm3 }) => Math.round(volumeMm3 * 1e4) / 1e4)
  assert.deepEqual(labels('lesion_instances'), [
    [0, 'Clear Label'],
    [1, `Lesion 1: periventricular, ${volumes[0]} mm3`],
    [2, `Lesion 2: infratentorial, ${volumes[1]} mm3`],
  ])
  assert.deepEqual(
    labels('lesion_locations').map(([, name]) => name),
    ['Clear Label', 'periventricular', 'juxtacortical', 'infratentorial', 'subcortical'],
  )
  const classes = await image('snap/itksnap/lesion_locations.nii.gz')
  found.labels.data.forEach((id, i) => {
    assert.equal(classes.data[i], [0, 1, 3][id])
  })
})

test('FreeSurfer: 256³ of 1 mm, LIA, as NIfTI and MGZ, by the recorded way to the T1', async () => {
  await run({ to: ['freesurfer'], out: path('fs') })
  const nifti = await image('fs/freesurfer/lesion_mask.nii.gz')
  const mgz = await readMgh(readFileSync(path('fs/freesurfer/lesion_mask.mgz')), 'mgz')
  assert.deepEqual(nifti.dims, [256, 256, 256])
  assert.deepEqual(mgz.data, nifti.data)
  assert.ok(cornerDistance(mgz.affine, nifti.affine, nifti.dims) < 1e-3)
  assert.ok(cornerDistance(mgz.affine, conformedGrid(mask).affine, nifti.dims) < 1e-3)
  assert.ok(near(centre(nifti), centre(mask), 0.3))
  assert.ok(Math.abs(volumeMl(nifti) / volumeMl(mask) - 1) < 0.1)

  // An orig.mgz of a T1 in another position: its grid as it is, the lesions moved by what segment found.
  const t1Grid = conformedGrid({ dims: [80, 80, 80], affine: compose(toT1, affine) })
  const orig = { ...t1Grid, data: new Uint8Array(256 ** 3).fill(3) }
  writeFileSync(path('orig.mgz'), await writeMgh(orig))
  const made = await run({ to: ['freesurfer'], out: path('fs-t1'), t1: path('orig.mgz') })
  const moved = await image('fs-t1/freesurfer/lesion_mask.nii.gz')
  assert.ok(cornerDistance(moved.affine, t1Grid.affine, moved.dims) < 1e-3)
  assert.ok(near(centre(moved), apply(toT1, centre(mask)), 0.3))
  assert.equal(made.transforms.freesurfer, 'recorded by segment')
  assert.deepEqual(made.flags, [])
})

test('FreeSurfer: a T1 that the result knows nothing of is taken by its header, with a flag', async () => {
  const data = Float32Array.from(mask.data, (v, i) => v + (i % 7))
  writeFileSync(path('T1.nii.gz'), await writeNifti({ ...grid, data }))
  const { flags, transforms } = await run({ to: ['freesurfer'], out: path('fs-header'), t1: path('T1.nii.gz') })
  assert.deepEqual(
    flags.map(({ code }) => code),
    ['alignment-by-header'],
  )
  assert.equal(transforms.freesurfer, 'headers')
})

test('FSL: the MNI152 grid by the recorded affine, and the transform as a file', async () => {
  const { lesionMlThere } = await run({ to: ['fsl'], out: path('fsl') })
  const bytes = readFileSync(path('fsl/fsl/lesion_mask_MNI152.nii.gz'))
  const { image: there, header } = await readNifti(bytes, 'mni')
  assert.deepEqual(there.dims, [182, 218, 182])
  assert.deepEqual([...there.affine], [-1, 0, 0, 90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1])
  assert.deepEqual([header.sformCode, header.qformCode], [4, 4])
  assert.ok(near(centre(there), apply(toAtlas, centre(mask)), 0.3))
  assert.ok(Math.abs(lesionMlThere.fsl! / (volumeMl(mask) * 1.1 * 1.05 * 0.98) - 1) < 0.1)
  const file = 'fsl/fsl/from-FLAIR_to-MNI152_mode-image_xfm.txt'
  const map = readItkAffine(readFileSync(path(file), 'utf8'), file)
  assert.ok(cornerDistance(map, invert(toAtlas), [100, 100, 100]) < 1e-6)
})

test('CSV: a row a lesion, a row for the scan, and every variable explained; names that R and Stata take', async () => {
  await run({ to: ['csv'], out: path('csv'), id: 'p, 1' })
  const lines = (name: string) => readFileSync(path(`csv/csv/${name}.csv`), 'utf8').split('\r\n')
  const [head, first] = lines('lesions')
  assert.match(head, /^scan_id,lesion_id,location,voxels,volume_mm3,/)
  assert.match(first, /^"p, 1",1,periventricular,/)
  assert.match(first, /,"periventricular,juxtacortical",/)
  assert.equal(lines('lesions').length, 4)
  const [names, values] = lines('summary')
  assert.match(names, /^scan_id,lesion_count,lesion_volume_ml,lesion_volume_pct_brain,periventricular_count,/)
  assert.match(values, /^"p, 1",2,[\d.]+,,1,/)
  assert.match(values, /,m,,18,3,thick-slices$/)
  const explained = lines('data_dictionary')
    .slice(1, -1)
    .map((line) => line.split(','))
  for (const [file, header] of [
    ['lesions.csv', head],
    ['summary.csv', names],
  ])
    assert.deepEqual(
      explained.filter(([name]) => name === file).map(([, variable]) => variable),
      header.split(','),
    )
  for (const [, variable, type, , description] of explained) {
    assert.match(variable, /^[a-z][a-z0-9_]{0,31}$/)
    assert.match(type, /^(integer|number|text)$/)
    assert.notEqual(description, '')
  }
})

test('formats made one after the other stay side by side; what is not ours is left alone', async () => {
  await run({ to: ['csv'], out: path('both') })
  writeFileSync(path('both/notes.txt'), 'mine')
  await run({ to: ['itksnap', 'itksnap'], out: path('both') })
  assert.deepEqual(readdirSync(path('both')).sort(), ['csv', 'export.json', 'itksnap', 'notes.txt'])
})

test('what cannot be exported is refused, and nothing is written', async () => {
  const unrecorded = await result('unrecorded', { steps: [] })
  const partial = await result('partial', { steps })
  rmSync(path('partial/lesions.tsv'))
  const cases: [Partial<ExportOptions>, new (...args: never[]) => Error, RegExp][] = [
    [{ result: base }, InputError, /holds no provenance\.json.*--out/],
    [{ result: partial }, InputError, /holds no lesions\.tsv/],
    [{ result: unrecorded, to: ['fsl'] }, InputError, /does not say how its FLAIR lies to MNI152.*--flair/],
    [{ to: ['freesurfer'], t1: path('none.mgz') }, InputError, /none\.mgz/],
    [{ to: ['freesurfer'], t1: path('result/lesion_mask.mgz') }, InputError, /lesion_mask\.mgz/],
    [{ to: ['stata' as 'csv'] }, UsageError, /--to takes itksnap, freesurfer, fsl, csv, not "stata"/],
    [{ to: [] }, UsageError, /--to takes/],
  ]
  for (const [change, kind, message] of cases)
    await assert.rejects(run({ out: path('refused'), ...change }), (error: Error) => {
      assert.ok(error instanceof kind, String(error))
      assert.match(error.message, message)
      return true
    })
  assert.ok(!existsSync(path('refused')))
})
