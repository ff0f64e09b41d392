import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { Ended, runScript } from '../../src/cohort/processes.js'
import { JobQueue } from '../../src/server/job-queue.js'
import { JobStore } from '../../src/server/job-store.js'
import type { JobTask } from '../../src/server/job-worker.js'
import { type Job, openapi, operations } from '../../src/server/jobs-api.js'
import { jobsApp } from '../../src/server/jobs-app.js'
import { summaryText } from '../run/made-up-result.js'

const token = 'a'.repeat(32)
const ended: Ended = { code: 0, timedOut: false, stdout: '', stderr: '', seconds: 1 }
const flair = () => new Blob([new Uint8Array(3000).fill(7)])

/** What the process of a job leaves, without the work. */
const works: typeof runScript = async (_script, [task], { signal, onLine }) => {
  signal.throwIfAborted()
  const { out, images } = JSON.parse(task) as JobTask
  onLine?.('{"stage":"Reading","fraction":0.5}')
  if (readFileSync(images.flair)[0] === 0)
    return { ...ended, code: 3, stderr: `lesionwise: ${images.flair}: is no image\n` }
  mkdirSync(out)
  writeFileSync(join(out, 'summary.json'), summaryText({ lesionCount: 2, lesionVolumeMl: 1.5 }))
  for (const name of ['lesion_mask.nii.gz', 'provenance.json']) writeFileSync(join(out, name), '{}')
  return ended
}
/** A job that only ends when it is stopped. */
const hangs: typeof runScript = (_script, _args, { signal }) =>
  new Promise((_, reject) => {
    const end = () => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })

const settings = { atATime: 1, timeoutMinutes: 1, keepDays: 30 }

async function server(test: TestContext, start = works, folder = mkdtempSync(join(tmpdir(), 'lesionwise-jobs-'))) {
  const store = await JobStore.open(folder)
  const queue = new JobQueue(store, settings, start)
  const app = jobsApp({
    store,
    queue,
    token,
    version: '0.0.0',
    largestBytes: 10_000,
    mostJobs: 20,
    hosts: ['lab.example.org'],
  })
  queue.next()
  let open = true
  const close = async () => {
    if (open) {
      open = false
      await queue.close()
      await store.close()
    }
  }
  test.after(async () => {
    await close()
    rmSync(folder, { recursive: true, force: true })
  })
  const document = openapi('0.0.0') as {
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, { content?: Content }> }>>
    components: { schemas: Record<string, Parameters<typeof z.fromJSONSchema>[0]> }
  }
  const seen = new Set<string>()
  /** Every answer is held against the document. */
  const request = async (method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}) => {
    const response = await app.request(path, {
      method,
      body,
      headers: { host: '127.0.0.1:1', authorization: `Bearer ${token}`, ...headers },
    })
    const [pattern, operation] =
      Object.entries(document.paths).find(
        ([one, ways]) =>
          ways[method.toLowerCase()] && new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
      ) ?? []
    const about = operation?.[method.toLowerCase()]
    if (about) {
      seen.add(about.operationId)
      const answer = about.responses[response.status]
      assert.ok(answer, `${method} ${pattern}: ${response.status} is not in the document`)
      const name = answer.content?.['application/json']?.schema.$ref?.split('/').at(-1)
      if (name !== undefined) {
        const schema = z.fromJSONSchema(document.components.schemas[name])
        const { error } = schema.safeParse(await response.clone().json())
        assert.equal(error, undefined, `${method} ${path}: ${error && z.prettifyError(error)}`)
      } else if (!answer.content) assert.equal(await response.clone().text(), '')
    }
    return response
  }
  const send = async (about: object = {}, image = flair(), parts: Record<string, Blob> = {}) => {
    const form = new FormData()
    form.set('flair', image, 'flair.nii')
    for (const [name, part] of Object.entries(parts)) form.set(name, part, `${name}.nii.gz`)
    form.set('request', JSON.stringify(about))
    return await request('POST', '/api/jobs', form)
  }
  const settled = async (id: string): Promise<Job> => {
    for (let i = 0; i < 600; i++) {
      const job = (await (await request('GET', `/api/jobs/${id}`)).json()) as Job
      if (job.state === 'done' || job.state === 'failed') return job
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error('the job does not end')
  }
  return { folder, store, queue, request, send, settled, close, seen, document }
}

type Content = Record<string, { schema: { $ref?: string } }>

