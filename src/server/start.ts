import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { RunError } from '../errors.js'
import { workbenchApp } from './app.js'
import { type OpenOptions, openCases } from './opened.js'
import { Recalculation } from './recalculate.js'

export interface Workbench {
  /** With the token behind `#`, which browsers do not send: the page takes it out of the address. */
  url: string
  cases: number
  close(): Promise<void>
}

/** A client that sends nothing for so long is let go. */
const slowestHeadersMs = 10_000
const slowestRequestMs = 120_000

/**
 * Serves the workbench on 127.0.0.1.
 *
 * @throws InputError (nothing to show in the folder), RunError (the port)
 */
export async function startWorkbench(
  folder: string,
  { port = 0, ...open }: OpenOptions & { port?: number } = {},
): Promise<Workbench> {
  const cases = await openCases(folder, open)
  const recalculation = new Recalculation()
  const token = randomBytes(24).toString('hex')
  const app = workbenchApp({ cases, token, recalculation, page })
  const { serve } = await import('@hono/node-server')
  const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    const started = serve(
      {
        fetch: app.fetch,
        hostname: '127.0.0.1',
        port,
        serverOptions: { headersTimeout: slowestHeadersMs, requestTimeout: slowestRequestMs },
      },
      () => resolve(started),
    )
    started.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new RunError(cause.code === 'EADDRINUSE' ? `port ${port} is in use; give another --port` : cause.message, {
          cause,
        }),
      ),
    )
  })
  const { port: used } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${used}/#token=${token}`,
    cases: cases.size,
    async close() {
      await recalculation.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The page's files, as the build made them. */
async function page(name: string): Promise<Uint8Array | undefined> {
  return await readFile(fileURLToPath(new URL(`../../dist/web/${name}`, import.meta.url))).catch(() => undefined)
}
