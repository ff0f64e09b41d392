// A process of its own that prepares one case for one method and keeps the steps: what `segment` finds there, it need
// not do again. Prints one JSON value with the time of the preparation and the memory it took.
import { LesionwiseError } from '../errors.js'
import { setThreads } from '../kernels/index.js'
import { methodEntry, requireContrasts } from '../methods/registry.js'
import { peakMegabytes } from '../platform/index.js'
import { prepareWeight } from '../preprocess/pipeline.js'
import { Stages } from '../preprocess/stages.js'
import { type Input, readImage } from '../run/inputs.js'
import { contrastsUsed, prepareOrExplain } from '../run/prepare.js'
import { type Modality, modalities, type Study } from '../volume/study.js'
import type { Image } from '../volume/volume.js'

/** What the process is told, as JSON in its only argument. */
export interface PreparationTask {
  method: string
  images: Partial<Record<Modality, string>>
  /** Folder for the steps. */
  work: string
  threads: number
  seed: number
}

/** What it answers. */
export interface PreparationTime {
  seconds: number
  peakMegabytes: number
}

async function prepareCase({ method, images, work, threads, seed }: PreparationTask): Promise<PreparationTime> {
  setThreads(threads)
  const given = modalities.filter((modality) => images[modality] !== undefined)
  const entry = methodEntry(method)
  requireContrasts(entry, given)
  const inputs: Partial<Record<Modality, Input<Image>>> = {}
  for (const modality of contrastsUsed(entry, given)) inputs[modality] = await readImage(images[modality]!, modality)
  const study = Object.fromEntries(Object.entries(inputs).map(([modality, { image }]) => [modality, image])) as Study
  const others = Object.keys(study).length - 1
  const stages = new Stages(prepareWeight(others), new AbortController().signal, () => {})
  const flair = inputs.flair as Input<Image>
  await prepareOrExplain(
    { ...study, flair: flair.image },
    { flair: images.flair, work, threads, seed },
    inputs,
    entry?.needs,
    stages,
    () => {},
  )
  const seconds = stages.records.reduce((sum, stage) => sum + stage.seconds, 0)
  return { seconds, peakMegabytes: peakMegabytes() }
}

try {
  const answer = await prepareCase(JSON.parse(process.argv[2]) as PreparationTask)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
} catch (error) {
  process.stderr.write(`lesionwise: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}\n`)
  process.exitCode = error instanceof LesionwiseError ? error.exitCode : 1
}
