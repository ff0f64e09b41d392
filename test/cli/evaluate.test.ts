import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseHTML } from 'linkedom'
import { writeNifti } from '../../src/formats/nifti.js'
import { readTsv } from '../../src/formats/tsv.js'
import type { Vec3 } from '../../src/volume/affine.js'
import type { Volume, VoxelArray } from '../../src/volume/volume.js'
import { sharedData, skipWithout } from '../shared-data.js'
import { lesionwise } from './run.js'

// Masks of 1 mm voxels: a cube of 4×4×4 at (4, 4, 4), and candidates whose scores can be told by counting.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-evaluate-'))
after(() => rmSync(base, { recursive: true, force: true }))
const path = (...names: string[]) => join(base, ...names)
const dims: Vec3 = [20, 20, 20]
const affine = [1, 0, 0, -10, 0, 1, 0, -10, 0, 0, 1, -10, 0, 0, 0, 1]

type Cube = [at: Vec3, size: Vec3, value?: number]
function volume<T extends VoxelArray>(data: T, ...cubes: Cube[]): Volume<T> {
  for (const [[x, y, z], [nx, ny, nz], value = 1] of cubes)
    for (let k = z; k < z + nz; k++)
      for (let j = y; j < y + ny; j++) for (let i = x; i < x + nx; i++) data[i + 20 * (j + 20 * k)] = value
  return { dims, affine, data }
}
const mask = (...cubes: Cube[]) => volume(new Uint8Array(8000), ...cubes)
const save = async (name: string, image: Volume) => {
  mkdirSync(join(path(name), '..'), { recursive: true })
  writeFileSync(path(name), await writeNifti(image))
}

const cube: Cube = [
  [4, 4, 4],
  [4, 4, 4],
]
const half: Cube = [
  [6, 4, 4],
  [4, 4, 4],
]
const far: Cube = [
  [12, 12, 12],
  [3, 3, 3],
]
before(async () => {
  await save('cube.nii.gz', mask(cube))
  await save('half.nii.gz', mask(half))
  await save('empty.nii.gz', mask())
  // Cases a (Dice ½), b (Dice 1), c (not handed in), d (no lesion, one found); z belongs to nobody.
  for (const [id, lesions] of [
    ['a', [cube]],
    ['b', [cube, far]],
    ['c', [cube]],
    ['d', []],
  ] as [string, Cube[]][]) {
    await save(`truth/sub-${id}/anat/sub-${id}_label-lesion_mask.nii.gz`, mask(...lesions))
    await save(`rater2/sub-${id}_mask.nii.gz`, mask(...lesions.map((): Cube => half)))
  }
  await save('mine/sub-a/lesion_mask.nii.gz', mask(half))
  await save('mine/sub-b/lesion_mask.nii.gz', mask(cube, far))
  await save('mine/sub-d/lesion_mask.nii.gz', mask(far))
  await save('mine/sub-z/lesion_mask.nii.gz', mask(far))
  cpSync(path('truth'), path('best'), { recursive: true })
})

const evaluate = (...args: string[]) => lesionwise(['evaluate', ...args])
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await evaluate(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}
const pair = (candidate: string, ...more: string[]) => [
  '--reference',
  path('cube.nii.gz'),
  '--candidate',
  path(candidate),
  ...more,
]

test('a pair by a protocol: its keys, nothing else on stdout', async () => {
  const scores = await json(...pair('half.nii.gz', '--protocol', 'msseg2016'))
  assert.deepEqual(Object.keys(scores).sort(), [
    'contourMeanDistance',
    'corrected',
    'dice',
    'f1Score',
    'hausdorffDistance',
    'jaccard',
    'npv',
    'ppv',
    'ppvL',
    'relativeVolumeError',
    'sensL',
    'sensitivity',
    'specificity',
    'surfaceDistance',
  ])
  assert.equal(scores.dice, 0.5)
  assert.equal(scores.jaccard, 1 / 3)
  assert.equal(scores.relativeVolumeError, 0)
  assert.equal(scores.hausdorffDistance, 2)
  assert.equal(scores.f1Score, 1)
  assert.ok(scores.corrected.assd > 0)
  const empty = await json(...pair('empty.nii.gz', '--protocol', 'msseg2016'))
  assert.equal(empty.dice, 0)
  assert.equal(empty.ppv, null)
  const healthy = ['--reference', path('empty.nii.gz'), '--candidate', path('half.nii.gz'), '--protocol', 'msseg2021']
  const found = await json(...healthy)
  assert.equal(found.nbTestedLesions, 1)
  assert.equal(found.volTestedLesions, 64)
  assert.ok(!('dice' in found))
})

