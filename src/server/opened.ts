import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { InputError } from '../errors.js'
import { readTsv } from '../formats/tsv.js'
import type { Summary } from '../lesions/summary.js'
import type { Provenance } from '../run/options.js'
import { type Modality, modalities } from '../volume/study.js'

/** One result of `segment` that the server has opened. */
export interface OpenedCase {
  /** The folder's path below the opened one, with `/`; `result` for that folder itself. */
  id: string
  folder: string
  /** Where its images are, as far as that is known. */
  images: Partial<Record<Modality, string>>
}

/** How deep results may lie below the opened folder. */
const deepest = 6
/** The folder of a result that holds what raters made of it. */
export const correctionsName = 'corrections'

/**
 * The results in a folder: the folder itself, or those below it. Links are not followed, so that nothing outside can be
 * reached; what is served later is looked up among these cases and never made from a path that a request names.
 *
 * @param given images of the one case that the folder is
 * @throws InputError when there is no result, or images are given for several
 */
export async function openCases(
  folder: string,
  given: Partial<Record<Modality, string>> = {},
): Promise<ReadonlyMap<string, OpenedCase>> {
  const root = await realpath(resolve(folder)).catch(() => undefined)
  if (root === undefined) throw new InputError(folder, 'there is no such folder', 'give a folder that `segment` wrote')
  if (!(await stat(root)).isDirectory())
    throw new InputError(folder, 'is a file', 'give the folder that `segment` wrote')
  const found = await resultsBelow(root, 0)
  if (found.length === 0)
    throw new InputError(
      folder,
      'holds no result (provenance.json beside lesion_mask.nii.gz)',
      'give a folder that `segment` wrote, or one that holds several',
    )
  if (found.length > 1 && Object.keys(given).length > 0)
    throw new InputError(
      folder,
      `holds ${found.length} results, but images were given for one`,
      'give the folder of one result, or leave the images out',
    )
  const cases = await Promise.all(
    found.map(async (path): Promise<OpenedCase> => {
      const id = relative(root, path).split(sep).join('/') || 'result'
      return { id, folder: path, images: { ...(await knownImages(path)), ...given } }
    }),
  )
  return new Map(cases.map((one) => [one.id, one]))
}

async function resultsBelow(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name))
  if (names.has('provenance.json') && names.has('lesion_mask.nii.gz')) return [folder]
  if (depth === deepest) return []
  const found: string[] = []
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true })))
    if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== correctionsName)
      found.push(...(await resultsBelow(join(folder, entry.name), depth + 1)))
  return found
}

/** Images whose paths were kept (`--keep-paths`) and that are still there. */
async function knownImages(folder: string): Promise<Partial<Record<Modality, string>>> {
  const { inputs } = await readJson<Provenance>(join(folder, 'provenance.json'))
  const images: Partial<Record<Modality, string>> = {}
  for (const { role, path } of inputs ?? []) {
    if (path === undefined || !(modalities as readonly string[]).includes(role)) continue
    for (const candidate of isAbsolute(path) ? [path] : [resolve(path), join(folder, path)])
      if (await lstat(candidate).catch(() => undefined)) {
        images[role as Modality] = candidate
        break
      }
  }
  return images
}

/** What a result says of itself. */
export async function factsOf(folder: string): Promise<{
  summary: Summary
  lesions: Record<string, string>[]
  method: string
  finished: string
}> {
  const [summary, provenance, table] = await Promise.all([
    readJson<Summary>(join(folder, 'summary.json')),
    readJson<Provenance>(join(folder, 'provenance.json')),
    readFile(join(folder, 'lesions.tsv'), 'utf8').catch(() => 'id\n'),
  ])
  return {
    summary,
    lesions: readTsv(table, 'lesions.tsv').rows,
    method: provenance.method?.id ?? 'n/a',
    finished: provenance.finished,
  }
}

/** @throws InputError when the file is missing or no JSON */
export async function readJson<T>(path: string): Promise<T> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) throw new InputError(path, 'cannot be read', `run \`segment\` again for ${dirname(path)}`)
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new InputError(path, 'is no JSON', `run \`segment\` again for ${dirname(path)}`, { cause })
  }
}
