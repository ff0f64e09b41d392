import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from '../errors.js'

/** The files a run may leave in its folder. `provenance.json` comes last: where it is, the result is complete. */
export const ownFiles = [
  'lesion_mask.nii.gz',
  'lesion_probability.nii.gz',
  'lesion_instances.nii.gz',
  'brain_mask.nii.gz',
  'lesions.tsv',
  'summary.json',
  'report.html',
  'provenance.json',
] as const
export type OwnFile = (typeof ownFiles)[number]

const lockName = '.lesionwise-lock'
const temporaryPrefix = '.lesionwise-new-'

/** A folder that this run alone may write its results into. */
export interface OutputFolder {
  /** Brings all files in at once, replacing only our own; names not given but ours from an older run disappear. */
  publish(files: ReadonlyMap<OwnFile, Uint8Array | string>): Promise<void>
  /** Gives the folder free; what was not published is gone. */
  release(): Promise<void>
}

/**
 * Locks a folder for one run, making it if need be. A lock whose process is gone is taken over, and what that run left
 * half-written is removed.
 *
 * @throws RunError when it is a file, cannot be written, or another run works in it
 */
export async function openOutputFolder(folder: string): Promise<OutputFolder> {
  const existed = await exists(folder)
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw await unwritable(folder, cause)
  }
  const lock = join(folder, lockName)
  await takeLock(folder, lock)
  for (const name of await readdir(folder))
    if (name.startsWith(temporaryPrefix)) await rm(join(folder, name), { recursive: true, force: true })
  const temporary = join(folder, `${temporaryPrefix}${process.pid}`)
  let published = false
  return {
    async publish(files) {
      try {
        await mkdir(temporary, { recursive: true })
        for (const [name, content] of files) await writeFile(join(temporary, name), content)
        // From here on the old result is being replaced: it is not complete until the new mark is there.
        await rm(join(folder, 'provenance.json'), { force: true })
        for (const name of ownFiles) {
          if (name === 'provenance.json') continue
          if (files.has(name)) await rename(join(temporary, name), join(folder, name))
          else await rm(join(folder, name), { force: true })
        }
        if (files.has('provenance.json'))
          await rename(join(temporary, 'provenance.json'), join(folder, 'provenance.json'))
        published = true
      } catch (cause) {
        throw await unwritable(folder, cause)
      }
    },
    async release() {
      await rm(temporary, { recursive: true, force: true }).catch(() => {})
      await rm(lock, { force: true }).catch(() => {})
      // A folder that we made for nothing is not left behind.
      if (!existed && !published) await removeIfEmpty(folder)
    },
  }
}

async function takeLock(folder: string, lock: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(lock, 'wx')
      await file.writeFile(String(process.pid))
      await file.close()
      return
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw await unwritable(folder, cause)
      const owner = Number((await readFile(lock, 'utf8').catch(() => '')).trim())
      if (owner !== process.pid && owner > 0 && alive(owner))
        throw new RunError(
          `${folder}: another run (process ${owner}) is working in this folder; wait for it or give another --out`,
        )
      if (owner === process.pid)
        throw new RunError(
          `${folder}: another run of this program is working in this folder; wait for it or give another --out`,
        )
      await rm(lock, { force: true })
    }
  }
  throw new RunError(`${folder}: another run has just started in this folder; give another --out`)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
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

async function unwritable(folder: string, cause: unknown): Promise<RunError> {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  return new RunError(
    `${folder}: ${reasons[code] ?? `cannot be written (${(cause as Error).message}); give another --out`}`,
    { cause },
  )
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function removeIfEmpty(folder: string): Promise<void> {
  if ((await readdir(folder).catch(() => ['?'])).length === 0) await rm(folder, { recursive: true, force: true })
}
