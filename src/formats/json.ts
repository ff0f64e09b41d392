import type { z } from 'zod'
import { InputError } from '../errors.js'

/** What is said of a JSON file that cannot be used. */
export interface JsonFile {
  /** Its path or name. */
  source: string
  /** What it should be: "the card of an nnU-Net". */
  what: string
  /** What to give instead. */
  fix: string
}

const parse = (data: Uint8Array | string): unknown =>
  JSON.parse(typeof data === 'string' ? data.replace(/^\uFEFF/, '') : new TextDecoder().decode(data))

/**
 * A JSON file, held against its form.
 *
 * @throws InputError when it is not JSON; when it has another form, with the first place that does not fit
 */
export function readJson<T extends z.ZodType>(
  data: Uint8Array | string,
  form: T,
  { source, what, fix }: JsonFile,
): z.output<T> {
  let value: unknown
  try {
    value = parse(data)
  } catch (cause) {
    throw new InputError(source, `is not JSON (${(cause as Error).message})`, fix, { cause })
  }
  const held = form.safeParse(value)
  if (held.success) return held.data
  const [{ path, message }] = held.error.issues
  throw new InputError(source, `is not ${what} (${path.join('.') || 'as a whole'}: ${message})`, fix)
}

/** JSON that can be done without: undefined when it is missing, damaged or of another form. */
export function jsonOf<T extends z.ZodType>(data: Uint8Array | string | undefined, form: T): z.output<T> | undefined {
  if (data === undefined) return undefined
  try {
    return form.safeParse(parse(data)).data
  } catch {
    return undefined
  }
}
