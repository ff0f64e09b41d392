import { Command, CommanderError, Option } from 'commander'
import type { SimulateFilesOptions } from '../../run/simulate.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags extends Omit<SimulateFilesOptions, 'signal' | 'onProgress'> {
  json?: boolean
  quiet?: boolean
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('Make patients who do not exist: images, follow-up visits and the exact truth, as a BIDS data set.')
    .requiredOption('--out <folder>', 'folder for the data set, new or empty')
    .option('--subjects <n>', 'patients (default: 1)', number)
    .option('--visits <n>', 'visits of each (default: 1)', number)
    .option('--contrasts <list>', 'of flair, t1, t2, pd, t1gd; with --labels also random (default: flair,t1)', (text) =>
      text.split(',').map((name) => name.trim().toLowerCase()),
    )
    .option('--slice-thickness <mm>', 'of all but T1 (default: 3; of label maps their own)', number)
    .option('--spacing <mm>', 'size of the pixels (default: 0.9; of label maps their own)', number)
    .option('--lesion-ml <ml>', 'lesion load at the first visit (default: 2 to 30, another for each patient)', number)
    .option('--new-lesions <n>', 'mean number of new lesions at each later visit (default: 2)', number)
    .option('--atrophy <mm>', "how far the ventricles' walls move between visits (default: 0.3)", number)
    .option('--noise <share>', 'Rician noise, of white matter (default: 0.03)', number)
    .option('--bias <share>', 'bias field: standard deviation of its logarithm (default: 0.1)', number)
    .option('--ghosting <share>', 'ghosts of movement, of the image (default: 0)', number)
    .option('--aligned', 'all images and visits in one position on one grid')
    .option('--labels <files...>', 'label maps to use for the anatomy, in turn')
    .addOption(
      new Option('--label-set <name>', 'what their numbers mean').choices(['tissue', 'freesurfer']).default('tissue'),
    )
    .option('--lesion-bank <files...>', 'lesion masks whose shapes are used, or the .json of a packed collection')
    .addHelpText(
      'after',
      `
Files: sub-01/ses-01/anat/sub-01_ses-01_FLAIR.nii.gz and so on; derivatives/truth/… with label-lesion_mask,
label-lesion_dseg (the same number for a lesion at all visits), label-brain_mask, label-change_dseg (1 new, 2 growth,
3 shrinkage, 4 vanished, since the visit before), lesions.tsv and the transforms; participants.tsv and sessions.tsv.

Label sets: tissue (1 CSF, 2 grey matter, 3 white matter, 4 deep grey matter, 5 lesion, 8 bone, 9 fat, 10 soft tissue),
freesurfer (aseg, SynthSeg, SAMSEG).

Examples:
  lesionwise simulate --out synthetic --subjects 5 --seed 3
  lesionwise simulate --out course --visits 4 --new-lesions 3 --contrasts flair,t1,t2
  lesionwise simulate --out clinical --slice-thickness 5 --spacing 0.75 --noise 0.05
  lesionwise simulate --out fromlabels --labels aseg.nii.gz --label-set freesurfer --contrasts flair,random`,
    )
    .action(run)
}

async function run({ json, quiet, ...flags }: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(quiet === true)
  const { simulateFiles } = await import('../../run/simulate.js')
  const result = await simulateFiles({ ...flags, signal, onProgress: (event) => line.update(event) }).finally(() =>
    line.end(),
  )
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    const visits = result.subjects.flatMap((subject) => subject.visits)
    const mean = visits.reduce((sum, { lesionMl }) => sum + lesionMl / visits.length, 0)
    process.stdout.write(
      `${result.subjects.length} patients, ${visits.length} visits, ${mean.toFixed(1)} ml of lesions on average; ${result.seconds} s; data set in ${result.out}\n`,
    )
  }
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a number`)
  return value
}
