import { type Flag, InputError, UsageError } from '../errors.js'
import { writeItkAffine } from '../formats/itk.js'
import { writeNifti } from '../formats/nifti.js'
import { setThreads } from '../kernels/index.js'
import { coreCount, now, peakMegabytes } from '../platform/index.js'
import { contrastName, type Preparing, preparing } from '../preprocess/context.js'
import { type Located, locate, locateWeight } from '../preprocess/locate.js'
import { type Placed, place, placeWeight } from '../preprocess/place.js'
import { type Recipe, readRecipe, usual } from '../preprocess/recipe.js'
import { atlasSpace, imageSpace, type Space, spaceName, worldToAtlas, worldToImage } from '../preprocess/space.js'
import { Stages } from '../preprocess/stages.js'
import { halfwaySpaces, halfwayWeight, onFirst } from '../preprocess/visits.js'
import { intensityFlags } from '../report/intensities.js'
import { buildQc } from '../report/qc.js'
import { invert } from '../volume/affine.js'
import { reorient } from '../volume/orient.js'
import { resampleMask } from '../volume/resample.js'
import { type Modality, modalities, type Study } from '../volume/study.js'
import { countVoxels, type Image, type Mask, type Volume, type VoxelArray, volumeMl } from '../volume/volume.js'
import { diskStore } from './cache.js'
import { type Input, readImage, readMask, visitFrom } from './inputs.js'
import { readIntensityScale } from './intensity-scale.js'
import type { ImageSource, Progress } from './options.js'
import { openOutputFolder } from './output-folder.js'
import type { Provenance } from './provenance.js'
import { packageVersion } from './segment.js'

/** Where the prepared images lie. */
export type SpaceName = 'flair' | 't1' | 'mni' | 'halfway'

