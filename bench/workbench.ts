// The workbench as its users feel it, in a real headless Chromium (Debian's `chromium`), and its store under kill −9.
//
//   npm run bench:workbench -- [--kills 50] [--requests 200] [--docs]
//
// Prints: time from opening the page to the first picture of a 1 mm scan of ../shared/data (the result is made by
// `segment` first); our own script's time for each brush event beside the software renderer's frame rate; 200 requests at
// once, and slow and broken clients; edits lost when the server is killed in the middle of saving. Writes
// out/workbench/: screenshots at three widths. --docs only draws docs/images/workbench.png, of the demo's simulated patient.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { Corrections, maskName } from '../src/server/corrections.js'
import { startWorkbench } from '../src/server/start.js'
import { findChromium } from '../test/browser/chromium.js'
import { labelledCases } from './cases.js'

/** What the page measures of itself. */
type Handle = typeof globalThis & {
  lesionwise?: { ready: boolean; firstPicture: number; drawing: { brushTimes: number[] } }
  ticks?: number
  lastTick?: number
}
/** Chromium without a graphics card. */
const software = ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader']
const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    requests: { type: 'string', default: '200' },
    docs: { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const out = `${root}out/workbench`
mkdirSync(out, { recursive: true })
const scan = labelledCases().find(({ id }) => id === 'ms14v1')
const program = findChromium()
if (!scan || !program) {
  console.log(`Nothing measured: ${scan ? 'no chromium here' : 'no scans here (../shared/data)'}.`)
  process.exit(0)
}
if (options.docs) {
  const folder = `${out}/demo`
  if (!existsSync(`${folder}/result/provenance.json`))
    await ended(spawn(process.execPath, ['dist/cli/main.js', 'demo', '--out', folder], { cwd: root, stdio: 'inherit' }))
  const shown = await startWorkbench(`${folder}/result`)
  const browser = await chromium.launch({ executablePath: program, args: software })
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 860 }, colorScheme: 'dark' })
    await page.goto(shown.url)
    await page.waitForFunction(() => (globalThis as Handle).lesionwise?.ready === true, undefined, { timeout: 120_000 })
    await page.getByLabel('By location').check()
    await page.waitForTimeout(3000)
    await page.screenshot({ path: `${root}docs/images/workbench.png`, timeout: 120_000 })
  } finally {
    await browser.close()
    await shown.close()
  }
  process.exit(0)
}
const result = `${out}/result`
if (!existsSync(`${result}/provenance.json`)) {
  const args = ['dist/cli/main.js', 'segment', '--flair', scan.flair, '--t1', scan.t1, '--out', result, '--quiet']
  await ended(spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }))
}
rmSync(`${result}/corrections`, { recursive: true, force: true })
const workbench = await startWorkbench(result, { images: { flair: scan.flair, t1: scan.t1 } })
try {
  await inBrowser(workbench.url, program)
  await manyRequests(workbench.url, Number(options.requests))
} finally {
  await workbench.close()
}
await kills(Number(options.kills))
process.exit(0)

async function inBrowser(url: string, executablePath: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath,
    args: software,
  })
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } })
    page.setDefaultTimeout(120_000)
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(url)
    await page.waitForFunction(() => (globalThis as Handle).lesionwise?.ready === true)
    console.log(
      `first picture of a 1 mm scan: ${(await page.evaluate(() => (globalThis as Handle).lesionwise!.firstPicture / 1000)).toFixed(2)} s (target 2)`,
    )
    await page.getByRole('button', { name: 'Axial' }).click()
    await page.keyboard.press('b')
    const box = (await page.locator('canvas').boundingBox())!
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const start = performance.now()
    await page.evaluate(() => {
      const page = globalThis as Handle
      page.ticks = page.lastTick = 0
      setInterval(
        () =>
          requestAnimationFrame((time) => {
            if (time !== page.lastTick) page.ticks!++
            page.lastTick = time
          }),
        4,
      )
    })
    await page.mouse.move(x - 120, y)
    await page.mouse.down()
    for (let i = 0; i < 200; i++) await page.mouse.move(x - 120 + 1.2 * i, y + 40 * Math.sin(i / 12))
    await page.mouse.up()
    const seconds = (performance.now() - start) / 1000
    const times = (await page.evaluate(() => (globalThis as Handle).lesionwise!.drawing.brushTimes)).sort(
      (a, b) => a - b,
    )
    const frames = await page.evaluate(() => (globalThis as Handle).ticks!)
    const at = (share: number) => times[Math.floor(share * (times.length - 1))].toFixed(1)
    console.log(
      `brush: ${times.length} events, own script ${at(0.5)} ms median, ${at(0.95)} ms at the 95th percentile, ${at(1)} ms at most (target 8); software renderer ${(frames / seconds).toFixed(1)} frames a second`,
    )
    await page.keyboard.press('Control+z')
    await page.getByRole('button', { name: 'All', exact: true }).click()
    for (const [name, width, height] of [
      ['desktop', 1400, 900],
      ['tablet', 820, 1100],
      ['phone', 390, 844],
    ] as const) {
      await page.setViewportSize({ width, height })
      await page.waitForTimeout(1500)
      await page.screenshot({ path: `${out}/${name}.png` })
    }
    console.log(`faults in the page: ${faults.length === 0 ? 'none' : faults.join('; ')}`)
  } finally {
    await browser.close()
  }
}

async function manyRequests(url: string, n: number): Promise<void> {
  const { origin, hash, port } = new URL(url)
  const headers = { authorization: `Bearer ${hash.slice('#token='.length)}` }
  // Clients that never end their request, and ones that send nonsense, stay connected meanwhile.
  const slow = Array.from({ length: 20 }, (_, i) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write(i % 2 ? 'GET /api/cases HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ' : '\x00\x01\x02 nonsense\r\n\r\n')
    return socket
  })
  const start = performance.now()
  const answers = await Promise.all(
    Array.from({ length: n }, async (_, i) => {
      const path = ['/api/cases', '/api/cases/result', '/api/cases/result/mask/base', '/'][i % 4]
      const answer = await fetch(origin + path, { headers })
      await answer.arrayBuffer()
      return answer.status
    }),
  )
  const good = answers.filter((status) => status === 200).length
  console.log(
    `${n} requests at once beside 20 slow and broken clients: ${good} answered, ${((performance.now() - start) / 1000).toFixed(2)} s for all`,
  )
  for (const socket of slow) socket.destroy()
}

/** A process saves version after version and is killed at a random moment: what it had told is there, and whole. */
async function kills(n: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-kills-'))
  const mask = `${result}/lesion_mask.nii.gz`
  const bytes = readFileSync(mask)
  let [told, lost, broken] = [0, 0, 0]
  for (let round = 0; round < n; round++) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bench/save-child.ts', folder, mask, '1000'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ids: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), 20 + 180 * Math.random())
      else ids.push(line)
    }
    const corrections = new Corrections(folder)
    const there = new Set((await corrections.versions()).map(({ id }) => id))
    told += ids.length
    lost += ids.filter((id) => !there.has(id)).length
    for (const id of there) {
      const kept = readFileSync(join(corrections.folder, maskName(id)))
      if (!kept.equals(bytes) || gunzipSync(kept).length === 0) broken++
    }
  }
  console.log(
    `killed in the middle of saving ${n} times: ${told} versions saved, ${lost} lost, ${broken} broken (target 0 and 0)`,
  )
  rmSync(folder, { recursive: true, force: true })
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) =>
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`segment ended with ${code}`)))),
  )
}
