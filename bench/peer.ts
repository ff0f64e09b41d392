import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('peers/', import.meta.url))
const python = `${folder}.venv/bin/python`

/** Whether the peers are installed (bench/peers/install.sh). */
export const peersInstalled = (): boolean => existsSync(python)

/** Runs a peer's script on a job, both as JSON; undefined where the peers are not installed. */
export function runPeer<T>(script: string, job: object): T | undefined {
  if (!peersInstalled()) return undefined
  const { status, stdout, stderr } = spawnSync(python, [folder + script], {
    input: JSON.stringify(job),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`${script}: ${stderr.split('\n').slice(-6).join('\n')}`)
  return JSON.parse(stdout) as T
}
