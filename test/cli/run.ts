import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assertPublished } from '../lesions/published.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the built command. `interruptAfter` sends Ctrl-C when that text has appeared on stderr. */
export function lesionwise(
  args: string[],
  { cwd, interruptAfter }: { cwd?: string; interruptAfter?: string } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    let interrupted = false
    child.stdout.on('data', (text) => {
      stdout += text
    })
    child.stderr.on('data', (text) => {
      stderr += text
      // Once: a second Ctrl-C could meet the process on its way out, when nobody listens any more.
      if (interruptAfter && !interrupted && stderr.includes(interruptAfter)) interrupted = child.kill('SIGINT')
    })
    child.on('close', (code) => {
      try {
        if (code === 0 && args[0] === 'segment') assertResult(cwd, args[args.indexOf('--out') + 1])
        resolve({ code, stdout, stderr })
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** Every summary that a test makes holds what is published. */
function assertResult(cwd: string | undefined, out: string): void {
  const summary = join(cwd ?? '', out, 'summary.json')
  if (existsSync(summary)) assertPublished(summary)
}
