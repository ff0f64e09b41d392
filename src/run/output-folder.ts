import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RunError } from '../errors.js'
import { takeLock } from './lock.js'

/**
 * The files a run may leave in its folder, beside the further maps of its method. `provenance.json` comes last: where it
 * is, the result is complete.
 */
const ownFiles = [
  'lesion_mask.nii.gz',
  'lesion_probability.nii.gz',
  'lesion_uncertainty.nii.gz',
  'lesion_instances.nii.gz',
  'brain_mask.nii.gz',
  'lesions.tsv',
  'summary.json',
  'report.html',
  'report.pdf',
  'provenance.json',
] as const
/** Further maps of a method: tissue structures, what each method of a consensus found. */
const furtherMap = /^(structures|consensus_[a-z]+|mask_[a-z0-9]+)\.nii\.gz$/
/** True for a file that `segment` may have written. */
export const isOwnFile = (name: string): boolean =>
  (ownFiles as readonly string[]).includes(name) || furtherMap.test(name)

export type OwnFile = (typeof ownFiles)[number] | `${string}.nii.gz`

const lockName = '.lesionwise-lock'
const temporaryPrefix = '.lesionwise-new-'

/** A folder that this run alone may write its results into. */
export interface OutputFolder<Name extends string = OwnFile> {
  /**
   * Brings all files in at once, replacing only our own; names not given but ours from an older run disappear. A name may
   * lead into a folder below this one.
   */
  publish(files: ReadonlyMap<Name, Uint8Array | string>): Promise<void>
  /** Gives the folder free; what was not published is gone. */
  release(): Promise<void>
}

/**
 * Locks a folder for one run, making it if need be. A lock whose run is gone is taken over, and what that run left
 * half-written is removed.
 *
 * @param isOwn which names in the folder are ours to replace; default: those of `segment`
 * @throws RunError when it is a file, cannot be written, or another run works in it
 */
export async function openOutputFolder<Name extends string = OwnFile>(
  folder: string,
  isOwn: (name: string) => boolean = isOwnFile,
): Promise<OutputFolder<Name>> {
  const existed = await exists(folder)
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw await unwritable(folder, cause)
  }
  const unlock = await takeLock(folder, join(folder, lockName)).catch(async (cause: unknown) => {
    throw cause instanceof RunError ? cause : await unwritable(folder, cause)
  })
  for (const name of await readdir(folder))
    if (name.startsWith(temporaryPrefix)) await rm(join(folder, name), { recursive: true, force: true })
  const temporary = join(folder, `${temporaryPrefix}${process.pid}`)
  let published = false
  return {
    async publish(files) {
      try {
        await mkdir(temporary, { recursive: true })
        for (const [name, content] of files) {
          await mkdir(dirname(join(temporary, name)), { recursive: true })
          await mkdir(dirname(join(folder, name)), { recursive: true })
          await writeFile(join(temporary, name), content)
        }
        // From here on the old result is being replaced: it is not complete until the new mark is there.
        await rm(join(folder, mark), { force: true })
        const names: readonly string[] = [...files.keys()]
        for (const name of await namesIn(folder))
          if (isOwn(name) && !names.includes(name)) await rm(join(folder, name), { force: true })
        for (const name of [...names.filter((one) => one !== mark), ...names.filter((one) => one === mark)])
          await rename(join(temporary, name), join(folder, name))
        published = true
      } catch (cause) {
        throw await unwritable(folder, cause)
      }
    },
    async release() {
      await rm(temporary, { recursive: true, force: true }).catch(() => {})
      await unlock()
      // A folder that we made for nothing is not left behind.
      if (!existed && !published) await removeIfEmpty(folder)
    },
  }
}

/** The file that says that a result is complete. */
const mark = 'provenance.json'

/** Files in a folder and in the folders right below it. */
async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isFile()) names.push(entry.name)
    else if (entry.isDirectory() && !entry.name.startsWith('.'))
      for (const below of await readdir(join(folder, entry.name)).catch(() => [])) names.push(`${entry.name}/${below}`)
  return names
}

const reasons: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EROFS: 'the disk is read-only; give another --out',
  EACCES: 'this folder may not be written to; give another --out',
  EPERM: 'this folder may not be written to; give another --out',
  ENOTDIR: 'a part of this path is a file, not a folder; give another --out',
  EEXIST: 'this is a file, not a folder; give another --out',
}

/** What is the matter with a folder or file that cannot be written, and which option names another. */
export async function unwritable(folder: string, cause: unknown, option = '--out'): Promise<RunError> {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const reason = reasons[code] ?? `cannot be written (${(cause as Error).message}); give another --out`
  return new RunError(`${folder}: ${reason.replace('--out', option)}`, { cause })
}

/** Something is there, of whatever kind. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function removeIfEmpty(folder: string): Promise<void> {
  if ((await readdir(folder).catch(() => ['?'])).length === 0) await rm(folder, { recursive: true, force: true })
}
