import { Command, Option } from 'commander'
import type { Language } from '../../report/words/languages.js'
import type { Modality } from '../../volume/study.js'
import { reportLanguages } from '../languages.js'
import { interruptSignal, ProgressLine } from '../progress.js'
import { between, parameter } from '../values.js'

interface Flags extends Partial<Record<Modality, string>> {
  visit?: string
  out: string
  method?: string
  model?: string
  param: Record<string, unknown>
  lesionMask?: string
  brainMask?: string
  register: boolean
  prepared?: string
  work?: string
  threshold?: number
  minSize?: number
  minVoxels?: number
  connectivity?: string
  locationRule?: 'clinical' | 'lst-ai'
  pdf?: boolean
  lang: Language
  keepPaths?: boolean
  profile?: boolean
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
  device: 'cpu' | 'webgpu' | 'cuda'
}

export function segmentCommand(): Command {
  return new Command('segment')
    .description('Find the lesions of one visit and write masks, table and report.')
    .option('--flair <file>', 'FLAIR, NIfTI, any orientation, whole head or stripped')
    .option('--t1 <file>', 'T1-weighted image; it need not be aligned')
    .option('--t2 <file>', 'T2-weighted image')
    .option('--pd <file>', 'proton-density image')
    .option('--t1gd <file>', 'T1-weighted image after gadolinium')
    .option('--visit <folder>', 'folder of one visit (BIDS, or names with FLAIR, T1, …), or flair=FILE,t1=FILE')
    .requiredOption(
      '--out <folder>',
      'folder for the results; a result that is there is replaced once the new one is complete',
    )
    .option(
      '--method <id>',
      'method (see `lesionwise methods`), several separated by commas, or all-unsupervised; default: the best for the contrasts given',
    )
    .option('--model <name>', 'model of a network: one that is shipped, or a folder that `lesionwise train` wrote')
    .option('--param <name=value>', 'a parameter of the method; may be repeated', parameter, {})
    .option('--lesion-mask <file>', 'lesions of any other tool: no segmentation, but table, locations and report')
    .option('--brain-mask <file>', 'brain mask to use')
    .option('--no-register', 'take the images as aligned by their headers')
    .option('--prepared <folder>', 'images that are aligned and bias-corrected already (and a brain mask, if any)')
    .option('--work <folder>', 'keep preparation steps here for the next run on the same images')
    .option('--threshold <p>', "cut of the method's probability, 0–1", between(0, 1))
    .option('--min-size <mm3>', 'smallest lesion, mm³ (default: 3)', between(0, 1e6))
    .option('--min-voxels <n>', 'smallest lesion, voxels (default: 3)', between(0, 1e6))
    .addOption(new Option('--connectivity <n>', 'which voxels touch (default: 18)').choices(['6', '18', '26']))
    .addOption(
      new Option('--location-rule <name>', 'order of the location classes (default: clinical)').choices([
        'clinical',
        'lst-ai',
      ]),
    )
    .option('--pdf', 'write report.pdf too')
    .addOption(new Option('--lang <code>', 'language of the report').choices([...reportLanguages]).default('en'))
    .option('--keep-paths', 'write the paths of the inputs into provenance.json')
    .option('--profile', 'print where time and memory went')
    .addHelpText(
      'after',
      `
Examples:
  lesionwise segment --flair FLAIR.nii.gz --t1 T1.nii.gz --out result
  lesionwise segment --flair FLAIR.nii.gz --out result               FLAIR alone
  lesionwise segment --visit bids/sub-01/ses-1 --out result --json
  lesionwise segment --flair F.nii.gz --t1 T1.nii.gz --out r --method schmidt2012 --param kappa=0.2
  lesionwise segment --flair F.nii.gz --t1 T1.nii.gz --out r --method roura2015,schmidt2012 --param rule=staple
  lesionwise segment --flair F.nii.gz --lesion-mask mine.nii.gz --out result

Several methods share one preparation. lesion_mask.nii.gz is what more than half of them say (rule=staple: STAPLE),
lesion_probability.nii.gz the share of them, lesion_uncertainty.nii.gz their disagreement; mask_ID.nii.gz is each one's own.`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { segment } = await import('../../run/segment.js')
  const { visitFrom } = await import('../../run/inputs.js')
  const visit = flags.visit === undefined ? {} : await visitFrom(flags.visit)
  const named = Object.fromEntries(
    (['flair', 't1', 't2', 'pd', 't1gd'] as const).filter((m) => flags[m] !== undefined).map((m) => [m, flags[m]]),
  )
  const { summary, provenance } = await segment({
    ...visit,
    ...named,
    out: flags.out,
    method: flags.method,
    params: flags.model === undefined ? flags.param : { ...flags.param, model: flags.model },
    lesionMask: flags.lesionMask,
    brainMask: flags.brainMask,
    register: flags.register,
    prepared: flags.prepared,
    work: flags.work,
    threshold: flags.threshold,
    minimumSizeMm3: flags.minSize,
    minimumVoxels: flags.minVoxels,
    connectivity: flags.connectivity === undefined ? undefined : (Number(flags.connectivity) as 6 | 18 | 26),
    locationRule: flags.locationRule,
    pdf: flags.pdf,
    language: flags.lang,
    keepPaths: flags.keepPaths,
    threads: flags.threads,
    seed: flags.seed,
    device: flags.device,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())

  if (flags.profile)
    for (const { stage, seconds, peakMegabytes } of provenance.stages)
      process.stderr.write(
        `${stage.padEnd(38)} ${seconds.toFixed(2).padStart(7)} s ${Math.round((100 * seconds) / provenance.seconds)
          .toString()
          .padStart(3)} % ${String(peakMegabytes).padStart(6)} MB\n`,
      )
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  const { printSummary } = await import('../summary.js')
  printSummary(summary, provenance, flags.out)
}
