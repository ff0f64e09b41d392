import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** The browser's program: CHROME_PATH, else the first of the usual names on the PATH. */
export function findChromium(): string | undefined {
  if (process.env.CHROME_PATH) return process.env.CHROME_PATH
  const folders = (process.env.PATH ?? '').split(delimiter)
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find(runs)
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A page in a headless browser with a profile of its own. `failed` settles only if the browser ends by itself. */
export function openPage(program: string, address: string): { failed: Promise<never>; close(): Promise<void> } {
  const profile = mkdtempSync(join(tmpdir(), 'lesionwise-browser-'))
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  // A group of its own, so that closing reaches every process of the browser.
  const browser = spawn(program, [...flags, '--remote-debugging-pipe', `--user-data-dir=${profile}`, address], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  let told = ''
  browser.stderr!.on('data', (text) => {
    told = (told + text).slice(-2000)
  })
  const ended = new Promise<string>((resolve) => {
    browser.once('error', (error) => resolve(error.message))
    browser.once('close', (code) => resolve(`exit status ${code}`))
  })
  const failed = ended.then((how) => {
    throw new Error(`${program} ended: ${how}\n${told}`)
  })
  failed.catch(() => {})
  return {
    failed,
    async close() {
      if (browser.pid && browser.exitCode === null) process.kill(-browser.pid, 'SIGKILL')
      await ended
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
