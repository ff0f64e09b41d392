import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { RunError } from '../../errors.js'
import { interruptSignal, ProgressLine } from '../progress.js'

interface Flags {
  out: string
  json?: boolean
  quiet?: boolean
  threads?: number
  seed?: number
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('Simulate a patient, run the main job on it, and compare with the known truth.')
    .option('--out <folder>', 'folder for images and results', 'lesionwise-demo')
    .addHelpText('after', '\nExamples:\n  lesionwise demo\n  lesionwise demo --seed 7 --out /tmp/demo')
    .action(run)
}

async function run({ out, json, quiet, threads, seed = 1 }: Flags): Promise<void> {
  const started = performance.now()
  const signal = interruptSignal()
  const line = new ProgressLine(quiet === true)
  const { simulateStudy } = await import('../../simulate/study.js')
  const { writeNifti } = await import('../../formats/nifti.js')
  const { segment } = await import('../../run/segment.js')
  const { dice } = await import('../../evaluate/overlap.js')
  const { lesionF1 } = await import('../../evaluate/lesionwise.js')

  line.update({ stage: 'Simulating a patient', fraction: 0 })
  const patient = await simulateStudy({ seed })
  const input = join(out, 'input')
  try {
    await mkdir(input, { recursive: true })
    for (const [name, volume] of [
      ['FLAIR', patient.flair],
      ['T1', patient.t1],
      ['truth', patient.truth],
    ] as const)
      await writeFile(join(input, `${name}.nii.gz`), await writeNifti(volume, { level: 1 }))
  } catch (cause) {
    throw new RunError(`${out}: cannot be written (${(cause as Error).message}); give another --out`, { cause })
  }
  const result = join(out, 'result')
  const { mask, summary, provenance } = await segment({
    flair: join(input, 'FLAIR.nii.gz'),
    t1: join(input, 'T1.nii.gz'),
    out: result,
    // A simulated patient has no identity to keep: `view` finds the images by their paths.
    keepPaths: true,
    threads,
    seed,
    signal,
    onProgress: (event) => line.update(event),
    onFlag: (flag) => line.flag(flag),
  }).finally(() => line.end())
  const truth = { ...patient.truth, affine: mask.affine }
  const overlap = dice(truth, mask)
  const lesions = lesionF1(truth, mask)
  const seconds = (performance.now() - started) / 1000
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ dice: overlap, lesionSensitivity: lesions.sensitivity, lesionF1: lesions.f1, seconds, report: join(result, 'report.html'), summary })}\n`,
    )
    return
  }
  const { printSummary } = await import('../summary.js')
  printSummary(summary, provenance, result)
  process.stdout.write(
    `Against the known truth: Dice ${overlap.toFixed(3)}, ${(100 * lesions.sensitivity).toFixed(0)} % of the lesions found (F1 ${lesions.f1.toFixed(2)}). ${seconds.toFixed(1)} s in all.\nLook at it and correct it: lesionwise view ${result}\n`,
  )
}
