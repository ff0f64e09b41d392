import type { AddressInfo } from 'node:net'
import { RunError } from '../errors.js'

/** A client that sends nothing for so long is let go. */
const slowestHeadersMs = 10_000

/** Serves an app on an address of this machine. @throws RunError when the port cannot be had */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { port, hostname, requestMs }: { port: number; hostname: string; requestMs: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const { serve } = await import('@hono/node-server')
  const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
    const serverOptions = { headersTimeout: slowestHeadersMs, requestTimeout: requestMs }
    const started = serve({ fetch, hostname, port, serverOptions }, () => resolve(started))
    started.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new RunError(cause.code === 'EADDRINUSE' ? `port ${port} is in use; give another --port` : cause.message, {
          cause,
        }),
      ),
    )
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
