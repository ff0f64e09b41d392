import { readFile } from 'node:fs/promises'
import { type Flag, InputError, MethodError, UsageError } from '../errors.js'
import { setThreads } from '../kernels/index.js'
import { anatomyOf } from '../lesions/anatomy.js'
import { chosenLocations } from '../lesions/chosen-location.js'
import { findLesions, type Lesion, type LesionSet, type Location, measureIntensities } from '../lesions/instances.js'
import { locateLesions, locationRules } from '../lesions/location.js'
import { summarise } from '../lesions/summary.js'
import type { AnySegmentationMethod, MethodEntry } from '../methods/define.js'
import { isPanel, loadPanel } from '../methods/panel.js'
import { defaultMethod, loadMethod, methodEntry, requireContrasts } from '../methods/registry.js'
import { methodOfModel } from '../network/model.js'
import { coreCount, now, peakMegabytes, runtime } from '../platform/index.js'
import { isStripped } from '../preprocess/brain.js'
import { type Preparation, prepareWeight } from '../preprocess/pipeline.js'
import { Stages } from '../preprocess/stages.js'
import type { ReportInput } from '../report/input.js'
import { buildReport } from '../report/page.js'
import { qualityFlags } from '../report/quality.js'
import { dilate } from '../volume/morphology.js'
import { resampleMask } from '../volume/resample.js'
import { type LesionMap, type Modality, modalities, type Study } from '../volume/study.js'
import { type Image, type Mask, maskWhere, sameGrid } from '../volume/volume.js'
import { brainMaskIn, type Input, readImage, readMask, visitFrom } from './inputs.js'
import { type ImageSource, methodStage, type SegmentOptions, type SegmentResult } from './options.js'
import { openOutputFolder } from './output-folder.js'
import { contrastsUsed, prepareOrExplain } from './prepare.js'
import type { Provenance } from './provenance.js'
import { buildPdf } from './report-pdf.js'
import { furtherMaps, packed } from './segment-files.js'

/**
 * Segments the lesions of one visit: prepares the images, runs a method, describes the lesions, writes the report.
 *
 * @example
 * const { summary } = await segment({ flair: 'FLAIR.nii.gz', t1: 'T1.nii.gz', out: 'result' })
 * console.log(summary.lesionCount, summary.lesionVolumeMl)
 *
 * @throws UsageError (no FLAIR, unknown method, bad parameter), InputError (an unusable file, nothing is written),
 *   RunError (the output folder), MethodError. An earlier result in `out` stays as it was when anything is thrown.
 */
