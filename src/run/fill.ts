import { type Flag, InputError, UsageError } from '../errors.js'
import { readNiftiValues } from '../formats/nifti.js'
import { replaceVoxels } from '../formats/nifti-patch.js'
import { setThreads } from '../kernels/index.js'
import { type FillFigures, fillLesions } from '../lesions/fill.js'
import { fillableRim, gapRim, whiteMatterSources } from '../lesions/fill-source.js'
import { coreCount, now } from '../platform/index.js'
import { preparing } from '../preprocess/context.js'
import { alignedWithin, largestMove, locate, locateWeight } from '../preprocess/locate.js'
import { brainIn, place, placeWeight } from '../preprocess/place.js'
import { usual } from '../preprocess/recipe.js'
import { register, registrationCheck, trustworthy } from '../preprocess/register.js'
import { brainBlock, wayBack } from '../preprocess/space.js'
import { Stages } from '../preprocess/stages.js'
import { type Affine, identity } from '../volume/affine.js'
import { crop } from '../volume/crop.js'
import { reorient, towardsRas } from '../volume/orient.js'
import { resample } from '../volume/resample.js'
import { countVoxels, type Image, type Mask, maskWhere, sameGrid, volumeMl, voxelVolume } from '../volume/volume.js'
import { bringMask } from './bring-mask.js'
import { readBytes, readImage, readMask } from './inputs.js'
import { readLesionMask } from './masks.js'
import type { Progress } from './options.js'
import { judgeOutput, writeWhole } from './output-file.js'

