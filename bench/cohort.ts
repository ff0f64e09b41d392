// A cohort with injected faults: corrupt and missing files, missing sessions, a full disk, killed workers, the run itself
// killed and interrupted on the way. Exactly the healthy visits must be done, each once, and the others be listed with the
// reason; with the passing faults taken away, the same command must do the rest and nothing else.
//
//   npm run bench:cohort -- [--subjects N] [--n-procs N] [--seed N] [--keep]
//
// Tiny FLAIR images of a few kinds, so that a cache of the preparations serves all. Exits 1 where anything differs.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readTsv } from '../src/formats/tsv.js'
import { type FaultyDataset, faultyDataset, tinyScans } from '../test/cohort/faulty-dataset.js'

const { values: options } = parseArgs({
  options: {
    subjects: { type: 'string', default: '500' },
    'n-procs': { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
})
const subjects = Number(options.subjects)
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const hook = new URL('../test/cohort/faults.mjs', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'lesionwise-cohort-'))
const [data, out, work] = ['data', 'data/derivatives/lesionwise', 'work'].map((name) => join(folder, name))
const [faultFile, doneFile] = [join(folder, 'faults.json'), join(folder, 'done.txt')]
const wrong: string[] = []
const check = (holds: boolean, text: string) => {
  console.log(`${holds ? 'ok   ' : 'WRONG'} ${text}`)
  if (!holds) wrong.push(text)
}
const doneNow = (): string[] =>
  existsSync(doneFile)
    ? readFileSync(doneFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : []

/** Runs the command; `stop` sends the signal when so many visits have been done in all. */
async function lesionwise(
  level: string,
  stop?: { signal: NodeJS.Signals; at: number },
): Promise<{ code: number | null; stdout: string }> {
  const args = [main, 'bids', data, out, level, '--quiet', '--json']
  if (level === 'participant') args.push('--n-procs', options['n-procs'], '--work', work)
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import ${hook}`,
    LESIONWISE_FAULTS: faultFile,
    LESIONWISE_DONE: doneFile,
  }
  return await new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    let stdout = ''
    child.stdout.on('data', (text) => (stdout += text))
    const timer = setInterval(() => {
      if (stop && doneNow().length >= stop.at) {
        clearInterval(timer)
        child.kill(stop.signal)
      }
    }, 50)
    child.on('close', (code) => {
      clearInterval(timer)
      resolve({ code, stdout })
    })
  })
}

const complete = (id: string): string => {
  const [subject, session] = id.split('_')
  return join(out, subject, ...(session ? [session] : []), 'provenance.json')
}

function judge({ healthy, faulty }: FaultyDataset, passed: boolean): void {
  const expected = [
    ...healthy,
    ...(passed ? faulty.filter(({ fault }) => fault.passing).map(({ id }) => id) : []),
  ].sort()
  const all = [...healthy, ...faulty.map(({ id }) => id)]
  const there = all.filter((id) => existsSync(complete(id))).sort()
  check(
    String(there) === String(expected),
    `${there.length} of ${all.length} visits have a complete result: exactly the ${expected.length} that must`,
  )
  const done = doneNow().sort()
  check(String(done) === String(expected), `${done.length} results were brought in, each once`)
  const misread = faulty.filter(({ id, fault }) => {
    if (passed && fault.passing) return false
    const log = JSON.parse(readFileSync(join(out, 'logs', `${id}.json`), 'utf8')) as { status: string; reason: string }
    return log.status !== fault.status || !fault.reason.test(log.reason) || log.reason.includes(folder)
  })
  check(
    misread.length === 0,
    `the others are listed with the reason, without paths${misread.length > 0 ? `: not ${misread.map(({ id }) => id)}` : ''}`,
  )
  const left = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.lesionwise-'))
  check(left.length === 0, 'no lock and nothing half-written is left')
}

const started = Date.now()
const clock = () => `${((Date.now() - started) / 1000).toFixed(0)} s`
try {
  const made = await faultyDataset(data, { subjects, scans: await tinyScans(4), seed: Number(options.seed) })
  const total = made.healthy.length + made.faulty.length
  console.log(`${subjects} people, ${total} visits, ${made.faulty.length} with a fault (${clock()})`)
  writeFileSync(faultFile, JSON.stringify(made.injected))
  const killed = await lesionwise('participant', { signal: 'SIGKILL', at: Math.ceil(0.2 * made.healthy.length) })
  console.log(`killed −9 with ${doneNow().length} done (${clock()})`)
  check(killed.code === null, 'the run was killed')
  const interrupted = await lesionwise('participant', { signal: 'SIGINT', at: Math.ceil(0.5 * made.healthy.length) })
  console.log(`interrupted with ${doneNow().length} done (${clock()})`)
  check(interrupted.code === 130, `the interrupted run ends with 130 (${interrupted.code})`)
  const whole = await lesionwise('participant')
  console.log(`run to its end (${clock()})`)
  check(whole.code === 1, `exit code 1, since some failed (${whole.code})`)
  judge(made, false)
  const group = await lesionwise('group')
  check(group.code === 0, `the group level runs (${group.code})`)
  const { rows } = readTsv(readFileSync(join(out, 'cohort.tsv'), 'utf8'), 'cohort.tsv')
  const without = rows.filter(({ status }) => status !== 'done')
  check(
    rows.length === total &&
      without.length === made.faulty.length &&
      without.every(({ reason }) => reason !== undefined),
    `cohort.tsv has ${rows.length} rows, ${without.length} without a result, each with a reason`,
  )

  const before = new Map(made.healthy.map((id) => [id, statSync(complete(id)).mtimeMs]))
  writeFileSync(faultFile, '{}')
  const again = await lesionwise('participant')
  console.log(`run again with free disk and no killer (${clock()})`)
  check(again.code === 1, `exit code 1, since files are still corrupt (${again.code})`)
  judge(made, true)
  check(
    [...before].every(([id, time]) => statSync(complete(id)).mtimeMs === time),
    'what was done before was not touched',
  )
  const outcome = JSON.parse(again.stdout) as { visits: { status: string; before?: boolean }[]; seconds: number }
  console.log(
    `${outcome.visits.filter((visit) => visit.before).length} visits were found done; that run took ${outcome.seconds} s`,
  )
  console.log(
    `${wrong.length === 0 ? 'All holds' : `${wrong.length} checks do NOT hold`}; ${subjects} people in ${clock()}`,
  )
} finally {
  if (options.keep) console.log(folder)
  else rmSync(folder, { recursive: true, force: true })
}
process.exit(wrong.length > 0 ? 1 : 0)
