import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

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
  return new Promise((resolve) => {
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
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
