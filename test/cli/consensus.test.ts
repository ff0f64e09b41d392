import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeNifti } from '../../src/formats/nifti.js'
import { emptyMask, type Volume } from '../../src/volume/volume.js'
import { grid, rater } from '../evaluate/raters.js'
import { lesionwise } from './run.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-cli-consensus-'))
after(() => rmSync(base, { recursive: true, force: true }))
const saved = async (name: string, volume: Volume) =>
  writeFileSync(join(base, name), await writeNifti(volume, { level: 1 }))
const consensus = (...args: string[]) => lesionwise(['consensus', ...args], { cwd: base })

for (const seed of [1, 2, 3]) await saved(`r${seed}.nii.gz`, rater(0.9, 0.99, seed))
await saved('none.nii.gz', emptyMask(grid))
const masks = ['r1.nii.gz', 'r2.nii.gz', 'r3.nii.gz']

test('--json prints one value with everything; NaN is null', async () => {
  const { code, stdout } = await consensus('--json', '--method', 'staple', '--out', 'c.nii.gz', ...masks)
  assert.equal(code, 0)
  const result = JSON.parse(stdout)
  assert.deepEqual(Object.keys(result), [
    'schemaVersion',
    'method',
    'iterations',
    'converged',
    'consensus',
    'raters',
    'agreement',
    'flags',
    'seconds',
  ])
  assert.deepEqual(
    result.raters.map(({ file }: { file: string }) => file),
    masks,
  )
  const [one] = result.raters
  assert.ok(Math.abs(one.sensitivity - one.performance[1][1]) < 1e-9 && one.sensitivity > 0.8 && one.ppv > 0.5)
  assert.equal(result.agreement.dice.length, 3)
  assert.ok(existsSync(join(base, 'c.nii.gz')))
  const empty = await consensus('--json', '--quiet', '--out', 'c.nii.gz', 'none.nii.gz', 'none.nii.gz')
  assert.deepEqual([empty.code, empty.stderr], [0, ''])
  assert.equal(JSON.parse(empty.stdout).raters[0].sensitivity, null)
})

test('a table for readers', async () => {
  const { code, stdout, stderr } = await consensus(
    '--method',
    'lop-staple',
    '--weights',
    '2,1,1',
    '--out',
    'c.nii.gz',
    ...masks,
  )
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^lop-staple of 3 raters: [\d.]+ ml, \d+ lesions? \(18-connected\), \d+ rounds\n/)
  assert.match(stdout, /1 r1\.nii\.gz +0\.\d\d +[\d.]{5} +[\d.]{6} +[\d.]{5} +0\.500 +– +0\.\d{3} +0\.\d{3}\n/)
  assert.match(stdout, /Agreement: mean Dice 0\.\d{3}, .*Fleiss' kappa 0\.\d{3}/)
})

test('bad input: exit codes and one line', async () => {
  const cases: [number, string[], RegExp][] = [
    [2, ['--out', 'x.nii.gz'], /missing required argument 'masks'/],
    [2, masks, /--out/],
    [2, ['--out', 'x.nii.gz', 'r1.nii.gz'], /at least two masks/],
    [2, ['--out', 'r1.nii.gz', ...masks], /--out r1\.nii\.gz is an input/],
    [2, ['--out', 'x.nii.gz', '--method', 'vote', ...masks], /staple, majority, lop-staple, simple, msseg2/],
    [2, ['--out', 'x.nii.gz', '--mask-dil', '1.5', ...masks], /"1\.5" is not a whole number of at least 0/],
    [2, ['--out', 'x.nii.gz', '--threshold', '2', ...masks], /"2" is not a number from 0 to 1/],
    [2, ['--out', 'x.nii.gz', '--method', 'lop-staple', '--weights', 'some', ...masks], /"some" is not a number/],
    [2, ['--out', 'x.nii.gz', '--doubtful', 'keep', ...masks], /--doubtful is for msseg2/],
    [3, ['--out', 'x.nii.gz', 'r1.nii.gz', 'r9.nii.gz'], /r9\.nii\.gz: there is no such file/],
    [1, ['--out', 'r1.nii.gz/x.nii.gz', ...masks], /r1\.nii\.gz: this is a file, not a folder/],
  ]
  for (const [expected, args, message] of cases) {
    const { code, stdout, stderr } = await consensus('--quiet', ...args)
    assert.equal(code, expected, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, /^lesionwise: [^\n]+\n$/, args.join(' '))
    assert.match(stderr, message)
    assert.equal(stdout, '')
    assert.ok(!existsSync(join(base, 'x.nii.gz')))
  }
})

test('help has examples', async () => {
  const { code, stdout } = await consensus('--help')
  assert.equal(code, 0)
  assert.match(stdout, /Examples:/)
})
