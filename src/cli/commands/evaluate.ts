import { Command, CommanderError } from 'commander'
import type { MaskChoices, Side, Sided } from '../../run/case-masks.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags extends MaskChoices {
  reference?: string[]
  candidate?: string[]
  cases?: string
  protocol?: string
  out?: string
  resample?: boolean
  keepPaths?: boolean
  json?: boolean
  quiet?: boolean
  threads?: number
}

const several = (one: string, before: string[] = []): string[] => [...before, one]

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('Score lesion masks against reference masks: a pair, folders, or the teams of a challenge.')
    .option('--reference <path>', 'reference mask, or folder of them; once for each rater', several)
    .option(
      '--candidate <path>',
      'mask to score, or folder of them; several times, or TEAM=DIR, for a ranking',
      several,
    )
    .option('--cases <file>', 'list in place of both: TSV with the columns id, reference, candidate')
    .option(
      '--protocol <id>',
      'score as a challenge does: msseg2008, isbi2015, msseg2016, msseg2021, mslesseg2024, wmh2017 (default: every measure, of no challenge)',
    )
    .option('--out <folder>', 'folder for scores.tsv, summary.json and report.html; a result there is replaced')
    .option('--resample', 'bring candidates on another grid onto that of the reference (nearest neighbour)')
    .option(
      '--label <n>',
      'the value of a label map that is lesion; candidate=N or reference=N for one side',
      sided(whole),
    )
    .option('--any-label [side]', 'all values of a label map but 0 are lesion (side: candidate or reference)', anySide)
    .option(
      '--threshold <t>',
      'voxels of a probability map of at least this are lesion; candidate=T for one side',
      sided(number),
    )
    .option('--keep-paths', 'write the paths of the masks into provenance.json')
    .addHelpText(
      'after',
      `
Without --protocol every measure there is, by kind: voxel-wise, surfaces, lesions, lesions by size, panoptic quality.
Folders are searched with all below them. Cases are told by BIDS entities (sub-, ses-, run-) in names or folders, else by
the file's name without words such as _mask and _lesion, else by its folder. Where that does not do, a pattern in quotes
("DIR/*_mask1.nii") takes what its stars stand for, or --cases lists every pair; more raters are columns reference2, …,
more teams candidate_NAME. Missing candidates are scored as missing. An empty mask means no lesions.

Examples:
  lesionwise evaluate --reference expert.nii.gz --candidate mine.nii.gz
  lesionwise evaluate --reference expert.nii.gz --candidate mine.nii.gz --protocol msseg2016 --json
  lesionwise evaluate --reference bids/derivatives/expert --candidate results --protocol mslesseg2024 --out scores
  lesionwise evaluate --reference rater1 --reference rater2 --candidate results --protocol isbi2015 --out scores
  lesionwise evaluate --reference truth --candidate A=teams/a --candidate B=teams/b --protocol msseg2021 --out challenge
  lesionwise evaluate --cases pairs.tsv --threshold candidate=0.5 --out scores`,
    )
    .action(run)
}

async function run({ json, quiet, ...flags }: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(quiet === true)
  const { evaluateFiles } = await import('../../run/evaluate.js')
  const result = await evaluateFiles({
    ...flags,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  const { pairJson } = await import('../../run/score-files.js')
  if (json)
    process.stdout.write(`${JSON.stringify(result.pair ? pairJson(result.protocol, result.pair) : result.summary)}\n`)
  else {
    const { printScores } = await import('../scores.js')
    printScores(result, flags.out)
  }
}

/** `N`, `reference=N` or `candidate=N`; the option may be given once for each side. */
function sided<T>(parse: (text: string) => T): (text: string, before?: Sided<T>) => Sided<T> {
  return (text, before) => {
    const [, side, value] = /^(reference|candidate)=(.*)$/.exec(text) ?? []
    if (side === undefined) return parse(text)
    return { ...(typeof before === 'object' ? before : {}), [side as Side]: parse(value) } as Sided<T>
  }
}

function anySide(text: string | undefined, before?: Sided<boolean>): Sided<boolean> {
  if (text !== 'reference' && text !== 'candidate')
    throw new CommanderError(2, 'lesionwise.side', `--any-label takes candidate, reference or nothing, not "${text}"`)
  return { ...(typeof before === 'object' ? before : {}), [text]: true }
}

function whole(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value === 0)
    throw new CommanderError(2, 'lesionwise.number', `--label takes a whole number other than 0, not "${text}"`)
  return value
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value)))
    throw new CommanderError(2, 'lesionwise.number', `--threshold takes a number above 0, not "${text}"`)
  return value
}
