import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { interruptSignal, ProgressLine } from '../progress.js'
import { atLeastOne, parameter } from '../values.js'

interface Flags {
  data: string
  masks?: string
  methods: string[]
  out: string
  protocol: string
  repeats: number
  resume?: boolean
  jobs: number
  param: Record<string, unknown>
  timeout?: number
  work?: string
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function benchmarkCommand(): Command {
  return new Command('benchmark')
    .description('Run every method on every case, each run in a process of its own; score, compare and report.')
    .requiredOption(
      '--data <path>',
      'BIDS folder, or TSV with columns id flair t1 t2 pd t1gd mask group (any subset, paths relative to it)',
    )
    .requiredOption('--methods <ids>', 'methods, separated by commas (see `lesionwise methods`)', listOf)
    .requiredOption('--out <folder>', 'folder for tables, page and a folder a run')
    .option('--masks <folder>', 'reference masks, where the list or derivatives/ have none')
    .option('--protocol <id>', "a challenge's way of scoring, beside Dice, lesion F1 and volumes", 'msseg2016')
    .option('--repeats <n>', 'runs of each method on each case, for the spread of times', atLeastOne, 1)
    .option('--resume', 'go on with the results in --out: run only what is missing or failed')
    .option('--jobs <n>', 'cases worked on at a time; more than one disturbs the times', atLeastOne, 1)
    .option('--param <method.name=value>', 'a parameter of a method; may be repeated', methodParameter, {})
    .option('--timeout <seconds>', 'longest time of a process; a run that takes longer has failed', seconds)
    .option('--work <folder>', 'keep the preparations here, with the time they took, for the next benchmark')
    .addHelpText(
      'after',
      `
Preparation is done once for the methods that share it and timed apart. Writes results.tsv (a row a run), benchmark.json
(everything), benchmark.html (ranking, tests, figures) and runs/METHOD/CASE/. A run that fails is recorded; the exit code
is then 1, with all others done.

Examples:
  lesionwise benchmark --data bids --methods roura2015,schmidt2012 --out bench
  lesionwise benchmark --data cases.tsv --methods roura2015 --param roura2015.alpha=2.5 --out bench --protocol msseg2016
  lesionwise benchmark --data bids --methods roura2015,schmidt2012 --out bench --resume --timeout 300`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { benchmark } = await import('../../cohort/benchmark.js')
  const result = await benchmark({
    data: flags.data,
    masks: flags.masks,
    methods: flags.methods,
    params: flags.param,
    out: flags.out,
    protocol: flags.protocol,
    repeats: flags.repeats,
    resume: flags.resume,
    jobs: flags.jobs,
    timeoutSeconds: flags.timeout,
    work: flags.work,
    threads: flags.threads,
    seed: flags.seed,
    signal,
    onProgress: (event) => line.update(event),
    onRun: ({ method, case: id, status, reason }) => {
      if (status === 'failed')
        line.flag({ code: 'run-failed', severity: 'warning', message: `${method} on ${id} failed: ${reason}` })
    },
  }).finally(() => line.end())

  if (result.runs.some(({ status }) => status === 'failed')) process.exitCode = 1
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { summaryTable } = await import('../../cohort/tables.js')
  process.stdout.write(
    `${summaryTable(result)}Page: ${join(flags.out, 'benchmark.html')}\nResearch only. Not for diagnosis.\n`,
  )
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

/** `method.name=value`, numbers as numbers, true and false as such. */
function methodParameter(text: string, given: Record<string, unknown>): Record<string, unknown> {
  if (!/^[^=]+\.[^=]+=/.test(text))
    throw new CommanderError(2, 'lesionwise.param', `--param takes METHOD.NAME=VALUE, not "${text}"`)
  return parameter(text, given)
}

function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0))
    throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a time in seconds`)
  return value
}
