import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { InputError, UsageError } from '../../src/errors.js'
import { type Dataset, writeDicom } from '../../src/formats/dicom/write.js'
import { readNiftiValues } from '../../src/formats/nifti.js'
import { importDicom } from '../../src/run/import-dicom.js'
import { apply } from '../../src/volume/affine.js'
import { flairRecipe, mprageRecipe, mrDatasets, mrSeries, ramp, type SeriesRecipe } from '../formats/dicom/series.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-import-'))
after(() => rmSync(base, { recursive: true, force: true }))
let count = 0
const place = () => join(base, String(count++))

/** A folder of series, named as a scanner's disc names its files. */
function disc(...recipes: SeriesRecipe[]): string {
  const folder = place()
  let n = 0
  for (const recipe of recipes) {
    const below = join(folder, 'DICOM', `S${n}`)
    mkdirSync(below, { recursive: true })
    for (const bytes of mrSeries(recipe)) writeFileSync(join(below, `IM${String(n++).padStart(5, '0')}`), bytes)
  }
  return folder
}

/** Every voxel inside holds the value of the place where the image says it lies. */
async function liesRight(path: string, tolerance = 1.01) {
  const { image } = await readNiftiValues(readFileSync(path), path)
  const [nx, ny, nz] = image.dims
  let worst = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++)
        worst = Math.max(
          worst,
          Math.abs(
            image.data[i + nx * (j + ny * k)] - ramp(apply(image.affine, [i, j, k]) as [number, number, number]),
          ),
        )
  assert.ok(worst <= tolerance, `${path}: off by ${worst}`)
  return image
}

const allText = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const path = join(folder, name)
      return `${name}\n${/\.(json|tsv)$/.test(name) ? readFileSync(path, 'utf8') : ''}`
    })
    .join('\n')

const secrets = /DOE|JANE|ID-|HOUSE|Princeton|ACC77|\b4711\b|MRROOM|\b1980|\b202401|2024-01/

const oblique: Pick<SeriesRecipe, 'row' | 'column'> = {
  row: [0.96, 0.28, 0],
  column: [-0.28 * 0.8, 0.96 * 0.8, 0.6],
}

test('a mixed study becomes BIDS: contrasts picked, geometry kept, nobody named', async () => {
  const localizer = [
    { number: 1, description: 'localizer', size: [24, 20, 3] as const, tr: 8, te: 4 },
    {
      number: 1,
      description: 'localizer',
      size: [24, 20, 3] as const,
      row: [0, 1, 0] as const,
      column: [0, 0, -1] as const,
      study: 'study-1',
    },
  ]
  const folder = disc(
    { ...localizer[0], imageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] },
    mprageRecipe,
    { ...flairRecipe, ...oblique },
    { number: 7, description: 'pd+t2_tse_tra', tr: 3000, te: 15 },
    { number: 8, description: 'ep2d_diff_3scan_trace_p2', tr: 5000, te: 90, scanningSequence: ['EP', 'SE'] },
    { ...mprageRecipe, number: 11, description: 't1_mprage_sag_p2_iso', contrastAgent: 'Gadovist' },
  )
  writeFileSync(join(folder, 'README.txt'), 'not DICOM')
  const out = place()
  const said: string[] = []
  const made = await importDicom({ folder, out, onFlag: (flag) => said.push(flag.message) })
  const roles = Object.fromEntries(made.series.filter((one) => one.chosen).map((one) => [one.role, one.id]))
  assert.deepEqual(roles, { t1: '3', flair: '5', pd: '7', t1gd: '11' })
  const flair = await liesRight(join(out, 'sub-001/anat/sub-001_FLAIR.nii.gz'))
  assert.deepEqual([...flair.dims], [24, 20, 12])
  await liesRight(join(out, 'sub-001/anat/sub-001_T1w.nii.gz'))
  await liesRight(join(out, 'sub-001/anat/sub-001_ce-gadolinium_T1w.nii.gz'))
  assert.match(
    made.series.find((one) => one.id === '5')?.why ?? '',
    /its name says FLAIR, and SE\/IR, TR 9000, TE 94, TI 2500 agrees/,
  )
  assert.match(made.series.find((one) => one.id === '1')?.why ?? '', /localizer/)
  assert.match(made.series.find((one) => one.id === '8')?.why ?? '', /diffusion/)
  assert.deepEqual(made.files, { dicom: 3 + 22 + 12 + 12 + 12 + 22, others: 1, damaged: 0 })
  // Nobody's identity in the folder, in the report or in what is said; the NIfTI text fields are empty.
  for (const text of [allText(out), JSON.stringify({ ...made, out: '' }), said.join()])
    assert.doesNotMatch(text, secrets)
  const packed = readFileSync(join(out, 'sub-001/anat/sub-001_FLAIR.nii.gz'))
  const { gunzipSync } = await import('node:zlib')
  assert.ok(
    gunzipSync(packed)
      .subarray(148, 252)
      .every((byte) => byte === 0),
  )
  const sidecar = JSON.parse(readFileSync(join(out, 'sub-001/anat/sub-001_FLAIR.json'), 'utf8'))
  assert.equal(sidecar.EchoTime, 0.094)
  assert.match(sidecar.SeriesInstanceUID, /^2\.25\.\d+$/)
  assert.match(readFileSync(join(out, 'sub-001/sub-001_scans.tsv'), 'utf8'), /anat\/sub-001_FLAIR\.nii\.gz\t19[0-2]\d-/)
})

