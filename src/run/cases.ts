import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { InputError } from '../errors.js'
import { readTsv } from '../formats/tsv.js'

/** Masks of one case, one for each folder in the order of the folders; undefined where a folder has none. */
export interface MaskCase {
  id: string
  files: readonly (string | undefined)[]
}

export interface PairedCases {
  /** One for each mask of the first folder, by name. */
  cases: MaskCase[]
  /** For each folder the ids of its masks that belong to no case of the first. */
  extra: string[][]
}

/**
 * Finds which masks of several folders show the same case. Folders are searched with all below them; a path with `*`
 * takes the files that fit it, and what the stars stand for is the id. Otherwise the id is what BIDS entities say
 * (`sub-`, `ses-`, `run-`, of the name or of the folders), else the name without what only says that it is a mask, else
 * the folder. A session that one side does not name is taken as its only one.
 *
 * @param folders the first one says which cases there are
 * @throws InputError when a folder is none, is empty, holds two masks of one case, or has no case in common with the first
 */
export async function pairCases(folders: readonly string[]): Promise<PairedCases> {
  const [first, ...others] = await Promise.all(folders.map(masksIn))
  const matches = others.map((found, i) => match(first, found, folders[0], folders[i + 1]))
  return {
    cases: [...first].map(([id, { path }]) => ({
      id,
      files: [path, ...matches.map((matched) => matched.get(id)?.path)],
    })),
    extra: [
      [],
      ...matches.map((matched, i) => {
        const used = new Set([...matched.values()].map(({ path }) => path))
        return [...others[i]].filter(([, { path }]) => !used.has(path)).map(([id]) => id)
      }),
    ],
  }
}

/** A mask, and what its name says of whose it is. */
interface Found {
  path: string
  subject?: string
  session?: string
}

/** The folder's mask of each case of the first one. */
function match(
  first: ReadonlyMap<string, Found>,
  found: ReadonlyMap<string, Found>,
  firstFolder: string,
  folder: string,
): Map<string, Found> {
  const matched = new Map<string, Found>()
  for (const id of first.keys()) {
    const same = found.get(id)
    if (same) matched.set(id, same)
  }
  // Only one of the two names a session: it is the one, if there is no other.
  for (const [id, { subject, session, path }] of first) {
    if (matched.has(id) || subject === undefined) continue
    const free = [...found.values()].filter(
      (one) => one.subject === subject && (one.session === undefined) !== (session === undefined),
    )
    const rivals = [...first.values()].filter((one) => one.subject === subject)
    if (free.length > 1) throw twice(free[0].path, free[1].path, `the case ${id} of ${firstFolder}`)
    if (free.length === 1 && rivals.length > 1)
      throw twice(rivals[0].path, rivals[1].path, `the subject of ${free[0].path}`)
    if (free.length === 1 && path) matched.set(id, free[0])
  }
  if (matched.size === 0)
    throw new InputError(
      folder,
      `none of its masks (${some([...found.keys()])}) belongs to a case of ${firstFolder} (${some([...first.keys()])})`,
      'name the masks of a case alike, or give a list with --cases FILE',
    )
  return matched
}

const twice = (one: string, other: string, what: string): InputError =>
  new InputError(
    other,
    `both this and ${one} can be the mask of ${what}`,
    'keep one, say which with a pattern in quotes such as "DIR/*_mask.nii.gz", or give a list with --cases FILE',
  )

const some = (ids: readonly string[]): string => `${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}`

/** The masks in a folder, or of a pattern, by case. @throws InputError */
export async function masksIn(folder: string): Promise<Map<string, Found>> {
  const pattern = folder.includes('*')
  const all = pattern ? await fitting(folder) : (await imagesIn(folder)).map((path) => named(folder, path))
  if (all.length === 0)
    throw new InputError(
      folder,
      pattern ? 'no .nii or .nii.gz file fits it' : 'holds no .nii or .nii.gz file',
      'check the path; it takes one mask for each case',
    )
  const told = all.some(({ path }) => calledMask.test(stemOf(path)))
  const lesions = all.filter(({ path }) => !shownElse.test(stemOf(path)) && !(told && images.test(stemOf(path))))
  const groups = new Map<string, (Found & { id: string })[]>()
  for (const one of pattern || lesions.length === 0 ? all : lesions)
    groups.set(one.id, [...(groups.get(one.id) ?? []), one])
  const masks = new Map<string, Found>()
  for (const [id, group] of [...groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))) {
    const called = group.filter(({ path }) => /lesion/i.test(stemOf(path)))
    const chosen = called.length === 1 ? called : group
    if (chosen.length > 1) throw twice(chosen[0].path, chosen[1].path, `the case ${id}`)
    masks.set(id, chosen[0])
  }
  return masks
}

/** What lies beside lesion masks and is none: brains, ventricles, tissue, probabilities, numbered lesions … */
const shownElse =
  /(^|[_\-.])(brain|brainmask|ventricles?|tissue|GM|WM|CSF|prob|probability|probseg|instances|biasfield|xfm|jacobian)([_\-.]|$)/i
/** … and images, where masks are called so: in the MSLesSeg data T1 is a visit. */
const images = /(^|_)(flair|t1w?|t2w?|pdw?|t1gd|mprage|dwi)$/i
const calledMask = /mask|lesion|seg/i

