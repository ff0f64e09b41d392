import { Command, CommanderError, Option } from 'commander'
import { type Modality, modalities } from '../../volume/study.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags extends Partial<Record<Modality, string>> {
  visit: string[]
  out: string
  steps?: string
  space?: 'flair' | 't1' | 'mni' | 'halfway'
  voxel?: number
  brainMask?: string
  scale?: string
  strip?: boolean
  work?: string
  keepPaths?: boolean
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function preprocessCommand(): Command {
  return new Command('preprocess')
    .description(
      'Prepare the images of one or several visits: aligned, corrected, brain and tissue found, on one grid.',
    )
    .option('--flair <file>', 'FLAIR, NIfTI, any orientation, whole head or stripped')
    .option('--t1 <file>', 'T1-weighted image; it need not be aligned')
    .option('--t2 <file>', 'T2-weighted image')
    .option('--pd <file>', 'proton-density image')
    .option('--t1gd <file>', 'T1-weighted image after gadolinium')
    .option(
      '--visit <folder>',
      'a visit: folder (BIDS, or names with FLAIR, T1, …) or flair=FILE,t1=FILE; once for each visit',
      (one: string, before: string[]) => [...before, one],
      [],
    )
    .requiredOption('--out <folder>', 'folder for the results; a result there is replaced once the new one is complete')
    .option(
      '--steps <list>',
      'the steps that are done (register,bias,brain=bet,tissue) or changes to the usual ones (+denoise=nlm,-tissue)',
    )
    .addOption(
      new Option('--space <name>', 'where the images go (default: flair; of several visits halfway)').choices([
        'flair',
        't1',
        'mni',
        'halfway',
      ]),
    )
    .option('--voxel <mm>', "edge of cubic voxels, mm (default: the space's own voxels)", millimetres)
    .option('--strip', 'set everything outside the brain to 0')
    .option('--brain-mask <file>', 'brain mask to use')
    .option('--scale <file>', "Nyúl's scale for +normalise=nyul, as `lesionwise intensity-scale` writes it")
    .option('--work <folder>', 'keep steps here for the next run on the same images')
    .option('--keep-paths', 'write the paths of the inputs into provenance.json')
    .addHelpText(
      'after',
      `
Steps and their ways, the first of each being what its bare name means:
  register   rigid
  denoise    nlm, nlm-adaptive, diffusion, edge-diffusion, gaussian      (not among the usual steps)
  brain      surface, auto, bet, beast, robex
  bias       n4, n3, n4-lesions, n3-lesions
  normalise  zscore, zscore-robust, white-stripe, percentile, nyul       (not among the usual steps)
  tissue     mixture

Files: space-FLAIR_desc-preproc_T1w.nii.gz (each image), space-FLAIR_desc-brain_mask.nii.gz, label-GM_probseg (and WM, CSF),
desc-biasfield, from-T1w_to-FLAIR_mode-image_xfm.txt (ITK, LPS mm), qc.html, provenance.json; of several visits in visit-1, ….

Examples:
  lesionwise preprocess --flair F.nii.gz --t1 T1.nii.gz --t2 T2.nii.gz --out prepared
  lesionwise preprocess --flair F.nii.gz --t1 T1.nii.gz --space mni --steps +denoise=nlm,+normalise=zscore --out prepared
  lesionwise preprocess --visit sub-01/ses-1 --visit sub-01/ses-2 --out pair         both in their halfway space
  lesionwise segment --prepared prepared --out result                                the images that were prepared`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const signal = interruptSignal()
  const line = new ProgressLine(flags.quiet === true)
  const { preprocess } = await import('../../run/preprocess.js')
  const named = Object.fromEntries(modalities.filter((m) => flags[m] !== undefined).map((m) => [m, flags[m]]))
  const { summary, files } = await preprocess({
    ...named,
    visits: flags.visit,
    out: flags.out,
    steps: flags.steps,
    space: flags.space,
    voxelMm: flags.voxel,
    brainMask: flags.brainMask,
    scale: flags.scale,
    strip: flags.strip,
    work: flags.work,
    keepPaths: flags.keepPaths,
    threads: flags.threads,
    seed: flags.seed,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())

  if (flags.json) {
    process.stdout.write(`${JSON.stringify(summary)}\n`)
    return
  }
  for (const [i, { contrasts, brainMl, registrationCheck }] of summary.visits.entries()) {
    const checks = Object.entries(registrationCheck).map(([modality, trust]) => `${modality} check ${trust.toFixed(2)}`)
    const which = summary.visits.length > 1 ? `Visit ${i + 1}: ` : ''
    process.stdout.write(
      `${which}${contrasts.join(', ')}; brain ${Math.round(brainMl)} ml${checks.map((c) => `; ${c}`).join('')}\n`,
    )
  }
  process.stdout.write(
    `Space ${summary.space}, ${summary.dims.join(' × ')} voxels; ${files.length} files in ${flags.out} (${summary.seconds.toFixed(1)} s)\n` +
      `Look at ${flags.out}/qc.html\n`,
  )
}

function millimetres(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0.3 && value <= 8))
    throw new CommanderError(2, 'lesionwise.number', `--voxel takes an edge from 0.3 to 8 mm, not "${text}"`)
  return value
}
