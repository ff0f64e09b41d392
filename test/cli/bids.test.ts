import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readNifti } from '../../src/formats/nifti.js'
import { readTsv } from '../../src/formats/tsv.js'
import { sameGrid } from '../../src/volume/volume.js'
import { type FaultyDataset, faults, faultyDataset, tinyScans } from '../cohort/faulty-dataset.js'
import { lesionwise, type Ran } from './run.js'

// Twelve people with tiny scans, half of them with a fault in their data or in the process that works on them.
const base = mkdtempSync(join(tmpdir(), 'lesionwise-bids-'))
const data = join(base, 'data')
const out = join(data, 'derivatives', 'lesionwise')
const [faultFile, doneFile] = [join(base, 'faults.json'), join(base, 'done.txt')]
const hook = new URL('../cohort/faults.mjs', import.meta.url).href
const names = ['cut short', 'dangling link', 'no FLAIR', 'no session', 'disk full', 'killed late']
let made: FaultyDataset
before(async () => {
  const kinds = names.map((name) => faults.find((one) => one.name === name)!)
  made = await faultyDataset(data, { subjects: 12, every: 2, scans: await tinyScans(2), kinds })
  writeFileSync(faultFile, JSON.stringify(made.injected))
})
after(() => rmSync(base, { recursive: true, force: true }))

