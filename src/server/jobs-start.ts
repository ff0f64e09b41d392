import { resolve } from 'node:path'
import type { Hono } from 'hono'
import { packageVersion } from '../run/segment.js'
import { JobQueue, type QueueOptions } from './job-queue.js'
import { JobStore } from './job-store.js'
import { jobsApp } from './jobs-app.js'
import { listen } from './listen.js'

export interface JobServerOptions extends QueueOptions {
  store: string
  token: string
  /** Default: 127.0.0.1. */
  address?: string
  /** Further names under which it is reached, e.g. behind a proxy. */
  hosts?: readonly string[]
  port?: number
  /** Largest image or request, MB. */
  maxMb: number
  /** Most jobs that are open, queued or running. */
  maxJobs: number
}

export interface JobServer {
  url: string
  /** Jobs that an earlier server left undone. */
  left: number
  close(): Promise<void>
}

/** An image may come over a slow line, but not for ever. */
const slowestRequestMs = 3600_000

/**
 * Starts the job server; jobs that an earlier one left go on.
 *
 * @throws RunError (the store, the port)
 */
export async function startJobServer(options: JobServerOptions): Promise<JobServer> {
  const { token, maxMb, maxJobs, hosts, address = '127.0.0.1' } = options
  let app: Hono | undefined
  // The port comes first: where it is in use, no store is left behind.
  const server = await listen((request) => app?.fetch(request) ?? new Response(null, { status: 503 }), {
    ...{ port: options.port ?? 0, hostname: address, requestMs: slowestRequestMs },
  })
  const store = await JobStore.open(resolve(options.store)).catch(async (cause) => {
    await server.close()
    throw cause
  })
  const queue = new JobQueue(store, options)
  try {
    const version = await packageVersion()
    app = jobsApp({ store, queue, token, version, hosts, largestBytes: maxMb * 1e6, mostJobs: maxJobs })
    const left = store.list().filter(({ state }) => state === 'queued').length
    await queue.sweep()
    queue.next()
    return {
      url: `http://${address.includes(':') ? `[${address}]` : address}:${server.port}`,
      left,
      async close() {
        await server.close()
        await queue.close()
        await store.close()
      },
    }
  } catch (cause) {
    await server.close()
    await queue.close()
    await store.close()
    throw cause
  }
}
