import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { InputError, UsageError } from '../../errors.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  data: string
  masks?: string
  out: string
  config?: string
  leaveOut: 'group' | 'centre'
  preset?: string
  name?: string
  licence?: string
  init?: string
  freeze?: string[]
  work?: string
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
  device: 'cpu' | 'webgpu' | 'cuda'
}

export function trainCommand(): Command {
  return new Command('train')
    .description('Train a network on your own labelled scans; what it writes is a model for `segment --model`.')
    .requiredOption(
      '--data <path>',
      'BIDS folder with lesion masks, or TSV with columns id flair t1 mask group (paths relative to it)',
    )
    .requiredOption('--out <folder>', 'folder for the model; the same command goes on with what is there')
    .option('--masks <folder>', 'lesion masks, where the list or derivatives/ have none')
    .option(
      '--preset <name>',
      'recipe: multislice (as the shipped model), long, quick (to try things out), multiplane, unet3d, valverde2017, nnunet',
    )
    .option('--config <file>', 'JSON with settings of your own; what it leaves out is as in the preset of its network')
    .addOption(
      new Option(
        '--leave-out <what>',
        'what each fold leaves out: some of the groups, or a centre whole (column centre)',
      )
        .choices(['group', 'centre'])
        .default('group'),
    )
    .option('--init <model>', 'start from a model instead of from nothing: fine-tuning')
    .option(
      '--freeze <prefixes>',
      'layers that keep the weights of --init, such as encoder, separated by commas',
      (text: string) => text.split(',').filter(Boolean),
    )
    .option('--name <name>', "the model's name on its card")
    .option('--licence <text>', 'what the model may be used for, on its card')
    .option('--work <folder>', 'keep preparations here (default: OUT/work)')
    .addHelpText(
      'after',
      `
Every group of patients (column group; the subject in BIDS) is left out once, or every centre (column centre; in BIDS of
participants.tsv) with --leave-out centre; thresholds come from the scans left out, and
the model that is kept has seen all scans. Writes model.json (the card), weights.safetensors, model.onnx, history.tsv,
cross-validation.tsv and training.html. A training that was stopped, by whatever, goes on with the same command.

Examples:
  lesionwise train --data bids --out my-model
  lesionwise train --data cases.tsv --preset quick --out trial
  lesionwise train --data cases.tsv --leave-out centre --out elsewhere
  lesionwise train --data three-scans.tsv --init multislice --freeze encoder --config few.json --out ours
  lesionwise segment --flair F.nii.gz --t1 T1.nii.gz --method unet2d --model my-model --out result`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  if (flags.config !== undefined && flags.preset !== undefined)
    throw new UsageError('give --config or --preset, not both')
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { presetConfig, readConfig } = await import('../../network/config.js')
  const config =
    flags.config === undefined
      ? presetConfig(flags.preset ?? 'multislice')
      : readConfig(await json(flags.config), flags.config)
  const { train } = await import('../../cohort/train.js')
  const {
    files: _,
    history: __,
    checks: ___,
    ...result
  } = await train({
    ...flags,
    config,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { card } = result
  const [validation] = card.validation
  const score = validation
    ? `Scans left out: Dice ${validation.overall.dice.toFixed(3)}, lesion F1 ${validation.overall.lesionF1.toFixed(3)} (${validation.overall.scans} scans, ${validation.split})`
    : 'Nothing was left out, so there is no score.'
  process.stdout.write(
    `${score}\nModel: ${flags.out}\nPage: ${join(flags.out, 'training.html')}\nResearch only. Not for diagnosis.\n`,
  )
}

async function json(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new InputError(path, 'cannot be read', 'give a JSON file of settings', { cause })
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InputError(path, `is not JSON (${(cause as Error).message})`, 'write it as {"steps": 650, …}', { cause })
  }
}
