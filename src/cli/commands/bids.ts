import { join } from 'node:path'
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Language } from '../../report/words/languages.js'
import { reportLanguages } from '../languages.js'
import { interruptSignal, ProgressLine } from '../progress.js'
import { atLeastOne, between, parameter } from '../values.js'
import { runSlurm, runStatus, type SlurmFlags } from './bids-slurm.js'

interface Flags extends SlurmFlags {
  participantLabel?: string[]
  sessionLabel?: string[]
  method?: string
  model?: string
  param: Record<string, unknown>
  threshold?: number
  minSize?: number
  register: boolean
  pdf?: boolean
  lang: Language
  work?: string
  nProcs?: number
  memGb?: number
  timeout?: number
  resume?: boolean
  dryRun?: boolean
  groupBy?: string
  covariates?: string[]
  keepPaths?: boolean
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
  device: 'cpu' | 'webgpu' | 'cuda'
}

export function bidsCommand(): Command {
  const command = new Command('bids')
    .description('Segment a whole BIDS data set into BIDS derivatives, then bring all visits together (BIDS App).')
    .argument('<bids_dir>', 'raw data set: sub-01/[ses-01/]anat/…; its names need not be valid')
    .argument('<out_dir>', 'folder for the derivatives, e.g. BIDS_DIR/derivatives/lesionwise')
    .addArgument(
      new Argument(
        '<level>',
        'participant: each visit; group: table and page of all; status: how far it is, and what failed',
      ).choices(['participant', 'group', 'status']),
    )
    .option('--participant-label <labels...>', 'only these people, with or without sub-')
    .option('--session-label <labels...>', 'only these sessions, with or without ses-')
    .option('--method <id>', 'method (see `lesionwise methods`); default: the best for the contrasts of each visit')
    .option('--model <name>', 'model of a network: one that is shipped, or a folder that `lesionwise train` wrote')
    .option('--param <name=value>', 'a parameter of the method; may be repeated', parameter, {})
    .option('--threshold <p>', "cut of the method's probability, 0–1", between(0, 1))
    .option('--min-size <mm3>', 'smallest lesion, mm³ (default: 3)', between(0, 1e6))
    .option('--no-register', 'take the images as aligned by their headers')
    .option('--pdf', 'write the reports as PDF too')
    .addOption(new Option('--lang <code>', 'language of the reports').choices([...reportLanguages]).default('en'))
    .option('--work <folder>', 'keep preparation steps here for the next run on the same images')
    .option('--n-procs <n>', 'visits worked on at a time (default: half the cores)', atLeastOne)
    .option('--mem-gb <gb>', 'memory for all of them together (default: 90 % of the machine’s)', number)
    .option('--timeout <seconds>', 'longest time of a visit; one that takes longer has failed', number)
    .option('--resume', 'do only what is missing, failed or changed; this is always done')
    .option('--dry-run', 'tell what would be done, and write nothing')
    .option('--group-by <column>', 'group level: column of participants.tsv to compare by (default: group)')
    .option(
      '--covariates <columns...>',
      'group level: columns to adjust for (default: age and sex where they are there)',
    )
    .option('--keep-paths', 'write the paths of the inputs into provenance.json')
    .option('--slurm', 'participant level: submit the visits to do as job arrays of Slurm, and return')
    .option('--slurm-partition <name>', "partition (default: the cluster's own)")
    .option(
      '--slurm-time <minutes>',
      'longest time of a visit (default: longest measured × 1.3, at first 60)',
      atLeastOne,
    )
    .option('--slurm-max-jobs <n>', 'visits that run at a time (default: 100)', atLeastOne)
    .option('--slurm-retries <n>', 'how often what failed is tried again (default: 2)', number)
    .option('--slurm-group', 'the group level, once all have ended')
    .option('--slurm-command <command>', 'how a node starts Lesionwise (default: this installation)')
    .addHelpText(
      'after',
      `
participant: a process of its own for each visit. Writes sub-*/[ses-*/]anat/*_space-orig_label-lesion_mask.nii.gz,
*_desc-lesions_dseg.nii.gz with its table, *_label-lesion_probseg.nii.gz, *_desc-brain_mask.nii.gz, sidecars, lesions.tsv,
report and provenance, and logs/. A visit that fails is listed with its reason and the others go on; run again, only what
is missing, failed or changed is done. What breaks the rules of BIDS in the raw data is listed and stops nothing.
group: cohort.tsv with its dictionary cohort.json, and cohort.html. Runs nothing again.
--slurm: a task for each visit that is not done and not in the queue; --mem-gb is the memory of one (default: most measured
× 1.3, at first 4), --threads its cores (default: 1). The same command again submits what is missing. sbatch reads
SBATCH_ACCOUNT, SBATCH_QOS and the like.

Exit code 1: at least one visit failed. 2: an unknown label. 3: nothing can be used.

Examples:
  lesionwise bids data data/derivatives/lesionwise participant --n-procs 4 --mem-gb 8
  lesionwise bids data derivatives participant --participant-label 01 02 --session-label 1 --method schmidt2012
  lesionwise bids data derivatives group --group-by diagnosis --covariates age sex
  lesionwise bids data derivatives participant --slurm --slurm-partition short --slurm-group
  lesionwise bids data derivatives status`,
    )
    .action(run)
  // As BIDS Apps in Python spell them.
  for (const [name, argument, parser] of [
    ['participant_label', ' <labels...>', undefined],
    ['session_label', ' <labels...>', undefined],
    ['n_procs', ' <n>', atLeastOne],
    ['mem_gb', ' <gb>', number],
  ] as const) {
    const option = new Option(`--${name}${argument}`).hideHelp()
    command.addOption(parser ? option.argParser(parser) : option)
  }
  return command
}