export interface FillFilesOptions {
  /** The T1 to fill: NIfTI, any orientation, whole head or stripped. */
  t1: string
  /** Lesions, on any grid of the T1's space, or of the FLAIR's where one is given. Any label counts. */
  lesionMask: string
  /** .nii or .nii.gz; a .json of the same name is written beside it. */
  out: string
  /** The FLAIR that the mask was drawn on, when its header does not lie right on the T1: the two are registered. */
  flair?: string
  /** Brain mask in the T1's space, to use instead of our own. */
  brainMask?: string
  /** White matter in the T1's space, as mask or probability, to use instead of our own classes. */
  whiteMatter?: string
  /** Voxels of a probability map of at least this value are lesion. */
  threshold?: number
  /** Voxels that lesions are grown by. Default 1. */
  grow?: number
  seed?: number
  threads?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** What `--json` prints, and what stands beside the filled image. */
export interface FillResult extends FillFigures {
  schemaVersion: 1
  filledMl: number
  /** Of the mask as it was given. */
  lesionMl: number
  /** Mean of the filled voxels over that of the white matter around them, and the same of the standard deviations. */
  meanRatio: number | null
  sdRatio: number | null
  parameters: { grow: number; localMm: number; wideMm: number; seed: number; whiteMatter: 'given' | 'classified' }
  flags: Flag[]
  seconds: number
}

const [localMm, wideMm] = [5, 15]
/** The largest loads of MS are a third of this; a brain or an image taken for a mask is above. */
const mostLesionMl = 400

/**
 * Fills the lesions of a T1 with what the normal white matter around them looks like, in the T1's own voxels.
 *
 * @throws UsageError, InputError (an unusable file; lesions that lie outside the T1; no white matter), RunError; nothing is
 *   written then
 */
export async function fillFiles(options: FillFilesOptions): Promise<FillResult> {
  const clock = now()
  const { out, grow = 1, seed = 1, signal = new AbortController().signal } = options
  setThreads(options.threads ?? coreCount())
  const sidecar = await judgeNames(options)
  const flags: Flag[] = []
  const flag = (one: Flag) => {
    flags.push(one)
    options.onFlag?.(one)
  }
  const t1 = await readImage(options.t1, 't1')
  const given = await readLesionMask(
    options.lesionMask,
    'lesion mask',
    options.threshold === undefined ? { anyLabel: true } : { threshold: options.threshold },
  )
  if (volumeMl(given.mask) > mostLesionMl)
    throw new InputError(
      options.lesionMask,
      `marks ${volumeMl(given.mask).toFixed(0)} ml, more than lesions take`,
      'give the mask of the lesions: 0 elsewhere',
    )
  const flair = options.flair === undefined ? undefined : await readImage(options.flair, 'flair')
  const brain = options.brainMask === undefined ? undefined : (await readMask(options.brainMask, 'brain mask')).image
  if (brain && countVoxels(brain) === 0)
    throw new InputError(
      options.brainMask!,
      'the brain mask is empty',
      'give a mask with the brain in it, or leave it out',
    )
  const white = options.whiteMatter === undefined ? undefined : await readWhite(options.whiteMatter, t1.image)
  for (const one of [...t1.flags, ...given.flags, ...(flair?.flags ?? [])]) flag(one)

  const weight = (flair ? 5 : 0) + (white ? 0 : locateWeight(0, usual) + placeWeight(1)) + 4
  const stages = new Stages(weight, signal, (event) => options.onProgress?.(event))
  const empty = countVoxels(given.mask) === 0
  // A mask in the T1's own voxels was not drawn on a FLAIR of others: registration would only move it away.
  const onT1 = sameGrid(given.mask, t1.image, 0.1) && flair && !sameGrid(given.mask, flair.image, 0.1)
  if (onT1)
    flag({
      code: 'mask-on-t1',
      severity: 'warning',
      message:
        'The lesion mask has the voxels of the T1, not those of the FLAIR: it was taken to lie on the T1, and the FLAIR is not used.',
    })
  const map = flair && !empty && !onT1 ? await toFlair(t1.image, flair.image, options, stages, seed) : identity
  const lesions = await ontoT1(given.mask, t1.image, map, options, flag)
  if (empty)
    flag({ code: 'empty-mask', severity: 'warning', message: 'The lesion mask is empty: the image was left as it is.' })
  const tissue = empty
    ? { sources: lesions, rim: lesions }
    : white
      ? { sources: whiteMatterSources(white), rim: await gapRim(white, lesions) }
      : await classified(t1.image, lesions, brain, stages, { seed, source: options.t1, flag })
  if (!empty && countVoxels(tissue.sources) === 0)
    throw new InputError(
      options.whiteMatter ?? options.t1,
      'no white matter was found to take values from',
      options.whiteMatter ? 'give the white matter of this T1' : 'give it with --white-matter',
    )
  const filling = await stages.run('Filling the lesions', 4, async () =>
    fillLesions(t1.image, lesions, tissue.sources, { grow, rim: tissue.rim, localMm, wideMm, seed }).catch((cause) => {
      if (!(cause instanceof RangeError)) throw cause
      throw new InputError(
        options.lesionMask,
        'covers all of the white matter, so there is none left to take values from',
        'give the mask of the lesions',
        { cause },
      )
    }),
  )
  const { figures } = filling
  if (figures.widenedVoxels > 0.05 * figures.filledVoxels)
    flag({
      code: 'little-white-matter-near',
      severity: 'info',
      message: `${figures.widenedVoxels} of ${figures.filledVoxels} filled voxels have little normal white matter near; a wider neighbourhood was used for them.`,
    })
  const ratio = (a: number, b: number) => (Number.isFinite(a / b) ? Number((a / b).toFixed(4)) : null)
  const result: FillResult = {
    schemaVersion: 1,
    ...figures,
    filledMl: rounded((figures.filledVoxels * voxelVolume(t1.image)) / 1000),
    lesionMl: rounded(volumeMl(given.mask)),
    meanRatio: ratio(figures.meanFilled, figures.meanAround),
    sdRatio: ratio(figures.sdFilled, figures.sdAround),
    parameters: { grow, localMm, wideMm, seed, whiteMatter: white ? 'given' : 'classified' },
    flags,
    seconds: Number(((now() - clock) / 1000).toFixed(2)),
  }
  const bytes = await replaceVoxels(await readBytes(options.t1), options.t1, filling.voxels, filling.values, {
    compress: out.endsWith('.gz'),
  })
  signal.throwIfAborted()
  await writeWhole(
    new Map<string, Uint8Array | string>([
      [out, bytes],
      [sidecar, `${JSON.stringify(result, null, 2)}\n`],
    ]),
  )
  return result
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

/** The name of the file beside the image. @throws UsageError for names that will not do, or that are inputs */
async function judgeNames({ out, grow = 1, ...options }: FillFilesOptions): Promise<string> {
  if (!/\.nii(\.gz)?$/i.test(out))
    throw new UsageError(`--out ${out} is no image; give a name that ends in .nii.gz or .nii`)
  if (!Number.isInteger(grow) || grow < 0 || grow > 10) throw new UsageError(`--grow takes 0 to 10 voxels, not ${grow}`)
  const inputs = [options.t1, options.lesionMask, options.flair, options.brainMask, options.whiteMatter]
  const sidecar = out.replace(/\.nii(\.gz)?$/i, '.json')
  for (const name of [out, sidecar])
    await judgeOutput(
      name,
      '--out',
      inputs.filter((input) => input !== undefined),
    )
  return sidecar
}

/** T1 RAS mm → FLAIR RAS mm. @throws InputError where the two do not fit */
async function toFlair(
  t1: Image,
  flair: Image,
  options: FillFilesOptions,
  stages: Stages,
  seed: number,
): Promise<Affine> {
  return await stages.run('Aligning FLAIR to T1', 5, async (progress) => {
    const found = await register(t1, flair, { dof: 6, seed, signal: stages.signal, progress })
    const map = largestMove(found.map, t1) >= alignedWithin ? found.map : identity
    const check = await registrationCheck(t1, flair, map)
    if (!trustworthy(check))
      throw new InputError(
        options.flair!,
        `does not fit the T1 (check ${check.toFixed(2)}): the registration failed, or they show different people`,
        'give the FLAIR and the T1 of one person, or a mask that lies in the T1’s space without --flair',
      )
    return map
  })
}

/** The lesions on the T1's voxels. @throws InputError where none of them lies there */
async function ontoT1(
  mask: Mask,
  t1: Image,
  map: Affine,
  { lesionMask }: FillFilesOptions,
  flag: (one: Flag) => void,
): Promise<Mask> {
  const { mask: moved, before, after, flags } = await bringMask(mask, t1, 'the T1', map)
  if (before > 0 && after === 0)
    throw new InputError(
      lesionMask,
      'has no lesion within the T1',
      'give the mask that belongs to this T1, or the FLAIR it was drawn on with --flair',
    )
  for (const one of flags) flag(one)
  return moved
}

interface Tissue {
  sources: Mask
  rim: Mask
}

/** White matter that was given, on the T1's grid. @throws InputError for what is neither mask nor probability */
async function readWhite(path: string, t1: Image): Promise<Image> {
  const { image, notFinite } = await readNiftiValues(await readBytes(path), path)
  let most = 0
  for (const value of image.data) {
    if (value < 0 || notFinite > 0)
      throw new InputError(path, 'holds values below 0 or NaN', 'give white matter as mask (0, 1) or probability (0–1)')
    if (value > most) most = value
  }
  if (most > 1.001 && image.data.some((value) => value !== 0 && value !== most))
    throw new InputError(
      path,
      `holds several values up to ${most}`,
      'give white matter as mask (0, 1) or probability (0–1)',
    )
  const unit = most > 1 ? { ...image, data: image.data.map((value) => value / most) } : image
  return sameGrid(unit, t1, 0.1) ? { ...unit, affine: t1.affine } : await resample(unit, t1)
}

/** White matter found in the T1 itself; lesions take no part in what decides on it. */
async function classified(
  t1: Image,
  lesions: Mask,
  brainMask: Mask | undefined,
  stages: Stages,
  { seed, source, flag }: { seed: number; source: string; flag(one: Flag): void },
): Promise<Tissue> {
  const work = preparing({ recipe: usual, stages, seed, onFlag: flag })
  const located = await locate({ t1 }, work, brainMask)
  const block = brainBlock(located, 'native')
  if (!block)
    throw new InputError(source, 'no brain was found in it', 'check that it shows a head, or give --brain-mask')
  const whole = await brainIn(located, block)
  const here = crop(reorient(lesions, towardsRas(lesions.affine)), block.box)
  const inside = maskWhere(whole, (value, i) => value !== 0 && here.data[i] !== 0)
  const outside = countVoxels(lesions) - countVoxels(inside)
  if (outside > 0.5 * countVoxels(lesions))
    flag({
      code: 'lesions-outside-brain',
      severity: 'serious',
      message: `${outside} of ${countVoxels(lesions)} lesion voxels lie outside the brain: the mask may belong to another image, or need the FLAIR it was drawn on.`,
    })
  const brain = { ...whole, data: whole.data.map((value, i) => (here.data[i] !== 0 ? 0 : value)) }
  const { tissue, atlas } = await place(located, block, work, { brain })
  const back = wayBack(block, located)
  return {
    sources: await back.mask(whiteMatterSources(tissue!.wm)),
    rim: await back.mask(fillableRim(tissue!, atlas)),
  }
}