test('upload, queue, result, delete: every route answers as the document says', async (context) => {
  const { send, settled, request, seen, document, folder } = await server(context)
  const created = await send({ name: 'scan 7', method: 'roura2015', params: { alpha: 3 }, seed: 2 })
  assert.equal(created.status, 201)
  const { id, inputs } = (await created.json()) as Job
  assert.deepEqual([inputs[0].role, inputs[0].bytes, inputs[0].sha256.length], ['flair', 3000, 64])
  const done = await settled(id)
  assert.deepEqual([done.state, done.summary], ['done', { lesionCount: 2, lesionVolumeMl: 1.5 }])
  assert.deepEqual(
    done.results.map(({ name }) => name),
    ['lesion_mask.nii.gz', 'provenance.json', 'summary.json'],
  )
  const file = await request('GET', `/api/jobs/${id}/result/summary.json`)
  assert.equal(await file.text(), summaryText({ lesionCount: 2, lesionVolumeMl: 1.5 }))

  // One image after the other.
  const { id: open } = (await (
    await request('POST', '/api/jobs', '{}', { 'content-type': 'application/json' })
  ).json()) as Job
  assert.equal((await request('POST', `/api/jobs/${open}/start`)).status, 422)
  assert.equal((await request('PUT', `/api/jobs/${open}/inputs/flair`, flair())).status, 200)
  assert.equal((await request('PUT', `/api/jobs/${open}/inputs/brain`, flair())).status, 404)
  assert.equal((await request('POST', `/api/jobs/${open}/start`)).status, 200)
  assert.equal((await settled(open)).state, 'done')
  assert.equal((await request('PUT', `/api/jobs/${open}/inputs/flair`, flair())).status, 409)
  assert.equal((await request('POST', `/api/jobs/${open}/start`)).status, 409)

  const { jobs } = (await (await request('GET', '/api/jobs')).json()) as { jobs: Job[] }
  assert.deepEqual(
    jobs.map((job) => job.id),
    [open, id],
  )
  assert.deepEqual(await (await request('GET', '/api/openapi.json')).json(), JSON.parse(JSON.stringify(document)))
  assert.equal((await request('DELETE', `/api/jobs/${id}`)).status, 204)
  assert.equal((await request('GET', `/api/jobs/${id}`)).status, 404)
  assert.deepEqual(readdirSync(join(folder, 'jobs')), [open])
  assert.deepEqual([...seen].sort(), Object.keys(operations).sort())
})

test('the document holds: references lead somewhere, what varies in an address is explained', () => {
  const document = openapi('1.2.3') as {
    openapi: string
    paths: Record<string, Record<string, { parameters: object[] }>>
  }
  assert.equal(document.openapi, '3.1.0')
  const text = JSON.stringify(document)
  for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document)
    assert.ok(target, path)
  }
  for (const [path, ways] of Object.entries(document.paths))
    for (const { parameters } of Object.values(ways)) assert.equal(parameters.length, path.split('{').length - 1, path)
})

test('who has no token, comes from elsewhere or sends too much gets nothing', async (context) => {
  const { request, send } = await server(context)
  for (const [headers, status] of [
    [{ authorization: '' }, 401],
    [{ authorization: 'Bearer b' }, 401],
    [{ host: 'evil.example' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ host: 'lab.example.org', origin: 'http://127.0.0.1:1' }, 403],
    [{ host: 'lab.example.org', origin: 'https://lab.example.org' }, 200],
    [{ 'content-length': '999999999' }, 413],
  ] as const)
    assert.equal((await request('GET', '/api/jobs', undefined, headers)).status, status, JSON.stringify(headers))
  assert.equal((await send({}, new Blob([new Uint8Array(20_000)]))).status, 413)
  const { id } = (await (
    await request('POST', '/api/jobs', '{}', { 'content-type': 'application/json' })
  ).json()) as Job
  assert.equal((await request('PUT', `/api/jobs/${id}/inputs/flair`, new Uint8Array(20_000))).status, 413)
  assert.deepEqual(((await (await request('GET', `/api/jobs/${id}`)).json()) as Job).inputs, [])
})

test('more jobs than it takes are refused, until one is gone', async (context) => {
  const { request } = await server(context, hangs)
  const create = async () => await request('POST', '/api/jobs', '{}', { 'content-type': 'application/json' })
  const ids: string[] = []
  for (let i = 0; i < 20; i++) ids.push(((await (await create()).json()) as Job).id)
  const refused = await create()
  assert.equal(refused.status, 429)
  assert.match(((await refused.json()) as { error: string }).error, /20 jobs are waiting already/)
  assert.equal((await request('DELETE', `/api/jobs/${ids[3]}`)).status, 204)
  assert.equal((await create()).status, 201)
})