interface Spelled extends Flags {
  participant_label?: string[]
  session_label?: string[]
  n_procs?: number
  mem_gb?: number
}

async function run(
  bids: string,
  out: string,
  level: 'participant' | 'group' | 'status',
  flags: Spelled,
): Promise<void> {
  if (level === 'group') await runGroup(bids, out, flags)
  else if (level === 'status') await runStatus(whose(bids, out, flags), flags)
  else if (flags.slurm) await runSlurm(work(bids, out, flags), flags, flags.memGb ?? flags.mem_gb)
  else await runParticipant(bids, out, flags)
}

const whose = (bids: string, out: string, flags: Spelled) => ({
  bids,
  out,
  participants: flags.participantLabel ?? flags.participant_label,
  sessions: flags.sessionLabel ?? flags.session_label,
})

/** What is to be done with each visit, wherever that is. */
function work(bids: string, out: string, flags: Spelled) {
  return {
    ...whose(bids, out, flags),
    method: flags.method,
    params: flags.model === undefined ? flags.param : { ...flags.param, model: flags.model },
    threshold: flags.threshold,
    minimumSizeMm3: flags.minSize,
    ...(flags.register ? {} : { register: false }),
    ...(flags.pdf ? { pdf: true } : {}),
    ...(flags.lang === 'en' ? {} : { language: flags.lang }),
    work: flags.work,
    threads: flags.threads,
    seed: flags.seed,
    device: flags.device,
    keepPaths: flags.keepPaths,
    timeoutSeconds: flags.timeout,
    dryRun: flags.dryRun,
  }
}

async function runParticipant(bids: string, out: string, flags: Spelled): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { bidsParticipant } = await import('../../cohort/bids-participant.js')
  const result = await bidsParticipant({
    ...work(bids, out, flags),
    processes: flags.nProcs ?? flags.n_procs,
    memoryGb: flags.memGb ?? flags.mem_gb,
    signal,
    onProgress: (event) => line.update(event),
    onNote: (message) => line.flag({ code: 'bids', severity: 'warning', message }),
  }).finally(() => line.end())

  if (result.visits.some(({ status }) => status === 'failed')) process.exitCode = 1
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { participantSummary } = await import('../../cohort/bids-words.js')
  process.stdout.write(participantSummary(result, out))
}

async function runGroup(bids: string, out: string, flags: Spelled): Promise<void> {
  const line = new ProgressLine(flags.quiet === true)
  const { bidsGroup } = await import('../../cohort/bids-group.js')
  const result = await bidsGroup({
    ...whose(bids, out, flags),
    groupBy: flags.groupBy,
    covariates: flags.covariates,
    dryRun: flags.dryRun,
    onNote: (message) => line.flag({ code: 'bids', severity: 'warning', message }),
  })
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { counts } = result
  process.stdout.write(
    `${counts.done} of ${counts.visits} visits of ${counts.subjects} people have a result, ${counts.failed} failed, ${counts.leftOut} left out, ${counts.notRun} not run\n${
      flags.dryRun ? '' : `Table: ${join(out, 'cohort.tsv')}\nPage: ${join(out, 'cohort.html')}\n`
    }Research only. Not for diagnosis.\n`,
  )
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0))
    throw new CommanderError(2, 'lesionwise.number', `"${text}" is not a number from 0`)
  return value
}
