#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander'
import { benchmarkCommand } from './commands/benchmark.js'
import { bidsCommand } from './commands/bids.js'
import { consensusCommand } from './commands/consensus.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { evaluateCommand } from './commands/evaluate.js'
import { exportCommand } from './commands/export.js'
import { exportDicomCommand } from './commands/export-dicom.js'
import { fillCommand } from './commands/fill.js'
import { importDicomCommand } from './commands/import-dicom.js'
import { importModelCommand } from './commands/import-model.js'
import { intensityScaleCommand } from './commands/intensity-scale.js'
import { methodsCommand } from './commands/methods.js'
import { preprocessCommand } from './commands/preprocess.js'
import { registerCommand } from './commands/register.js'
import { reportCommand } from './commands/report.js'
import { segmentCommand } from './commands/segment.js'
import { serveCommand } from './commands/serve.js'
import { simulateCommand } from './commands/simulate.js'
import { trainCommand } from './commands/train.js'
import { transformCommand } from './commands/transform.js'
import { viewCommand } from './commands/view.js'
import { failed } from './errors.js'
import { version } from './version.js'

/** The command line: parses, calls, prints. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 unusable input, 130 interrupted. */
export function program(): Command {
  const root = new Command('lesionwise')
    .description('Multiple-sclerosis lesion analysis in brain MRI. Research only, not for diagnosis.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      `
Examples:
  lesionwise demo                                            a synthetic patient, from images to report
  lesionwise segment --flair F.nii.gz --t1 T1.nii.gz --out result
  lesionwise preprocess --flair F.nii.gz --t1 T1.nii.gz --out prepared
  lesionwise view result                                     look at the report in a browser
  lesionwise evaluate --reference expert.nii.gz --candidate result/lesion_mask.nii.gz
  lesionwise bids data data/derivatives/lesionwise participant
  lesionwise train --data bids --out model                   a network of your own
  lesionwise methods                                         what can segment, and with what

Exit codes: 0 done, 1 the work failed, 2 the arguments are wrong, 3 an input is unusable, 130 interrupted.`,
    )
  for (const command of [
    segmentCommand(),
    reportCommand(),
    fillCommand(),
    exportCommand(),
    exportDicomCommand(),
    preprocessCommand(),
    registerCommand(),
    transformCommand(),
    intensityScaleCommand(),
    bidsCommand(),
    evaluateCommand(),
    benchmarkCommand(),
    trainCommand(),
    importModelCommand(),
    importDicomCommand(),
    consensusCommand(),
    simulateCommand(),
    demoCommand(),
    methodsCommand(),
    viewCommand(),
    serveCommand(),
    doctorCommand(),
  ])
    root.addCommand(withCommonOptions(command))
  for (const command of [root, ...root.commands])
    command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} })
  for (const command of root.commands) for (const option of command.options) nameInErrors(option)
  return root
}

/** What does not fit is told with the option that it was given to. */
function nameInErrors(option: Option): void {
  const { long, parseArg } = option
  if (!parseArg || !long) return
  option.parseArg = (text, previous) => {
    try {
      return parseArg(text, previous)
    } catch (error) {
      if (!(error instanceof CommanderError) || error.message.includes(long)) throw error
      throw new CommanderError(error.exitCode, error.code, `${long}: ${error.message}`)
    }
  }
}

/** Options that every command takes. */
function withCommonOptions(command: Command): Command {
  return command
    .helpOption('--help', 'print this help')
    .option('--json', 'print one JSON value on stdout and nothing else there')
    .option('--quiet', 'no progress and no warnings on stderr')
    .addOption(new Option('--threads <n>', 'worker threads (default: all cores)').argParser(wholeNumber))
    .addOption(new Option('--seed <n>', 'seed of everything random (default: 1)').argParser(wholeNumber))
    .addOption(new Option('--device <name>', 'where networks run').choices(['cpu', 'webgpu', 'cuda']).default('cpu'))
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0)
    throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a whole number`)
  return value
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader has gone away (a closed pipe): there is nobody left to tell.
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await program().parseAsync(process.argv)
} catch (error) {
  process.exitCode = failed(error)
}