test('a series of two echoes is a PD and a T2', async () => {
  const extra = { SeriesInstanceUID: '2.25.77' }
  const folder = disc(
    { number: 4, description: 'pd_t2_tse_tra', tr: 3000, te: 14, extra },
    { number: 4, description: 'pd_t2_tse_tra', tr: 3000, te: 92, extra, study: 'study-1', origin: [-24, -25, -24] },
  )
  // Both recipes share instance names: make those of the second echo their own.
  const made = await importDicom({ folder: await distinct(folder), dryRun: true })
  assert.deepEqual(
    made.series.map(({ id, role }) => [id, role]),
    [
      ['4.1', 'pd'],
      ['4.2', 't2'],
    ],
  )
})

/** Gives each file an instance UID of its own. */
async function distinct(folder: string): Promise<string> {
  const { default: dcmjs } = await import('dcmjs')
  for (const [n, name] of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().entries()) {
    const path = join(folder, name)
    if (!/IM\d+$/.test(path)) continue
    const bytes = readFileSync(path)
    const file = dcmjs.data.DicomMessage.readFile(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    file.dict['00080018'] = { vr: 'UI', Value: [`2.25.${1000 + n}`] }
    writeFileSync(path, new Uint8Array(file.write()))
  }
  return folder
}

test('missing slices: the series is not taken, and says why; mapped by hand it is refused', async () => {
  const folder = disc({ ...flairRecipe, missing: [4, 5] }, mprageRecipe)
  const made = await importDicom({ folder, dryRun: true })
  const flair = made.series.find((one) => one.id === '5')
  assert.equal(flair?.chosen, false)
  assert.match(flair?.why ?? '', /2 slices are missing \(a gap where 4\.00 mm is the rule\)/)
  assert.equal(made.flags[0].severity, 'serious')
  const out = place()
  await assert.rejects(importDicom({ folder, out, map: ['5=flair'] }), (error: unknown) => {
    assert.ok(error instanceof InputError)
    assert.match(error.message, /^series 5: 2 slices are missing/)
    return true
  })
  assert.ok(!existsSync(out))
})

test('--map overrides and skips; what it names wrongly is a usage error', async () => {
  const folder = disc(flairRecipe, mprageRecipe, { ...flairRecipe, number: 6, acquisition: '3D' })
  const auto = await importDicom({ folder, dryRun: true })
  assert.deepEqual(
    auto.series.filter((one) => one.chosen).map(({ id, role }) => [id, role]),
    [
      ['3', 't1'],
      ['6', 'flair'],
    ],
  )
  const mapped = await importDicom({ folder, dryRun: true, map: ['5=flair', '3=skip'] })
  assert.deepEqual(
    mapped.series.filter((one) => one.chosen).map(({ id, role }) => [id, role]),
    [['5', 'flair']],
  )
  for (const map of [['99=flair'], ['5=brain'], ['flair'], ['5=flair', '6=flair']])
    await assert.rejects(importDicom({ folder, dryRun: true, map }), UsageError)
})

test('two studies are two sessions with the right days between them; --keep-map keeps labels over imports', async () => {
  const first = { ...flairRecipe, study: 'a', studyDate: '20220110' }
  const second = { ...flairRecipe, study: 'b', studyDate: '20230110' }
  const out = place()
  const keepMap = `${place()}.json`
  await importDicom({ folder: disc(second, first), out, keepMap })
  const day = (session: string) => {
    const text = readFileSync(join(out, `sub-001/ses-${session}/sub-001_ses-${session}_scans.tsv`), 'utf8')
    return Date.parse(`${/(\d{4}-\d\d-\d\d)T/.exec(text)?.[1]}T00:00:00Z`) / 864e5
  }
  assert.equal(day('02') - day('01'), 365)
  const third = await importDicom({ folder: disc({ ...flairRecipe, study: 'c', studyDate: '20230120' }), out, keepMap })
  assert.equal(third.series[0].file, 'sub-001/ses-03/anat/sub-001_ses-03_FLAIR.nii.gz')
  assert.equal(day('03') - day('02'), 10)
  const stranger = await importDicom({
    folder: disc({ ...flairRecipe, study: 'd', patient: 'ROE^RICHARD' }),
    out,
    keepMap,
  })
  assert.equal(stranger.series[0].subject, '002')
  assert.match(readFileSync(join(out, 'participants.tsv'), 'utf8'), /sub-001\nsub-002\n/)
  assert.match(readFileSync(keepMap, 'utf8'), /ID-DOE\^JANE/)
  await assert.rejects(importDicom({ folder: disc(first), out, keepMap: join(out, 'map.json') }), UsageError)
  // The same study once more: what is there is not replaced.
  await assert.rejects(importDicom({ folder: disc(first), out, keepMap }), /holds sub-001\/ses-01\/anat/)
})

test('one number on two names is doubted; who has neither number nor name is nobody else', async () => {
  const under = (...people: [patient: string, patientId: string][]) =>
    importDicom({
      folder: disc(
        ...people.map(([patient, patientId], n) => ({ ...flairRecipe, study: `person-${n}`, patient, patientId })),
      ),
      dryRun: true,
    })
  const codes = ({ flags }: Awaited<ReturnType<typeof under>>) => flags.map(({ code }) => code)
  const mixed = await under(['ALPHA^ANN', '1'], ['BETA^BOB', '1'])
  assert.deepEqual(codes(mixed), ['one-number-two-persons'])
  assert.doesNotMatch(JSON.stringify(mixed.flags), /ALPHA|BETA/i)
  // A name that was completed, or begins to be another one, is still hers.
  assert.deepEqual(codes(await under(['DOE^JANE', '1'], ['Doe-Smith^Jane^M', '1'])), [])
  const nameless = await under(['', ''], ['', ''])
  assert.deepEqual(new Set(nameless.series.map(({ subject }) => subject)).size, 2)
  const odd = await under(['DOE^JANE', '__proto__'])
  assert.equal(odd.series[0].subject, '001')
})

test('a map that cannot be kept stops the import before anything is written', async () => {
  const out = place()
  const folder = disc(flairRecipe)
  const keepMap = join(place(), 'no', 'such', 'map.json')
  await assert.rejects(importDicom({ folder, out, keepMap }), /map\.json: .*give another --keep-map/)
  assert.ok(!existsSync(out))
  mkdirSync(out)
  const link = place()
  symlinkSync(out, link)
  for (const inside of [join(link, 'map.json'), join(out, '..map.json'), join(out, 'new', 'map.json')])
    await assert.rejects(importDicom({ folder, out, keepMap: inside }), UsageError, inside)
})

test('an enhanced multi-frame file is one volume, and lies right', async () => {
  const slices = mrDatasets({ ...flairRecipe, ...oblique })
  const [first] = slices
  const item = (frame: Dataset) => ({
    PlanePositionSequence: [{ ImagePositionPatient: frame.ImagePositionPatient }],
    FrameContentSequence: [
      {
        DimensionIndexValues: [Number(frame.InstanceNumber)],
        StackID: '1',
        InStackPositionNumber: frame.InstanceNumber,
      },
    ],
    MREchoSequence: [{ EffectiveEchoTime: 94 }],
  })
  const pixels = new Uint16Array(slices.length * 480)
  slices.forEach((slice, k) => pixels.set(new Uint16Array((slice.PixelData as ArrayBuffer[])[0]), k * 480))
  const enhanced: Dataset = {
    ...first,
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4.1',
    NumberOfFrames: slices.length,
    SharedFunctionalGroupsSequence: [
      {
        PlaneOrientationSequence: [{ ImageOrientationPatient: first.ImageOrientationPatient }],
        PixelMeasuresSequence: [{ PixelSpacing: first.PixelSpacing, SliceThickness: 4, SpacingBetweenSlices: 4 }],
        MRTimingAndRelatedParametersSequence: [{ RepetitionTime: 9000, FlipAngle: 90 }],
        MRModifierSequence: [{ InversionRecovery: 'YES', InversionTimes: [2500] }],
      },
    ],
    PerFrameFunctionalGroupsSequence: slices.map(item),
    PixelData: [pixels.buffer],
  }
  const gone = [
    'ImagePositionPatient',
    'ImageOrientationPatient',
    'PixelSpacing',
    'EchoTime',
    'RepetitionTime',
    'InversionTime',
  ]
  for (const key of [...gone, 'SliceThickness', 'SpacingBetweenSlices', 'ScanningSequence', 'FlipAngle'])
    delete enhanced[key]
  const folder = place()
  mkdirSync(folder)
  writeFileSync(join(folder, 'one'), writeDicom(enhanced))
  const out = place()
  const made = await importDicom({ folder, out })
  assert.deepEqual([made.series[0].role, made.series[0].images], ['flair', 12])
  assert.match(made.series[0].why, /TR 9000, TE 94, TI 2500 agrees/)
  await liesRight(join(out, 'sub-001/anat/sub-001_FLAIR.nii.gz'))
})

test('one study under two patient numbers is one subject, with a serious doubt', async () => {
  const folder = disc(flairRecipe, { ...mprageRecipe, patient: 'ROE^RICHARD' })
  const made = await importDicom({ folder, out: place() })
  assert.deepEqual([...new Set(made.series.map(({ subject }) => subject))], ['001'])
  assert.ok(made.flags.some(({ code, severity }) => code === 'two-persons' && severity === 'serious'))
})

test('a sheared series is flagged and brought straight', async () => {
  const folder = disc({ ...flairRecipe, shear: 0.8 })
  const made = await importDicom({ folder, out: place() })
  assert.ok(
    made.flags.some(({ code }) => code === 'tilt'),
    JSON.stringify(made.flags),
  )
})

const dcmcjpeg = (() => {
  try {
    return execFileSync('which', ['dcmcjpeg'], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
})()

test('compressed files give the same voxels', { skip: dcmcjpeg === '' && 'dcmtk is not here' }, async () => {
  const folder = disc(flairRecipe)
  const one = place()
  const two = place()
  await importDicom({ folder, out: one })
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (/IM\d+$/.test(name)) execFileSync(dcmcjpeg, ['+e1', join(folder, name), join(folder, name)])
  await importDicom({ folder, out: two })
  const image = (out: string) => readFileSync(join(out, 'sub-001/anat/sub-001_FLAIR.nii.gz'))
  assert.deepEqual(image(one), image(two))
})

test('hostile input: truncated, garbage and no DICOM at all end in one line', async () => {
  const empty = place()
  mkdirSync(empty)
  await assert.rejects(importDicom({ folder: empty, dryRun: true }), InputError)
  await assert.rejects(importDicom({ folder: join(empty, 'none'), dryRun: true }), /there is no such folder/)
  const folder = disc(flairRecipe)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /IM\d+$/.test(name))
  const whole = readFileSync(join(folder, files[0]))
  // Cut in the pixels: the series says so. Cut in the header: the file is left out, and so a slice is missing.
  writeFileSync(join(folder, files[3]), readFileSync(join(folder, files[3])).subarray(0, whole.length - 400))
  const cut = await importDicom({ folder, dryRun: true })
  assert.match(cut.series[0].why, /1 of its files end too early/)
  writeFileSync(join(folder, files[3]), whole.subarray(0, 700))
  const less = await importDicom({ folder, dryRun: true })
  assert.equal(less.files.damaged, 1)
  assert.match(less.series[0].why, /1 slice is missing/)
})
