import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { forBrowser } from './bundling.js'
import { findChromium, openPage } from './chromium.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = findChromium()

/** Why the tests with a browser are left out, if they are. */
export const skip = program ? false : 'no browser here: CHROME_PATH, chromium, chromium-browser or google-chrome'

/** Headers that make a page cross-origin isolated, so that it may share memory with its workers. */
export const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export interface Served {
  /** The page's script, of this folder; it posts its answers, each with a `where`, to `/answer`. */
  script: string
  headers?: Record<string, string>
  /** What the page finds under `/data/`, by name. */
  data: Record<string, Uint8Array>
}

/** Serves a page, opens it in a browser, and waits until an answer has come from each place. */
export async function answersOf<T extends { where: string }>(
  wanted: readonly T['where'][],
  { script: entry, headers = isolated, data }: Served,
): Promise<T[]> {
  const script = await bundle(entry)
  const answers = new Map<string, T>()
  let complete = () => {}
  const all = new Promise<void>((resolve) => {
    complete = resolve
  })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page')
    const reply = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { ...headers, 'Content-Type': type }).end(body)
    const [, folder, ...rest] = pathname.split('/')
    const path = join(root, folder === 'ort' ? 'node_modules/onnxruntime-web/dist' : folder, ...rest)
    if (pathname === '/') reply('text/html', '<!doctype html><script type="module" src="page.js"></script>')
    else if (pathname === '/page.js') reply('text/javascript', script)
    else if (folder === 'data' && data[rest[0]]) reply('application/octet-stream', data[rest[0]])
    else if ((['assets', 'models', 'ort'].includes(folder) || pathname === '/dist/kernels.wasm') && existsSync(path))
      reply(/\.m?js$/.test(path) ? 'text/javascript' : 'application/octet-stream', readFileSync(path))
    else if (pathname === '/answer') {
      let text = ''
      for await (const part of request) text += part
      const answer = JSON.parse(text) as T
      answers.set(answer.where, answer)
      reply('text/plain', '')
      if (wanted.every((where) => answers.has(where))) complete()
    } else response.writeHead(404, headers).end()
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const page = openPage(program!, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  try {
    await Promise.race([all, page.failed])
  } finally {
    await page.close()
    server.closeAllConnections()
    server.close()
  }
  return wanted.map((where) => answers.get(where)!)
}

/** A page's script, with the browser's side of the platform. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'test/browser', entry)],
    ...forBrowser,
    // The page fetches it from the test's server.
    external: ['/ort/*'],
  })
  return outputFiles[0].text
}