export async function segment(options: SegmentOptions): Promise<SegmentResult> {
  const started = new Date()
  const clock = now()
  const signal = options.signal ?? new AbortController().signal
  setThreads(options.threads ?? coreCount())

  const sources = await sourcesOf(options)
  const given = modalities.filter((modality) => sources[modality] !== undefined)
  const maskGiven = options.lesionMask !== undefined
  const { entry, method } = maskGiven ? {} : await methodFor(options, given)
  if (entry) requireContrasts(entry, given)
  else if (!sources.flair)
    throw new UsageError('--lesion-mask needs the FLAIR it was drawn on; give it with --flair FILE')
  const params = method ? parametersOf(method, options.params ?? {}) : {}
  const { device = 'cpu' } = options
  if (device !== 'cpu' && method?.strategy !== 'deep')
    throw new UsageError(
      `--device ${device}: ${method?.id ?? 'a given mask'} uses no network, so nothing would run there; leave it out`,
    )

  const folder = options.out === undefined ? undefined : await openOutputFolder(options.out)
  try {
    const flags: Flag[] = []
    const flag = (one: Flag) => {
      flags.push(one)
      options.onFlag?.(one)
    }
    const inputs = await readInputs(options, sources, entry, given)
    for (const { flags: found } of Object.values(inputs)) for (const one of found) flag(one)
    const flairInput = inputs.flair as Input<Image>
    const study = Object.fromEntries(
      modalities.filter((modality) => inputs[modality]).map((modality) => [modality, inputs[modality]!.image]),
    ) as Study & { flair: Image }

    const others = Object.keys(study).length - 1
    const stages = new Stages(prepareWeight(others) + 8 + 2 + 5, signal, (event) => options.onProgress?.(event))
    const prepared = await prepareOrExplain(study, options, inputs, entry?.needs, stages, flag)
    const flair = flairInput.image

    const brain = await prepared.toNative.mask(prepared.study.brain)
    const map = await stages.run(maskGiven ? 'Reading the lesion mask' : methodStage, 8, async (progress) =>
      method
        ? await runMethod(method, params, prepared, options, signal, progress)
        : { mask: await onFlairGrid(inputs.lesionMask!.image as Mask, flair, options.lesionMask!) },
    )
    for (const one of map.flags ?? []) flag(one)
    const nativeMask = method ? await prepared.toNative.mask(map.mask) : map.mask
    const probability = map.probability && (await prepared.toNative.image(map.probability))
    const further = await furtherMaps(map, prepared)

    const set = await stages.run(
      'Describing lesions',
      2,
      async () => await described(findLesions(nativeMask, options), prepared, flair, options),
    )
    const stripped = isStripped(flair)
    const quality = qualityFlags({ flair, brain, study: prepared.study, stripped, lesionCount: set.lesions.length })
    for (const one of quality.flags) flag(one)

    const summary = summarise({
      ...set,
      brain,
      flags,
      method: maskGiven ? 'given' : entry!.id,
    })
    const about = maskGiven
      ? givenMask
      : { id: entry!.id, title: entry!.title, describe: entry!.describe, citation: entry!.citation }
    const version = await packageVersion()
    const t1 = prepared.study.images.t1
    const [report, pdf] = await stages.run('Writing the report', 5, async () => {
      const input: ReportInput = {
        flair,
        analysed: await prepared.toNative.image(prepared.study.images.flair!),
        ...(options.visitLabel === undefined ? {} : { visitLabel: options.visitLabel }),
        labels: set.labels,
        lesions: set.lesions,
        summary,
        brain,
        probability,
        ...(t1 ? { t1: await prepared.toNative.image(t1) } : {}),
        contrasts: Object.keys(prepared.study.images) as Modality[],
        method: about,
        params,
        paramNotes: method ? notesOf(method) : {},
        settings: {
          minimumVoxels: set.minimumVoxels,
          locationRule: options.locationRule ?? 'clinical',
          probabilityCut: options.threshold,
        },
        registrationTrust: trustOf(prepared, 't1'),
        threshold: options.threshold === undefined ? map.figures?.threshold : undefined,
        maskGiven,
        stages: stages.records,
        seconds: (now() - clock) / 1000,
        software: { name: 'Lesionwise', version, runtime: runtime() },
        date: started.toISOString().slice(0, 10),
        language: options.language,
      }
      return [await buildReport(input), options.pdf ? await buildPdf(input) : undefined] as const
    })
    const provenance = provenanceOf({ options, inputs, entry, params, prepared, stages, version, started, clock })
    const files = await packed({
      set,
      probability,
      further,
      brain,
      summary,
      report,
      pdf,
      provenance,
      header: flairInput.header,
    })
    signal.throwIfAborted()
    await folder?.publish(files)
    return {
      mask: set.mask,
      instances: set.labels,
      ...(probability ? { probability } : {}),
      brain,
      lesions: set.lesions,
      summary,
      flags,
      provenance,
      report,
      ...(pdf ? { pdf } : {}),
      files: folder ? [...files.keys()] : [],
    }
  } finally {
    await folder?.release()
  }
}

/** The method or methods that were asked for, or the one that runs the given model, or the best for these contrasts. */
export async function methodFor(
  { method, params }: SegmentOptions,
  given: readonly Modality[],
): Promise<{ entry?: MethodEntry; method?: AnySegmentationMethod }> {
  if (method && isPanel(method)) return await loadPanel(method, given)
  const entry = method
    ? methodEntry(method)
    : typeof params?.model === 'string'
      ? methodEntry(await methodOfModel(params.model))
      : defaultMethod(given)
  return { entry, method: await loadMethod(entry.id) }
}

/** The registration check of a contrast, as its alignment step recorded it. */
function trustOf({ study }: Preparation, modality: Modality): number | undefined {
  const trust = study.records.find(({ step }) => step === `align-${modality}`)?.result?.trust
  return typeof trust === 'number' ? trust : undefined
}

/** What stands for a method where lesions were given. */
export const givenMask = {
  id: 'given',
  title: 'Lesion mask given by the user',
  describe: 'The lesions are those of a mask that was given; nothing was segmented.',
}

/** The images named one by one, or those of a prepared folder. */
async function sourcesOf(options: SegmentOptions): Promise<Partial<Record<Modality, ImageSource>>> {
  const named = Object.fromEntries(
    modalities.filter((modality) => options[modality] !== undefined).map((modality) => [modality, options[modality]!]),
  )
  return options.prepared === undefined ? named : { ...(await visitFrom(options.prepared)), ...named }
}

/** @throws UsageError naming the parameter, what it may be, and what was given */
export function parametersOf(method: AnySegmentationMethod, given: Record<string, unknown>): Record<string, unknown> {
  const known = Object.keys(method.params.shape)
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`${method.id} has no parameter "${unknown}"; it has ${known.join(', ') || 'none'}`)
  const parsed = method.params.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const name = String(issue.path[0])
  throw new UsageError(`${method.id}: ${name} = ${JSON.stringify(given[name])} will not do: ${issue.message}`)
}

/** What each parameter of a method is. */
export const notesOf = ({ params }: AnySegmentationMethod): Record<string, string> =>
  Object.fromEntries(
    Object.entries(params.shape).map(([name, schema]) => [
      name,
      (schema as { description?: string }).description ?? '',
    ]),
  )

type Inputs = Partial<Record<Modality, Input<Image>>> & { brain?: Input<Mask>; lesionMask?: Input<Mask> }

