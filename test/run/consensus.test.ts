import assert from 'node:assert/strict'
import {
  linkSync,
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
import { InputError, RunError, UsageError } from '../../src/errors.js'
import { consensusMethods } from '../../src/evaluate/consensus.js'
import { readNiftiValues, writeNifti } from '../../src/formats/nifti.js'
import { type ConsensusFilesOptions, consensusFiles } from '../../src/run/consensus.js'
import { scaling } from '../../src/volume/affine.js'
import { reorient } from '../../src/volume/orient.js'
import { countVoxels, emptyMask, type Mask, type Volume } from '../../src/volume/volume.js'
import { grid, rater, truth } from '../evaluate/raters.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-consensus-'))
after(() => rmSync(base, { recursive: true, force: true }))

const file = (name: string, content: Uint8Array | string): string => {
  const path = join(base, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}
const saved = async (name: string, volume: Volume) => file(name, await writeNifti(volume, { level: 1 }))
const voxels = async (path: string) => {
  const { image } = await readNiftiValues(readFileSync(path), path)
  return image
}
const same = (a: Volume, b: Volume) => assert.deepEqual([...a.data], [...b.data])

const three = await Promise.all([1, 2, 3].map((seed) => saved(`r${seed}.nii.gz`, rater(0.9, 0.99, seed))))
const fresh = (name: string) => join(base, 'out', name)

test('a mask comes out, on the grid of the first, and nothing else', async () => {
  for (const method of consensusMethods) {
    const out = fresh(`${method}/c.nii.gz`)
    const result = await consensusFiles({ masks: three, out, method })
    assert.deepEqual(readdirSync(join(base, 'out', method)), ['c.nii.gz'])
    const written = await voxels(out)
    assert.deepEqual([written.dims, written.affine], [grid.dims, grid.affine])
    assert.equal(countVoxels(written) / 1000, result.consensus.volumeMl)
    assert.deepEqual([result.method, result.raters.map((one) => one.file)], [method, three])
    assert.deepEqual(result.raters.map(({ volumeMl }) => volumeMl * 1000).map(Math.round), [
      countVoxels(rater(0.9, 0.99, 1)),
      countVoxels(rater(0.9, 0.99, 2)),
      countVoxels(rater(0.9, 0.99, 3)),
    ])
    assert.ok(result.agreement.dice[0][1] === result.agreement.dice[1][0] && result.agreement.meanDice > 0.5)
  }
})

test('probability beside it; .nii is not packed; without out nothing is written', async () => {
  const [out, probability] = [fresh('p/c.nii'), fresh('p/soft.nii.gz')]
  await consensusFiles({ masks: three, method: 'majority', out, probability })
  assert.deepEqual(readdirSync(join(base, 'out', 'p')).sort(), ['c.nii', 'soft.nii.gz'])
  assert.equal(readFileSync(out).readInt32LE(0), 348)
  const [mask, soft] = [await voxels(out), await voxels(probability)]
  soft.data.forEach((p, i) => assert.equal(p > 0.5 ? 1 : 0, mask.data[i]))
  const before = readdirSync(base, { recursive: true }).length
  await consensusFiles({ masks: three })
  assert.equal(readdirSync(base, { recursive: true }).length, before)
})

test('the same grid along other axes is turned, and says so', async () => {
  const turned = await saved(
    'turned.nii.gz',
    reorient(rater(0.9, 0.99, 2), { from: [2, 0, 1], flip: [true, false, true] }),
  )
  const plain = await consensusFiles({ masks: three, out: fresh('a.nii.gz') })
  const other = await consensusFiles({ masks: [three[0], turned, three[2]], out: fresh('b.nii.gz') })
  same(await voxels(fresh('a.nii.gz')), await voxels(fresh('b.nii.gz')))
  assert.deepEqual(plain.raters[1].sensitivity, other.raters[1].sensitivity)
  assert.match(
    other.flags.find(({ code }) => code === 'axes-turned')!.message,
    /turned\.nii\.gz is stored along other axes \([A-Z]{3}\) than .*r1\.nii\.gz \(RAS\)/,
  )
})

test('another grid is refused, or resampled where that is asked for', async () => {
  const moved = await saved('moved.nii.gz', {
    ...rater(0.9, 0.99, 2),
    affine: [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  })
  const masks = [three[0], moved, three[2]]
  const out = fresh('moved-out.nii.gz')
  await assert.rejects(consensusFiles({ masks, out }), (error: Error) => {
    assert.ok(error instanceof InputError)
    assert.match(
      error.message,
      /moved\.nii\.gz: lies on another grid than .*r1\.nii\.gz \(corners up to 1 mm apart\); .*--resample/,
    )
    return true
  })
  const result = await consensusFiles({ masks, out, resample: true })
  assert.ok(result.flags.some(({ code, severity }) => code === 'resampled' && severity === 'warning'))
  const coarse = await saved('coarse.nii.gz', { ...emptyMask({ dims: [12, 10, 8], affine: scaling([2, 2, 2]) }) })
  await assert.rejects(consensusFiles({ masks: [three[0], coarse] }), /12×10×8 voxels, there 24×20×16/)
})

test('label maps: every label, one of them, or all as lesion', async () => {
  const labelled = (mask: Mask): Mask => ({ ...mask, data: mask.data.map((v, i) => v * (i % 24 < 14 ? 1 : 2)) })
  const masks = await Promise.all(
    [1, 2, 3].map((seed) => saved(`labels${seed}.nii.gz`, labelled(rater(0.9, 0.99, seed)))),
  )
  await assert.rejects(consensusFiles({ masks }), /labels1\.nii\.gz: holds the values 0, 1 and 2/)
  const out = fresh('labels.nii.gz')
  await consensusFiles({ masks, labels: true, out })
  same(await voxels(out), labelled(await asMask(out)))
  assert.ok((await voxels(out)).data.includes(2))
  await consensusFiles({ masks, label: 2, out })
  assert.ok((await voxels(out)).data.every((v, i) => v === 0 || i % 24 >= 14))
  const all = await consensusFiles({ masks, anyLabel: true })
  assert.equal(all.consensus.volumeMl, (await consensusFiles({ masks: three })).consensus.volumeMl)
})

const asMask = async (path: string): Promise<Mask> => {
  const { dims, affine, data } = await voxels(path)
  return { dims, affine, data: Uint8Array.from(data, (v) => (v === 0 ? 0 : 1)) }
}

test('maps of probability are asked for by name', async () => {
  const blurred = (mask: Mask) => ({ ...mask, data: Float32Array.from(mask.data, (v) => 0.01 + 0.9 * v) })
  const masks = await Promise.all([1, 2, 3].map((seed) => saved(`p${seed}.nii.gz`, blurred(rater(0.9, 0.99, seed)))))
  await assert.rejects(consensusFiles({ masks }), /p1\.nii\.gz: .*probability map, not a mask; give --threshold/)
  for (const method of consensusMethods) {
    const result = await consensusFiles({ masks, soft: true, method })
    assert.ok(result.consensus.volumeMl > 0.3 && result.raters[0].sensitivity > 0.5, method)
    const cut = result.flags.some(({ code }) => code === 'probabilities-cut')
    assert.equal(cut, method !== 'majority' && method !== 'lop-staple')
  }
  const [a, b] = [await consensusFiles({ masks, threshold: 0.5 }), await consensusFiles({ masks: three })]
  assert.equal(a.consensus.volumeMl, b.consensus.volumeMl)
  const nothing = await consensusFiles({ masks, soft: true, threshold: 0.95 })
  assert.equal(nothing.consensus.volumeMl, 0)
})

test('masks that are none, one line each that names the file', async () => {
  const nan = { ...grid, data: Float32Array.from(truth.data) }
  nan.data[7] = Number.NaN
  const bad: [string, RegExp][] = [
    [await saved('nan.nii.gz', nan), /1 voxels are NaN or infinite/],
    [
      await saved('image.nii.gz', { ...grid, data: Float32Array.from(truth.data, (_, i) => i / 7) }),
      /not whole numbers/,
    ],
    [
      await saved('minus.nii.gz', { ...grid, data: Float32Array.from(truth.data, (v) => -v) }),
      /0 and a positive value/,
    ],
    [file('text.nii.gz', 'not an image'), /the file holds text/],
    [file('empty-file.nii.gz', ''), /the file is empty/],
    [file('cut.nii.gz', readFileSync(three[0]).subarray(0, 200)), /gzip data is damaged/],
    [base, /is a folder/],
    [join(base, 'r4.nii.gz'), /there is no such file/],
  ]
  const out = file('keep/c.nii.gz', 'what was there')
  for (const [path, message] of bad)
    await assert.rejects(consensusFiles({ masks: [three[0], path], out }), (error: Error) => {
      assert.ok(error instanceof InputError, error.message)
      assert.ok(error.message.startsWith(`${path}: `), error.message)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  const odd: [Partial<ConsensusFilesOptions>, string, RegExp][] = [
    [{ soft: true }, bad[1][0], /holds the value .*probabilities lie between 0 and 1/],
    [{ soft: true }, bad[0][0], /NaN/],
    [{ labels: true }, bad[1][0], /labels are whole numbers from 0 to 255/],
    [{ labels: true }, bad[0][0], /NaN/],
  ]
  for (const [options, path, message] of odd)
    await assert.rejects(consensusFiles({ masks: [three[0], path], out, ...options }), message)
  assert.equal(readFileSync(out, 'utf8'), 'what was there')
  assert.deepEqual(readdirSync(join(base, 'keep')), ['c.nii.gz'], 'nothing half-written')
})

test('no input is written over, under whatever name', async () => {
  const masks = await Promise.all([1, 2].map((seed) => saved(`own/r${seed}.nii.gz`, rater(0.9, 0.99, seed))))
  const [link, twin] = [join(base, 'own', 'link.nii.gz'), join(base, 'own', 'twin.nii.gz')]
  symlinkSync(masks[0], link)
  linkSync(masks[1], twin)
  for (const out of [masks[0], join(base, 'own', '..', 'own', 'r2.nii.gz'), link, twin])
    await assert.rejects(consensusFiles({ masks, out }), /is an input; give another file/)
  await assert.rejects(consensusFiles({ masks, probability: masks[0] }), /--probability .* is an input/)
  same(await voxels(masks[0]), rater(0.9, 0.99, 1))
})

test('wrong arguments', async () => {
  const wrong: [Partial<ConsensusFilesOptions>, RegExp][] = [
    [{ masks: [three[0]] }, /at least two masks, and 1 is given/],
    [{ out: join(base, 'c.mnc') }, /has to end in \.nii\.gz or \.nii/],
    [{ out: base }, /has to end in/],
    [{ out: fresh('x.nii.gz'), probability: fresh('x.nii.gz') }, /are one file/],
    [{ tie: 'lesion' }, /--tie is for majority, simple, and the method is staple/],
    [{ method: 'majority', priorMap: 'full' }, /--prior-map is for staple/],
    [{ method: 'msseg2', quorum: 4 }, /--quorum 4 does not go with 3 raters; give 1 to 3/],
    [{ method: 'msseg2', labels: true }, /--labels is for/],
    [{ method: 'lop-staple', weights: [1, 2] }, /2 numbers for 3 raters/],
    [{ labels: true, soft: true }, /exclude each other/],
    [{ soft: true, label: 1 }, /have no labels/],
    [{ labels: true, threshold: 0.5 }, /keeps every label/],
    [{ method: 'vote' as 'staple' }, /no consensus method "vote"; there are staple, majority/],
  ]
  for (const [options, message] of wrong)
    await assert.rejects(consensusFiles({ masks: three, ...options }), (error: Error) => {
      assert.ok(error instanceof UsageError, error.message)
      assert.match(error.message, message)
      return true
    })
  mkdirSync(join(base, 'folder.nii.gz'))
  await assert.rejects(consensusFiles({ masks: three, out: join(base, 'folder.nii.gz') }), /is a folder; give the name/)
  await assert.rejects(consensusFiles({ masks: three, out: join(three[0], 'c.nii.gz') }), RunError)
})

test('doubts: empty masks, the same file twice, no agreement, lesions to review, raters left out', async () => {
  const none = await saved('none.nii.gz', emptyMask(grid))
  const codes = async (options: Partial<ConsensusFilesOptions>) =>
    (await consensusFiles({ masks: three, ...options })).flags.map(({ code }) => code)
  assert.deepEqual(await codes({ masks: [none, three[0]], method: 'majority' }), ['empty-mask', 'empty-consensus'])
  const nothing = await saved('nothing.nii.gz', { ...emptyMask(grid), affine: [...grid.affine] })
  const both = await consensusFiles({ masks: [none, nothing] })
  assert.deepEqual(
    both.flags.map(({ code }) => code),
    ['empty-mask', 'same-file-twice', 'empty-mask'],
  )
  assert.equal(both.consensus.lesions, 0)
  assert.ok(JSON.stringify(both).includes('"meanDice":null'))
  assert.ok((await codes({ masks: [three[0], three[0], three[1]] })).includes('same-file-twice'))
  const review = await consensusFiles({ masks: three, method: 'msseg2', doubtful: 'mark' })
  assert.ok(review.review!.lesions > 0)
  assert.match(review.flags.find(({ code }) => code === 'lesions-to-review')!.message, /are marked with 2\.$/)
  const bad = await saved('bad.nii.gz', rater(0.2, 0.8, 9))
  assert.ok((await codes({ masks: [...three, bad], method: 'simple' })).includes('raters-left-out'))
})