/** The command with faults injected into its workers; `stop` sends a signal when so many visits are done. */
function withFaults(stop?: { signal: NodeJS.Signals; at: number }, ...more: string[]): Promise<Ran> {
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
  const args = [
    main,
    'bids',
    data,
    out,
    'participant',
    '--work',
    join(base, 'work'),
    '--n-procs',
    '2',
    '--pdf',
    ...more,
  ]
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import ${hook}`,
    LESIONWISE_FAULTS: faultFile,
    LESIONWISE_DONE: doneFile,
  }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    const timer = setInterval(() => {
      if (!stop || doneNow().length < stop.at) return
      clearInterval(timer)
      child.kill(stop.signal)
    }, 20)
    child.on('close', (code) => {
      clearInterval(timer)
      resolve({ code, stdout, stderr })
    })
  })
}

const doneNow = (): string[] =>
  existsSync(doneFile)
    ? readFileSync(doneFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []
const folderOf = (id: string): string => join(out, ...id.split('_'))
const complete = (ids: readonly string[]): string[] =>
  ids.filter((id) => existsSync(join(folderOf(id), 'provenance.json'))).sort()
const all = (): string[] => [...made.healthy, ...made.faulty.map(({ id }) => id)]

test('killed and interrupted on the way, then to its end: the healthy visits once each, the others with reasons', async () => {
  const killed = await withFaults({ signal: 'SIGKILL', at: 2 })
  assert.equal(killed.code, null)
  const interrupted = await withFaults({ signal: 'SIGINT', at: 4 })
  assert.equal(interrupted.code, 130, interrupted.stderr)
  assert.match(interrupted.stderr, /lesionwise: interrupted\n$/)
  const whole = await withFaults()
  assert.equal(whole.code, 1, whole.stderr)
  assert.deepEqual(complete(all()), [...made.healthy].sort())
  assert.deepEqual(doneNow().sort(), [...made.healthy].sort())
  for (const { id, fault } of made.faulty) {
    const log = JSON.parse(readFileSync(join(out, 'logs', `${id}.json`), 'utf8'))
    assert.equal(log.status, fault.status, id)
    assert.match(log.reason, fault.reason)
    assert.ok(!log.reason.includes(base), log.reason)
    assert.match(whole.stdout, new RegExp(`${fault.status}: ${id}: `))
  }
  // Of the worker that was killed while it wrote nothing is left either.
  const left = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.lesionwise-|sub-12/.test(name),
  )
  assert.deepEqual(left, ['logs/sub-12_ses-01.json'])
  assert.match(whole.stdout, /The raw data set breaks rules of BIDS in 1 place, which stops nothing/)
})

test('with the passing faults gone the same command does the rest and touches nothing else', async () => {
  const times = made.healthy.map((id) => statSync(join(folderOf(id), 'provenance.json')).mtimeMs)
  writeFileSync(faultFile, '{}')
  const dry = await withFaults(undefined, '--dry-run')
  assert.match(dry.stdout, /3 would be done, 9 are done already, 1 cannot be read, 2 left out/)
  const again = await withFaults(undefined, '--quiet', '--json')
  assert.equal(again.code, 1)
  assert.equal(again.stderr, '')
  const { visits } = JSON.parse(again.stdout) as { visits: { id: string; status: string; before?: boolean }[] }
  const passing = made.faulty.filter(({ fault }) => fault.passing).map(({ id }) => id)
  assert.deepEqual(
    visits.filter((visit) => visit.status === 'done' && !visit.before).map(({ id }) => id),
    passing.sort(),
  )
  assert.deepEqual(
    made.healthy.map((id) => statSync(join(folderOf(id), 'provenance.json')).mtimeMs),
    times,
  )
  const left = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.lesionwise-'))
  assert.deepEqual(left, [])
})

test('derivatives as BIDS names them, on the grid of the FLAIR; nothing tells where the data lie', async () => {
  const [id] = made.healthy
  const [subject, session] = id.split('_')
  const anat = join(folderOf(id), 'anat')
  const stem = `${id}_space-orig_`
  for (const name of ['label-lesion_mask', 'desc-lesions_dseg', 'label-lesion_probseg', 'desc-brain_mask']) {
    const sidecar = JSON.parse(readFileSync(join(anat, `${stem}${name}.json`), 'utf8'))
    const flair = `bids:raw:${subject}/${session}/anat/${id}_FLAIR.nii.gz`
    assert.deepEqual([sidecar.Sources, sidecar.SpatialReference], [[flair], flair])
  }
  const read = async (path: string) => (await readNifti(readFileSync(path), path)).image
  const flair = await read(join(data, subject, session, 'anat', `${id}_FLAIR.nii.gz`))
  assert.ok(sameGrid(await read(join(anat, `${stem}label-lesion_mask.nii.gz`)), flair))
  const { columns, rows } = readTsv(readFileSync(join(anat, `${stem}desc-lesions_dseg.tsv`), 'utf8'), 'dseg.tsv')
  assert.deepEqual(columns.slice(0, 2), ['index', 'name'])
  const labels = await read(join(anat, `${stem}desc-lesions_dseg.nii.gz`))
  assert.equal(Math.max(...labels.data), rows.length)
  assert.equal(
    readFileSync(join(folderOf(id), `${id}_report.pdf`))
      .subarray(0, 5)
      .toString(),
    '%PDF-',
  )
  const { GeneratedBy, DatasetLinks } = JSON.parse(readFileSync(join(out, 'dataset_description.json'), 'utf8'))
  assert.deepEqual([GeneratedBy[0].Name, DatasetLinks.raw], ['lesionwise', '../..'])
  for (const name of readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((one) =>
    /\.(json|tsv|md)$/.test(one),
  ))
    assert.ok(!readFileSync(join(out, name), 'utf8').includes(base), name)
})

const validator = fileURLToPath(new URL('../../bench/peers/.venv-bids/bin/bids-validator-deno', import.meta.url))
test('the BIDS validator finds no error', { skip: existsSync(validator) ? false : 'not installed' }, () => {
  // It ends with 16 where it finds errors.
  execFileSync(validator, ['--json', out], { stdio: 'pipe' })
})

test('group level: a row a visit with a dictionary, a page, and nothing run again', async () => {
  const done = doneNow().length
  const { code, stdout, stderr } = await lesionwise(['bids', data, out, 'group'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /11 of 15 visits of 12 people have a result, 2 failed, 2 left out, 0 not run/)
  assert.equal(doneNow().length, done)
  const { columns, rows } = readTsv(readFileSync(join(out, 'cohort.tsv'), 'utf8'), 'cohort.tsv')
  assert.equal(rows.length, all().length)
  assert.deepEqual(Object.keys(JSON.parse(readFileSync(join(out, 'cohort.json'), 'utf8'))), columns)
  assert.ok(rows.every((row) => row.status === 'done' || row.reason !== undefined))
  assert.ok(rows.every((row) => row.age !== undefined && row.group !== undefined))
  const page = readFileSync(join(out, 'cohort.html'), 'utf8')
  assert.match(page, /Without a result/)
  assert.doesNotMatch(page, /https?:\/\/(?!www\.w3\.org)/)
})

test('a changed parameter: done again, with a line that says why', async () => {
  const [id] = made.healthy
  const label = id.split('_')[0]
  const options = [
    '--participant-label',
    label,
    '--session-label',
    '01',
    '--param',
    'alpha=2.5',
    '--pdf',
    '--work',
    join(base, 'work'),
  ]
  const { code, stdout, stderr } = await lesionwise(['bids', data, out, 'participant', ...options])
  assert.equal(code, 0, stderr)
  assert.match(stderr, new RegExp(`Note: ${id} was done with other settings \\(alpha = .*, now 2.5\\): done again`))
  assert.match(stdout, /1 visit: 1 done now/)
  const mixed = await lesionwise(['bids', data, out, 'group'])
  assert.match(mixed.stderr, /not all made alike \(alpha = /)
})

test('wrong arguments and data: one clear line, and nothing written', async () => {
  const empty = mkdtempSync(join(base, 'empty-'))
  const fresh = join(base, 'fresh')
  for (const [code, pattern, ...args] of [
    [
      2,
      /--participant-label 99: there is no sub-99; there are 01, 02, /,
      data,
      fresh,
      'participant',
      '--participant-label',
      '99',
    ],
    [
      2,
      /--session-label 7: there is no ses-7; there are 01, 02/,
      data,
      fresh,
      'participant',
      '--session_label',
      'ses-7',
    ],
    [2, /"nomethod"|nomethod/, data, fresh, 'participant', '--method', 'nomethod'],
    [2, /no parameter "nothing"/, data, fresh, 'participant', '--param', 'nothing=1'],
    [2, /everyone/, data, fresh, 'everyone'],
    [2, /the raw data set itself/, data, data, 'participant'],
    [2, /participants\.tsv has no such column; it has age, sex, group/, data, out, 'group', '--group-by', 'weight'],
    [3, /holds no folder sub-\*/, empty, fresh, 'participant'],
    [3, /there is no such folder/, join(base, 'nowhere'), fresh, 'participant'],
    [
      3,
      /no visit can be used \(sub-06_ses-01: there is no FLAIR/,
      data,
      fresh,
      'participant',
      '--participant-label',
      '06',
    ],
    [3, /holds no results of ours/, data, fresh, 'group'],
  ] as [number, RegExp, ...string[]][]) {
    const ran = await lesionwise(['bids', ...args])
    assert.equal(ran.code, code, `${args}: ${ran.stderr}`)
    assert.match(ran.stderr, pattern)
    assert.equal(ran.stderr.trim().split('\n').length, 1, ran.stderr)
    assert.ok(!existsSync(fresh))
  }
})
