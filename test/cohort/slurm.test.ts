import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bidsStatus } from '../../src/cohort/bids-progress.js'
import { bidsSlurm, type SlurmOptions } from '../../src/cohort/slurm-submit.js'
import { faultyDataset, tinyScans } from './faulty-dataset.js'

const scans = tinyScans(2)

/** A Slurm that takes everything and runs nothing: what was asked is in `asked`, what waits and runs in `queue`. */
async function fakeCluster(test: TestContext, subjects = 3) {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-slurm-'))
  const bin = join(folder, 'bin')
  const [asked, queue, refusal] = ['asked', 'queue', 'refusal'].map((name) => join(folder, name))
  mkdirSync(bin)
  for (const file of [asked, queue]) writeFileSync(file, '')
  writeFileSync(
    join(bin, 'sbatch'),
    `#!/bin/bash
if [ -f ${refusal} ]; then echo "sbatch: error: $(cat ${refusal})" >&2; exit 1; fi
printf '%s\\t' "$@" >> ${asked}; echo >> ${asked}
echo $(( 100 + $(wc -l < ${asked}) ))
`,
  )
  writeFileSync(join(bin, 'squeue'), `#!/bin/bash\ncat ${queue}\n`)
  for (const name of ['sbatch', 'squeue']) chmodSync(join(bin, name), 0o755)
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  test.after(() => {
    process.env.PATH = path
    rmSync(folder, { recursive: true, force: true })
  })
  // The space and the quote are what people have in their folders.
  const [bids, out] = [join(folder, "the patients' data"), join(folder, 'derivatives')]
  await faultyDataset(bids, { subjects, every: 1000, scans: await scans })
  return {
    ...{ folder, bids, out, bin },
    /** What sbatch was asked, a line of arguments each. */
    asked: () =>
      readFileSync(asked, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t').slice(0, -1)),
    setQueue: (lines: readonly string[]) => writeFileSync(queue, lines.map((line) => `${line}\n`).join('')),
    refuse: (reason: string) => writeFileSync(refusal, reason),
    submit: (options: Partial<SlurmOptions> = {}) => bidsSlurm({ bids, out, ...options }),
    status: () => bidsStatus({ bids, out }),
    logs: join(out, 'logs'),
  }
}

type Cluster = Awaited<ReturnType<typeof fakeCluster>>

const option = (words: readonly string[], name: string): string | undefined =>
  words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3)

/** Runs a task of an array as Slurm would. */
function runTask(words: readonly string[], task: number, env: Record<string, string> = {}) {
  const at = words.findIndex((word) => word.endsWith('.sh'))
  return spawnSync('bash', words.slice(at), {
    encoding: 'utf8',
    env: { ...process.env, SLURM_ARRAY_JOB_ID: '101', SLURM_ARRAY_TASK_ID: String(task), ...env },
  })
}

const stateOf = ({ logs }: Cluster, id: string, at: number) => join(logs, 'slurm', id, 'tasks', `${at}.json`)

test('submits a task for each visit, tries again after it, then the group level', async (context) => {
  const cluster = await fakeCluster(context, 3)
  const result = await cluster.submit({
    ...{ partition: 'short', minutes: 30, atATime: 7, retries: 2, group: ['--quiet'] },
    params: { alpha: 3 },
    method: 'roura2015',
    threads: 2,
  })
  assert.deepEqual(result.submitted, ['sub-01_ses-01', 'sub-01_ses-02', 'sub-02_ses-01', 'sub-03_ses-01'])
  const asked = cluster.asked()
  assert.equal(asked.length, 4)
  for (const words of asked.slice(0, 3)) {
    assert.equal(words[0], '--parsable')
    for (const [name, value] of Object.entries({
      ...{ array: '0-3%7', partition: 'short', time: '30', mem: '4000M', 'cpus-per-task': '2' },
    }))
      assert.equal(option(words, name), value, name)
  }
  assert.deepEqual(
    asked.map((words) => option(words, 'dependency')),
    [undefined, 'afterany:101', 'afterany:102', 'afterany:103'],
  )
  assert.equal(option(asked[3], 'array'), undefined)
  const script = readFileSync(join(result.folder!, 'task.sh'), 'utf8')
  assert.ok(script.includes("/the patients'\\'' data' "), script)
  assert.match(script, /participant "\$\{labels\[@\]\}" --method roura2015 --param alpha=3 /)
  execFileSync('bash', ['-n', join(result.folder!, 'task.sh')])
  assert.equal(JSON.parse(readFileSync(join(result.folder!, 'submission.json'), 'utf8')).group, '104')
})

