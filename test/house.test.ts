import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import * as api from '../src/index.js'
import { forBrowser } from './browser/bundling.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = (folder: string) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith('.ts'))
const read = (name: string) => readFileSync(root + name, 'utf8')

test('imports run in one direction: rooms use only rooms before them, and only the outer ones use Node', () => {
  const report = JSON.parse(
    execFileSync(
      process.execPath,
      [
        'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
        'src',
        '--config',
        '.dependency-cruiser.cjs',
        '--output-type',
        'json',
      ],
      { cwd: root, encoding: 'utf8', maxBuffer: 1e9 },
    ),
  ) as { summary: { totalCruised: number; violations: { rule: { name: string }; from: string; to: string }[] } }
  assert.ok(report.summary.totalCruised > 60, `only ${report.summary.totalCruised} modules were looked at`)
  assert.deepEqual(
    report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    [],
  )
})

test('everything from volume to report bundles for the browser without Node', async () => {
  const entries = [
    'volume/resample',
    'formats/nifti',
    'formats/bids',
    'evaluate/lesionwise',
    'evaluate/protocols',
    'evaluate/retention',
    'evaluate/froc',
    'evaluate/agreement',
    'evaluate/consensus',
    'evaluate/raters',
    'evaluate/statistics/rank-stability',
    'evaluate/statistics/mixed',
    'preprocess/pipeline',
    'simulate/study',
    'simulate/patient',
    'simulate/paste',
    'simulate/synthesise',
    'formats/torch-checkpoint',
    'network/nnunet/import',
    'network/nnunet/plan',
    'network/nnunet/prepare',
    'network/planes/predict',
    'network/trainer',
    'methods/registry',
    'lesions/location',
    'lesions/fill',
    'formats/mgh',
    'report/page',
    'report/quality',
    'report/scores-page',
    'report/survey-page',
    'report/benchmark-page',
    'report/cohort-page',
  ]
  const contents = entries.map((name, i) => `export * as part${i} from './${name}.js'`).join('\n')
  const { errors, metafile } = await build({
    stdin: { contents, resolveDir: join(root, 'src'), loader: 'ts' },
    ...forBrowser,
    metafile: true,
  })
  assert.deepEqual(errors, [])
  const inputs = Object.keys(metafile.inputs)
  assert.ok(inputs.includes('src/platform/browser.ts') && !inputs.includes('src/platform/node.ts'))
  assert.ok(inputs.some((name) => name.includes('unsupervised/roura2015')))
})

test('nothing that runs in a browser asks Node: no process, no environment', () => {
  for (const name of files('src').filter(
    (one) => !/^src\/(platform\/node\.ts|run\/|cohort\/|server\/|cli\/)/.test(one),
  ))
    assert.doesNotMatch(read(name), /\bprocess\./, name)
})

test('files are short, and nothing is typed any', () => {
  for (const name of files('src')) {
    if (name.includes('assembly') || name.endsWith('catalogue.ts')) continue
    const text = read(name)
    assert.ok(text.split('\n').length <= 401, `${name} has more than 400 lines`)
    assert.doesNotMatch(text, /:\s*any\b|as any\b|@ts-ignore/, name)
  }
})

test('the method catalogue is what the method files say', () => {
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/registry.ts', '--check'], { cwd: root, stdio: 'pipe' })
})

test('docs/cli.md is what the command says of itself, docs/methods.md what the methods do', () => {
  for (const script of ['scripts/docs.ts', 'scripts/method-pages.ts'])
    execFileSync(process.execPath, ['--import', 'tsx', script, '--check'], { cwd: root, stdio: 'pipe' })
})

test("the README's commands exist, and the assets stay small", () => {
  const {
    scripts,
    bin,
    files: shipped,
  } = JSON.parse(read('package.json')) as {
    scripts: Record<string, string>
    bin: Record<string, string>
    files: string[]
  }
  const readme = read('README.md')
  for (const [, name] of readme.matchAll(/npm run ([\w:-]+)/g)) assert.ok(scripts[name], `npm run ${name}`)
  assert.match(readme, /npm ci && npm run demo/)
  assert.match(readme, /npm ci && npm test/)
  assert.equal(bin.lesionwise, 'dist/cli/main.js')
  for (const name of ['dist', 'assets']) assert.ok(shipped.includes(name))
  const sizes = readdirSync(`${root}assets`, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(`${root}assets/${name}`))
    .filter((s) => s.isFile())
  assert.ok(sizes.reduce((sum, { size }) => sum + size, 0) <= 6 * 2 ** 20)
})

test('the package exports what it promises', () => {
  assert.deepEqual(Object.keys(api).sort(), [
    'InputError',
    'LesionwiseError',
    'MethodError',
    'RunError',
    'UsageError',
    'benchmark',
    'bidsGroup',
    'bidsParticipant',
    'consensus',
    'consensusFiles',
    'defaultMethod',
    'evaluateFiles',
    'exportDicom',
    'exportResult',
    'fillFiles',
    'findProtocol',
    'importDicom',
    'importModel',
    'lesionDetection',
    'matchLesions',
    'methodList',
    'overlap',
    'preprocess',
    'protocols',
    'raterAgreement',
    'readTrainingConfig',
    'registerFiles',
    'reportResult',
    'segment',
    'simulateStudy',
    'surfaceDistances',
    'train',
    'trainingPreset',
  ])
})
