import { type Flag, InputError } from '../errors.js'
import { writeField } from '../formats/field.js'
import { writeItkAffine } from '../formats/itk.js'
import { writeNifti } from '../formats/nifti.js'
import { setThreads } from '../kernels/index.js'
import { coreCount, now } from '../platform/index.js'
import { registerDeformable } from '../preprocess/deformable.js'
import { register, registrationCheck, trustworthy } from '../preprocess/register.js'
import { type Affine, invert } from '../volume/affine.js'
import { jacobianDeterminant, resampleDeformed } from '../volume/deformation.js'
import { type Interpolation, resample } from '../volume/resample.js'
import { readImage, readMask } from './inputs.js'
import type { ImageSource, Progress } from './options.js'
import { openOutputFolder } from './output-folder.js'

/** Rigid, with a common scale, with three scales and shears, or deformable (diffeomorphic flow; free-form by B-splines). */
export type RegisterKind = 'rigid' | 'similarity' | 'affine' | 'velocity' | 'bspline'

export interface RegisterFilesOptions {
  fixed: ImageSource
  moving: ImageSource
  out?: string
  kind?: RegisterKind
  fixedMask?: string
  interpolation?: Interpolation
  threads?: number
  seed?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** What `--json` prints, and registration.json holds. */
export interface RegisterResult {
  schemaVersion: 1
  kind: RegisterKind
  /** The linear part: RAS mm of the fixed image → RAS mm of the moving one. */
  map: Affine
  /** Of the linear part: 0–1, and whether that is enough to trust it. */
  check: number
  trusted: boolean
  similarity: number
  /** Smallest and largest of the deformation's Jacobian determinant. */
  jacobian?: [number, number]
  flags: Flag[]
  seconds: number
}

const isOwn = (name: string): boolean =>
  /^(moved|jacobian)\.nii\.gz$|^registration\.json$|^from-(moving|fixed)_to-(fixed|moving)_mode-image_xfm\.(txt|nii\.gz)$/.test(
    name,
  )

/**
 * Aligns one image to another and brings it onto its grid, by one interpolation.
 *
 * @throws InputError, RunError. An earlier result in `out` stays as it was when anything is thrown.
 */
export async function registerFiles(options: RegisterFilesOptions): Promise<RegisterResult> {
  const clock = now()
  const { kind = 'rigid', interpolation = 'cubic', seed = 1, signal } = options
  setThreads(options.threads ?? coreCount())
  const folder = options.out === undefined ? undefined : await openOutputFolder<string>(options.out, isOwn)
  try {
    const flags: Flag[] = []
    const flag = (one: Flag) => {
      flags.push(one)
      options.onFlag?.(one)
    }
    const fixed = await readImage(options.fixed, 'fixed')
    const moving = await readImage(options.moving, 'moving')
    for (const one of [...fixed.flags, ...moving.flags]) flag(one)
    const fixedMask =
      options.fixedMask === undefined ? undefined : (await readMask(options.fixedMask, 'fixed mask')).image
    if (fixedMask?.data.every((v) => v === 0))
      throw new InputError(options.fixedMask!, 'the mask is empty', 'give a mask of what counts, or leave it out')

    const freedom = { rigid: 6, similarity: 7, affine: 12, velocity: 12, bspline: 12 } as const
    const share = kind === 'velocity' || kind === 'bspline' ? 0.3 : 1
    const { map, similarity } = await register(fixed.image, moving.image, {
      dof: freedom[kind],
      ...(fixedMask ? { fixedMask } : {}),
      seed,
      signal,
      progress: (part) => options.onProgress?.({ stage: 'Aligning', fraction: share * part }),
    })
    const check = await registrationCheck(fixed.image, moving.image, map, fixedMask)
    if (!trustworthy(check))
      flag({
        code: 'registration-check-failed',
        severity: 'serious',
        message: `The images do not fit each other (check ${check.toFixed(2)}): the registration failed, or they show different people.`,
      })
    const files = new Map<string, Uint8Array | string>()
    files.set('from-moving_to-fixed_mode-image_xfm.txt', writeItkAffine(map))
    files.set('from-fixed_to-moving_mode-image_xfm.txt', writeItkAffine(invert(map)))
    const like = fixed.header ? { like: fixed.header } : {}
    let jacobian: [number, number] | undefined
    if (kind === 'velocity' || kind === 'bspline') {
      const warp = await registerDeformable(fixed.image, moving.image, {
        initial: map,
        model: kind,
        ...(fixedMask ? { fixedMask } : {}),
        signal,
        progress: (part) => options.onProgress?.({ stage: 'Deforming', fraction: share + (1 - share) * part }),
      })
      const volume = await jacobianDeterminant(warp.field)
      jacobian = [Infinity, -Infinity]
      for (const value of volume.data) jacobian = [Math.min(jacobian[0], value), Math.max(jacobian[1], value)]
      if (folder) {
        const moved = await resampleDeformed(moving.image, fixed.image, warp, { method: nearestOf(interpolation) })
        files.set('moved.nii.gz', await writeNifti(moved, { ...like, level: 3 }))
        files.set('jacobian.nii.gz', await writeNifti(volume, { level: 3 }))
        files.set('from-moving_to-fixed_mode-image_xfm.nii.gz', await writeField(warp.field, { level: 1 }))
        files.set('from-fixed_to-moving_mode-image_xfm.nii.gz', await writeField(warp.inverse, { level: 1 }))
      }
    } else if (folder) {
      const moved = await resample(moving.image, fixed.image, { map, method: interpolation })
      files.set('moved.nii.gz', await writeNifti(moved, { ...like, level: 3 }))
    }
    const result: RegisterResult = {
      schemaVersion: 1,
      kind,
      map,
      check,
      trusted: trustworthy(check),
      similarity,
      ...(jacobian ? { jacobian } : {}),
      flags,
      seconds: Number(((now() - clock) / 1000).toFixed(2)),
    }
    files.set('registration.json', `${JSON.stringify(result, null, 2)}\n`)
    signal?.throwIfAborted()
    await folder?.publish(files)
    return result
  } finally {
    await folder?.release()
  }
}

/** Deformations are sampled by nearest, linear or cubic. */
const nearestOf = (method: Interpolation) => (method === 'sinc' ? 'cubic' : method)
