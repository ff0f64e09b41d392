// A data set through a real Slurm on this machine: a submission as job arrays with tries and the group level, tasks cancelled
// and killed (−9) at random, the same command again. Exactly the healthy visits must be done, each once, the others listed.
//
//   npm run bench:slurm -- [--subjects N] [--kills N] [--minutes N] [--seed N] [--keep]
//
// As root on Debian it installs slurmctld, slurmd, slurm-client and munge where they are missing, and starts and stops a
// cluster of one node of its own. Exits 1 where anything differs.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, hostname, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readTsv } from '../src/formats/tsv.js'
import { seededRandom } from '../src/random.js'
import { faults, faultyDataset, tinyScans } from '../test/cohort/faulty-dataset.js'

const { values: options } = parseArgs({
  options: {
    subjects: { type: 'string', default: '200' },
    kills: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
})
const subjects = Number(options.subjects)
const kills = Number(options.kills ?? Math.ceil(subjects / 5))
const random = seededRandom(Number(options.seed) + 7)
const folder = mkdtempSync(join(tmpdir(), 'lesionwise-slurm-'))
const [data, out, work, doneFile] = ['data', 'derivatives', 'work', 'done.txt'].map((name) => join(folder, name))
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const hook = new URL('../test/cohort/faults.mjs', import.meta.url).href
const started = Date.now()
const clock = () => `${((Date.now() - started) / 1000).toFixed(0)} s`
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const wrong: string[] = []
const check = (holds: boolean, text: string) => {
  console.log(`${holds ? 'ok   ' : 'WRONG'} ${text}`)
  if (!holds) wrong.push(text)
}
const env = {
  ...process.env,
  SLURM_CONF: join(folder, 'slurm.conf'),
  NODE_OPTIONS: `--import ${hook}`,
  LESIONWISE_FAULTS: join(folder, 'faults.json'),
  LESIONWISE_DONE: doneFile,
}
const slurm = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
const doneNow = (): string[] => (existsSync(doneFile) ? lines(readFileSync(doneFile, 'utf8')) : [])

function install(): void {
  const there = (name: string) => ['/usr/sbin', '/usr/bin'].some((place) => existsSync(join(place, name)))
  if (['slurmctld', 'slurmd', 'sbatch', 'munged'].every(there)) return
  if (process.getuid?.() !== 0) throw new Error('install slurmctld, slurmd, slurm-client and munge; this needs root')
  const apt = (...args: string[]) =>
    execFileSync('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore' })
  apt('update')
  const packages = ['slurmctld', 'slurmd', 'slurm-client', 'munge']
  apt('-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...packages)
}

const daemons: ChildProcess[] = []
function daemon(command: string, ...args: string[]): void {
  const log = openSync(join(folder, `${command}-${daemons.length}.log`), 'w')
  daemons.push(spawn(command, args, { env: { ...env, NODE_OPTIONS: '' }, stdio: ['ignore', log, log] }))
}

async function startCluster(): Promise<void> {
  const host = hostname().split('.')[0]
  for (const name of ['state', 'spool']) mkdirSync(join(folder, name))
  writeFileSync(
    env.SLURM_CONF,
    `ClusterName=one
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
MpiDefault=none
ReturnToService=2
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/c.pid
SlurmdPidFile=${folder}/d.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmctldPort=16817
SlurmdPort=16818
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
KillWait=5
MinJobAge=10
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} RealMemory=${Math.floor((0.8 * totalmem()) / 2 ** 20)} State=UNKNOWN
PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`,
  )
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'munge'], { encoding: 'utf8' })))
  mkdirSync('/run/munge', { recursive: true, mode: 0o755 })
  chownSync('/run/munge', uid, gid)
  daemon('setpriv', '--reuid=munge', '--regid=munge', '--clear-groups', 'munged', '--foreground')
  await wait(1000)
  daemon('slurmctld', '-D')
  daemon('slurmd', '-D')
  for (let i = 0; i < 60; i++) {
    await wait(1000)
    try {
      if (slurm('sinfo', '--noheader', '--format=%T').trim() === 'idle') return
    } catch {
      // It is still starting.
    }
  }
  throw new Error(`Slurm did not start; its logs are in ${folder}`)
}

async function stopCluster(): Promise<void> {
  for (const one of daemons.reverse()) {
    one.kill('SIGTERM')
    for (let i = 0; i < 20 && one.exitCode === null && one.signalCode === null; i++) await wait(250)
  }
}

const lesionwise = async (...args: string[]): Promise<{ code: number | null; json: Record<string, unknown> }> =>
  await new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'bids', data, out, ...args, '--quiet', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (part) => (text += part))
    child.on('close', (code) => resolve({ code, json: text === '' ? {} : JSON.parse(text) }))
  })

/** Processes of tasks of this cluster, by what their command line holds. */
const processes = (word: string): number[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
      return command.includes(word) && command.includes(folder) ? [Number(name)] : []
    } catch {
      return []
    }
  })

