import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { labelledCases } from '../../bench/cases.js'
import { InputError, UsageError } from '../../src/errors.js'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { type FillFilesOptions, type FillResult, fillFiles } from '../../src/run/fill.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { type Affine, compose, identity, invert, translation } from '../../src/volume/affine.js'
import { resampleMask } from '../../src/volume/resample.js'
import { emptyMask, type Mask, type Volume, volumeMl } from '../../src/volume/volume.js'
import { fillPhantom } from '../lesions/fill-phantom.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-fill-'))
after(() => rmSync(base, { recursive: true, force: true }))
const path = (name: string) => join(base, name)
const save = async (name: string, volume: Volume): Promise<string> => {
  writeFileSync(path(name), await writeNifti(volume, { level: 1 }))
  return path(name)
}
const load = async (name: string) => (await readNifti(readFileSync(path(name)), name)).image
const bytesOf = (name: string) => gunzipSync(readFileSync(path(name)))

const phantom = await fillPhantom()
const int16 = { ...phantom.t1, data: Int16Array.from(phantom.t1.data, Math.round) }
const given: FillFilesOptions = {
  t1: await save('T1.nii.gz', int16),
  lesionMask: await save('lesions.nii.gz', phantom.lesions),
  whiteMatter: await save('wm.nii.gz', phantom.wm),
  out: path('filled.nii.gz'),
}
const run = (change: Partial<FillFilesOptions> = {}): Promise<FillResult> => fillFiles({ ...given, ...change })

/** Mean of the lesions over that of the white matter that would be there. */
function ratioIn(image: { data: ArrayLike<number> }): number {
  let [sum, truth] = [0, 0]
  for (let i = 0; i < phantom.lesions.data.length; i++)
    if (phantom.lesions.data[i] !== 0) {
      sum += image.data[i]
      truth += phantom.truth.data[i]
    }
  return sum / truth
}

test('int16: header, type and every other voxel stay; the inputs and the file beside say what is so', async () => {
  const before = readFileSync(given.t1)
  const result = await run()
  assert.ok(Math.abs(ratioIn(await load('filled.nii.gz')) - 1) < 0.01)
  assert.ok(Math.abs(ratioIn(int16) - 1) > 0.1)
  assert.deepEqual(readFileSync(given.t1), before)
  const [a, b] = [bytesOf('T1.nii.gz'), bytesOf('filled.nii.gz')]
  assert.deepEqual(b.subarray(0, 352), a.subarray(0, 352))
  let changed = 0
  for (let at = 352; at < a.length; at += 2) if (a.readInt16LE(at) !== b.readInt16LE(at)) changed++
  assert.ok(changed <= result.filledVoxels && changed > 0.9 * result.filledVoxels)
  assert.deepEqual(JSON.parse(readFileSync(path('filled.json'), 'utf8')), result)
  assert.equal(result.parameters.whiteMatter, 'given')
  assert.ok(Math.abs((result.meanRatio ?? 0) - 1) < 0.06 && Math.abs((result.sdRatio ?? 0) - 1) < 0.15)
  assert.deepEqual(result.flags, [])
})

test('float32 stays float32, and a plain .nii can be asked for', async () => {
  await save('T1-float.nii.gz', phantom.t1)
  await run({ t1: path('T1-float.nii.gz'), out: path('float.nii') })
  const bytes = readFileSync(path('float.nii'))
  assert.equal(bytes.readInt16LE(70), 16)
  assert.ok(Math.abs(ratioIn(await load('float.nii')) - 1) < 0.01)
})

test('the same seed gives the same file, whatever the number of threads', async () => {
  await run({ out: path('a.nii.gz'), threads: 1 })
  await run({ out: path('b.nii.gz'), threads: 2 })
  await run({ out: path('c.nii.gz'), seed: 5 })
  assert.deepEqual(readFileSync(path('a.nii.gz')), readFileSync(path('b.nii.gz')))
  assert.notDeepEqual(readFileSync(path('a.nii.gz')), readFileSync(path('c.nii.gz')))
})

test('a mask on another grid of the same space is brought over by its header; instances and probabilities are masks too', async () => {
  const affine: Affine = [-1.5, 0, 0, 90, 0, 1.5, 0, -100, 0, 0, 2, -60, 0, 0, 0, 1]
  const other = { dims: [110, 100, 64] as const, affine }
  const moved: Mask = await resampleMask(phantom.lesions, other)
  const labels = { ...moved, data: Int16Array.from(moved.data, (v, i) => v * (1 + (i % 40))) }
  const lesionMask = await save('other.nii.gz', labels)
  const result = await run({ lesionMask, out: path('other-out.nii.gz') })
  assert.ok(Math.abs(ratioIn(await load('other-out.nii.gz')) - 1) < 0.02)
  assert.ok(Math.abs(result.lesionMl / volumeMl(phantom.lesions) - 1) < 0.1)
  const soft = await save('soft.nii.gz', {
    ...phantom.lesions,
    data: Float32Array.from(phantom.lesions.data, (v) => 0.3 * v),
  })
  await assert.rejects(run({ lesionMask: soft }), /--threshold/)
  const cut = await run({ lesionMask: soft, threshold: 0.25, out: path('soft-out.nii.gz') })
  assert.deepEqual(readFileSync(path('soft-out.nii.gz')), readFileSync(path('filled.nii.gz')))
  assert.equal(
    cut.lesionVoxels,
    phantom.lesions.data.reduce((n, v) => n + v, 0),
  )
})

