import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { InputError, RunError, UsageError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import { requireContrasts } from '../methods/registry.js'
import { methodFor, parametersOf } from '../run/segment.js'
import { bodyWithin, guard, misfits, problem } from './guard.js'
import type { JobQueue } from './job-queue.js'
import type { InputRole, JobStore } from './job-store.js'
import { inputRoles, type Job, jobRequest, type OperationId, openapi, operations } from './jobs-api.js'

export interface JobsAppOptions {
  store: JobStore
  queue: JobQueue
  token: string
  version: string
  /** Largest request, and largest image. */
  largestBytes: number
  /** Most jobs that are open, queued or running. */
  mostJobs: number
  /** Further names of the server. */
  hosts?: readonly string[]
}

/** What an answer says beside the result: a settings part is small. */
const largestRequest = 100_000

/** The job server over HTTP. Every address is one of `operations`, which the OpenAPI document is made of. */
export function jobsApp({ store, queue, token, version, largestBytes, mostJobs, hosts }: JobsAppOptions): Hono {
  const app = new Hono()
  app.use(guard({ token, largestBody: largestBytes, hosts, hint: 'send it as `Authorization: Bearer TOKEN`' }))
  app.onError((error, context) =>
    error instanceof UsageError || error instanceof InputError
      ? problem(context, 422, error.message)
      : error instanceof RunError
        ? problem(context, 507, error.message.replaceAll(store.folder, 'the store'))
        : problem(context, 500, 'The server failed on this request.'),
  )
  app.notFound((context) => problem(context, 404, 'There is nothing at this address.'))

  const told = (job: Job): Job => (job.state === 'queued' ? { ...job, ahead: queue.ahead(job) } : job)
  const tooLarge = (context: Context) => problem(context, 413, `Larger than ${largestBytes} bytes.`)
  const enqueue = async (job: Job): Promise<Job> => {
    await store.update(job, { state: 'queued' })
    queue.next()
    return job
  }
  /** Runs an answer for the job that the address names. */
  const forJob =
    (answer: (context: Context, job: Job) => Promise<Response>) =>
    async (context: Context): Promise<Response> => {
      const job = store.get(context.req.param('id') ?? '')
      return job ? await answer(context, job) : problem(context, 404, 'There is no such job.')
    }

  const handlers: Record<OperationId, (context: Context) => Promise<Response>> = {
    async createJob(context) {
      if (store.list().filter(({ state }) => state !== 'done' && state !== 'failed').length >= mostJobs)
        return problem(context, 429, `${mostJobs} jobs are waiting already; try again when some are done.`)
      const type = (context.req.header('content-type') ?? '').split(';')[0].trim().toLowerCase()
      if (type !== 'application/json' && type !== 'multipart/form-data')
        return problem(context, 400, 'Send multipart/form-data with the images, or JSON and the images afterwards.')
      const body = await bodyWithin(context.req.raw, type === 'application/json' ? largestRequest : largestBytes)
      if (!body) return tooLarge(context)
      const sent = await readSent(context, body, type)
      if (typeof sent === 'string') return problem(context, 400, sent)
      const parsed = jobRequest.safeParse(sent.request)
      if (!parsed.success) return problem(context, 422, misfits(parsed.error))
      if (type === 'application/json') return context.json(told(await store.create(parsed.data)), 201)

      await assertPossible(parsed.data, [...sent.images.keys()])
      const job = await store.create(parsed.data)
      try {
        for (const [role, file] of sent.images) await store.putInput(job, role, chunks(file), largestBytes)
        return context.json(told(await enqueue(job)), 201)
      } catch (error) {
        await store.remove(job)
        throw error
      }
    },

    async listJobs(context) {
      return context.json({ jobs: store.list().reverse().map(told) })
    },

    getJob: forJob(async (context, job) => context.json(told(job))),

    putInput: forJob(async (context, job) => {
      const role = context.req.param('role') as InputRole
      if (!inputRoles.includes(role)) return problem(context, 404, `The images are ${inputRoles.join(', ')}.`)
      if (job.state !== 'open') return problem(context, 409, `The job is ${job.state}; its images are settled.`)
      const { body } = context.req.raw
      if (!body) return problem(context, 400, 'The body is empty.')
      const taken = await store.putInput(job, role, body as unknown as AsyncIterable<Uint8Array>, largestBytes)
      return taken ? context.json(told(job)) : tooLarge(context)
    }),

    startJob: forJob(async (context, job) => {
      if (job.state !== 'open') return problem(context, 409, `The job is ${job.state} already.`)
      await assertPossible(
        job.request,
        job.inputs.map(({ role }) => role),
      )
      return context.json(told(await enqueue(job)))
    }),

    getResult: forJob(async (context, job) => {
      if (job.state !== 'done')
        return problem(context, 409, `The job is ${job.state}; results are there when it is done.`)
      const name = context.req.param('name') ?? ''
      const path = store.resultPath(job, name)
      const file = job.results.find((one) => one.name === name)
      if (path === undefined || !file) return problem(context, 404, `There is no ${name.slice(0, 100)}.`)
      return context.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, {
        'content-type': 'application/octet-stream',
        'content-length': String(file.bytes),
        'content-disposition': `attachment; filename="${name}"`,
      })
    }),

    deleteJob: forJob(async (context, job) => {
      await queue.stop(job)
      await store.remove(job)
      return context.body(null, 204)
    }),

    async getOpenapi(context) {
      return context.json(openapi(version))
    },
  }
  for (const [id, { method, path }] of Object.entries(operations))
    app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), handlers[id as OperationId])
  return app
}

/** Refuses now what would only fail later. @throws UsageError */
async function assertPossible(request: Job['request'], given: readonly InputRole[]): Promise<void> {
  if (!given.includes('flair')) throw new UsageError('There is no FLAIR; send it as `flair`.')
  const { entry, method } = await methodFor(request, given)
  if (entry) requireContrasts(entry, given)
  if (method) parametersOf(method, request.params ?? {})
}

interface Sent {
  request: unknown
  images: Map<InputRole, Blob>
}

/** The parts of a request, or what is wrong with it. */
async function readSent(context: Context, body: Uint8Array, type: string): Promise<Sent | string> {
  if (type === 'application/json') {
    const request = jsonOf(body, z.unknown())
    return request === undefined ? 'The body is no JSON.' : { request, images: new Map() }
  }
  const headers = { 'content-type': context.req.header('content-type') ?? '' }
  const form = await new Response(body as Uint8Array<ArrayBuffer>, { headers }).formData().catch(() => undefined)
  if (!form) return 'The body is no multipart/form-data.'
  const sent: Sent = { request: {}, images: new Map() }
  const parts: [string, FormDataEntryValue][] = []
  form.forEach((value, name) => parts.push([name, value]))
  for (const [name, value] of parts) {
    if (name === 'request') {
      sent.request = jsonOf(typeof value === 'string' ? value : await value.text(), z.unknown())
      if (sent.request === undefined) return 'The part `request` is no JSON.'
    } else if (!(inputRoles as readonly string[]).includes(name))
      return `There is a part "${name.slice(0, 50)}"; parts are request, ${inputRoles.join(', ')}.`
    else if (typeof value === 'string') return `The part "${name}" is no file.`
    else sent.images.set(name as InputRole, value)
  }
  return sent
}

async function* chunks(file: Blob): AsyncIterable<Uint8Array> {
  const size = 2 ** 22
  for (let at = 0; at < file.size; at += size) yield new Uint8Array(await file.slice(at, at + size).arrayBuffer())
}
