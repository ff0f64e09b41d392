import { type Flag, InputError } from '../errors.js'
import { readMgh } from '../formats/mgh.js'
import { preparing } from '../preprocess/context.js'
import { locate, locateWeight } from '../preprocess/locate.js'
import { usual } from '../preprocess/recipe.js'
import { register, registrationCheck, trustworthy } from '../preprocess/register.js'
import { Stages } from '../preprocess/stages.js'
import { type Affine, compose, identity, invert } from '../volume/affine.js'
import { conformedGrid } from '../volume/conform.js'
import type { Modality } from '../volume/study.js'
import { type Grid, gridOf, type Image } from '../volume/volume.js'
import type { ExportOptions, SegmentedFolder } from './export.js'
import { readBytes, readImage } from './inputs.js'
import type { Provenance } from './provenance.js'

/**
 * FLAIR RAS mm → MNI152 RAS mm: as `segment` recorded it, else found anew from the images.
 *
 * @throws InputError where it was not recorded and there are no images to find it from
 */
export async function atlasMapFor(
  { folder, provenance }: SegmentedFolder,
  { flair, t1, seed = 1, signal, onProgress }: ExportOptions,
  flag: (one: Flag) => void,
): Promise<{ toAtlas: Affine; from: string }> {
  const recorded = mapOf(provenance.steps.find(({ step }) => step === 'brain')?.result?.toAtlas)
  if (recorded) return { toAtlas: recorded, from: 'recorded by segment' }
  if (flair === undefined)
    throw new InputError(
      folder,
      'does not say how its FLAIR lies to MNI152',
      'give that FLAIR with --flair (and the T1 with --t1), so that it can be found',
    )
  const study = {
    flair: (await readImage(flair, 'flair')).image,
    ...(t1 === undefined || isMgh(t1) ? {} : { t1: (await readImage(t1, 't1')).image }),
  }
  const weight = locateWeight(Object.keys(study).length - 1, usual)
  const stages = new Stages(weight, signal ?? new AbortController().signal, (event) => onProgress?.(event))
  const { toAtlas, frame } = await locate(study, preparing({ recipe: usual, stages, seed, onFlag: flag }))
  return { toAtlas: compose(toAtlas, frame), from: 'registered' }
}

/**
 * FreeSurfer's grid of a T1 (or of the FLAIR where none is given), and the map from its RAS mm to the FLAIR's.
 *
 * @throws InputError when the T1 cannot be read, or does not fit the FLAIR
 */
export async function freesurferGridFor(
  { mask, provenance }: SegmentedFolder,
  { flair, t1, seed = 1, signal }: ExportOptions,
  flag: (one: Flag) => void,
): Promise<{ grid: Grid; map: Affine; from: string }> {
  if (t1 === undefined) return { grid: conformedGrid(mask), map: identity, from: 'the FLAIR, conformed' }
  const { image, sha256 } = isMgh(t1)
    ? { image: await readMgh(await readBytes(t1, 'an image', 'give FreeSurfer’s orig.mgz'), t1), sha256: undefined }
    : await readImage(t1, 't1')
  // An mgz is on FreeSurfer's grid already; its world is that of the T1 it was made from.
  const grid = isMgh(t1) ? gridOf(image) : conformedGrid(image)
  if (flair !== undefined)
    return { grid, map: await registered(image, flair, { t1, seed, signal }), from: 'registered' }
  const recorded = alignmentOf(provenance, 't1')
  const same = sha256 === undefined || provenance.inputs.some((input) => input.role === 't1' && input.sha256 === sha256)
  if (recorded && same && trustworthy(recorded.trust))
    return { grid, map: invert(recorded.map), from: 'recorded by segment' }
  flag({
    code: 'alignment-by-header',
    severity: 'warning',
    message:
      'The result does not say how this T1 lies to its FLAIR: their headers were taken at their word. Give the FLAIR with --flair to register them.',
  })
  return { grid, map: identity, from: 'headers' }
}

/** T1 RAS mm → FLAIR RAS mm. */
async function registered(
  image: Image,
  flair: string,
  { t1, seed, signal }: { t1: string; seed: number; signal: AbortSignal | undefined },
): Promise<Affine> {
  const moving = (await readImage(flair, 'flair')).image
  const { map } = await register(image, moving, { dof: 6, seed, signal })
  const check = await registrationCheck(image, moving, map)
  if (!trustworthy(check))
    throw new InputError(
      flair,
      `does not fit ${t1} (check ${check.toFixed(2)}): the registration failed, or they show different people`,
      'give the FLAIR and the T1 of one person',
    )
  return map
}

const isMgh = (path: string): boolean => /\.mg[hz]$|\.mgh\.gz$/i.test(path)

/** How an image lies to the FLAIR, as `segment` recorded it: FLAIR RAS mm → its RAS mm, and the check of it, 0–1. */
export function alignmentOf({ steps }: Provenance, role: Modality): { map: Affine; trust: number } | undefined {
  const { map: recorded, trust } = steps.find(({ step }) => step === `align-${role}`)?.result ?? {}
  const map = mapOf(recorded)
  return map && typeof trust === 'number' ? { map, trust } : undefined
}

/** Sixteen finite numbers, or undefined for anything else. */
const mapOf = (value: unknown): Affine | undefined =>
  Array.isArray(value) && value.length === 16 && value.every((v) => Number.isFinite(v))
    ? (value as number[])
    : undefined