const stemOf = (path: string): string => basename(path).replace(/\.nii(\.gz)?$/i, '')

/** All NIfTI files of a folder and the folders below, hidden ones left out. Links are followed, but not in circles. */
async function imagesIn(folder: string, above: readonly string[] = []): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? new InputError(folder, 'there is no such folder', 'check the path', { cause })
      : new InputError(folder, `cannot be read as a folder (${cause.code})`, 'give a folder of masks', { cause })
  })
  const inside = [...above, await inode(folder)]
  const paths: string[] = []
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    // A link that leads nowhere is reported when the file is read.
    const info = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry
    if (!info?.isDirectory()) {
      if (/\.nii(\.gz)?$/i.test(entry.name)) paths.push(path)
    } else if (!entry.isSymbolicLink() || !inside.includes(await inode(path)))
      paths.push(...(await imagesIn(path, inside)))
  }
  return paths
}

const inode = async (path: string): Promise<string> => {
  const { dev, ino } = await stat(path)
  return `${dev}:${ino}`
}

/** The files that fit a path with stars; a star stands for anything within one name. */
async function fitting(pattern: string): Promise<(Found & { id: string })[]> {
  const parts = pattern.split(/[\\/]/)
  const root =
    parts
      .slice(
        0,
        parts.findIndex((part) => part.includes('*')),
      )
      .join(sep) || (pattern.startsWith('/') ? sep : '.')
  const text = parts.slice(parts.findIndex((part) => part.includes('*')))
  const fit = new RegExp(`^${text.map((part) => part.split('*').map(literal).join('([^/]*)')).join('/')}$`)
  const found: (Found & { id: string })[] = []
  for (const path of await imagesIn(root)) {
    const stars = fit.exec(relative(root, path).split(sep).join('/'))?.slice(1)
    // The same star twice (sub-01/sub-01_mask) is said once.
    if (stars)
      found.push({
        path,
        id: [...new Set(stars)]
          .filter(Boolean)
          .join('_')
          .replace(/\.nii(\.gz)?$/i, ''),
      })
  }
  return found
}

const literal = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&')

/** Whose mask this is, by its name and the folders it lies in. */
function named(folder: string, path: string): Found & { id: string } {
  const above = dirname(relative(folder, path)).split(sep)
  const stem = stemOf(path)
  const entity = (name: string): string | undefined =>
    [stem, ...[...above].reverse()]
      .map((text) => new RegExp(`(?:^|_)${name}-([A-Za-z0-9]+)`).exec(text)?.[1])
      .find(Boolean)
  const [subject, session, run] = ['sub', 'ses', 'run'].map(entity)
  if (subject !== undefined)
    return {
      path,
      subject,
      ...(session === undefined ? {} : { session }),
      id: [`sub-${subject}`, session && `ses-${session}`, run && `run-${run}`].filter(Boolean).join('_'),
    }
  // `Patient_01/Masks/Consensus.nii.gz`: the first name, from the file upwards, that says more than "mask".
  const telling = [stem, ...[...above].reverse()].map(withoutMaskWords).find((name) => name !== '' && name !== '.')
  return { path, id: telling ?? stem }
}

/** A mask's case by its own name, e.g. `sub-01_ses-2` for `sub-01_ses-2_label-lesion_mask.nii.gz`. */
export const caseName = (path: string): string => named(dirname(path), path).id

const maskWords =
  /(^|[_\-. ])(masks?\d?|lesions?|les|seg|segs|segmentations?|labels?|binary|bin|wmh|flair|gt|truth|ground[_\- ]?truth|consensus|manual|expert|rater|pred|predicted|predictions?|candidates?|references?|results?|outputs?|(label|desc|space|res)-[A-Za-z0-9]+)$/i

function withoutMaskWords(name: string): string {
  let [before, now] = ['', name]
  while (before !== now) [before, now] = [now, now.replace(maskWords, '')]
  return now
}

/** A row of a list: the id, and the other columns as paths. */
export interface ListedCase {
  id: string
  files: Readonly<Record<string, string>>
}

/**
 * Reads a list of cases: a TSV with a column `id`; the other columns hold paths, relative to the TSV.
 * @throws InputError when it cannot be read, has no rows, no `id` or one of them twice
 */
export async function readCaseList(path: string): Promise<{ columns: string[]; cases: ListedCase[] }> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const seen = cause.code === 'ENOENT' ? 'there is no such file' : `cannot be read (${cause.code})`
    throw new InputError(path, seen, 'give a TSV with a column id', { cause })
  })
  const { columns, rows } = readTsv(text, path)
  if (!columns.includes('id'))
    throw new InputError(path, `has no column id (it has ${columns.join(', ')})`, 'add one that names the cases')
  if (rows.length === 0) throw new InputError(path, 'lists no case', 'add a line for each case below the header')
  const seen = new Set<string>()
  const cases = rows.map(({ id, ...files }, i) => {
    if (id === undefined) throw new InputError(path, `row ${i + 1} has no id`, 'give every case a name')
    if (seen.has(id)) throw new InputError(path, `the case ${id} is there twice`, 'give each case a name of its own')
    seen.add(id)
    return {
      id,
      files: Object.fromEntries(Object.entries(files).map(([column, file]) => [column, resolve(dirname(path), file)])),
    }
  })
  return { columns: columns.filter((name) => name !== 'id'), cases }
}
