import { Command } from 'commander'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  dicom: string
  out: string
  series?: string
  toPacs?: string
  json?: boolean
  quiet?: boolean
}

export function exportDicomCommand(): Command {
  return new Command('export-dicom')
    .description('Write a result of `segment` as DICOM objects of its study: SEG, SR, key images, PDF.')
    .argument('<result>', 'folder that `segment` wrote')
    .requiredOption('--dicom <folder>', 'folder that holds the series that was segmented')
    .requiredOption('--out <folder>', 'folder for the .dcm files')
    .option('--series <number>', 'that series, as `import-dicom --dry-run` lists it (default: what the result lies on)')
    .option('--to-pacs <url>', 'also send them to a PACS by DICOMweb')
    .addHelpText(
      'after',
      `
The objects carry the patient and study of the source, so that the archive files them beside it.

Example:
  lesionwise export-dicom result --dicom cd/DICOM --out objects --to-pacs http://localhost:8042/dicom-web`,
    )
    .action(run)
}

async function run(result: string, flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { exportDicom } = await import('../../run/export-dicom.js')
  const made = await exportDicom({
    ...flags,
    result,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) process.stdout.write(`${JSON.stringify(made)}\n`)
  else for (const name of made.files) process.stdout.write(`${flags.out}/${name}\n`)
}
