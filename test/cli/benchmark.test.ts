import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { writeNifti } from '../../src/formats/nifti.js'
import { readTsv } from '../../src/formats/tsv.js'
import { simulateStudy } from '../../src/simulate/study.js'
import { lesionwise } from './run.js'

// Two small synthetic patients and one whose FLAIR is no image; preparations are kept and serve all tests.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-benchmark-'))
const list = join(base, 'cases.tsv')
const methods = ['roura2015', 'schmidt2012']
before(async () => {
  for (const seed of [1, 2]) {
    const patient = await simulateStudy({ seed, pixelMm: 2, sliceMm: 6, lesionMl: 12 })
    writeFileSync(join(base, `F${seed}.nii.gz`), await writeNifti(patient.flair))
    writeFileSync(join(base, `T${seed}.nii.gz`), await writeNifti(patient.t1, { level: 1 }))
    writeFileSync(join(base, `M${seed}.nii.gz`), await writeNifti(patient.truth))
  }
  writeFileSync(join(base, 'broken.nii.gz'), 'this is no image\n'.repeat(50))
  const lines = ['one\tF1', 'broken\tbroken', 'two\tF2'].map(
    (line, i) => `${line}.nii.gz\tT${i === 2 ? 2 : 1}.nii.gz\tM${i === 2 ? 2 : 1}.nii.gz`,
  )
  writeFileSync(list, `id\tflair\tt1\tmask\n${lines.join('\n')}\n`)
})
after(() => rmSync(base, { recursive: true, force: true }))

const command = (out: string, ...more: string[]) => [
  'benchmark',
  '--data',
  list,
  '--methods',
  methods.join(),
  '--out',
  join(base, out),
  '--work',
  join(base, 'work'),
  ...more,
]
const rowsOf = (out: string) => readTsv(readFileSync(join(base, out, 'results.tsv'), 'utf8'), 'results.tsv').rows
const scoresOf = (out: string) =>
  rowsOf(out).map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !/_s$|_mb$/.test(name))))

test('Ctrl-C: exit code 130, what is done stays; --resume does the rest, a broken case is recorded, exit code 1', async () => {
  const broken = await lesionwise(command('resumed'), { interruptAfter: 'schmidt2012 on one' })
  assert.equal(broken.code, 130, broken.stderr)
  assert.match(broken.stderr, /lesionwise: interrupted\n$/)
  assert.deepEqual(
    rowsOf('resumed').map((row) => [row.case, row.method, row.status]),
    [['one', 'roura2015', 'done']],
  )
  assert.equal(JSON.parse(readFileSync(join(base, 'resumed', 'benchmark.json'), 'utf8')).complete, false)
  const mask = join(base, 'resumed/runs/roura2015/one/lesion_mask.nii.gz')
  const made = statSync(mask).mtimeMs

  const { code, stderr } = await lesionwise(command('resumed', '--resume'))
  assert.equal(code, 1, stderr)
  assert.match(stderr, /Note: roura2015 on broken failed: .*broken\.nii\.gz: the file holds text/)
  assert.equal(statSync(mask).mtimeMs, made)
  assert.deepEqual(
    rowsOf('resumed').map((row) => [row.case, row.method, row.status, row.exit_code]),
    ['one', 'broken', 'two'].flatMap((id) =>
      methods.map((method) => (id === 'broken' ? [id, method, 'failed', '3'] : [id, method, 'done', undefined])),
    ),
  )
})

