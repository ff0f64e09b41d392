import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readItkAffine } from '../../src/formats/itk.js'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { type Affine, apply, compose, cornerDistance, invert, translation } from '../../src/volume/affine.js'
import { reorient } from '../../src/volume/orient.js'
import { sameGrid } from '../../src/volume/volume.js'
import { lesionwise } from './run.js'

// One small synthetic patient, T1 and FLAIR not aligned, the FLAIR stored front to back.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-preprocess-'))
const path = (name: string) => join(base, name)
let flairToT1: Affine
before(async () => {
  const patient = await simulateStudy({ seed: 5, pixelMm: 1.5, sliceMm: 4, lesionMl: 10 })
  const flair = reorient(patient.flair, { from: [1, 0, 2], flip: [true, false, false] })
  const t1 = { ...patient.t1, affine: compose(translation([7, -4, 3]), patient.t1.affine) }
  flairToT1 = compose(translation([7, -4, 3]), patient.flairToT1)
  writeFileSync(path('FLAIR.nii.gz'), await writeNifti(flair))
  writeFileSync(path('T1.nii.gz'), await writeNifti(t1))
})
after(() => rmSync(base, { recursive: true, force: true }))
const load = async (name: string) => (await readNifti(readFileSync(path(name)), name)).image
const images = () => ['--flair', path('FLAIR.nii.gz'), '--t1', path('T1.nii.gz')]

test('everything lands on the FLAIR’s own grid, with transforms that say how', async () => {
  const { code, stdout, stderr } = await lesionwise(['preprocess', ...images(), '--out', path('flair'), '--json'])
  assert.equal(code, 0, stderr)
  assert.equal(JSON.parse(stdout).space, 'FLAIR')
  assert.deepEqual(readdirSync(path('flair')).sort(), [
    'from-FLAIR_to-MNI152_mode-image_xfm.txt',
    'from-FLAIR_to-T1w_mode-image_xfm.txt',
    'from-MNI152_to-FLAIR_mode-image_xfm.txt',
    'from-T1w_to-FLAIR_mode-image_xfm.txt',
    'provenance.json',
    'qc.html',
    'space-FLAIR_desc-biasfield_FLAIR.nii.gz',
    'space-FLAIR_desc-biasfield_T1w.nii.gz',
    'space-FLAIR_desc-brain_mask.nii.gz',
    'space-FLAIR_desc-preproc_FLAIR.nii.gz',
    'space-FLAIR_desc-preproc_T1w.nii.gz',
    'space-FLAIR_label-CSF_probseg.nii.gz',
    'space-FLAIR_label-GM_probseg.nii.gz',
    'space-FLAIR_label-WM_probseg.nii.gz',
  ])
  const given = await load('FLAIR.nii.gz')
  for (const name of ['desc-preproc_T1w', 'desc-brain_mask', 'label-WM_probseg']) {
    const { dims, affine } = await load(`flair/space-FLAIR_${name}.nii.gz`)
    assert.deepEqual(dims, given.dims, name)
    assert.ok(cornerDistance(affine, given.affine, dims) < 1e-3, name)
  }
  // It maps FLAIR points to T1 points, and its inverse the other way.
  const file = (name: string) => readItkAffine(readFileSync(path(`flair/${name}`), 'utf8'), name)
  const map = file('from-T1w_to-FLAIR_mode-image_xfm.txt')
  for (const p of [
    [0, 0, 0],
    [40, -30, 20],
    [-30, 40, -10],
  ] as const) {
    const [found, right] = [apply(map, p), apply(flairToT1, p)]
    assert.ok(Math.hypot(...found.map((v, i) => v - right[i])) < 1, `${found} and ${right}`)
    const back = apply(file('from-FLAIR_to-T1w_mode-image_xfm.txt'), found)
    assert.ok(Math.hypot(...back.map((v, i) => v - p[i])) < 1e-6)
  }
  const page = readFileSync(path('flair/qc.html'), 'utf8')
  for (const word of ['Does the T1 fit the FLAIR', 'Edge of the brain mask', 'Bias field', 'Tissue classes'])
    assert.ok(page.includes(word), word)
  assert.ok(!page.includes(base) && !readFileSync(path('flair/provenance.json'), 'utf8').includes(base))
})

test('what was prepared is what segment takes', async () => {
  const { code, stdout, stderr } = await lesionwise([
    'segment',
    '--prepared',
    path('flair'),
    '--out',
    path('lesions'),
    '--json',
  ])
  assert.equal(code, 0, stderr)
  assert.ok(JSON.parse(stdout).lesionVolumeMl > 3)
})