export interface PreprocessOptions extends Partial<Record<Modality, ImageSource>> {
  /** Several visits of one person, each a folder or `flair=FILE,t1=FILE`; then no image is named by itself. */
  visits?: readonly string[]
  /** Folder for the results; left out, nothing is written. */
  out?: string
  /** The steps, as `--steps` writes them or as a recipe. Default: the usual ones. */
  steps?: string | Recipe
  /** Default: `flair` (`t1` where there is none); of several visits `halfway`. */
  space?: SpaceName
  /** Edge of cubic voxels, in mm. Default: the voxels of the space's own grid. */
  voxelMm?: number
  /** A brain mask to use instead of our own; one visit only. */
  brainMask?: string
  /** A file of `trainIntensityScale`, for `normalise=nyul`. */
  scale?: string
  /** Set everything outside the brain to 0. */
  strip?: boolean
  work?: string
  keepPaths?: boolean
  threads?: number
  seed?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** One visit's images in the space, and the ways there. */
export interface PreparedVisit extends Placed {
  space: Space
  /** What was given, by contrast, with the map from the space's world to each image (RAS mm). */
  toImage: Partial<Record<Modality, readonly number[]>>
  /** The space's world → MNI152 RAS mm. */
  toAtlas: readonly number[]
}

export interface PreprocessResult {
  visits: PreparedVisit[]
  flags: Flag[]
  summary: PreprocessSummary
  files: string[]
}

/** What `--json` prints. */
export interface PreprocessSummary {
  schemaVersion: 1
  space: string
  dims: readonly number[]
  visits: { contrasts: Modality[]; brainMl: number; registrationCheck: Partial<Record<Modality, number>> }[]
  flags: Flag[]
  seconds: number
}

/**
 * Prepares the images of one or several visits: aligned, bias-corrected, with brain mask and tissue classes, on one grid.
 *
 * @throws UsageError, InputError (nothing is written), RunError. An earlier result in `out` stays as it was when anything
 *   is thrown.
 */
export async function preprocess(options: PreprocessOptions): Promise<PreprocessResult> {
  const started = new Date()
  const clock = now()
  const signal = options.signal ?? new AbortController().signal
  setThreads(options.threads ?? coreCount())
  const recipe = typeof options.steps === 'string' ? readRecipe(options.steps) : (options.steps ?? usual)
  const sources = await sourcesOf(options)
  const spaceWanted = options.space ?? (sources.length > 1 ? 'halfway' : sources[0].flair ? 'flair' : 't1')
  check(options, sources, spaceWanted, recipe)

  const folder = options.out === undefined ? undefined : await openOutputFolder<string>(options.out, isOwn)
  try {
    const flags: Flag[] = []
    const flag = (one: Flag) => {
      flags.push(one)
      options.onFlag?.(one)
    }
    const inputs: Partial<Record<Modality, Input<Image>>>[] = []
    for (const visit of sources) {
      const read: Partial<Record<Modality, Input<Image>>> = {}
      for (const modality of modalities)
        if (visit[modality] !== undefined) read[modality] = await readImage(visit[modality], modality)
      inputs.push(read)
    }
    for (const visit of inputs) for (const { flags: found } of Object.values(visit)) for (const one of found) flag(one)
    const brain = options.brainMask === undefined ? undefined : await readMask(options.brainMask, 'brain mask')

    const scales = options.scale === undefined ? undefined : await readIntensityScale(options.scale)

    const counts = inputs.map((visit) => Object.keys(visit).length)
    const weight = counts.reduce(
      (sum, n) => sum + locateWeight(n - 1, recipe) + placeWeight(n),
      5 + halfwayWeight(counts.length),
    )
    const stages = new Stages(weight, signal, (event) => options.onProgress?.(event))
    const works: Preparing[] = inputs.map((visit) =>
      preparing({
        recipe,
        stages,
        seed: options.seed ?? 1,
        inputKeys: { ...shas(visit), ...(brain ? { brain: brain.sha256 } : {}) },
        ...(options.work ? { store: diskStore(options.work) } : {}),
        ...(scales ? { scales } : {}),
        onFlag: flag,
      }),
    )
    const located: Located[] = []
    for (const [i, visit] of inputs.entries()) located.push(await locate(studyOf(visit), works[i], brain?.image))
    for (const [i, { brain: found }] of located.entries())
      if (countVoxels(found) === 0)
        throw new InputError(nameOf(sources[i], i), 'no brain was found in it', 'check that it shows a head')

    for (const [i, visit] of located.entries())
      for (const one of await intensityDoubts(visit, located.length > 1 ? `visit ${i + 1}, ` : '')) flag(one)

    const spaces = await spacesOf(located, spaceWanted, options, works[0])
    const visits: PreparedVisit[] = []
    for (const [i, visit] of located.entries()) {
      const placed = await place(visit, spaces[i].space, works[i], { brain: spaces[i].brain })
      visits.push({
        ...(options.strip ? stripped(placed) : placed),
        space: spaces[i].space,
        toImage: Object.fromEntries(
          (Object.keys(visit.images) as Modality[]).map((m) => [m, worldToImage(spaces[i].space, visit, m)]),
        ),
        toAtlas: worldToAtlas(spaces[i].space, visit),
      })
    }
    const version = await packageVersion()
    const checks = works.map(checksOf)
    const summary: PreprocessSummary = {
      schemaVersion: 1,
      space: spaces[0].space.name,
      dims: spaces[0].space.world.dims,
      visits: visits.map(({ images, brain: mask }, i) => ({
        contrasts: Object.keys(images) as Modality[],
        brainMl: Number(volumeMl(mask).toFixed(1)),
        registrationCheck: checks[i],
      })),
      flags,
      seconds: Number(((now() - clock) / 1000).toFixed(2)),
    }
    const provenance: PreprocessProvenance = {
      schemaVersion: 1,
      software: { name: 'lesionwise', version, node: process.versions.node },
      options: {
        recipe,
        space: spaceWanted,
        voxelMm: options.voxelMm,
        strip: options.strip === true,
        seed: options.seed ?? 1,
        threads: options.threads ?? coreCount(),
      },
      visits: inputs.map((visit, i) => ({
        inputs: Object.values(visit).map(({ about: { path, ...rest } }) =>
          options.keepPaths && path ? { ...rest, path } : rest,
        ),
        steps: [...works[i].steps.records],
      })),
      stages: stages.records,
      started: started.toISOString(),
      finished: new Date().toISOString(),
      seconds: summary.seconds,
      peakMegabytes: peakMegabytes(),
    }
    if (!folder) return { visits, flags, summary, files: [] }

    const qc = await stages.run('Writing the page', 5, () =>
      buildQc({
        visits: visits.map((visit, i) => ({ ...visit, located: located[i], checks: checks[i] })),
        recipe,
        flags,
        software: { name: 'Lesionwise', version },
        date: started.toISOString().slice(0, 10),
      }),
    )
    const files = new Map<string, Uint8Array | string>()
    for (const [i, visit] of visits.entries())
      for (const [name, content] of await visitFiles(visit, recipe, visits.length > 1 ? `visit-${i + 1}/` : ''))
        files.set(name, content)
    files.set('qc.html', qc)
    files.set('provenance.json', `${JSON.stringify(provenance, null, 2)}\n`)
    signal.throwIfAborted()
    await folder.publish(files)
    return { visits, flags, summary, files: [...files.keys()] }
  } finally {
    await folder?.release()
  }
}

type PreprocessProvenance = Omit<Provenance, 'method' | 'inputs' | 'steps'> & {
  visits: Pick<Provenance, 'inputs' | 'steps'>[]
}

/** Names that an earlier run of this command may have left. */
const isOwn = (name: string): boolean =>
  name === 'qc.html' ||
  name === 'provenance.json' ||
  /^(visit-\d+\/)?(space-[A-Za-z0-9]+_|from-[A-Za-z0-9]+_to-)[^/]*\.(nii\.gz|txt)$/.test(name)

async function sourcesOf(options: PreprocessOptions): Promise<Partial<Record<Modality, ImageSource>>[]> {
  const named = Object.fromEntries(modalities.filter((m) => options[m] !== undefined).map((m) => [m, options[m]!]))
  const folders = options.visits ?? []
  if (folders.length > 1 && Object.keys(named).length > 0)
    throw new UsageError('with several visits, name their images in --visit (flair=FILE,t1=FILE), not by --flair')
  if (folders.length <= 1) return [{ ...(folders.length === 1 ? await visitFrom(folders[0]) : {}), ...named }]
  const visits: Partial<Record<Modality, ImageSource>>[] = []
  for (const one of folders) visits.push(await visitFrom(one))
  return visits
}

function check(
  { brainMask, voxelMm, scale }: PreprocessOptions,
  sources: readonly Partial<Record<Modality, ImageSource>>[],
  space: SpaceName,
  recipe: Recipe,
): void {
  if (sources.some(({ flair, t1 }) => !flair && !t1))
    throw new UsageError('every visit needs a FLAIR or a T1; give one with --flair FILE or --t1 FILE')
  if (space === 'flair' && !sources[0].flair)
    throw new UsageError('--space flair needs a FLAIR; give one, or take --space t1')
  if (space === 't1' && !sources[0].t1) throw new UsageError('--space t1 needs a T1; give one with --t1 FILE')
  if (space === 'halfway' && sources.length < 2)
    throw new UsageError('--space halfway lies between visits; give several with --visit')
  if (sources.length > 1 && sources.some(({ flair }) => (flair === undefined) !== (sources[0].flair === undefined)))
    throw new UsageError('visits are aligned by their FLAIRs (or all by their T1s); give every visit the same')
  if (brainMask && sources.length > 1) throw new UsageError('--brain-mask goes with a single visit')
  if (voxelMm !== undefined && !(voxelMm >= 0.3 && voxelMm <= 8))
    throw new UsageError(`--voxel ${voxelMm} is not an edge from 0.3 to 8 mm`)
  if ((recipe.normalise === 'nyul') !== (scale !== undefined))
    throw new UsageError('normalise=nyul and --scale FILE go together')
}

/** For each visit the space, and, of several visits, the brain that is common to all: where one of them has brain. */
async function spacesOf(
  located: readonly Located[],
  wanted: SpaceName,
  { voxelMm }: PreprocessOptions,
  work: Preparing,
): Promise<{ space: Space; brain?: Mask }[]> {
  const [first] = located
  for (const modality of ['flair', 't1'] as const)
    if (wanted === modality && !first.images[modality])
      throw new InputError(spaceName(modality), 'does not fit the other images', `take another --space`)
  const own =
    wanted === 'flair' || wanted === 't1'
      ? imageSpace(first, wanted, voxelMm)
      : wanted === 'mni'
        ? atlasSpace(first, voxelMm)
        : undefined
  if (located.length === 1) return [{ space: own! }]
  const halfway = await halfwaySpaces(located, work, voxelMm)
  return own ? await onFirst(own, halfway, located) : halfway
}

const studyOf = (visit: Partial<Record<Modality, Input<Image>>>): Study =>
  Object.fromEntries((Object.keys(visit) as Modality[]).map((modality) => [modality, visit[modality]!.image]))

const shas = (visit: Partial<Record<Modality, Input<Image>>>): Partial<Record<Modality, string>> =>
  Object.fromEntries((Object.keys(visit) as Modality[]).map((modality) => [modality, visit[modality]!.sha256]))

const nameOf = (visit: Partial<Record<Modality, ImageSource>>, index: number): string => {
  const source = visit.flair ?? visit.t1
  return typeof source === 'string' ? source : `visit ${index + 1}`
}

/** Doubts about the numbers of each image as it was given. */
async function intensityDoubts({ given, images, maps, brain }: Located, which: string): Promise<Flag[]> {
  const flags: Flag[] = []
  for (const modality of Object.keys(images) as Modality[]) {
    const image = given[modality]!
    const mask = await resampleMask(brain, image, { map: invert(maps[modality]!) })
    flags.push(...intensityFlags(`${which}${contrastName(modality)}`, image, mask))
  }
  return flags
}

/** The registration checks that the alignment steps recorded. */
const checksOf = ({ steps }: Preparing): Partial<Record<Modality, number>> =>
  Object.fromEntries(
    modalities
      .map((modality) => [modality, steps.records.find(({ step }) => step === `align-${modality}`)?.result?.trust])
      .filter(([, trust]) => typeof trust === 'number'),
  )

function stripped(placed: Placed): Placed {
  const cut = (image: Image): Image => ({
    ...image,
    data: image.data.map((value, i) => (placed.brain.data[i] !== 0 ? value : 0)),
  })
  return {
    ...placed,
    images: Object.fromEntries(Object.entries(placed.images).map(([modality, image]) => [modality, cut(image)])),
  }
}

/** A visit's files: images, brain mask, tissue, bias fields, transforms. */
async function visitFiles(
  visit: PreparedVisit,
  recipe: Recipe,
  under: string,
): Promise<[string, Uint8Array | string][]> {
  const { space, images, fields, brain, tissue, toImage, toAtlas } = visit
  const files: [string, Uint8Array | string][] = []
  const add = async <T extends VoxelArray>(name: string, volume: Volume<T>) => {
    const inFile = space.turnBack ? reorient(volume, space.turnBack) : volume
    files.push([`${under}space-${space.name}_${name}.nii.gz`, await writeNifti(inFile, { level: 3 })])
  }
  for (const [modality, image] of Object.entries(images))
    await add(`desc-preproc_${spaceName(modality as Modality)}`, image)
  // Without the brain step the whole head takes its place.
  await add(`desc-${recipe.brain === 'none' ? 'head' : 'brain'}_mask`, brain)
  for (const name of ['csf', 'gm', 'wm'] as const)
    if (tissue) await add(`label-${name.toUpperCase()}_probseg`, tissue[name])
  for (const [modality, log] of Object.entries(fields)) {
    const field = { ...log, data: log.data.map(Math.exp) }
    await add(`desc-biasfield_${spaceName(modality as Modality)}`, field)
  }
  const transform = (from: string, to: string, map: readonly number[]) =>
    files.push([`${under}from-${from}_to-${to}_mode-image_xfm.txt`, writeItkAffine(map)])
  // `from-T1w_to-FLAIR` resamples the T1w image onto the FLAIR grid: it maps points of FLAIR to points of T1w.
  for (const [modality, map] of Object.entries(toImage)) {
    const name = spaceName(modality as Modality)
    if (name === space.name) continue
    transform(name, space.name, map)
    transform(space.name, name, invert(map))
  }
  if (space.name !== 'MNI152') {
    transform('MNI152', space.name, toAtlas)
    transform(space.name, 'MNI152', invert(toAtlas))
  }
  return files
}
