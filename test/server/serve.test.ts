import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Job } from '../../src/server/jobs-api.js'
import { tinyScans } from '../cohort/faulty-dataset.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const page = readFileSync(new URL('../../docs/serve.md', import.meta.url), 'utf8')
const example = (language: string): string => new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)![1]
const execute = promisify(execFile)
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function serve(folder: string): Promise<{ child: ChildProcess; url: string; token: string }> {
  const args = [main, 'serve', '--store', join(folder, 'store'), '--token-file', join(folder, 'token'), '--json']
  const child = spawn(process.execPath, [...args, '--port', String(20000 + (process.pid % 20000))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const text = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (data) => resolve(String(data)))
    child.once('close', (code) => reject(new Error(`serve ended with ${code}`)))
  })
  return { child, url: JSON.parse(text).url, token: readFileSync(join(folder, 'token'), 'utf8').trim() }
}

test('the examples of docs/serve.md run, and a server killed −9 in the middle goes on', {
  timeout: 900_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-serve-'))
  const flair = process.env.LESIONWISE_TEST_FLAIR ?? join(folder, 'FLAIR.nii.gz')
  if (!process.env.LESIONWISE_TEST_FLAIR) writeFileSync(flair, (await tinyScans(1))[0])
  let server = await serve(folder)
  context.after(() => {
    server.child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  assert.equal(statSync(join(folder, 'token')).mode & 0o077, 0)
  const jobs = async (): Promise<Job[]> => {
    const headers = { authorization: `Bearer ${server.token}` }
    return (await (await fetch(`${server.url}/api/jobs`, { headers })).json()).jobs
  }

  // Killed once the job is on its way: its process notices, the next server begins it anew.
  const form = new FormData()
  form.set('flair', new Blob([readFileSync(flair)]), 'flair.nii.gz')
  const sent = await fetch(`${server.url}/api/jobs`, {
    ...{ method: 'POST', body: form, headers: { authorization: `Bearer ${server.token}` } },
  })
  const { id } = (await sent.json()) as Job
  for (let i = 0; i < 3000 && !(await jobs())[0].progress; i++) await wait(20)
  assert.equal((await jobs())[0].state, 'running')
  server.child.removeAllListeners('close')
  server.child.kill('SIGKILL')
  await new Promise((resolve) => server.child.once('close', resolve))
  server = await serve(folder)
  for (let i = 0; i < 3000 && !/done|failed/.test((await jobs())[0].state); i++) await wait(200)
  const [job] = await jobs()
  assert.deepEqual([job.id, job.state, job.interruptions, job.reason], [id, 'done', 1, undefined])
  assert.ok(job.results.some(({ name }) => name === 'lesion_mask.nii.gz'))
  await wait(1500)
  const names = readdirSync(join(folder, 'store', 'jobs', id)).sort()
  assert.deepEqual(names, ['inputs', 'request.json', 'result', 'status.json'])

  const env = { ...process.env, LESIONWISE_URL: server.url, LESIONWISE_TOKEN: server.token }
  for (const [command, language] of [
    ['sh', 'sh'],
    ['python3', 'python'],
    ['Rscript', 'r'],
  ]) {
    const cwd = mkdtempSync(join(folder, `${language}-`))
    writeFileSync(join(cwd, 'example'), example(language))
    const { stdout } = await execute(command, ['example', flair], { cwd, env }).catch((error) => {
      // No Python or R, no test of it.
      if (error.code === 'ENOENT' || /there is no package called/.test(error.stderr)) return { stdout: undefined }
      throw error
    })
    if (stdout === undefined) continue
    assert.match(stdout, /location|lesionCount/, language)
    const mask = readFileSync(join(folder, 'store', 'jobs', id, 'result', 'lesion_mask.nii.gz'))
    assert.deepEqual(readFileSync(join(cwd, 'lesion_mask.nii.gz')), mask)
  }
  server.child.removeAllListeners('close')
  server.child.kill('SIGTERM')
  assert.equal(await new Promise((resolve) => server.child.once('close', resolve)), 0)
})
