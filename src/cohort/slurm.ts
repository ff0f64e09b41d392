import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RunError } from '../errors.js'

// All that is asked of Slurm goes through here: its commands on the PATH, their answers as values.

const execute = promisify(execFile)
/** A controller that does not answer for so long has not answered. */
const patienceMs = 60_000

/** A batch job, or an array of them. */
export interface Batch {
  script: string
  /** Arguments of the script. */
  args: readonly (string | number)[]
  name: string
  /** File for what it prints; `%A` and `%a` are the array's and the task's numbers. */
  output: string
  memoryMb: number
  minutes: number
  cpus: number
  partition?: string
  /** Tasks 0 … tasks − 1, so many at a time; none: a single job. */
  array?: { tasks: number; atATime: number }
  /** Numbers of jobs that must have ended, well or not, before this one begins. */
  after?: readonly string[]
}

/** @returns the number that Slurm gave it @throws RunError with what Slurm said */
export async function submit({ script, args, array, after = [], ...batch }: Batch): Promise<string> {
  const answer = await slurm('sbatch', [
    '--parsable',
    `--job-name=${batch.name}`,
    `--output=${batch.output}`,
    `--mem=${batch.memoryMb}M`,
    `--time=${batch.minutes}`,
    '--ntasks=1',
    `--cpus-per-task=${batch.cpus}`,
    ...(batch.partition === undefined ? [] : [`--partition=${batch.partition}`]),
    ...(array ? [`--array=0-${array.tasks - 1}%${array.atATime}`] : []),
    ...(after.length > 0 ? [`--dependency=afterany:${after.join(':')}`] : []),
    script,
    ...args.map(String),
  ])
  // `number` or `number;cluster`, after whatever a site's own sbatch has to say.
  const [, number] = /^(\d+)(?:;\S*)?$/m.exec(answer.trim()) ?? []
  if (number === undefined) throw new RunError(`sbatch gave no number of a job but "${answer.trim().slice(0, 200)}"`)
  return number
}

/** A job, or a task of an array, that waits or runs. */
export interface Queued {
  name: string
  job: string
  /** Its place in the array. */
  task?: number
  running: boolean
}

/** What of this user's waits and runs. @throws RunError when Slurm is not there or does not answer */
export async function queue(): Promise<Queued[]> {
  const user = process.getuid?.()
  const answer = await slurm('squeue', [
    '--noheader',
    '--array',
    ...(user === undefined ? [] : [`--user=${user}`]),
    '--format=%j|%F|%K|%T',
  ])
  return answer.split('\n').flatMap((line) => {
    const [name, job, task, state] = line.trim().split('|')
    if (state === undefined) return []
    const at = /^\d+$/.test(task) ? { task: Number(task) } : {}
    return [{ name, job, ...at, running: state !== 'PENDING' }]
  })
}

async function slurm(command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { timeout: patienceMs, maxBuffer: 2 ** 28 })
    return stdout
  } catch (cause) {
    const {
      code,
      killed,
      stderr = '',
      message,
    } = cause as Error & { code?: unknown; killed?: boolean; stderr?: string }
    if (code === 'ENOENT')
      throw new RunError(`${command}: there is no such command; --slurm runs on a machine that submits to Slurm`, {
        cause,
      })
    if (killed) throw new RunError(`${command}: no answer within ${patienceMs / 1000} s; is Slurm running?`, { cause })
    const said = stderr
      .trim()
      .split('\n')
      .findLast((line) => line !== '')
    throw new RunError(`${command}: ${(said ?? message).replace(/^\w+: (error: )?/, '')}`, { cause })
  }
}
