import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../errors.js'
import { unwritable } from './output-folder.js'

/**
 * Refuses an output that is a folder, or one of the inputs under whatever name.
 *
 * @param option the option that names the output, for the message
 * @throws UsageError
 */
export async function judgeOutput(path: string, option: string, inputs: readonly string[]): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (there?.isDirectory()) throw new UsageError(`${option} ${path} is a folder; give the name of a file in it`)
  if (!there) return
  for (const input of inputs) {
    const one = await stat(input).catch(() => undefined)
    if (one && one.dev === there.dev && one.ino === there.ino)
      throw new UsageError(`${option} ${path} is an input; give another file, the inputs are kept`)
  }
}

/**
 * Writes files whole or not at all: each under a temporary name beside its place, then all renamed. Folders are made.
 *
 * @throws RunError when one cannot be written; what was there stays
 */
export async function writeWhole(files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const temporary = new Map(
    [...files.keys()].map((path) => [path, join(dirname(path), `.lesionwise-new-${process.pid}-${basename(path)}`)]),
  )
  let current = ''
  try {
    for (const [path, content] of files) {
      current = path
      await mkdir(dirname(path), { recursive: true })
      await writeFile(temporary.get(path)!, content)
    }
    for (const path of files.keys()) {
      current = path
      await rename(temporary.get(path)!, path)
    }
  } catch (cause) {
    throw await unwritable(current, cause)
  } finally {
    for (const path of temporary.values()) await rm(path, { force: true }).catch(() => {})
  }
}