test('another space, voxels, steps; a new result replaces the old one', async () => {
  const run = (...more: string[]) =>
    lesionwise(['preprocess', ...images(), '--out', path('mni'), '--work', path('work'), '--quiet', ...more])
  const first = await run(
    '--space',
    'mni',
    '--voxel',
    '2',
    '--steps',
    '+denoise=diffusion,+normalise=zscore',
    '--strip',
  )
  assert.equal(first.code, 0, first.stderr)
  const t1 = await load('mni/space-MNI152_desc-preproc_T1w.nii.gz')
  const mask = await load('mni/space-MNI152_desc-brain_mask.nii.gz')
  assert.deepEqual(t1.dims, [91, 109, 91])
  let [n, sum, outside] = [0, 0, 0]
  for (let i = 0; i < t1.data.length; i++)
    if (mask.data[i] === 0) outside = Math.max(outside, Math.abs(t1.data[i]))
    else {
      n++
      sum += t1.data[i]
    }
  assert.equal(outside, 0)
  assert.ok(Math.abs(sum / n) < 1e-3)
  const second = await run('--space', 't1', '--steps', 'register,brain')
  assert.equal(second.code, 0, second.stderr)
  assert.ok(!readdirSync(path('mni')).some((name) => name.includes('probseg') || name.includes('space-MNI152')))
  assert.ok(sameGrid(await load('mni/space-T1w_desc-preproc_FLAIR.nii.gz'), await load('T1.nii.gz')))
})

test('two visits meet halfway; Nyúl’s scale is learned from them and used', async () => {
  const visit = `flair=${path('FLAIR.nii.gz')},t1=${path('T1.nii.gz')}`
  const pair = await lesionwise([
    'preprocess',
    '--visit',
    visit,
    '--visit',
    visit,
    '--out',
    path('pair'),
    '--steps',
    'register,brain',
    '--json',
  ])
  assert.equal(pair.code, 0, pair.stderr)
  assert.equal(JSON.parse(pair.stdout).space, 'halfway')
  const [a, b] = [
    await load('pair/visit-1/space-halfway_desc-preproc_FLAIR.nii.gz'),
    await load('pair/visit-2/space-halfway_desc-preproc_FLAIR.nii.gz'),
  ]
  let most = 0
  for (let i = 0; i < a.data.length; i++) most = Math.max(most, Math.abs(a.data[i] - b.data[i]))
  assert.ok(most < 1e-2, `the same visit twice differs by ${most}`)
  const { code, stderr } = await lesionwise([
    'intensity-scale',
    path('pair/visit-1'),
    path('pair/visit-2'),
    '--out',
    path('scale.json'),
  ])
  assert.equal(code, 0, stderr)
  const scaled = await lesionwise([
    'preprocess',
    ...images(),
    '--out',
    path('nyul'),
    '--steps',
    'register,brain,normalise=nyul',
    '--scale',
    path('scale.json'),
    '--quiet',
  ])
  assert.equal(scaled.code, 0, scaled.stderr)
})

test('one image onto another, rigid and deformable', async () => {
  const run = (...more: string[]) =>
    lesionwise([
      'register',
      '--fixed',
      path('FLAIR.nii.gz'),
      '--moving',
      path('T1.nii.gz'),
      '--out',
      path('aligned'),
      '--json',
      ...more,
    ])
  const rigid = JSON.parse((await run()).stdout)
  assert.ok(rigid.trusted)
  const right = apply(flairToT1, [10, 20, 5])
  assert.ok(Math.hypot(...apply(rigid.map, [10, 20, 5]).map((v, i) => v - right[i])) < 1)
  const free = JSON.parse((await run('--kind', 'velocity')).stdout)
  assert.ok(free.jacobian[0] > 0)
  assert.ok(existsSync(path('aligned/from-moving_to-fixed_mode-image_xfm.nii.gz')))
  assert.ok(cornerDistance(compose(free.map, invert(free.map)), translation([0, 0, 0]), [99, 99, 99]) < 1e-6)
})

test('mistakes are said in one line, and nothing is written', async () => {
  for (const [args, code, words] of [
    [['--t2', path('T1.nii.gz')], 2, /FLAIR or a T1/],
    [['--flair', path('nothing.nii.gz')], 3, /no such file/],
    [[...images(), '--steps', 'bones'], 2, /no step "bones"/],
    [[...images(), '--steps', 'tissue'], 2, /need the brain/],
    [[...images(), '--space', 'halfway'], 2, /several with --visit/],
    [[...images(), '--steps', '+normalise=nyul'], 2, /--scale/],
    [[...images(), '--voxel', '99'], 2, /0\.3 to 8/],
  ] as const) {
    const { code: seen, stderr } = await lesionwise(['preprocess', ...args, '--out', path('never'), '--quiet'])
    assert.equal(seen, code, stderr)
    assert.match(stderr, words)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.ok(!existsSync(path('never')))
  }
})
