import assert from 'node:assert/strict'
import { existsSync, mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startJobServer } from '../../src/server/jobs-start.js'
import { openWorkbench, resultFolder, sent, token } from './result.js'

test('the scheme of the token may be written in any case', async () => {
  const { request } = await openWorkbench((await resultFolder()).root)
  for (const scheme of ['bearer', 'BEARER', 'Bearer'])
    assert.equal((await request('/api/cases', {}, { authorization: `${scheme} ${token}` })).status, 200, scheme)
  assert.equal((await request('/api/cases', {}, { authorization: token.toUpperCase() })).status, 401)
})

test('what does not fit in a request is told in one plain line', async () => {
  const { request } = await openWorkbench((await resultFolder()).root)
  const told = async (answer: Response) => ((await answer.json()) as { error: string }).error
  const about = { rater: 'anna', tab: 'tab1', parent: 'base', steps: ['brush'], note: 7, more: true }
  const body = sent(about, new Uint8Array(1))
  const version = await told(await request('/api/cases/result/versions', { method: 'POST', body }))
  assert.match(version, /^note: Invalid input: expected string, received number; Unrecognized key: "more"$/)
  const review = JSON.stringify({ status: 'accepted', rater: 'anna b' })
  assert.equal(
    await told(await request('/api/cases/result/review', { method: 'PUT', body: review })),
    'rater: letters and digits only, 32 at most',
  )
})

test('a job server whose port is in use leaves no store behind', async (context) => {
  const taken = createServer().listen(0, '127.0.0.1')
  context.after(() => taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const store = join(mkdtempSync(join(tmpdir(), 'lesionwise-port-')), 'store')
  const options = { maxMb: 1, maxJobs: 1, atATime: 1, keepDays: 1, timeoutMinutes: 1 }
  await assert.rejects(startJobServer({ store, token, port, ...options }), /is in use/)
  assert.ok(!existsSync(store))
})