test('what cannot be done is refused at once, in one line', async (context) => {
  const { send, request, settled, store } = await server(context)
  for (const [about, said] of [
    [{ method: 'no-such' }, /no-such/],
    [{ method: 'roura2015', params: { alfa: 3 } }, /no parameter "alfa"/],
    [{ params: { model: '/etc/passwd' } }, /no path/],
    [{ threshold: 2 }, /threshold/],
    [{ out: '/tmp' }, /out/],
  ] as const) {
    const response = await send(about)
    assert.equal(response.status, 422, JSON.stringify(about))
    const { error } = (await response.json()) as { error: string }
    assert.match(error, said)
    assert.ok(!error.includes('\n'))
  }
  assert.equal((await send({}, flair(), { brain: flair() })).status, 400)
  assert.equal((await request('POST', '/api/jobs', 'x', { 'content-type': 'text/plain' })).status, 400)
  assert.equal((await request('POST', '/api/jobs', '{', { 'content-type': 'application/json' })).status, 400)
  assert.equal(store.list().length, 0)

  const failed = await settled(((await (await send({}, new Blob([new Uint8Array(10)]))).json()) as Job).id)
  assert.deepEqual([failed.state, failed.results], ['failed', []])
  assert.match(failed.reason ?? '', /^jobs\/\w+\/inputs\/flair\.nii: is no image$/)
  for (const name of ['summary.json', '..%2Frequest.json', '..%2f..%2f..%2fetc%2fpasswd'])
    assert.equal((await request('GET', `/api/jobs/${failed.id}/result/${name}`)).status, 409)
})

test('no name of a result leads out of its folder', async (context) => {
  const { send, request, settled } = await server(context)
  const { id } = await settled(((await (await send()).json()) as Job).id)
  for (const name of ['..%2Frequest.json', '..%2Fstatus.json', '%2Fetc%2Fpasswd', 'nothing.txt'])
    assert.equal((await request('GET', `/api/jobs/${id}/result/${name}`)).status, 404, name)
})

test('a server that was killed in the middle: the next one does the job once, and what waited', async (context) => {
  const first = await server(context, hangs)
  const [one, two] = [(await (await first.send()).json()) as Job, (await (await first.send()).json()) as Job]
  const status = join(first.folder, 'jobs', one.id, 'status.json')
  while (!readFileSync(status, 'utf8').includes('"running"')) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(((await (await first.request('GET', `/api/jobs/${two.id}`)).json()) as Job).ahead, 1)
  await assert.rejects(JobStore.open(first.folder), /another run/)
  // As kill −9 leaves it: the state says running, an attempt is half-written.
  const running = readFileSync(status, 'utf8')
  assert.match(running, /"running"/)
  await first.close()
  writeFileSync(status, running)
  mkdirSync(join(first.folder, 'jobs', one.id, 'attempt-old'))
  writeFileSync(join(first.folder, 'jobs', one.id, 'attempt-old', 'lesion_mask.nii.gz'), 'half')

  const second = await server(context, works, first.folder)
  const done = await second.settled(one.id)
  assert.deepEqual([done.state, done.interruptions], ['done', 1])
  assert.equal((await second.settled(two.id)).interruptions, 0)
  assert.deepEqual(readdirSync(join(first.folder, 'jobs', one.id)).sort(), [
    'inputs',
    'request.json',
    'result',
    'status.json',
  ])
  // A result that was whole before the state could say so is not made again.
  const after = join(first.folder, 'jobs', one.id, 'status.json')
  await second.close()
  writeFileSync(after, running)
  const third = await server(context, hangs, first.folder)
  assert.equal((await third.settled(one.id)).state, 'done')
  // Three ends in the middle of one job are enough.
  await third.close()
  rmSync(join(first.folder, 'jobs', one.id, 'result'), { recursive: true })
  writeFileSync(after, running.replace('"interruptions": 0', '"interruptions": 2'))
  const fourth = await server(context, hangs, first.folder)
  assert.match((await fourth.settled(one.id)).reason ?? '', /ended 3 times/)
})

test('a job that runs can be taken away; old ones go by themselves', async (context) => {
  const { send, request, queue, store } = await server(context, hangs)
  const one = (await (await send()).json()) as Job
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal((await request('DELETE', `/api/jobs/${one.id}`)).status, 204)
  const two = (await (await send()).json()) as Job
  await new Promise((resolve) => setTimeout(resolve, 50))
  await store.update(store.get(two.id)!, { state: 'failed', finished: new Date().toISOString() })
  await queue.sweep(Date.now() + 29 * 86400_000)
  assert.equal(store.list().length, 1)
  await queue.sweep(Date.now() + 31 * 86400_000)
  assert.equal(store.list().length, 0)
})
