import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { cornerDistance } from '../../src/volume/affine.js'
import { phantomBrain, phantomImage } from '../phantom.js'
import { findChromium, openPage } from './chromium.js'
import type { Answer } from './page.js'
import { results } from './steps.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = findChromium()
const skip = program ? false : 'no browser here: CHROME_PATH, chromium, chromium-browser or google-chrome'

const [flair, t1, brain] = [
  phantomImage({ contrast: 'flair', bias: 0.2 }),
  phantomImage({ contrast: 't1' }),
  phantomBrain(),
]
const images: Record<string, Float32Array | Uint8Array> = { flair: flair.data, t1: t1.data, brain: brain.data }

test('in a browser, in a page and in its worker, kernels and preparation give what Node gives', {
  skip,
  timeout: 120_000,
}, async () => {
  const [page, worker] = await answersOf(['page', 'worker'], isolated)
  for (const { where, error, isolated, sharedMemory } of [page, worker]) {
    assert.equal(error, undefined, where)
    assert.ok(isolated && sharedMemory, where)
  }
  const expected = await results(flair, t1, brain, 1)
  assert.equal(new Set(Object.values(expected.hashes)).size, Object.keys(expected.hashes).length)
  const found = [page.results![1], page.results![2], worker.results![2]]
  for (const { hashes, map } of found) {
    assert.deepEqual(hashes, expected.hashes)
    assert.deepEqual(map, found[0].map)
  }
  // Registration sums in double precision, and engines differ in the last bit of cosines and logarithms.
  const apart = cornerDistance(found[0].map, expected.map, flair.dims)
  assert.ok(apart < 1e-3, `registration: ${apart} mm from Node's`)
})

test('a page that is not cross-origin isolated is told so', { skip, timeout: 60_000 }, async () => {
  const [page] = await answersOf(['page'], {})
  assert.equal(page.isolated, false)
  assert.match(page.error ?? '', /cross-origin isolated/)
})

const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** Serves the page with these headers, opens it, and waits for what it posts. */
async function answersOf(wanted: Answer['where'][], headers: Record<string, string>): Promise<Answer[]> {
  const script = await bundle()
  const answers = new Map<Answer['where'], Answer>()
  let complete = () => {}
  const all = new Promise<void>((resolve) => {
    complete = resolve
  })
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = new URL(request.url ?? '/', 'http://page')
    const reply = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, { ...headers, 'Content-Type': type }).end(body)
    const [, folder, ...rest] = pathname.split('/')
    const path = join(root, folder, ...rest)
    if (pathname === '/') reply('text/html', '<!doctype html><script type="module" src="page.js"></script>')
    else if (pathname === '/page.js') reply('text/javascript', script)
    else if (folder === 'images' && images[rest[0]])
      reply('application/octet-stream', new Uint8Array(images[rest[0]].buffer))
    else if ((folder === 'assets' || pathname === '/dist/kernels.wasm') && existsSync(path))
      reply('application/octet-stream', readFileSync(path))
    else if (pathname === '/answer') {
      let text = ''
      for await (const part of request) text += part
      const answer = JSON.parse(text) as Answer
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

/** The page's script, with the browser's side of the platform. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'test/browser/page.ts')],
    absWorkingDir: root,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0].text
}
