import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { readTsv } from '../formats/tsv.js'
import { type Summary, summarySchema } from '../lesions/summary.js'
import { type Location, locations } from '../lesions/types.js'
import { type Provenance, provenanceSchema } from './provenance.js'

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

const again = 'run `lesionwise segment` again'

/** A folder that holds a result; its files go by the names that `segment` gives them, whoever wrote it. */
export class ResultFolder {
  private constructor(
    readonly folder: string,
    private readonly place: (name: string) => string,
    /** What the visit of BIDS derivatives is called: `sub-01_ses-1`. */
    readonly visitLabel?: string,
  ) {}

  /** Looks once what the folder is; a folder that is not there holds nothing. */
  static async open(folder: string): Promise<ResultFolder> {
    const names: string[] = await readdir(folder).catch(() => [])
    const stem = names.includes('lesion_mask.nii.gz') ? undefined : bidsStem(names)
    if (stem === undefined) return new ResultFolder(folder, (name) => name)
    const anat: string[] = await readdir(join(folder, 'anat')).catch(() => [])
    return new ResultFolder(folder, (name) => bidsResultName(stem, name, anat), stem)
  }

  /** Where a file lies, or would. */
  path(name: string): string {
    return join(this.folder, this.place(name))
  }

  /** @throws InputError when there is no such file: then it is no complete result */
  async bytes(name: string): Promise<Uint8Array> {
    try {
      return await readFile(this.path(name))
    } catch (cause) {
      throw new InputError(
        this.folder,
        `holds no ${name} that can be read, so it is no complete result of \`lesionwise segment\` or \`bids\``,
        'give the folder of its --out, or of one visit',
        { cause },
      )
    }
  }

  /** A file that a result may lack; undefined when it does. */
  async optional(name: string): Promise<Uint8Array | undefined> {
    return await readFile(this.path(name)).catch(() => undefined)
  }

  /** @throws InputError when it is missing, or says where it is not as `segment` writes it */
  async summary(): Promise<Summary> {
    const about = { source: this.path('summary.json'), what: 'the summary of a result', fix: again }
    return readJson(await this.bytes('summary.json'), summarySchema, about)
  }

  /** @throws InputError when it is missing, or says where it is not as `segment` writes it */
  async provenance(): Promise<Provenance> {
    const about = { source: this.path('provenance.json'), what: 'the provenance of a result', fix: again }
    return readJson(await this.bytes('provenance.json'), provenanceSchema, about)
  }

  /** `lesions.tsv`. @throws InputError when it is missing, or no table */
  async table(): Promise<ReturnType<typeof readTsv>> {
    return readTsv(new TextDecoder().decode(await this.bytes('lesions.tsv')), this.path('lesions.tsv'))
  }
}

/** Where a row of `lesions.tsv` says that its lesion lies; what it does not say is subcortical. */
export const locationOf = (row: Readonly<Record<string, string>>): Location =>
  locations.find((one) => one === row.location) ?? 'subcortical'
