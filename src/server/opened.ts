import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { InputError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import type { Summary } from '../lesions/summary.js'
import { contrastInName } from '../run/inputs.js'
import { bidsResultName, bidsStem, readProvenance, readSummary, resultTable } from '../run/result-files.js'
import { type Modality, modalities } from '../volume/study.js'

/** What a result is read from, by what it is. */
export interface ResultFiles {
  mask: string
  summary: string
  lesions: string
  report: string
  provenance: string
  /** Lesion ids, probability, uncertainty: where the result may have them. */
  instances: string
  probability: string
  uncertainty: string
}

/** One result of `segment` or `bids` that the server has opened. */
export interface OpenedCase {
  /** The folder's path below the opened one, with `/`; `result` for that folder itself. */
  id: string
  folder: string
  files: ResultFiles
  /** Where its images are, as far as that is known. */
  images: Partial<Record<Modality, string>>
}

/** How deep results may lie below the opened folder. */
const deepest = 6
/** The folder of a result that holds what raters made of it. */
export const correctionsName = 'corrections'

/** Where each file of a result lies, by what `segment` calls it. */
function filesOf(pathOf: (name: string) => string): ResultFiles {
  return {
    mask: pathOf('lesion_mask.nii.gz'),
    summary: pathOf('summary.json'),
    lesions: pathOf('lesions.tsv'),
    report: pathOf('report.html'),
    provenance: pathOf('provenance.json'),
    instances: pathOf('lesion_instances.nii.gz'),
    probability: pathOf('lesion_probability.nii.gz'),
    uncertainty: pathOf('lesion_uncertainty.nii.gz'),
  }
}

export const segmentFiles = (folder: string): ResultFiles => filesOf((name) => join(folder, name))

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
  if (names.has('provenance.json')) {
    if (names.has('lesion_mask.nii.gz')) return [{ folder, files: segmentFiles(folder) }]
    const stem = bidsStem(names)
    if (stem !== undefined) {
      const anat = await readdir(join(folder, 'anat')).catch(() => [])
      return [{ folder, files: filesOf((name) => join(folder, bidsResultName(stem, name, anat))) }]
    }
  }
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
async function rawImages({ mask }: ResultFiles, raw: string | undefined): Promise<Partial<Record<Modality, string>>> {
  if (raw === undefined) return {}
  const bytes = await readFile(mask.replace(/\.nii\.gz$/, '.json')).catch(() => undefined)
  const images: Partial<Record<Modality, string>> = {}
  for (const source of jsonOf(bytes, sidecar)?.Sources ?? []) {
    const path = join(raw, source.replace(/^bids:raw:/, ''))
    const modality = contrastInName(basename(path))
    if (modality && (await stat(path).catch(() => undefined))) images[modality] = path
  }
  return images
}

/** Images whose paths were kept (`--keep-paths`) and that are still there. */
async function keptImages({ folder }: Found): Promise<Partial<Record<Modality, string>>> {
  // A damaged result is shown as such in the list of cases; the others are opened.
  const provenance = await readProvenance(folder).catch(() => undefined)
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
export async function factsOf(folder: string): Promise<{
  summary: Summary
  lesions: Record<string, string>[]
  method: string
  finished: string
}> {
  const [summary, { method, finished }, { rows }] = await Promise.all([
    readSummary(folder),
    readProvenance(folder),
    resultTable(folder),
  ])
  return { summary, lesions: rows, method: method.id, finished }
}
