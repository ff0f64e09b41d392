import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Flag, InputError, UsageError } from '../errors.js'
import { judgeImage, type NiftiHeader, readNifti, readNiftiMask } from '../formats/nifti.js'
import { orientation, voxelSizes } from '../volume/affine.js'
import { type Modality, modalities } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'
import type { ImageSource } from './options.js'
import type { Provenance } from './provenance.js'

/** An image that was given, read and judged. */
export interface Input<T> {
  image: T
  header?: NiftiHeader
  flags: Flag[]
  /** sha256 of the file's bytes, or of the voxels of an image in memory. */
  sha256: string
  about: Provenance['inputs'][number]
}

/** Reads an image file (or takes one from memory) for the role it plays. @throws InputError naming the file */
export async function readImage(source: ImageSource, role: string): Promise<Input<Image>> {
  if (typeof source !== 'string') {
    const sha256 = hash(new Uint8Array(source.data.buffer, source.data.byteOffset, source.data.byteLength))
    const { image, flags } = judgeImage(source, role.toUpperCase())
    return { image, flags: flags.map((flag) => named(flag, role)), sha256, about: about(role, source, sha256) }
  }
  const bytes = await readBytes(source)
  const { image, header, flags } = await readNifti(bytes, source)
  const sha256 = hash(bytes)
  return {
    image,
    header,
    flags: flags.map((flag) => named(flag, role)),
    sha256,
    about: { ...about(role, image, sha256), path: source },
  }
}

const named = (flag: Flag, role: string): Flag => ({ ...flag, message: `${role.toUpperCase()}: ${flag.message}` })

/** Reads a mask file. @throws InputError naming the file */
export async function readMask(path: string, role: string): Promise<Input<Mask>> {
  const bytes = await readBytes(path)
  const image = await readNiftiMask(bytes, path)
  const sha256 = hash(bytes)
  return { image, flags: [], sha256, about: { ...about(role, image, sha256), path } }
}

/** sha256, in hexadecimal digits. */
export const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const about = (role: string, image: Image | Mask, sha256: string): Provenance['inputs'][number] => ({
  role,
  sha256,
  dims: image.dims,
  voxelSizeMm: voxelSizes(image.affine).map((mm) => Number(mm.toFixed(4))),
  orientation: orientation(image.affine),
})

/** The bytes of a file, which should hold `what`. @throws InputError naming the file */
export async function readBytes(
  path: string,
  what = 'an image',
  fix = 'give a .nii or .nii.gz file, or --visit for a folder of them',
): Promise<Uint8Array> {
  try {
    if ((await stat(path)).isDirectory()) throw new InputError(path, `is a folder, not ${what}`, fix)
    return await readFile(path)
  } catch (cause) {
    if (cause instanceof InputError) throw cause
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' && (await isLink(path)))
      throw new InputError(path, 'is a link that leads nowhere', 'fetch the file, e.g. with `datalad get`', { cause })
    if (code === 'ENOENT') throw new InputError(path, 'there is no such file', await nearby(path), { cause })
    if (code === 'EACCES' || code === 'EPERM')
      throw new InputError(path, 'may not be read', 'give yourself read permission, or give another file', { cause })
    throw new InputError(path, `cannot be read (${message})`, 'give another file', { cause })
  }
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (about) => about.isSymbolicLink(),
    () => false,
  )

/** Names in the same folder that look like what was meant. */
async function nearby(path: string): Promise<string> {
  const names = await readdir(dirname(path)).catch(() => undefined)
  if (!names) return `the folder ${dirname(path)} is not there either; check the path`
  const key = (name: string) =>
    name
      .toLowerCase()
      .replace(/\.nii(\.gz)?$/, '')
      .replace(/[^a-z0-9]/g, '')
  const wanted = key(basename(path))
  const close = names.filter(
    (name) =>
      /\.nii(\.gz)?$/i.test(name) && (key(name) === wanted || key(name).includes(wanted) || wanted.includes(key(name))),
  )
  const images = names.filter((name) => /\.nii(\.gz)?$/i.test(name))
  if (close.length > 0) return `did you mean ${close.slice(0, 3).join(' or ')}?`
  if (images.length > 0) return `the folder holds ${images.slice(0, 5).join(', ')}${images.length > 5 ? ', …' : ''}`
  return 'the folder holds no .nii or .nii.gz file; check the path'
}

