import { Command, Option } from 'commander'
import type { ExportFormat } from '../../run/export.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  to: ExportFormat[]
  out: string
  flair?: string
  t1?: string
  id?: string
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function exportCommand(): Command {
  return new Command('export')
    .description('Bring a result of `segment` into the formats of ITK-SNAP, FreeSurfer, FSL, R and Stata.')
    .argument('<result>', 'folder that `segment` wrote')
    .addOption(
      new Option('--to <format...>', 'one or more of them')
        .choices(['itksnap', 'freesurfer', 'fsl', 'csv'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <folder>', 'folder for the files, each format in a folder of its name')
    .option(
      '--t1 <file>',
      'for FreeSurfer: the T1 it ran on, or its orig.mgz (default: the grid of the FLAIR, conformed)',
    )
    .option('--flair <file>', 'the FLAIR of the result, where the result does not say how it lies to the T1 or MNI152')
    .option('--id <text>', 'put first in the tables, so that those of many scans can be stacked')
    .addHelpText(
      'after',
      `
itksnap     lesions by number and by location, each with its label description
freesurfer  the mask in 256³ voxels of 1 mm, axes left, inferior, anterior; .nii.gz and .mgz
fsl         the mask on the 182×218×182 grid of MNI152 1 mm (12 parameters), and the transform (ITK)
csv         lesions.csv, summary.csv and data_dictionary.csv; commas, decimal points, names that R and Stata take

Examples:
  lesionwise export result --to itksnap csv --out exported
  lesionwise export result --to freesurfer --t1 subjects/p1/mri/orig.mgz --out exported
  lesionwise export result --to fsl --out exported`,
    )
    .action(run)
}

async function run(result: string, flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { exportResult } = await import('../../run/export.js')
  const made = await exportResult({
    ...flags,
    result,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) process.stdout.write(`${JSON.stringify(made)}\n`)
  else for (const name of made.files) process.stdout.write(`${flags.out}/${name}\n`)
}
