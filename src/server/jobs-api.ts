import { z } from 'zod'

// What the job server takes and gives, once: the routes are checked by these schemas, and the OpenAPI document is made of them.

export const inputRoles = ['flair', 't1', 't2', 'pd', 't1gd'] as const
export const jobStates = ['open', 'queued', 'running', 'done', 'failed'] as const

/** What a value may be: names and numbers, never a path on the server. */
const parameterValue = z.union([
  z
    .string()
    .max(200)
    .regex(/^[^/\\]*$/, 'no path'),
  z.number(),
  z.boolean(),
])

export const jobRequest = z
  .strictObject({
    name: z.string().max(200).optional().describe('What the sender calls it. No names of people.'),
    method: z
      .string()
      .regex(/^[a-z0-9-]+(,[a-z0-9-]+)*$/)
      .max(500)
      .optional()
      .describe('Method id, or several with commas; default: the best for the images given.'),
    params: z
      .record(z.string().max(100), parameterValue)
      .optional()
      .describe('Parameters of the method; `model` names a shipped model.'),
    threshold: z.number().min(0).max(1).optional().describe("Cut of the method's probability."),
    minimumSizeMm3: z.number().min(0).max(1e6).optional().describe('Smallest lesion, mm³; default 3.'),
    register: z.boolean().optional().describe('false: the images are aligned by their headers.'),
    seed: z.int().min(0).max(2147483647).optional().describe('Seed of everything random; default 1.'),
  })
  .describe('How the lesions are to be found.')
export type JobRequest = z.infer<typeof jobRequest>

const time = z.string().describe('ISO 8601, UTC.')
const file = z.strictObject({ name: z.string(), bytes: z.int().min(0) })

export const job = z
  .strictObject({
    id: z.string(),
    state: z
      .enum(jobStates)
      .describe('open: images are still being sent; queued; running; done: the results can be fetched; failed.'),
    created: time,
    started: time.optional(),
    finished: time.optional(),
    request: jobRequest,
    inputs: z.array(z.strictObject({ role: z.enum(inputRoles), bytes: z.int(), sha256: z.string() })),
    ahead: z.int().optional().describe('Of a queued job: how many are before it.'),
    progress: z.strictObject({ stage: z.string(), fraction: z.number().min(0).max(1) }).optional(),
    interruptions: z.int().describe('How often a stopped server broke it off; it goes on by itself.'),
    reason: z.string().optional().describe('Why it failed.'),
    summary: z.strictObject({ lesionCount: z.int(), lesionVolumeMl: z.number() }).optional(),
    results: z.array(file).describe('The files of a job that is done.'),
  })
  .describe('One segmentation.')
export type Job = z.infer<typeof job>

export const jobList = z.strictObject({ jobs: z.array(job) }).describe('All jobs, newest first.')
export const problemAnswer = z.strictObject({ error: z.string() }).describe('What is wrong, in one line.')

const schemas = { Job: job, JobList: jobList, JobRequest: jobRequest, Problem: problemAnswer }
type SchemaName = keyof typeof schemas

interface Operation {
  method: 'get' | 'post' | 'put' | 'delete'
  /** With `{name}` for what varies. */
  path: string
  summary: string
  body?: Record<string, object>
  /** What comes back when all is well: a schema, bytes, or nothing. */
  answers: { status: 200 | 201 | 204; describe: string; schema?: SchemaName; bytes?: true; json?: true }
  problems: readonly number[]
}

const reference = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })
const bytes = { type: 'string', format: 'binary' }