test('a pair without a protocol: every measure, by kind, as JSON and as a table with units', async () => {
  const { voxel, surface, lesion, msseg, size, panoptic } = await json(...pair('half.nii.gz'))
  assert.equal(voxel.dice, 0.5)
  assert.equal(voxel.referenceMl, 0.064)
  assert.equal(surface.hausdorffDistance, 2)
  assert.equal(surface.surfaceDice2mm, 1)
  assert.deepEqual([lesion.referenceLesions, lesion.ltpr, lesion.lfpr], [1, 1, 0])
  assert.equal(msseg.f1Score, 1)
  assert.deepEqual([size.referenceLesions10To100, size.ltpr10To100, size.ltpr0To10], [1, 1, null])
  // IoU of one third: no pair.
  assert.deepEqual([panoptic.pq, panoptic.rq, panoptic.sq], [0, 0, null])
  const { code, stdout, stderr } = await evaluate(...pair('half.nii.gz'))
  assert.equal(code, 0, stderr)
  assert.match(stdout, /Voxel-wise\n\s+Dice\s+0\.5000/)
  assert.match(stdout, /Hausdorff distance\s+mm\s+2\.00/)
  assert.match(stdout, /SQ\s+–/)
})

test('several raters: against each, and the mean', async () => {
  const args = [
    '--reference',
    path('cube.nii.gz'),
    '--reference',
    path('half.nii.gz'),
    '--candidate',
    path('half.nii.gz'),
  ]
  const { dsc, raters } = await json(...args, '--protocol', 'isbi2015')
  assert.deepEqual([dsc, raters[0].dsc, raters[1].dsc], [0.75, 0.5, 1])
  const all = await json(...args)
  assert.deepEqual([all.voxel.dice, all.raters[0].voxel.dice], [0.75, 0.5])
  const one = await evaluate(...args, '--protocol', 'msseg2016')
  assert.equal(one.code, 2)
  assert.match(one.stderr, /one reference, and 2 are given/)
})

