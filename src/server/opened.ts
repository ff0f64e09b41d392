import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { InputError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import type { Summary } from '../lesions/summary.js'
import { contrastInName } from '../run/inputs.js'
import { bidsStem, ResultFolder } from '../run/result-files.js'
import { type Modality, modalities } from '../volume/study.js'

/** One result of `segment` or `bids` that the server has opened. */
export interface OpenedCase {
  /** The folder's path below the opened one, with `/`; `result` for that folder itself. */
  id: string
  folder: string
  files: ResultFolder
  /** Where its images are, as far as that is known. */
  images: Partial<Record<Modality, string>>
}

/** How deep results may lie below the opened folder. */
const deepest = 6
/** The folder of a result that holds what raters made of it. */
export const correctionsName = 'corrections'

export interface OpenOptions {
  /** Images of the one case that the folder is. */
  images?: Partial<Record<Modality, string>>
  /** The raw data set of BIDS derivatives. */
  raw?: string
}

/**
 * The results in a folder: the folder itself, or those below it. Links are not followed, so that nothing outside can be
 * reached; what is served later is looked up among these cases and never made from a path that a request names.
 *
 * @throws InputError when there is no result, or images are given for several
 */
export async function openCases(
  folder: string,
  { images: given = {}, raw }: OpenOptions = {},
): Promise<ReadonlyMap<string, OpenedCase>> {
  const root = await realpath(resolve(folder)).catch(() => undefined)
  if (root === undefined) throw new InputError(folder, 'there is no such folder', 'give a folder that `segment` wrote')
  if (!(await stat(root)).isDirectory())
    throw new InputError(folder, 'is a file', 'give the folder that `segment` wrote')
  if (raw !== undefined && !(await stat(raw).catch(() => undefined))?.isDirectory())
    throw new InputError(raw, 'there is no such folder', 'give the data set that `bids` was run on')
  const found = await resultsBelow(root, 0)
  if (found.length === 0)
    throw new InputError(
      folder,
      'holds no result (provenance.json beside lesion_mask.nii.gz, or what `bids` writes)',
      'give a folder that `segment` or `bids` wrote, or one that holds several',
    )
  if (found.length > 1 && Object.keys(given).length > 0)
    throw new InputError(
      folder,
      `holds ${found.length} results, but images were given for one`,
      'give the folder of one result, or leave the images out',
    )
  const sources = raw ?? (await rawOf(root))
  const cases = await Promise.all(
    found.map(async (one): Promise<OpenedCase> => {
      const id = relative(root, one.folder).split(sep).join('/') || 'result'
      const known = { ...(await keptImages(one)), ...(await rawImages(one.files, sources)) }
      return { id, ...one, images: { ...known, ...given } }
    }),
  )
  return new Map(cases.map((one) => [one.id, one]))
}

type Found = Pick<OpenedCase, 'folder' | 'files'>

async function resultsBelow(folder: string, depth: number): Promise<Found[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))
  if (names.has('provenance.json') && (names.has('lesion_mask.nii.gz') || bidsStem(names) !== undefined))
    return [{ folder, files: await ResultFolder.open(folder) }]
  if (depth === deepest) return []
  const found: Found[] = []
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })))
    if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== correctionsName)
      found.push(...(await resultsBelow(join(folder, entry.name), depth + 1)))
  return found
}

const description = z.object({ DatasetLinks: z.object({ raw: z.string() }) })
const sidecar = z.object({ Sources: z.array(z.string()) })

/** The raw data set that derivatives name, where they lie inside it. */
async function rawOf(root: string): Promise<string | undefined> {
  const bytes = await readFile(join(root, 'dataset_description.json')).catch(() => undefined)
  const link = jsonOf(bytes, description)?.DatasetLinks.raw
  return link === undefined || link.includes(':') ? undefined : resolve(root, link)
}

/** The images that the mask of BIDS derivatives was made from. */
async function rawImages(files: ResultFolder, raw: string | undefined): Promise<Partial<Record<Modality, string>>> {
  if (raw === undefined) return {}
  const bytes = await readFile(files.path('lesion_mask.nii.gz').replace(/\.nii\.gz$/, '.json')).catch(() => undefined)
  const images: Partial<Record<Modality, string>> = {}
  for (const source of jsonOf(bytes, sidecar)?.Sources ?? []) {
    const path = join(raw, source.replace(/^bids:raw:/, ''))
    const modality = contrastInName(basename(path))
    if (modality && (await stat(path).catch(() => undefined))) images[modality] = path
  }
  return images
}

/** Images whose paths were kept (`--keep-paths`) and that are still there. */
async function keptImages({ folder, files }: Found): Promise<Partial<Record<Modality, string>>> {
  // A damaged result is shown as such in the list of cases; the others are opened.
  const provenance = await files.provenance().catch(() => undefined)
  const images: Partial<Record<Modality, string>> = {}
  for (const { role, path } of provenance?.inputs ?? []) {
    if (path === undefined || !(modalities as readonly string[]).includes(role)) continue
    for (const candidate of isAbsolute(path) ? [path] : [resolve(path), join(folder, path)])
      if (await lstat(candidate).catch(() => undefined)) {
        images[role as Modality] = candidate
        break
      }
  }
  return images
}

/** What a result says of itself. @throws InputError when it is not complete, or damaged */
export async function factsOf(files: ResultFolder): Promise<{
  summary: Summary
  lesions: Record<string, string>[]
  method: string
  finished: string
}> {
  const [summary, { method, finished }, { rows }] = await Promise.all([
    files.summary(),
    files.provenance(),
    files.table(),
  ])
  return { summary, lesions: rows, method: method.id, finished }
}
