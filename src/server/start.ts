import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { workbenchApp } from './app.js'
import { listen } from './listen.js'
import { type OpenOptions, openCases } from './opened.js'
import { Recalculation } from './recalculate.js'

export interface Workbench {
  /** With the token behind `#`, which browsers do not send: the page takes it out of the address. */
  url: string
  cases: number
  close(): Promise<void>
}

/** A request that takes longer is let go. */
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
  const ending = new AbortController()
  const app = workbenchApp({ cases, token, recalculation, ending: ending.signal, page })
  const server = await listen(app.fetch, { port, hostname: '127.0.0.1', requestMs: slowestRequestMs })
  return {
    url: `http://127.0.0.1:${server.port}/#token=${token}`,
    cases: cases.size,
    async close() {
      ending.abort(new Error('the server has ended'))
      await recalculation.close()
      await server.close()
    },
  }
}

/** The page's files, as the build made them. */
async function page(name: string): Promise<Uint8Array | undefined> {
  return await readFile(fileURLToPath(new URL(`../../dist/web/${name}`, import.meta.url))).catch(() => undefined)
}
