import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.js'
import { readTsv } from '../formats/tsv.js'
import { type Location, locations } from '../lesions/types.js'

/** The files of a result of `segment`, as who reads one of them wants them. */

/** @throws InputError when the folder holds no such file: then it is no complete result */
export async function resultBytes(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name))
  } catch (cause) {
    throw new InputError(
      folder,
      `holds no ${name} that can be read, so it is no complete result of \`lesionwise segment\``,
      'give the folder of its --out',
      { cause },
    )
  }
}

/** @throws InputError when it is missing, or no JSON */
export async function resultJson<T>(folder: string, name: string): Promise<T> {
  const text = new TextDecoder().decode(await resultBytes(folder, name))
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new InputError(join(folder, name), 'is not JSON', 'run `lesionwise segment` again', { cause })
  }
}

/** `lesions.tsv`. @throws InputError when it is missing, or no table */
export async function resultTable(folder: string): Promise<ReturnType<typeof readTsv>> {
  return readTsv(new TextDecoder().decode(await resultBytes(folder, 'lesions.tsv')), join(folder, 'lesions.tsv'))
}

/** Where a row of `lesions.tsv` says that its lesion lies; what it does not say is subcortical. */
export const locationOf = (row: Readonly<Record<string, string>>): Location =>
  locations.find((one) => one === row.location) ?? 'subcortical'

/** Colours of the locations in other programs, RGB, told apart with any colour vision (Okabe and Ito 2008). */
export const locationColours: Record<Location, readonly [number, number, number]> = {
  periventricular: [213, 94, 0],
  juxtacortical: [0, 158, 115],
  infratentorial: [0, 114, 178],
  subcortical: [240, 228, 66],
}
