import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a process of its own ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  code?: number
  signal?: string
  timedOut: boolean
  stdout: string
  stderr: string
  /** From its start to its end, start of Node included. */
  seconds: number
}

export interface ProcessOptions {
  /** Ends the process when aborted; the promise is rejected once it is gone. */
  signal: AbortSignal
  /** Longest time it may take. */
  timeoutSeconds?: number
  /** Told each whole line that it prints on stdout. */
  onLine?(line: string): void
}

/** What an ending process may still tidy up, before it is killed. */
const graceSeconds = 5

/**
 * Runs a script of the built package in a Node of its own, so that time, memory and crashes are the script's own.
 *
 * @param script path from `dist/`, e.g. `cli/main.js`
 * @throws the signal's reason when aborted
 */
export async function runScript(
  script: string,
  args: readonly string[],
  { signal, timeoutSeconds, onLine }: ProcessOptions,
): Promise<Ended> {
  signal.throwIfAborted()
  const path = fileURLToPath(new URL(`../../dist/${script}`, import.meta.url))
  const started = performance.now()
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  let told = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (let end = -1; onLine && (end = stdout.indexOf('\n', told)) >= 0; told = end + 1)
      onLine(stdout.slice(told, end))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))

  let killer: NodeJS.Timeout | undefined
  const end = () => {
    child.kill('SIGTERM')
    killer ??= setTimeout(() => child.kill('SIGKILL'), 1000 * graceSeconds)
  }
  let timedOut = false
  const timer =
    timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          end()
        }, 1000 * timeoutSeconds)
  signal.addEventListener('abort', end)
  try {
    const [code, name] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (...ended) => resolve(ended))
    })
    signal.throwIfAborted()
    const seconds = (performance.now() - started) / 1000
    return { code: code ?? undefined, signal: name ?? undefined, timedOut, stdout, stderr, seconds }
  } finally {
    clearTimeout(timer)
    clearTimeout(killer)
    signal.removeEventListener('abort', end)
  }
}

/** Why a process failed, in one line. */
export function reasonOf({ code, signal, timedOut, stderr }: Ended, timeoutSeconds?: number): string {
  if (timedOut) return `took longer than the ${timeoutSeconds} s allowed`
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = lines.findLast((line) => line.startsWith('lesionwise: '))
  if (said) return said.slice('lesionwise: '.length)
  if (signal) return `ended by ${signal}${signal === 'SIGKILL' ? ', as a system does that runs out of memory' : ''}`
  const fatal = lines.find((line) => /^FATAL ERROR|Error: /.test(line)) ?? lines.at(-1)
  return `ended with code ${code}${fatal ? `: ${fatal.trim()}` : ''}`
}
