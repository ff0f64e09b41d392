import { Command } from 'commander'
import { interruptSignal, ProgressLine } from '../progress.js'
import { between } from '../values.js'

interface Flags {
  t1: string
  lesionMask: string
  out: string
  flair?: string
  brainMask?: string
  whiteMatter?: string
  threshold?: number
  grow: number
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function fillCommand(): Command {
  return new Command('fill')
    .description(
      'Fill lesions in a T1 with the look of the white matter around them, for FreeSurfer, VBM and the like.',
    )
    .requiredOption('--t1 <file>', 'T1-weighted image, NIfTI; it is not changed')
    .requiredOption('--lesion-mask <file>', 'lesions, 0 or any label, on any grid of the same space')
    .requiredOption('--out <file>', 'the filled image, .nii.gz or .nii; a .json beside it says what was done')
    .option(
      '--flair <file>',
      'the FLAIR the mask was drawn on, where it does not lie on the T1: the two are registered',
    )
    .option('--brain-mask <file>', 'brain mask to use, in the space of the T1')
    .option(
      '--white-matter <file>',
      'white matter to use, mask or probability in the space of the T1, instead of our own',
    )
    .option('--threshold <p>', 'the mask is a probability map: voxels of at least this are lesion', between(0, 1))
    .option(
      '--grow <voxels>',
      'grow the lesions before: the T1’s blur leaves a rim of half lesion about one voxel wide; never across slices of 2.5 mm and more, into fluid or cortex',
      between(0, 10),
      1,
    )
    .addHelpText(
      'after',
      `
Grid, header and data type of the T1 stay; voxels outside the grown lesions are the same bit for bit; text fields are emptied.

Examples:
  lesionwise fill --t1 T1.nii.gz --lesion-mask result/lesion_mask.nii.gz --flair FLAIR.nii.gz --out T1_filled.nii.gz
  lesionwise fill --t1 T1.nii.gz --lesion-mask lesions-on-T1.nii.gz --grow 0 --out T1_filled.nii.gz`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { fillFiles } = await import('../../run/fill.js')
  const result = await fillFiles({
    ...flags,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (flags.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else
    process.stdout.write(
      result.filledVoxels === 0
        ? `nothing to fill; the image as it was in ${flags.out}\n`
        : `${result.filledVoxels} voxels (${result.filledMl.toFixed(2)} ml) filled, ${result.rimVoxels} of them rim; mean ${result.meanRatio?.toFixed(3) ?? '?'} and texture ${result.sdRatio?.toFixed(2) ?? '?'} of the white matter around; ${result.seconds.toFixed(1)} s; ${flags.out}\n`,
    )
}
