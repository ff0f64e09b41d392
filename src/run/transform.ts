import { type Flag, UsageError } from '../errors.js'
import { readField } from '../formats/field.js'
import { readItkAffine } from '../formats/itk.js'
import { readItkMat } from '../formats/itk-mat.js'
import { writeNifti } from '../formats/nifti.js'
import { setThreads } from '../kernels/index.js'
import { coreCount } from '../platform/index.js'
import { type Affine, compose, identity, invert } from '../volume/affine.js'
import {
  composeDeformations,
  type Deformation,
  type DisplacementField,
  deformationOf,
  resampleDeformed,
} from '../volume/deformation.js'
import { type Interpolation, resample } from '../volume/resample.js'
import type { Image, Volume } from '../volume/volume.js'
import { readBytes, readImage } from './inputs.js'
import { judgeOutput, writeWhole } from './output-file.js'

export interface TransformFilesOptions {
  /** The image to bring over. */
  image: string
  /** An image on the grid wanted. */
  like: string
  /**
   * Transform files, in the order in which the points of the wanted grid go through them: ITK text (.txt, .tfm), ANTs' .mat,
   * or displacement fields (.nii, .nii.gz). A linear one may be inverted: `inverse:FILE`. None: the images share a space.
   */
  transforms?: readonly string[]
  out: string
  /** Default `cubic`; labels and masks take `nearest`. */
  interpolation?: Interpolation
  threads?: number
  onFlag?(flag: Flag): void
}

/**
 * Brings an image onto another grid through a chain of transforms, by one interpolation.
 *
 * @throws InputError, UsageError, RunError; nothing is written then
 */
export async function transformFile(options: TransformFilesOptions): Promise<{ dims: readonly number[] }> {
  const { interpolation = 'cubic', transforms = [], out } = options
  setThreads(options.threads ?? coreCount())
  await judgeOutput(out, '--out', [options.image, options.like, ...transforms])
  const moving = await readImage(options.image, 'image')
  const like = await readImage(options.like, 'like')
  for (const flag of moving.flags) options.onFlag?.(flag)
  const chain = await readChain(transforms)
  let moved: Image
  if ('field' in chain) {
    if (interpolation === 'sinc')
      throw new UsageError('--interpolation sinc does not go with a displacement field; take cubic')
    moved = await resampleDeformed(moving.image, like.image, chain, { method: interpolation })
  } else moved = await resample(moving.image, like.image, { map: chain.map, method: interpolation })
  const bytes = await writeNifti(interpolation === 'nearest' ? asWhole(moved) : moved, { like: like.header, level: 3 })
  await writeWhole(new Map([[out, bytes]]))
  return { dims: moved.dims }
}

/** One map out of many: linear ones multiplied together, fields composed. */
async function readChain(files: readonly string[]): Promise<Deformation | { map: Affine }> {
  let before: Affine = identity
  let warp: Deformation | undefined
  for (const file of files) {
    const one = await readTransform(file)
    if (isLinear(one)) {
      if (warp) warp = { ...warp, after: compose(one, warp.after) }
      else before = compose(one, before)
    } else {
      const next = await deformationOf(one, warp ? {} : { before })
      warp = warp ? composeDeformations(next, warp) : next
    }
  }
  return warp ?? { map: before }
}

const isLinear = (one: Affine | DisplacementField): one is Affine => Array.isArray(one)

async function readTransform(argument: string): Promise<Affine | DisplacementField> {
  const inverse = argument.startsWith('inverse:')
  const file = inverse ? argument.slice('inverse:'.length) : argument
  const bytes = await readBytes(
    file,
    'a transform',
    'give an ITK transform (.txt, .tfm, .mat) or a displacement field (.nii.gz)',
  )
  if (/\.nii(\.gz)?$/i.test(file)) {
    if (inverse)
      throw new UsageError(
        `${argument}: a displacement field is not inverted here; give the field of the other direction, which register writes`,
      )
    return await readField(bytes, file)
  }
  const map = /\.mat$/i.test(file) ? readItkMat(bytes, file) : readItkAffine(new TextDecoder().decode(bytes), file)
  return inverse ? invert(map) : map
}

/** Labels stay whole numbers: the smallest type that holds them, or the image as it is where it has fractions. */
function asWhole(image: Image): Volume {
  let [least, most] = [0, 0]
  for (const value of image.data) {
    if (!Number.isInteger(value)) return image
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least >= 0 && most <= 255) return { ...image, data: Uint8Array.from(image.data) }
  if (least >= -32768 && most <= 32767) return { ...image, data: Int16Array.from(image.data) }
  return { ...image, data: Int32Array.from(image.data) }
}
