import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { readTsv } from '../formats/tsv.js'
import { type Summary, summarySchema } from '../lesions/summary.js'
import { type Location, locations } from '../lesions/types.js'
import { type Provenance, provenanceSchema } from './provenance.js'

/** The files of a result, as who reads one of them wants them: of `segment`, or a visit's of `bids`, by `segment`'s names. */

/**
 * What a file of `segment` is called in a visit's folder of BIDS derivatives.
 *
 * @param stem what the visit's names begin with; images also have what the FLAIR's name told (`acq-…`)
 * @param anat names in the folder `anat/`
 */
export function bidsResultName(stem: string, name: string, anat: readonly string[]): string {
  const image: Readonly<Record<string, string>> = {
    'lesion_mask.nii.gz': 'label-lesion_mask',
    'lesion_instances.nii.gz': 'desc-lesions_dseg',
    'lesion_probability.nii.gz': 'label-lesion_probseg',
    'lesion_uncertainty.nii.gz': 'label-lesion_desc-uncertainty_probseg',
    'brain_mask.nii.gz': 'desc-brain_mask',
  }
  if (image[name]) {
    const end = `_space-orig_${image[name]}.nii.gz`
    return `anat/${anat.find((one) => one.startsWith(`${stem}_`) && one.endsWith(end)) ?? stem + end}`
  }
  if (name === 'lesions.tsv') return `anat/${stem}_lesions.tsv`
  return name === 'provenance.json' ? name : `${stem}_${name}`
}

/** What the names of a visit's derivatives begin with; undefined where the folder is none. */
export const bidsStem = (names: Iterable<string>): string | undefined =>
  Array.from(names, (name) => name.match(/^(sub-.*)_summary\.json$/)?.[1]).find((stem) => stem !== undefined)

/** Where a file of a result lies, or would. */
export async function resultPath(folder: string, name: string): Promise<string> {
  const names: string[] = await readdir(folder).catch(() => [])
  const stem = names.includes('lesion_mask.nii.gz') ? undefined : bidsStem(names)
  if (stem === undefined) return join(folder, name)
  return join(folder, bidsResultName(stem, name, await readdir(join(folder, 'anat')).catch(() => [])))
}

/** @throws InputError when the folder holds no such file: then it is no complete result */
export async function resultBytes(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(await resultPath(folder, name))
  } catch (cause) {
    throw new InputError(
      folder,
      `holds no ${name} that can be read, so it is no complete result of \`lesionwise segment\` or \`bids\``,
      'give the folder of its --out, or of one visit',
      { cause },
    )
  }
}

/** A file that a result may lack, and where it lies; undefined when it does. */
export async function resultOptional(
  folder: string,
  name: string,
): Promise<{ path: string; bytes: Uint8Array } | undefined> {
  const path = await resultPath(folder, name)
  const bytes = await readFile(path).catch(() => undefined)
  return bytes && { path, bytes }
}

const about = (source: string, what: string) => ({ source, what, fix: 'run `lesionwise segment` again' })

/** @throws InputError when it is missing, or says where it is not as `segment` writes it */
export async function readSummary(folder: string): Promise<Summary> {
  const source = await resultPath(folder, 'summary.json')
  return readJson(await resultBytes(folder, 'summary.json'), summarySchema, about(source, 'the summary of a result'))
}

/** @throws InputError when it is missing, or says where it is not as `segment` writes it */
export async function readProvenance(folder: string): Promise<Provenance> {
  const source = await resultPath(folder, 'provenance.json')
  return readJson(
    await resultBytes(folder, 'provenance.json'),
    provenanceSchema,
    about(source, 'the provenance of a result'),
  )
}

/** `lesions.tsv`. @throws InputError when it is missing, or no table */
export async function resultTable(folder: string): Promise<ReturnType<typeof readTsv>> {
  const text = new TextDecoder().decode(await resultBytes(folder, 'lesions.tsv'))
  return readTsv(text, await resultPath(folder, 'lesions.tsv'))
}

/** Where a row of `lesions.tsv` says that its lesion lies; what it does not say is subcortical. */
export const locationOf = (row: Readonly<Record<string, string>>): Location =>
  locations.find((one) => one === row.location) ?? 'subcortical'