test('resumed or in one go: the same scores; times, memory, hashes and the page are there', async () => {
  const { code, stdout, stderr } = await lesionwise(command('whole', '--json', '--quiet'))
  assert.equal(code, 1, stderr)
  assert.equal(stderr, '')
  assert.deepEqual(scoresOf('whole'), scoresOf('resumed'))
  const result = JSON.parse(stdout)
  assert.deepEqual(result, JSON.parse(readFileSync(join(base, 'whole', 'benchmark.json'), 'utf8')))
  assert.equal(result.complete, true)
  for (const run of result.runs.filter(({ status }: { status: string }) => status === 'done')) {
    assert.ok(run.scored.scores.dice > 0.5 && run.scored.scores.lesion_f1 > 0.4, JSON.stringify(run.scored.scores))
    const { prepare, method, total } = run.seconds
    assert.ok(prepare > 0 && method > 0 && total > prepare + method)
    assert.ok(run.peakMegabytes.run > 50 && run.peakMegabytes.prepare > 50)
    assert.match(run.images.flair + run.maskSha256, /^[0-9a-f]{128}$/)
  }
  // Both methods need the same preparation: it was made once.
  const [a, b] = result.runs
  assert.equal(a.seconds.prepare, b.seconds.prepare)
  assert.equal(result.analysis.methods[0].failed, 0)
  assert.deepEqual(result.analysis.cases, ['one', 'two'])
  const page = readFileSync(join(base, 'whole', 'benchmark.html'), 'utf8')
  assert.match(page, /href="runs\/roura2015\/one\/report\.html"/)
  assert.equal(page.match(/<img src="data:image\/png/g)?.length, 4)
  assert.ok(!page.includes('cases.tsv'))
})

test('a benchmark that is there is neither replaced nor mixed with other settings', async () => {
  const before = readFileSync(join(base, 'whole', 'benchmark.json'), 'utf8')
  const refused: [string[], RegExp][] = [
    [[], /holds the results of a benchmark already; give --resume/],
    [['--resume', '--param', 'roura2015.alpha=2'], /other settings \(alpha = 2\.25, not 2\)/],
    [['--resume', '--seed', '7'], /other settings \(seed 1, not 7\)/],
  ]
  for (const [more, message] of refused) {
    const { code, stderr } = await lesionwise(command('whole', ...more))
    assert.equal(code, 1, stderr)
    assert.match(stderr, message)
  }
  const other = await lesionwise([...command('.').slice(0, -4), '--out', base])
  assert.equal(other.code, 1)
  assert.match(other.stderr, /holds other things/)
  assert.equal(readFileSync(join(base, 'whole', 'benchmark.json'), 'utf8'), before)
})

test('another protocol rescores the masks that are there', async () => {
  const mask = join(base, 'whole/runs/schmidt2012/two/lesion_mask.nii.gz')
  const made = statSync(mask).mtimeMs
  const { code, stderr } = await lesionwise(command('whole', '--resume', '--protocol', 'isbi2015', '--quiet'))
  assert.equal(code, 1, stderr)
  assert.equal(statSync(mask).mtimeMs, made)
  assert.ok(Object.keys(rowsOf('whole')[0]).some((name) => name.startsWith('isbi2015.')))
})

test('a run that takes too long has failed', async () => {
  writeFileSync(join(base, 'short.tsv'), 'id\tflair\tt1\tmask\none\tF1.nii.gz\tT1.nii.gz\tM1.nii.gz\n')
  const args = [
    '--data',
    join(base, 'short.tsv'),
    '--methods',
    'roura2015',
    '--out',
    join(base, 'late'),
    '--timeout',
    '0.3',
  ]
  const { code, stdout } = await lesionwise(['benchmark', ...args, '--quiet'])
  assert.equal(code, 1)
  assert.match(stdout, /failed: roura2015 on one: took longer than the 0\.3 s allowed/)
  assert.deepEqual(readdirSync(join(base, 'late')).sort(), ['benchmark.html', 'benchmark.json', 'results.tsv', 'runs'])
})

test('wrong arguments and lists: one line, and no folder', async () => {
  const put = (name: string, text: string) => {
    writeFileSync(join(base, name), text)
    return join(base, name)
  }
  const bad: [Record<string, string>, number, RegExp][] = [
    [{ data: put('nomask.tsv', 'id\tflair\na\tF1.nii.gz\n') }, 3, /no column "mask"/],
    [{ data: put('empty.tsv', 'id\tflair\tmask\n') }, 3, /holds no case/],
    [{ data: put('twice.tsv', 'id\tflair\tmask\na\tF\tM\na\tF\tM\n') }, 3, /"a" is there twice/],
    [{ data: join(base, 'none') }, 3, /no such file or folder/],
    [{ methods: 'roura2016' }, 2, /did you mean roura2015/],
    [{ methods: 'roura2015,roura2015' }, 2, /named twice/],
    [{ protocol: 'msseg2015' }, 2, /no protocol "msseg2015"/],
    [{ param: 'schmidt2013.kappa=1' }, 2, /METHOD\.NAME=VALUE with a method of --methods/],
    [{ param: 'roura2015.beta=1' }, 2, /has no parameter "beta"/],
    [{ repeats: '0' }, 2, /not a whole number from 1/],
  ]
  for (const [given, exitCode, message] of bad) {
    const flags = { data: list, methods: 'roura2015', out: join(base, 'never'), ...given }
    const { code, stdout, stderr } = await lesionwise([
      'benchmark',
      ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
    ])
    assert.equal(code, exitCode, stderr)
    assert.equal(stdout, '')
    assert.match(stderr, /^lesionwise: [^\n]+\n$/)
    assert.match(stderr, message)
  }
  assert.ok(!existsSync(join(base, 'never')))
})
