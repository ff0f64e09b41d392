import { Command, Option } from 'commander'
import type { RegisterKind } from '../../run/register.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  fixed: string
  moving: string
  out: string
  kind: RegisterKind
  fixedMask?: string
  interpolation: 'nearest' | 'linear' | 'cubic' | 'sinc'
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function registerCommand(): Command {
  return new Command('register')
    .description('Align one image to another: rigid to deformable, with a check whether to trust it.')
    .requiredOption('--fixed <file>', 'image whose grid the other is brought onto')
    .requiredOption('--moving <file>', 'image that is brought over')
    .requiredOption('--out <folder>', 'folder for the results')
    .addOption(
      new Option('--kind <name>', 'how freely it moves')
        .choices(['rigid', 'similarity', 'affine', 'velocity', 'bspline'])
        .default('rigid'),
    )
    .option('--fixed-mask <file>', 'only points inside count')
    .addOption(
      new Option('--interpolation <name>', 'of the image; labels take nearest')
        .choices(['nearest', 'linear', 'cubic', 'sinc'])
        .default('cubic'),
    )
    .addHelpText(
      'after',
      `
Files: moved.nii.gz; from-moving_to-fixed_mode-image_xfm.txt and its inverse (ITK, LPS mm); of deformable kinds also the
displacement fields from-moving_to-fixed_mode-image_xfm.nii.gz (applied before the affine, as ANTs does) and its inverse,
and jacobian.nii.gz; registration.json with the check.

Examples:
  lesionwise register --fixed FLAIR.nii.gz --moving T1.nii.gz --out aligned
  lesionwise register --fixed T1.nii.gz --moving template.nii.gz --kind velocity --out warped`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { registerFiles } = await import('../../run/register.js')
  const result = await registerFiles({
    ...flags,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else
    process.stdout.write(
      `${result.kind}: check ${result.check.toFixed(2)} (${result.trusted ? 'trusted' : 'NOT trusted'}), similarity ${result.similarity.toFixed(3)}; ${result.seconds.toFixed(1)} s; files in ${flags.out}\n`,
    )
}