test('folders: a row a case, figures over them, a page; what is missing or too much is said', async () => {
  const { code, stderr, stdout } = await evaluate(
    ...['--reference', path('truth'), '--candidate', path('mine'), '--protocol', 'msseg2016', '--out', path('scores')],
  )
  assert.equal(code, 0, stderr)
  assert.match(stderr, /1 of 4 cases have no candidate .*sub-c/)
  assert.match(stderr, /belongs to no case .*sub-z/)
  assert.match(stdout, /Dice\s+0\.7500\s+0\.3536\s+0\.7500\s+2\s+0/)
  assert.deepEqual(readdirSync(path('scores')).sort(), ['provenance.json', 'report.html', 'scores.tsv', 'summary.json'])

  const { rows } = readTsv(readFileSync(path('scores/scores.tsv'), 'utf8'), 'scores.tsv')
  const figures = rows.map(({ id, status, reference_ml, candidate_ml, dice, nbTestedLesions }) => [
    id,
    status,
    reference_ml,
    candidate_ml,
    dice,
    nbTestedLesions,
  ])
  assert.deepEqual(figures, [
    ['sub-a', 'scored', '0.064', '0.064', '0.5', undefined],
    ['sub-b', 'scored', '0.091', '0.091', '1', undefined],
    ['sub-c', 'missing', '0.064', undefined, undefined, undefined],
    ['sub-d', 'scored', '0', '0.027', undefined, '1'],
  ])
  const summary = JSON.parse(readFileSync(path('scores/summary.json'), 'utf8'))
  const [{ missing, measures, corrected, overall }] = summary.candidates
  assert.deepEqual(missing, ['sub-c'])
  assert.equal(summary.cases, 4)
  assert.deepEqual(
    [measures.dice.n, measures.dice.mean, measures.dice.median, measures.dice.undefined],
    [2, 0.75, 0.75, 0],
  )
  assert.equal(measures.nbTestedLesions.n, 1)
  assert.equal(overall.dice, 0.75)
  assert.ok(corrected.assd.n === 2)
  assert.deepEqual(
    summary.flags.map((flag: { code: string }) => flag.code),
    ['missing-candidate', 'extra-candidate'],
  )
  const page = readFileSync(path('scores/report.html'), 'utf8')
  assert.ok(!page.includes(base) && !readFileSync(path('scores/provenance.json'), 'utf8').includes(base))
  const odd = page
    .replace(/<script>[^<]+<\/script>/g, '')
    .match(/.{20}(NaN|undefined|Infinity|(?:src|href)=["']?http).{20}/)
  assert.equal(odd?.[0], undefined)
  const { document } = parseHTML(page)
  const ids = Array.from(document.querySelectorAll('#cases tbody tr'), (row) => row.firstElementChild?.textContent)
  assert.deepEqual(ids, ['sub-c', 'sub-a', 'sub-b', 'sub-d'], 'missing first, then the worst')
  assert.ok(document.querySelectorAll('#spread svg').length >= 13)
  assert.equal(document.querySelectorAll('#volume svg circle').length, 2)

  // JSON of folders is the summary, and a new result takes the place of the old.
  const again = await json('--reference', path('truth'), '--candidate', path('best'), '--out', path('scores'))
  assert.equal(again.candidates[0].measures.dice.mean, 1)
  assert.equal(JSON.parse(readFileSync(path('scores/summary.json'), 'utf8')).protocol.id, 'all')
})

test('a challenge: every team, and their ranking', async () => {
  const teams = ['--candidate', `Mine=${path('mine')}`, '--candidate', `Best=${path('best')}`]
  const { rankings, candidates } = await json(
    ...['--reference', path('truth'), ...teams, '--protocol', 'msseg2016', '--out', path('challenge')],
  )
  assert.deepEqual(
    rankings[0].places.map(({ team, place, value }: Record<string, unknown>) => [team, place, value]),
    [
      ['Best', 1, 1],
      // A case that is not handed in is 0.
      ['Mine', 2, 0.5],
    ],
  )
  assert.deepEqual(
    candidates.map(({ name }: { name: string }) => name),
    ['Mine', 'Best'],
  )
  const ranking = readTsv(readFileSync(path('challenge/ranking.tsv'), 'utf8'), 'ranking.tsv').rows
  assert.deepEqual(ranking[0], { ranking: 'Segmentation (Dice)', place: '1', team: 'Best', value: '1' })
  const { rows } = readTsv(readFileSync(path('challenge/scores.tsv'), 'utf8'), 'scores.tsv')
  assert.equal(rows.length, 8)
  assert.equal(rows[0].team, 'Mine')
  const { document } = parseHTML(readFileSync(path('challenge/report.html'), 'utf8'))
  assert.equal(document.querySelectorAll('#ranking table').length, 2)
})

test('folders of several raters: raters.tsv, and the scores over all scans', async () => {
  const { candidates } = await json(
    ...['--reference', path('truth'), '--reference', path('rater2'), '--candidate', path('mine')],
    ...['--protocol', 'isbi2015', '--out', path('raters')],
  )
  const { rows } = readTsv(readFileSync(path('raters/raters.tsv'), 'utf8'), 'raters.tsv')
  assert.equal(rows.length, 6)
  assert.deepEqual([rows[0].rater, rows[0].dsc, rows[1].rater, rows[1].dsc], ['1', '0.5', '2', '1'])
  assert.equal(candidates[0].raters.length, 2)
  assert.ok(candidates[0].overall.score <= 100)
})

test('a list names reference and candidate, relative to itself', async () => {
  writeFileSync(path('list.tsv'), 'id\treference\tcandidate\none\tcube.nii.gz\thalf.nii.gz\ntwo\tcube.nii.gz\tn/a\n')
  const { candidates, cases } = await json('--cases', path('list.tsv'), '--protocol', 'mslesseg2024')
  assert.deepEqual([cases, candidates[0].measures.dice.mean, candidates[0].missing], [2, 0.5, ['two']])
})

test('label maps and probability maps say what is lesion in them', async () => {
  await save('labels.nii.gz', volume(new Int16Array(8000), cube, [far[0], far[1], 77]))
  await save('probability.nii.gz', volume(new Float32Array(8000), [cube[0], cube[1], 0.75], [far[0], far[1], 0.25]))
  const dice = async (candidate: string, ...more: string[]) => (await json(...pair(candidate, ...more))).voxel.dice
  assert.equal(await dice('labels.nii.gz', '--label', '1'), 1)
  assert.equal(await dice('labels.nii.gz', '--label', 'candidate=77'), 0)
  assert.equal(await dice('labels.nii.gz', '--any-label'), 128 / 155)
  assert.equal(await dice('probability.nii.gz', '--threshold', '0.5'), 1)
  assert.equal(await dice('probability.nii.gz', '--threshold', 'candidate=0.25'), 128 / 155)
  // A label that is nowhere leaves nothing, and that is said.
  const none = await evaluate(...pair('labels.nii.gz', '--label', 'candidate=5', '--json'))
  assert.equal(JSON.parse(none.stdout).voxel.dice, 0)
  assert.match(none.stderr, /no voxel has the label 5/)
  // WMH 2017 has labels of its own: 2 is other pathology and leaves the score.
  await save('wmh.nii.gz', volume(new Uint8Array(8000), cube, [far[0], far[1], 2]))
  await save('both.nii.gz', mask(cube, far))
  const wmh = ['--reference', path('wmh.nii.gz'), '--candidate', path('both.nii.gz'), '--protocol', 'wmh2017']
  assert.equal((await json(...wmh)).dsc, 1)
})

test('another grid is refused with both sizes, or resampled and said so', async () => {
  // The same cube in voxels stored from right to left, and in a grid that is moved by three voxels.
  const flipped = mask([
    [12, 4, 4],
    [4, 4, 4],
  ])
  await save('flipped.nii.gz', { ...flipped, affine: [-1, 0, 0, 9, ...affine.slice(4)] })
  await save('moved.nii.gz', {
    ...mask([
      [1, 4, 4],
      [4, 4, 4],
    ]),
    affine: [1, 0, 0, -7, ...affine.slice(4)],
  })
  await save('small.nii.gz', { ...mask(cube), dims: [10, 20, 20], data: new Uint8Array(4000) })
  for (const [name, words] of [
    ['flipped.nii.gz', /flipped\.nii\.gz: lies on another grid than .*cube\.nii\.gz \(its axes run LAS, there RAS\)/],
    ['moved.nii.gz', /corners up to 3 mm apart/],
    ['small.nii.gz', /10×20×20 voxels, there 20×20×20/],
  ] as const) {
    const { code, stderr } = await evaluate(...pair(name, '--quiet'))
    assert.equal(code, 3)
    assert.match(stderr, words)
    assert.match(stderr, /--resample/)
  }
  for (const name of ['flipped.nii.gz', 'moved.nii.gz']) {
    const { stdout, stderr } = await evaluate(...pair(name, '--resample', '--json'))
    assert.equal(JSON.parse(stdout).voxel.dice, 1, name)
    assert.match(stderr, /brought onto the grid of the reference/)
  }
})

test('what cannot be scored is said in one line, and nothing is written', async () => {
  await save('nan.nii.gz', volume(new Float32Array(8000), [cube[0], cube[1], Number.NaN]))
  await save('labels.nii.gz', volume(new Int16Array(8000), cube, [far[0], far[1], 77]))
  await save('probability.nii.gz', volume(new Float32Array(8000), [cube[0], cube[1], 0.75]))
  await save('negative.nii.gz', volume(new Int16Array(8000), [cube[0], cube[1], -1]))
  await save('image.nii.gz', volume(new Float32Array(8000), [cube[0], cube[1], 0.5], [far[0], far[1], 17.5]))
  // Interpolated air: many values that are all but zero come before the first that tells.
  const ringing = Float32Array.from({ length: 8000 }, (_, i) => 1e-8 * i)
  await save('ringing.nii.gz', volume(ringing, [cube[0], cube[1], 812.5]))
  writeFileSync(path('text.nii.gz'), 'not an image')
  mkdirSync(path('nothing'))
  await save('twice/a_mask.nii.gz', mask(cube))
  await save('twice/a_seg.nii.gz', mask(cube))
  await save('single/a.nii.gz', mask(cube))
  await save('other/x.nii.gz', mask(cube))
  await save('bad/sub-a.nii.gz', mask(cube))
  await save('bad/sub-b.nii.gz', volume(new Float32Array(8000), [cube[0], cube[1], 0.75]))
  await save('partly/sub-a.nii.gz', mask(cube))
  writeFileSync(path('columns.tsv'), 'id\treference\nA\tcube.nii.gz\n')
  const folders = (reference: string, candidate: string) => [
    '--reference',
    path(reference),
    '--candidate',
    path(candidate),
  ]
  for (const [args, code, words] of [
    [pair('nan.nii.gz'), 3, /nan\.nii\.gz: 64 voxels are NaN or infinite/],
    [pair('labels.nii.gz'), 3, /values 0, 1 and 77, so it is a label map.*--label N.*--any-label/],
    [pair('probability.nii.gz'), 3, /probability\.nii\.gz: holds values between 0 and 1 \(0\.75\).*--threshold/],
    [pair('negative.nii.gz'), 3, /-1 and 0/],
    [pair('image.nii.gz'), 3, /not whole numbers/],
    [pair('ringing.nii.gz'), 3, /not whole numbers/],
    [pair('text.nii.gz'), 3, /not a NIfTI image/],
    [pair('missing.nii.gz'), 3, /no such file/],
    [folders('truth', 'cube.nii.gz'), 3, /is a file, and the reference .*truth is a folder/],
    [folders('cube.nii.gz', 'truth'), 3, /is a folder, and the reference .*cube\.nii\.gz is a file/],
    [folders('truth', 'nothing'), 3, /nothing: holds no \.nii/],
    [folders('nothing', 'truth'), 3, /nothing: holds no \.nii/],
    [folders('single', 'twice'), 3, /a_seg\.nii\.gz: both this and .*a_mask\.nii\.gz/],
    [folders('single', 'other'), 3, /none of its masks \(x\) belongs to a case/],
    [folders('truth', 'bad'), 3, /sub-b\.nii\.gz: holds values between 0 and 1/],
    [[...folders('truth', 'mine'), '--reference', path('partly')], 3, /partly: holds no mask of the case sub-b/],
    [['--cases', path('columns.tsv')], 3, /no column candidate/],
    [['--cases', path('columns.tsv'), ...pair('half.nii.gz')], 2, /leave out --reference/],
    [['--candidate', path('half.nii.gz')], 2, /no reference/],
    [['--reference', path('half.nii.gz')], 2, /no candidate/],
    [pair('half.nii.gz', '--protocol', 'msseg1999'), 2, /no protocol "msseg1999".*msseg2016/],
    [pair('half.nii.gz', '--threshold', '0'), 2, /number above 0/],
    [pair('half.nii.gz', '--threshold', '0.5', '--label', '1'), 2, /only one/],
    [pair('half.nii.gz', '--label', 'two'), 2, /whole number/],
    [[...folders('truth', 'mine'), '--candidate', path('mine')], 2, /two candidates are called "mine"/],
  ] as const) {
    const { code: seen, stdout, stderr } = await evaluate(...args, '--out', path('never'), '--quiet')
    assert.equal(seen, code, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, words)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.equal(stdout, '')
    assert.ok(!existsSync(path('never')), 'nothing is written')
  }
})

test("another command's result is left alone", async () => {
  mkdirSync(path('segmented'))
  writeFileSync(path('segmented/summary.json'), '{}')
  const { code, stderr } = await evaluate(...pair('half.nii.gz', '--out', path('segmented'), '--quiet'))
  assert.equal(code, 1)
  assert.match(stderr, /result of another command/)
  assert.deepEqual(readdirSync(path('segmented')), ['summary.json'])
})

test('the golden pairs of the official program, through the command', {
  skip: skipWithout('scorer-golden/values.json'),
}, async () => {
  const folder = sharedData('scorer-golden')!
  type Golden = { id: string } & Record<string, number | null>
  const golden = JSON.parse(readFileSync(join(folder, 'values.json'), 'utf8')) as Golden[]
  for (const name of ['reference', 'candidate']) {
    mkdirSync(path('golden', name), { recursive: true })
    for (const { id } of golden) cpSync(join(folder, `${id}_${name}.nii.gz`), path('golden', name, `${id}.nii.gz`))
  }
  await json(
    ...['--reference', path('golden/reference'), '--candidate', path('golden/candidate'), '--protocol', 'msseg2016'],
    ...['--out', path('golden/scores')],
  )
  const { rows } = readTsv(readFileSync(path('golden/scores/scores.tsv'), 'utf8'), 'scores.tsv')
  const keys: Record<string, string> = { PPV: 'ppv', NPV: 'npv', PPVL: 'ppvL', F1_score: 'f1Score' }
  const ours = (name: string) => keys[name] ?? name[0].toLowerCase() + name.slice(1)
  assert.equal(golden.length, 32)
  for (const { id, voxelSizeMm, ...values } of golden) {
    const row = rows.find((one) => one.id === id)!
    for (const [name, value] of Object.entries(values)) {
      if (value === null) {
        assert.equal(row[ours(name)], undefined, `${id} ${name}`)
        continue
      }
      const got = Number(row[ours(name)])
      assert.ok(
        Math.abs(got - (value as number)) <= 2e-6 + 2e-5 * Math.abs(value as number),
        `${id} ${name} ${got} ${value}`,
      )
    }
  }
})
