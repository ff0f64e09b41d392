import { Command, Option } from 'commander'
import type { Interpolation } from '../../volume/resample.js'

interface Flags {
  image: string
  like: string
  transform: string[]
  out: string
  interpolation: Interpolation
  json?: boolean
  quiet?: boolean
  threads?: number
}

export function transformCommand(): Command {
  return new Command('transform')
    .description('Bring an image or labels onto another grid through saved transforms, by one interpolation.')
    .requiredOption('--image <file>', 'image, mask or labels to bring over')
    .requiredOption('--like <file>', 'image on the grid wanted')
    .option(
      '--transform <file>',
      'ITK text, ANTs .mat or displacement field; once for each, in the order in which points of the grid wanted go through them; inverse:FILE inverts a linear one',
      (one: string, before: string[]) => [...before, one],
      [],
    )
    .requiredOption('--out <file>', 'the image on the new grid, .nii.gz')
    .addOption(
      new Option('--interpolation <name>', 'labels and masks take nearest')
        .choices(['nearest', 'linear', 'cubic', 'sinc'])
        .default('cubic'),
    )
    .addHelpText(
      'after',
      `
antsApplyTransforms lists the same files the other way round: its last one comes first here.

Examples:
  lesionwise transform --image T1.nii.gz --like FLAIR.nii.gz --transform prepared/from-T1w_to-FLAIR_mode-image_xfm.txt --out T1-on-FLAIR.nii.gz
  lesionwise transform --image labels.nii.gz --like T1.nii.gz --interpolation nearest --out labels-on-T1.nii.gz \\
    --transform warped/from-moving_to-fixed_mode-image_xfm.nii.gz --transform warped/from-moving_to-fixed_mode-image_xfm.txt`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const { transformFile } = await import('../../run/transform.js')
  const { dims } = await transformFile({
    image: flags.image,
    like: flags.like,
    transforms: flags.transform,
    out: flags.out,
    interpolation: flags.interpolation,
    threads: flags.threads,
    onFlag: ({ message }) => {
      if (!flags.quiet) process.stderr.write(`${message}\n`)
    },
  })
  if (flags.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, out: flags.out, dims })}\n`)
  else process.stdout.write(`${dims.join(' × ')} voxels in ${flags.out}\n`)
}
