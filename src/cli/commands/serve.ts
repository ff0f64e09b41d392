import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { RunError, UsageError } from '../../errors.js'

interface Flags {
  store: string
  port: number
  host: string
  name?: string[]
  jobs: number
  maxMb: number
  maxJobs: number
  timeoutMinutes: number
  keepDays: number
  tokenFile?: string
  json?: boolean
  quiet?: boolean
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('A job server for a lab: images are uploaded over HTTP, queued, segmented; results are fetched.')
    .requiredOption('--store <folder>', 'folder for the jobs; a server that starts again goes on where it was')
    .option('--port <n>', 'port', positive, 8321)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--name <hosts...>', 'further names under which it is reached, e.g. behind a proxy that speaks TLS')
    .option('--jobs <n>', 'jobs at a time', positive, 1)
    .option('--max-mb <n>', 'largest image or request, MB', positive, 500)
    .option('--max-jobs <n>', 'most jobs that wait or run; further ones are refused (429)', positive, 1000)
    .option('--timeout-minutes <n>', 'longest time of a job', positive, 60)
    .option('--keep-days <n>', 'jobs that ended so long ago are taken away', positive, 30)
    .option('--token-file <file>', 'file with the token, made if it is not there (default: a new token, printed once)')
    .addHelpText(
      'after',
      `
Every request carries the token: Authorization: Bearer TOKEN. GET /api/openapi.json says what there is; docs/serve.md has
examples for curl, Python and R. The server itself speaks plain HTTP: leave it on 127.0.0.1 and reach it through an SSH
tunnel or a proxy. Ctrl-C ends it; the job it is at is begun again by the next one.

Examples:
  lesionwise serve --store jobs --token-file token
  lesionwise serve --store /srv/lesionwise --jobs 2 --max-mb 200 --timeout-minutes 30 --name lesions.lab.example.org`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const token = await tokenOf(flags.tokenFile)
  const { startJobServer } = await import('../../server/jobs-start.js')
  const server = await startJobServer({
    ...{ store: flags.store, port: flags.port, address: flags.host, hosts: flags.name, token },
    ...{
      atATime: flags.jobs,
      maxMb: flags.maxMb,
      maxJobs: flags.maxJobs,
      timeoutMinutes: flags.timeoutMinutes,
      keepDays: flags.keepDays,
    },
  })
  const printed = flags.tokenFile === undefined ? { token } : { tokenFile: flags.tokenFile }
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ url: server.url, left: server.left, ...printed })}\n`
      : `${server.url}\n${flags.tokenFile === undefined ? `Token: ${token}` : `Token in ${flags.tokenFile}`}\n${
          server.left > 0 ? `${server.left} ${server.left === 1 ? 'job goes' : 'jobs go'} on\n` : ''
        }Research only. Not for diagnosis. Ctrl-C ends it.\n`,
  )
  await new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve())
  })
  await server.close()
}

async function tokenOf(file: string | undefined): Promise<string> {
  const fresh = randomBytes(24).toString('hex')
  if (file === undefined) return fresh
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw new RunError(`${file}: cannot be read (${cause.message})`, { cause })
  })
  if (text === undefined) {
    await writeFile(file, `${fresh}\n`, { mode: 0o600, flag: 'wx' }).catch((cause: Error) => {
      throw new RunError(`${file}: cannot be written (${cause.message})`, { cause })
    })
    return fresh
  }
  const token = text.trim()
  if (!/^\S{16,200}$/.test(token))
    throw new UsageError(`--token-file ${file} must hold one word of 16 to 200 signs; remove it to have one made`)
  return token
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a whole number from 1`)
  return value
}