test('the same command again submits only what is missing and not in the queue', async (context) => {
  const cluster = await fakeCluster(context, 3)
  const { submission } = await cluster.submit({ retries: 0 })
  const { id } = submission!
  // A task has ended well, one runs, one waits for its second try; the fourth is gone.
  cluster.setQueue([`lesionwise-${id}.0.0|101|1|RUNNING`, `lesionwise-${id}.0.1|102|2|PENDING`, 'other|7|N/A|RUNNING'])
  const again = await cluster.submit({ retries: 0, group: [] })
  assert.deepEqual(again.queued, ['sub-01_ses-02', 'sub-02_ses-01'])
  assert.deepEqual(again.submitted, ['sub-01_ses-01', 'sub-03_ses-01'])
  assert.equal(option(cluster.asked()[1], 'array'), '0-1%100')
  // The group level also waits for what was in the queue before.
  assert.equal(option(cluster.asked()[2], 'dependency'), 'afterany:101:102:102')
  // With all in the queue, the group level too, there is nothing to submit.
  const both = [0, 1, 2, 3].map((task) => `lesionwise-${id}.0.0|101|${task}|PENDING`)
  cluster.setQueue([...both, `lesionwise-${again.submission!.id}.group|103|N/A|PENDING`])
  assert.equal((await cluster.submit({ group: [] })).submission, undefined)
  assert.equal(cluster.asked().length, 3)
  cluster.setQueue([`lesionwise-${id}.0.0|101|1|RUNNING`, `lesionwise-${id}.0.1|102|2|PENDING`])
  const { counts } = await cluster.status()
  assert.deepEqual([counts.running, counts.waiting, counts['not run']], [1, 1, 2])
})

test('a task runs its visit, says how it ended, and is not tried again in vain', {
  timeout: 120_000,
}, async (context) => {
  const cluster = await fakeCluster(context, 1)
  const spoilt = join(cluster.bids, 'sub-01', 'ses-02', 'anat', 'sub-01_ses-02_FLAIR.nii.gz')
  writeFileSync(spoilt, 'this is no image\n'.repeat(20))
  const { submission } = await cluster.submit({ retries: 1 })
  const [first, second] = cluster.asked()
  assert.equal(runTask(first, 0).status, 0)
  assert.equal(runTask(first, 1).status, 1)
  const state = JSON.parse(readFileSync(stateOf(cluster, submission!.id, 0), 'utf8'))
  assert.deepEqual([state.attempt, state.job, state.code], [0, '101_0', 0])
  const { visits } = await cluster.status()
  assert.deepEqual(
    visits.map(({ state: found }) => found),
    ['done', 'failed'],
  )
  assert.match(visits[1].reason ?? '', /_FLAIR\.nii\.gz: the file holds text/)
  // Neither is worth another try: the states stay those of the first.
  for (const task of [0, 1]) assert.equal(runTask(second, task).status, 0)
  assert.equal(JSON.parse(readFileSync(stateOf(cluster, submission!.id, 1), 'utf8')).attempt, 0)

  // Measured now: a third more than the most that one took, and the longest.
  writeFileSync(
    join(cluster.logs, 'sub-01_ses-01.json'),
    JSON.stringify({
      ...JSON.parse(readFileSync(join(cluster.logs, 'sub-01_ses-01.json'), 'utf8')),
      ...{ peakMegabytes: 1000, seconds: 1200 },
    }),
  )
  // A file that cannot be read names no method, so nothing is known of what it would take.
  writeFileSync(spoilt, readFileSync(spoilt.replaceAll('ses-02', 'ses-01')))
  const measured = await cluster.submit({})
  assert.deepEqual([measured.submission!.memoryMb, measured.submission!.minutes], [1500, 26])
})