export const operations = {
  createJob: {
    method: 'post',
    path: '/api/jobs',
    summary:
      'A new job. As multipart/form-data with the images it is queued at once; as JSON it is open, and the images follow one by one.',
    body: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          required: ['flair'],
          properties: {
            ...Object.fromEntries(inputRoles.map((role) => [role, bytes])),
            request: { ...reference('JobRequest') },
          },
        },
        encoding: { request: { contentType: 'application/json' } },
      },
      'application/json': { schema: reference('JobRequest') },
    },
    answers: { status: 201, describe: 'The job.', schema: 'Job' },
    problems: [400, 413, 422, 429, 507],
  },
  listJobs: {
    method: 'get',
    path: '/api/jobs',
    summary: 'All jobs, newest first.',
    answers: { status: 200, describe: 'The jobs.', schema: 'JobList' },
    problems: [],
  },
  getJob: {
    method: 'get',
    path: '/api/jobs/{id}',
    summary: 'One job: its state, progress, results.',
    answers: { status: 200, describe: 'The job.', schema: 'Job' },
    problems: [404],
  },
  putInput: {
    method: 'put',
    path: '/api/jobs/{id}/inputs/{role}',
    summary:
      'One image of an open job, .nii or .nii.gz; written to disk as it comes. Sent again, it replaces the first.',
    body: { 'application/octet-stream': { schema: bytes } },
    answers: { status: 200, describe: 'The job.', schema: 'Job' },
    problems: [400, 404, 409, 413, 507],
  },
  startJob: {
    method: 'post',
    path: '/api/jobs/{id}/start',
    summary: 'Queues an open job.',
    answers: { status: 200, describe: 'The job.', schema: 'Job' },
    problems: [404, 409, 422, 507],
  },
  getResult: {
    method: 'get',
    path: '/api/jobs/{id}/result/{name}',
    summary: 'A file of a job that is done: lesion_mask.nii.gz, lesions.tsv, report.html, …',
    answers: { status: 200, describe: 'The file.', bytes: true },
    problems: [404, 409],
  },
  deleteJob: {
    method: 'delete',
    path: '/api/jobs/{id}',
    summary: 'Takes a job away with all its files; one that runs is stopped.',
    answers: { status: 204, describe: 'It is gone.' },
    problems: [404],
  },
  getOpenapi: {
    method: 'get',
    path: '/api/openapi.json',
    summary: 'This document.',
    answers: { status: 200, describe: 'OpenAPI 3.1.', json: true },
    problems: [],
  },
} as const satisfies Record<string, Operation>
export type OperationId = keyof typeof operations

const problems: Record<number, string> = {
  400: 'The request is no such thing.',
  401: 'The token is missing or wrong.',
  403: 'The request comes from elsewhere.',
  404: 'There is no such job or file.',
  409: 'Not in the state that the job is in.',
  413: 'Larger than the server takes.',
  422: 'It cannot be done with these images and settings.',
  429: 'As many jobs are waiting as the server takes.',
  500: 'The server failed.',
  507: 'The disk of the server is full or may not be written to.',
}

/** The OpenAPI 3.1 document of the server. */
export function openapi(version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, given] of Object.entries(operations)) {
    const { method, path, summary, body, answers, problems: own }: Operation = given
    const json = (schema: object) => ({ 'application/json': { schema } })
    const content = answers.schema
      ? json(reference(answers.schema))
      : answers.json
        ? json({ type: 'object' })
        : answers.bytes
          ? { 'application/octet-stream': { schema: bytes } }
          : undefined
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId,
        summary,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
          ...{ name, in: 'path', required: true },
          schema: name === 'role' ? { type: 'string', enum: inputRoles } : { type: 'string' },
        })),
        ...(body ? { requestBody: { required: true, content: body } } : {}),
        responses: {
          [answers.status]: { description: answers.describe, ...(content ? { content } : {}) },
          ...Object.fromEntries(
            [...new Set([401, 403, 413, 500, ...own])].map((status) => [
              status,
              { description: problems[status], content: json(reference('Problem')) },
            ]),
          ),
        },
      },
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lesionwise jobs',
      version,
      description: 'MS lesions in brain MRI, by upload. Research only: nothing here is a diagnosis.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(
        Object.entries(schemas).map(([name, schema]) => {
          const { $schema: _, ...rest } = z.toJSONSchema(schema)
          return [name, rest]
        }),
      ),
    },
  }
}
