import { open, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { RunError } from '../errors.js'

/** Another run works in the folder. */
export class LockedError extends RunError {
  constructor(
    message: string,
    /** The run is on another machine: if it is dead, its lock falls silent only after `silenceSeconds`. */
    readonly elsewhere: boolean,
  ) {
    super(message)
  }
}

/** How often a run on another machine shows that it lives, and after how long a silence its lock is taken over. */
const signSeconds = 20
export const silenceSeconds = 180

/**
 * Locks a folder for this process. The file holds process and machine, so that runs on several nodes of a cluster keep out
 * of each other's folders: on this machine the process is asked for, on another one the file's time must move.
 *
 * @param lock path of the lock file
 * @returns gives the lock back
 * @throws LockedError when another run works in the folder; whatever the file system says, otherwise
 */
export async function takeLock(folder: string, lock: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const file = await open(lock, 'wx')
      await file.writeFile(`${process.pid} ${hostname()}`)
      await file.close()
      const timer = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), 1000 * signSeconds)
      timer.unref()
      return async () => {
        clearInterval(timer)
        await rm(lock, { force: true }).catch(() => {})
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
      const owner = await ownerOf(lock)
      if (owner) throw new LockedError(`${folder}: ${owner.said}; wait for it or give another --out`, owner.elsewhere)
      await rm(lock, { force: true })
    }
  }
  throw new LockedError(`${folder}: another run has just started in this folder; give another --out`, false)
}

/** Who works behind a lock, in words; undefined when nobody does any more. */
async function ownerOf(lock: string): Promise<{ said: string; elsewhere: boolean } | undefined> {
  const [pid = '', host = hostname()] = (await readFile(lock, 'utf8').catch(() => '')).trim().split(' ')
  const owner = Number(pid)
  if (!(owner > 0)) return undefined
  if (host !== hostname()) {
    const silent = await stat(lock).then(
      ({ mtimeMs }) => (Date.now() - mtimeMs) / 1000,
      () => Number.POSITIVE_INFINITY,
    )
    return silent < silenceSeconds
      ? { said: `a run on another machine (${host}) is working in this folder`, elsewhere: true }
      : undefined
  }
  const here = (who: string) => ({ said: `another run ${who} is working in this folder`, elsewhere: false })
  if (owner === process.pid) return here('of this program')
  return alive(owner) ? here(`(process ${owner})`) : undefined
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