test('a killed task has no end: failed with that reason, tried again with more memory', async (context) => {
  const cluster = await fakeCluster(context, 1)
  const { submission } = await cluster.submit({ retries: 0, command: ['/no/such/lesionwise'] })
  const [first] = cluster.asked()
  assert.equal(runTask(first, 0).status, 127)
  writeFileSync(
    stateOf(cluster, submission!.id, 1),
    '{"attempt":0,"job":"101_1","host":"n7","started":"2026-01-02T03:04:05Z"}',
  )
  const { visits } = await cluster.status()
  assert.match(visits[0].reason ?? '', /task 101_0 on .* could not start Lesionwise \(code 127\)/)
  assert.match(visits[1].reason ?? '', /task 101_1 on n7 ended without a word: killed, out of memory \(4000 MB\)/)
  const { submission: next } = await cluster.submit({ dryRun: true })
  assert.deepEqual([next!.tasks.length, next!.memoryMb, next!.minutes], [2, 6000, 90])
})

test('more visits than one array takes are split, and the limit with them', async (context) => {
  const cluster = await fakeCluster(context, 1)
  for (let n = 2; n <= 1200; n++) {
    const anat = join(cluster.bids, `sub-${1000 + n}`, 'anat')
    mkdirSync(anat, { recursive: true })
    writeFileSync(join(anat, `sub-${1000 + n}_FLAIR.nii.gz`), 'x')
  }
  await cluster.submit({ retries: 1, atATime: 10 })
  assert.deepEqual(
    cluster.asked().map((words) => [option(words, 'array'), option(words, 'dependency'), ...words.slice(-2)]),
    [
      ['0-999%5', undefined, '0', '0'],
      ['0-200%5', undefined, '1000', '0'],
      ['0-999%5', 'afterany:101:102', '0', '1'],
      ['0-200%5', 'afterany:101:102', '1000', '1'],
    ],
  )
})

test('a Slurm that refuses, does not answer or is not there is told in one line', async (context) => {
  const cluster = await fakeCluster(context, 1)
  cluster.refuse('invalid partition specified: shrot')
  await assert.rejects(cluster.submit({ partition: 'shrot' }), {
    name: 'RunError',
    message: 'sbatch: invalid partition specified: shrot',
  })
  writeFileSync(
    join(cluster.bin, 'squeue'),
    '#!/bin/bash\necho "slurm_load_jobs error: Unable to contact" >&2; exit 1\n',
  )
  await assert.rejects(cluster.submit(), /squeue: .*Unable to contact/)
  // The status needs none.
  const notes: string[] = []
  const { counts } = await bidsStatus({ bids: cluster.bids, out: cluster.out, onNote: (text) => notes.push(text) })
  assert.equal(counts['not run'], 2)
  assert.match(notes.join(), /what waits or runs is not known/)
  process.env.PATH = '/nowhere'
  await assert.rejects(cluster.submit(), /squeue: there is no such command; --slurm runs on a machine/)
})

test('a visit that is left out is listed, a dry run leaves nothing', async (context) => {
  const cluster = await fakeCluster(context, 2)
  const anat = join(cluster.bids, 'sub-77', 'anat')
  mkdirSync(anat, { recursive: true })
  writeFileSync(join(anat, 'sub-77_T1w.nii.gz'), 'x')
  const dry = await cluster.submit({ dryRun: true })
  assert.equal(dry.submitted.length, 3)
  assert.ok(!existsSync(cluster.out) && cluster.asked().length === 0)
  const { leftOut } = await cluster.submit()
  assert.deepEqual(leftOut, [{ id: 'sub-77', reason: 'there is no FLAIR, only T1' }])
  const { visits } = await cluster.status()
  assert.equal(visits.find(({ id }) => id === 'sub-77')?.state, 'left out')
})
