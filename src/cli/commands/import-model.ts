import { Command } from 'commander'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  from: string
  out: string
  configuration?: string
  folds?: string[]
  checkpoint?: string
  json?: boolean
  quiet?: boolean
}

export function importModelCommand(): Command {
  return new Command('import-model')
    .description('Bring over a trained nnU-Net v2: its plans and weights as plain data, without PyTorch.')
    .requiredOption('--from <folder>', "nnU-Net's result folder, with plans.json, dataset.json and fold_0, fold_1, …")
    .requiredOption('--out <folder>', 'folder for the model')
    .option('--configuration <name>', '2d or 3d_fullres, where --from is a folder of several')
    .option('--folds <list>', 'folds, such as 0,1,2, or all (default: every number there is)', (text: string) =>
      text.split(',').filter(Boolean),
    )
    .option('--checkpoint <file>', 'file in the folds (default: checkpoint_final.pth)')
    .addHelpText(
      'after',
      `
Reads the plain and residual-encoder U-Nets of nnU-Net's own planners; nothing in the checkpoints is executed.
Files: model.json (the card, with the plans of the configuration) and fold_0.safetensors, …

Examples:
  lesionwise import-model --from nnUNet_results/Dataset001_MS/nnUNetTrainer__nnUNetPlans__3d_fullres --out model
  lesionwise import-model --from nnUNet_results/Dataset001_MS --configuration 2d --folds 0,1 --out model`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { importModel } = await import('../../run/import-model.js')
  const card = await importModel({ ...flags, signal, onProgress: (event) => line.update(event) }).finally(() =>
    line.end(),
  )
  if (flags.json) process.stdout.write(`${JSON.stringify(card)}\n`)
  else process.stdout.write(`${card.describe}\nModel: ${flags.out}\n`)
}
