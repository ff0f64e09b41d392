import { rename, rm, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../errors.js'
import { unwritable } from './output-folder.js'

/**
 * Writes one file whole: under a temporary name first, then renamed, so that an earlier one stays until the new one is complete.
 *
 * @param inputs what was read, none of which may be overwritten
 * @throws UsageError, RunError
 */
export async function writeOutputFile(
  path: string,
  content: Uint8Array | string,
  inputs: readonly string[],
): Promise<void> {
  if (inputs.some((input) => resolve(input) === resolve(path)))
    throw new UsageError(`${path}: this is one of the inputs, which are never overwritten; give another --out`)
  const temporary = `${path}.lesionwise-new-${process.pid}`
  try {
    await writeFile(temporary, content)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {})
    throw await unwritable(path, cause)
  }
}
