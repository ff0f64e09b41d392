import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { InputError, RunError } from '../../errors.js'
import { isOwnFile } from '../../run/output-folder.js'

export function viewCommand(): Command {
  return new Command('view')
    .description('Serve the report of a result folder on 127.0.0.1 until Ctrl-C.')
    .argument('<folder>', 'folder that `segment` wrote')
    .option('--port <n>', 'port (default: a free one)', Number, 0)
    .addHelpText('after', '\nExamples:\n  lesionwise view result\n  lesionwise view lesionwise-demo/result --port 8080')
    .action(run)
}

/** Answers for the files of a result folder, each only under the secret token. */
export async function viewerApp(folder: string, token: string, page = 'report.html') {
  const { Hono } = await import('hono')
  const app = new Hono()
  app.get(`/${token}/`, async (context) => context.html(await readFile(join(folder, page), 'utf8')))
  app.get(`/${token}/:name`, async (context) => {
    const name = context.req.param('name')
    const bytes = isOwnFile(name) && (await readFile(join(folder, name)).catch(() => undefined))
    return bytes ? context.body(new Uint8Array(bytes), 200, { 'content-type': typeOf(name) }) : context.notFound()
  })
  app.notFound((context) => context.text('There is nothing here. Use the address that `lesionwise view` printed.', 404))
  return app
}

/** The page that a folder is looked at by: that of its lesions, or of its preparation. */
async function pageIn(folder: string): Promise<string | undefined> {
  for (const name of ['report.html', 'qc.html']) if (await stat(join(folder, name)).catch(() => undefined)) return name
  return undefined
}

const typeOf = (name: string): string =>
  name.endsWith('.html')
    ? 'text/html; charset=utf-8'
    : name.endsWith('.json')
      ? 'application/json'
      : name.endsWith('.tsv')
        ? 'text/tab-separated-values'
        : 'application/gzip'

async function run(folder: string, { port, json }: { port: number; json?: boolean }): Promise<void> {
  const page = await pageIn(folder)
  if (!page)
    throw new InputError(
      folder,
      'holds no report.html or qc.html',
      'give a folder that `segment` or `preprocess` wrote',
    )
  const { serve } = await import('@hono/node-server')
  const token = randomBytes(16).toString('hex')
  const app = await viewerApp(folder, token, page)
  await new Promise<void>((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, ({ port: used }) => {
      const url = `http://127.0.0.1:${used}/${token}/`
      process.stdout.write(json ? `${JSON.stringify({ url })}\n` : `${url}\nCtrl-C ends it.\n`)
    })
    server.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new RunError(cause.code === 'EADDRINUSE' ? `port ${port} is in use; give another --port` : cause.message, {
          cause,
        }),
      ),
    )
    for (const name of ['SIGINT', 'SIGTERM'] as const)
      process.once(name, () => {
        server.close()
        resolve()
      })
  })
}
