import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { exists } from '../../run/output-folder.js'
import { type Modality, modalities } from '../../volume/study.js'

interface Flags extends Partial<Record<Modality, string>> {
  port: number
  raw?: string
  json?: boolean
}

export function viewCommand(): Command {
  const command = new Command('view')
    .description('Look at results and correct them in the browser: a page on 127.0.0.1 until Ctrl-C.')
    .argument('<folder>', 'folder that `segment`, `bids` or `preprocess` wrote, or one that holds several results')
  for (const modality of modalities)
    command.option(`--${modality} <file>`, `the ${modality.toUpperCase()} of the result, unless --keep-paths kept it`)
  return command
    .option('--raw <folder>', 'the data set that `bids` was run on, unless its derivatives lie inside it')
    .option('--port <n>', 'port (default: a free one)', Number, 0)
    .addHelpText(
      'after',
      `
Corrections are saved beside the result, in its folder corrections/, each as a version of its own.

Examples:
  lesionwise view result --flair FLAIR.nii.gz --t1 T1.nii.gz
  lesionwise view lesionwise-demo/result --port 8080
  lesionwise view results
  lesionwise view derivatives --raw data`,
    )
    .action(run)
}

async function run(folder: string, flags: Flags): Promise<void> {
  const page = (await isPreparation(folder)) ? await startPage(folder, flags.port) : await startResults(folder, flags)
  process.stdout.write(flags.json ? `${JSON.stringify({ url: page.url })}\n` : `${page.url}\nCtrl-C ends it.\n`)
  await new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve())
  })
  await page.close()
}

async function startResults(folder: string, flags: Flags): Promise<{ url: string; close(): Promise<void> }> {
  const { startWorkbench } = await import('../../server/start.js')
  const { readImage } = await import('../../run/inputs.js')
  const images: Partial<Record<Modality, string>> = {}
  for (const modality of modalities) {
    const path = flags[modality]
    if (path === undefined) continue
    // Judged before anything is served: one line now, not a grey page later.
    await readImage(path, modality)
    images[modality] = path
  }
  return await startWorkbench(folder, { port: flags.port, images, raw: flags.raw })
}

const isPreparation = async (folder: string): Promise<boolean> =>
  (await exists(join(folder, 'qc.html'))) && !(await exists(join(folder, 'lesion_mask.nii.gz')))

/** The page of a preparation: nothing there can be corrected. */
async function startPage(folder: string, port: number): Promise<{ url: string; close(): Promise<void> }> {
  const { Hono } = await import('hono')
  const { listen } = await import('../../server/listen.js')
  const token = randomBytes(16).toString('hex')
  const app = new Hono()
  app.get(`/${token}/`, async (context) => context.html(await readFile(join(folder, 'qc.html'), 'utf8')))
  app.notFound((context) => context.text('There is nothing here. Use the address that `lesionwise view` printed.', 404))
  const server = await listen(app.fetch, { port, hostname: '127.0.0.1', requestMs: 120_000 })
  return { url: `http://127.0.0.1:${server.port}/${token}/`, close: server.close }
}
