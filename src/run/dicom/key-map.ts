import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { InputError } from '../../errors.js'
import { dayShift, remappedUid } from '../../formats/dicom/identity.js'
import { readJson } from '../../formats/json.js'
import { unwritable } from '../output-folder.js'

/** Who is who: the only file that leads back from a label to a person. Not part of the data set. */
export interface KeyMap {
  schemaVersion: 1
  /** Goes into every hash: without it UIDs cannot be guessed. */
  salt: string
  patients: Record<string, { subject: string; dayShift: number; sessions: Record<string, string> }>
  /** New UID by old UID. */
  uids: Record<string, string>
}

const keyMap = z.object({
  schemaVersion: z.literal(1),
  salt: z.string().min(16),
  patients: z.record(
    z.string(),
    z.object({ subject: z.string(), dayShift: z.int(), sessions: z.record(z.string(), z.string()) }),
  ),
  uids: z.record(z.string(), z.string()),
}) satisfies z.ZodType<KeyMap>

/** A new map with a salt of its own, or the one in a file. @throws InputError when the file is no such map */
export async function openKeyMap(path: string | undefined): Promise<KeyMap> {
  const fresh: KeyMap = { schemaVersion: 1, salt: randomBytes(16).toString('hex'), patients: bare({}), uids: bare({}) }
  if (path === undefined) return fresh
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return fresh
    throw new InputError(path, 'cannot be read', 'give a file of an earlier --keep-map, or a new name', { cause })
  }
  const file = { source: path, what: 'a file of an earlier --keep-map', fix: 'give another name' }
  const { patients, uids, ...known } = readJson(text, keyMap, file)
  return { ...known, patients: bare(patients), uids: bare(uids) }
}

/** Without a prototype: a number such as `__proto__` is a number like any other. */
const bare = <T>(entries: Record<string, T>): Record<string, T> => Object.assign(Object.create(null), entries)

/**
 * Writes the map beside its place, so that only its owner can read it: a map that cannot be written is known before anything
 * is that needs it. `keep` puts it in its place, `drop` takes it away.
 *
 * @throws RunError
 */
export async function stageKeyMap(
  path: string,
  map: KeyMap,
): Promise<{ keep(): Promise<void>; drop(): Promise<void> }> {
  const temporary = `${path}.new`
  const failed = async (cause: unknown) => {
    throw await unwritable(path, cause, '--keep-map')
  }
  await writeFile(temporary, `${JSON.stringify(map, null, 2)}\n`, { mode: 0o600 }).catch(failed)
  return {
    keep: () => rename(temporary, path).catch(failed),
    drop: () => rm(temporary, { force: true }),
  }
}

/** The person of the map, made with this label if new. */
export async function personOf(map: KeyMap, key: string, label: () => string): Promise<KeyMap['patients'][string]> {
  map.patients[key] ??= { subject: label(), dayShift: await dayShift(key, map.salt), sessions: {} }
  return map.patients[key]
}

export async function newUid(map: KeyMap, uid: string): Promise<string> {
  map.uids[uid] ??= await remappedUid(uid, map.salt)
  return map.uids[uid]
}