/** How file names spell the contrasts: BIDS suffixes and what people write. Order matters: T1 with contrast before T1. */
const spellings: [Modality, RegExp][] = [
  ['flair', /flair/i],
  ['t1gd', /(^|[_\-. ])t1w?[-_]?(gd|ce|c|km|post)([_\-. ]|$)|ce-[a-z0-9]+.*_t1w/i],
  ['t1', /(^|[_\-. ])(t1w?|mprage)([_\-. ]|$)/i],
  ['t2', /(^|[_\-. ])t2w?([_\-. ]|$)/i],
  ['pd', /(^|[_\-. ])pd(w)?([_\-. ]|$)/i],
]

/** The contrast that the name of an image tells; undefined for masks, labels and what names no contrast. */
export function contrastInName(name: string): Modality | undefined {
  if (!/\.nii(\.gz)?$/i.test(name) || /mask|dseg|probseg|lesion|label|biasfield/i.test(name)) return undefined
  // `space-FLAIR_…_T1w` is a T1 that was brought onto a FLAIR.
  const stem = name.replace(/\.nii(\.gz)?$/i, '').replace(/(^|_)(space|desc)-[^_]*/gi, '')
  return spellings.find(([, pattern]) => pattern.test(stem))?.[0]
}

/**
 * The images of one visit, from a folder (a BIDS session, or files whose names hold FLAIR, T1, T2, PD, T1Gd) or from
 * text such as `flair=F.nii.gz,t1=T.nii.gz`.
 *
 * @throws UsageError when the text names no contrast; InputError when the folder has none, or two of one kind
 */
export async function visitFrom(argument: string): Promise<Partial<Record<Modality, string>>> {
  if (/^[a-z0-9]+=/i.test(argument)) {
    const visit: Partial<Record<Modality, string>> = {}
    for (const part of argument.split(',')) {
      const [name, ...rest] = part.split('=')
      const modality = modalities.find((one) => one === name.toLowerCase())
      if (!modality || rest.length === 0)
        throw new UsageError(`"${part}" is not CONTRAST=FILE; the contrasts are ${modalities.join(', ')}`)
      visit[modality] = rest.join('=')
    }
    return visit
  }
  return await visitFolder(argument)
}

async function visitFolder(folder: string): Promise<Partial<Record<Modality, string>>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause) => {
    throw new InputError(folder, 'is not a folder that can be read', 'give the folder of one visit', { cause })
  })
  // A BIDS session keeps its images in anat/.
  const inside = entries.some((entry) => entry.isDirectory() && entry.name === 'anat') ? join(folder, 'anat') : folder
  const visit: Partial<Record<Modality, string>> = {}
  for (const name of (await readdir(inside)).sort()) {
    const modality = contrastInName(name)
    if (!modality) continue
    const first = visit[modality]
    if (first)
      throw new InputError(
        folder,
        `holds two ${modality.toUpperCase()} images (${basename(first)} and ${name})`,
        `name the one to use with --${modality}`,
      )
    visit[modality] = join(inside, name)
  }
  if (Object.keys(visit).length === 0)
    throw new InputError(
      folder,
      'holds no .nii or .nii.gz file with FLAIR, T1, T2, PD or T1Gd in its name',
      'name the files with --flair and --t1',
    )
  return visit
}

/** The brain mask of a folder of prepared images, if there is one. */
export async function brainMaskIn(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [])
  const found = names.find((name) => /brain.*mask.*\.nii(\.gz)?$/i.test(name))
  return found && join(folder, found)
}