const killed = { cancelled: 0, worker: 0, script: 0 }
const killedTotal = () => killed.cancelled + killed.worker + killed.script
/** Cancels or kills one task that runs. */
function killOne(): void {
  const of = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]
  const way = of(['cancelled', 'worker', 'script'] as const)
  try {
    if (way === 'cancelled') {
      const running = lines(slurm('squeue', '--noheader', '--array', '--states=RUNNING', '--format=%F_%K'))
      const task = of(running.filter((name) => /_\d+$/.test(name)))
      if (task === undefined) return
      slurm('scancel', task)
    } else {
      const pid = of(processes(way === 'worker' ? 'bids-worker.js' : 'slurm_script'))
      if (pid === undefined) return
      process.kill(pid, 'SIGKILL')
    }
    killed[way]++
  } catch {
    // It has just ended by itself.
  }
}

/** Waits until nothing is in the queue, killing on the way. */
async function drained(limit: number): Promise<void> {
  const deadline = Date.now() + 60_000 * Number(options.minutes)
  for (let last = Date.now(); lines(slurm('squeue', '--noheader', '--format=%i')).length > 0; await wait(500)) {
    if (Date.now() > deadline) throw new Error('the queue did not empty in time')
    if (killedTotal() < limit && Date.now() - last > 1000 + 4000 * random()) {
      killOne()
      last = Date.now()
    }
  }
}

interface Visit {
  id: string
  state: string
  reason?: string
}

try {
  install()
  const made = await faultyDataset(data, {
    subjects,
    scans: await tinyScans(4),
    seed: Number(options.seed),
    kinds: faults.filter(({ passing }) => !passing),
  })
  writeFileSync(env.LESIONWISE_FAULTS, '{}')
  const total = made.healthy.length + made.faulty.length
  console.log(`${subjects} people, ${total} visits, ${made.faulty.length} of them of no use (${clock()})`)
  await startCluster()
  console.log(`${slurm('sinfo', '--version').trim()}, one node (${clock()})`)

  const flags = ['participant', '--slurm', '--slurm-group', '--work', work]
  const first = await lesionwise(...flags, '--slurm-retries', '1', '--slurm-max-jobs', '3', '--mem-gb', '1')
  check(first.code === 0, `${(first.json.submitted as string[]).length} visits submitted (${clock()})`)
  const twice = await lesionwise(...flags)
  const { submitted: again, queued } = twice.json as { submitted: string[]; queued: string[] }
  check(
    again.length === 0 && queued.length >= (first.json.submitted as string[]).length - doneNow().length,
    `the same command at once submits ${again.length} visits: ${queued.length} are in the queue`,
  )
  await drained(kills)
  const middle = (await lesionwise('status')).json as { counts: Record<string, number>; visits: Visit[] }
  console.log(
    `${killed.cancelled} tasks cancelled, ${killed.worker} workers and ${killed.script} scripts killed −9 (${clock()})`,
  )
  console.log(`after the submission: ${JSON.stringify(middle.counts)}`)
  check(
    middle.visits.every(({ state, reason }) => state === 'done' || (reason ?? '') !== ''),
    'every visit without a result has a reason',
  )

  const open = middle.visits.filter(({ state }) => state !== 'done' && state !== 'left out')
  const third = await lesionwise(...flags)
  const submission = third.json.submission as { memoryMb: number; minutes: number }
  check(
    String([...(third.json.submitted as string[])].sort()) === String(open.map(({ id }) => id).sort()),
    `the same command submits the ${open.length} that are missing, by what was measured: ${submission.memoryMb} MB, ${submission.minutes} min (${clock()})`,
  )
  await drained(0)
  const { counts, visits } = (await lesionwise('status')).json as { counts: Record<string, number>; visits: Visit[] }
  console.log(`at the end: ${JSON.stringify(counts)} (${clock()})`)
  const done = visits.filter(({ state }) => state === 'done').map(({ id }) => id)
  check(
    String(done.sort()) === String([...made.healthy].sort()),
    `exactly the ${made.healthy.length} healthy visits are done`,
  )
  check(
    String(doneNow().sort()) === String([...made.healthy].sort()),
    `${doneNow().length} results were brought in, each once`,
  )
  const misread = made.faulty.filter(({ id, fault }) => {
    const visit = visits.find((one) => one.id === id)
    return visit?.state !== fault.status || !fault.reason.test(visit.reason ?? '')
  })
  check(
    misread.length === 0,
    `the other ${made.faulty.length} are listed with the reason ${misread.map(({ id }) => id)}`,
  )
  const left = readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.lesionwise-'))
  check(left.length === 0, `no lock and nothing half-written is left ${left}`)
  const { rows } = readTsv(readFileSync(join(out, 'cohort.tsv'), 'utf8'), 'cohort.tsv')
  check(
    rows.length === total && rows.filter(({ status }) => status === 'done').length === made.healthy.length,
    `the group level ran at the end: cohort.tsv has ${rows.length} rows`,
  )
  console.log(
    `${wrong.length === 0 ? 'All holds' : `${wrong.length} checks do NOT hold`}; ${subjects} people in ${clock()}`,
  )
} finally {
  try {
    slurm('scancel', '--user=root')
  } catch {
    // No cluster was started.
  }
  await stopCluster()
  if (options.keep) console.log(folder)
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
process.exit(wrong.length > 0 ? 1 : 0)