/** Reads and judges everything before any work begins. */
async function readInputs(
  options: SegmentOptions,
  sources: Partial<Record<Modality, ImageSource>>,
  entry: MethodEntry | undefined,
  given: readonly Modality[],
): Promise<Inputs> {
  const inputs: Inputs = {}
  for (const modality of contrastsUsed(entry, given)) inputs[modality] = await readImage(sources[modality]!, modality)
  const brain = options.brainMask ?? (options.prepared && (await brainMaskIn(options.prepared)))
  if (brain) inputs.brain = await readMask(brain, 'brain mask')
  if (inputs.brain?.image.data.every((v) => v === 0))
    throw new InputError(brain!, 'the brain mask is empty', 'give a mask with the brain in it, or leave it out')
  if (options.lesionMask) inputs.lesionMask = await readMask(options.lesionMask, 'lesion mask')
  return inputs
}

async function runMethod(
  method: AnySegmentationMethod,
  params: Record<string, unknown>,
  { study }: Preparation,
  options: SegmentOptions,
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<LesionMap> {
  const map = await method.segment(study, params, {
    progress: (_, fraction) => progress(fraction),
    signal,
    seed: options.seed ?? 1,
    threads: options.threads ?? coreCount(),
    device: options.device ?? 'cpu',
  })
  if (options.threshold === undefined) return map
  if (!map.probability)
    throw new UsageError(`${method.id} gives no probability, so --threshold has nothing to cut; leave it out`)
  const cut = options.threshold
  const mask = maskWhere(map.probability, (p) => p >= cut)
  if (!sameGrid(mask, study.grid)) throw new MethodError(`${method.id} answered on a grid of its own.`)
  return { ...map, mask }
}

/** A user's mask on the FLAIR's grid; one from elsewhere is brought over by its header. */
async function onFlairGrid(mask: Mask, flair: Image, source: string): Promise<Mask> {
  if (sameGrid(mask, flair, 0.1)) return { ...mask, dims: flair.dims, affine: flair.affine }
  const moved = await resampleMask(mask, flair, { method: 'linear' })
  if (mask.data.some((v) => v !== 0) && moved.data.every((v) => v === 0))
    throw new InputError(source, 'lies outside the FLAIR', 'give the mask that belongs to this FLAIR')
  return moved
}

async function described(
  set: LesionSet,
  prepared: Preparation,
  flair: Image,
  options: SegmentOptions,
): Promise<LesionSet> {
  // A rim of half-bright voxels around a lesion reads as grey matter: a millimetre more than the lesion is no cortex.
  const onStudy = await resampleMask(set.mask, prepared.study.grid)
  const anatomy = await anatomyOf(prepared.study, await dilate(onStudy, 1))
  let lesions = await locateLesions(set.lesions, set.labels, anatomy, locationRules[options.locationRule ?? 'clinical'])
  for (const modality of Object.keys(prepared.study.images) as Modality[]) {
    const image = modality === 'flair' ? flair : await prepared.toNative.image(prepared.study.images[modality]!)
    lesions = measureIntensities(lesions, set.labels, modality, image)
  }
  const chosen = chosenLocations(set.labels, options.chosenLocations ?? [])
  return { ...set, lesions: lesions.map((lesion) => withLocation(lesion, chosen.get(lesion.id))) }
}

/** A lesion with the location that a rater chose, if any. */
const withLocation = (lesion: Lesion, location: Location | undefined): Lesion =>
  location === undefined
    ? lesion
    : { ...lesion, location, touches: [location, ...(lesion.touches ?? []).filter((region) => region !== location)] }

function provenanceOf({
  options,
  inputs,
  entry,
  params,
  prepared,
  stages,
  version,
  started,
  clock,
}: {
  options: SegmentOptions
  inputs: Inputs
  entry: MethodEntry | undefined
  params: Record<string, unknown>
  prepared: Preparation
  stages: Stages
  version: string
  started: Date
  clock: number
}): Provenance {
  const {
    register = true,
    threshold,
    minimumSizeMm3 = 3,
    minimumVoxels = 3,
    connectivity = 18,
    locationRule = 'clinical',
    seed = 1,
  } = options
  return {
    schemaVersion: 1,
    software: { name: 'lesionwise', version, node: process.versions.node },
    method: { id: entry?.id ?? 'given', params, ...(entry ? { citation: entry.citation.text } : {}) },
    options: {
      register,
      threshold,
      minimumSizeMm3,
      minimumVoxels,
      connectivity,
      locationRule,
      seed,
      ...(options.chosenLocations?.length ? { chosenLocations: options.chosenLocations } : {}),
      threads: options.threads ?? coreCount(),
    },
    inputs: Object.values(inputs).map(({ about: { path, ...rest } }) =>
      options.keepPaths && path ? { ...rest, path } : rest,
    ),
    steps: [...prepared.study.records],
    stages: stages.records,
    started: started.toISOString(),
    finished: new Date().toISOString(),
    seconds: Number(((now() - clock) / 1000).toFixed(3)),
    peakMegabytes: peakMegabytes(),
  }
}

/** The version in package.json, read once. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
