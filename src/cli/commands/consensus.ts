import { Command, CommanderError, Option } from 'commander'
import { type ConsensusMethod, consensusMethods } from '../../evaluate/consensus.js'
import type { ConsensusFilesOptions } from '../../run/consensus.js'
import { interruptSignal, ProgressLine } from '../progress.js'
import { between } from '../values.js'

interface Flags extends Omit<ConsensusFilesOptions, 'masks' | 'method' | 'out' | 'signal'> {
  method: ConsensusMethod
  out: string
  json?: boolean
  quiet?: boolean
}

export function consensusCommand(): Command {
  return new Command('consensus')
    .description('Make one mask of what several raters drew, and tell how they agree.')
    .argument('<masks...>', 'masks of two or more raters (NIfTI), the first of which gives the grid')
    .requiredOption('--out <file>', 'file for the consensus, .nii.gz or .nii')
    .addOption(new Option('--method <name>', 'rule').choices(consensusMethods).default('staple'))
    .option('--probability <file>', 'also write the probability of lesion, or the share of votes')
    .option('--labels', 'keep the labels of label maps apart (not with msseg2)')
    .option('--label <n>', 'of label maps, the value that is lesion', whole(0))
    .option('--any-label', 'of label maps, all values but 0 are lesion')
    .option('--soft', 'the files are probabilities, 0–1: majority and lop-staple take them so, the others cut them')
    .option('--threshold <t>', 'cut of probabilities; without --soft they become masks first', between(0, 1))
    .option('--resample', 'bring files on another grid onto that of the first (nearest voxel)')
    .option(
      '--mask-dil <n>',
      'region: the union of all masks grown by a ball of n voxels; 0: the whole image (default: 2)',
      whole(0),
    )
    .addOption(
      new Option('--prior-map <name>', "staple: priors on the raters' performance (default: none)").choices([
        'none',
        'diagonal',
        'full',
      ]),
    )
    .option('--iterations <n>', 'staple, lop-staple: most rounds (default: 100)', whole(1))
    .addOption(
      new Option('--tie <name>', 'majority, simple: who wins where votes are equal (default: background)').choices([
        'background',
        'lesion',
      ]),
    )
    .option('--weights <list>', 'lop-staple: estimated, equal, or a number for each rater, as 2,1,1', weights)
    .option(
      '--strength <n>',
      'lop-staple: as how many independent raters the pool counts (default: 1)',
      between(0, 1000),
    )
    .option('--quorum <n>', 'msseg2: so many raters make a lesion (default: more than half)', whole(1))
    .addOption(
      new Option(
        '--doubtful <what>',
        'msseg2: lesions that fewer drew: leave out, keep, or mark with 2 (default: drop)',
      ).choices(['drop', 'keep', 'mark']),
    )
    .addHelpText(
      'after',
      `
Methods:
  staple      truth and performance of each rater by expectation and maximisation, as animaSTAPLE (Warfield et al. 2004)
  majority    more than half of the raters; of labels the most frequent one
  lop-staple  weighted geometric mean of what each rater thinks, weighted by what it knows (after Akhondi-Asl et al. 2014;
              no code of theirs is public, masks need not equal theirs)
  simple      votes weighted by Dice, raters far off left out (Langerak et al. 2010)
  msseg2      lesions of three of four raters, voxels of half of those who drew the lesion (MSSEG-2 challenge)

Inputs are never written to. The same grid stored along other axes is turned.

Examples:
  lesionwise consensus --out consensus.nii.gz rater1.nii.gz rater2.nii.gz rater3.nii.gz
  lesionwise consensus --method msseg2 --doubtful mark --out c.nii.gz r1.nii.gz r2.nii.gz r3.nii.gz r4.nii.gz
  lesionwise consensus --method lop-staple --soft --out c.nii.gz --probability p.nii.gz net1.nii.gz net2.nii.gz net3.nii.gz
  lesionwise consensus --method majority --tie lesion --json --out c.nii.gz a.nii.gz b.nii.gz`,
    )
    .action(run)
}

async function run(masks: string[], { json, quiet, ...flags }: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(quiet === true)
  const { consensusFiles } = await import('../../run/consensus.js')
  const result = await consensusFiles({
    ...flags,
    masks,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    const { printConsensus } = await import('../consensus.js')
    printConsensus(result, flags.out)
  }
}

function weights(text: string): ConsensusFilesOptions['weights'] {
  if (text === 'estimated' || text === 'equal') return text
  return text.split(',').map(between(0, Number.MAX_VALUE))
}

function whole(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isInteger(value) || value < low)
      throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a whole number of at least ${low}`)
    return value
  }
}