test('a mask in the voxels of the T1 is not moved by a FLAIR of others', async () => {
  const flair = await save('flair.nii.gz', {
    dims: [40, 40, 40],
    affine: [4, 0, 0, -80, 0, 4, 0, -80, 0, 0, 4, -80, 0, 0, 0, 1],
    data: Float32Array.from({ length: 64_000 }, (_, i) => i % 13),
  })
  const { flags } = await run({ flair, out: path('with-flair.nii.gz') })
  assert.deepEqual(
    flags.map(({ code }) => code),
    ['mask-on-t1'],
  )
  assert.deepEqual(readFileSync(path('with-flair.nii.gz')), readFileSync(path('filled.nii.gz')))
})

test('an empty mask leaves the image as it was, and says so', async () => {
  const lesionMask = await save('empty.nii.gz', emptyMask(phantom.t1))
  const result = await run({ lesionMask, whiteMatter: undefined, out: path('same.nii.gz') })
  assert.deepEqual(bytesOf('same.nii.gz'), bytesOf('T1.nii.gz'))
  assert.deepEqual(
    result.flags.map(({ code }) => code),
    ['empty-mask'],
  )
  assert.deepEqual([result.filledVoxels, result.meanRatio], [0, null])
  assert.doesNotMatch(readFileSync(path('same.json'), 'utf8'), /NaN/)
})

test('what cannot be filled is refused, and nothing is written', async () => {
  const away = { ...phantom.lesions, affine: compose(translation([400, 0, 0]), phantom.lesions.affine) }
  const bad = path('bad/out.nii.gz')
  const head: Mask = { dims: [80, 80, 80], affine: identity, data: new Uint8Array(80 ** 3).fill(1) }
  const cases: [Partial<FillFilesOptions>, new (...args: never[]) => Error, RegExp][] = [
    [{ lesionMask: await save('away.nii.gz', away) }, InputError, /no lesion within the T1.*--flair/],
    [{ lesionMask: path('nothing.nii.gz') }, InputError, /no such file/],
    [{ lesionMask: await save('head.nii.gz', head) }, InputError, /marks 512 ml, more than lesions take/],
    [{ whiteMatter: path('empty.nii.gz') }, InputError, /no white matter/],
    [{ whiteMatter: given.t1 }, InputError, /white matter as mask/],
    [{ lesionMask: given.whiteMatter }, InputError, /none left to take values from/],
    [{ out: path('bad/out.mgz') }, UsageError, /ends in \.nii\.gz/],
    [{ out: given.t1 }, UsageError, /is an input/],
    [{ grow: 1.5 }, UsageError, /--grow takes 0 to 10 voxels/],
  ]
  for (const [change, kind, message] of cases)
    await assert.rejects(run({ out: bad, ...change }), (error: Error) => {
      assert.ok(error instanceof kind, String(error))
      assert.match(error.message, message)
      return true
    })
  assert.ok(!existsSync(path('bad')))
  assert.ok(!readdirSync(base).some((name) => name.startsWith('.lesionwise')))
})

test('a patient: white matter found by itself, mask drawn on a FLAIR in another position', {
  timeout: 240_000,
}, async () => {
  const patient = await simulateStudy({ seed: 3, pixelMm: 1.5, sliceMm: 3, lesionMl: 10 })
  const twin = await simulateStudy({ seed: 3, pixelMm: 1.5, sliceMm: 3, lesionMl: 0 })
  const t1 = await save('patient-T1.nii.gz', patient.t1)
  const flair = await save('patient-FLAIR.nii.gz', patient.flair)
  const lesionMask = await save('patient-truth.nii.gz', patient.truth)
  const result = await fillFiles({ t1, flair, lesionMask, out: path('patient.nii.gz') })
  const filled = await load('patient.nii.gz')
  // The same head without lesions, with the same noise: what should be there.
  let [healthy, ill, now, n] = [0, 0, 0, 0]
  const onT1 = await resampleMask(patient.truth, patient.t1, {
    map: invert(patient.flairToT1),
    method: 'linear',
  })
  for (let i = 0; i < onT1.data.length; i++) {
    if (onT1.data[i] === 0) continue
    healthy += twin.t1.data[i]
    ill += patient.t1.data[i]
    now += filled.data[i]
    n++
  }
  assert.ok(n > 2000)
  assert.ok(ill / healthy < 0.93, `lesions: ${ill / healthy}`)
  assert.ok(Math.abs(now / healthy - 1) < 0.03, `filled: ${now / healthy}`)
  assert.ok(Math.abs((result.sdRatio ?? 0) - 1) < 0.15)
})

const real = labelledCases().find(({ id }) => id === 'lj07')
test('a real scan: the filled region is like the white matter around it', {
  skip: !real,
  timeout: 240_000,
}, async () => {
  const result = await fillFiles({ t1: real!.t1, lesionMask: real!.mask, out: path('lj07.nii.gz') })
  assert.ok(result.meanBefore / result.meanAround < 0.85)
  assert.ok(Math.abs((result.meanRatio ?? 0) - 1) < 0.02 && Math.abs((result.sdRatio ?? 0) - 1) < 0.15)
})
