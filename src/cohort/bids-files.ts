import {
  bidsName,
  bidsVersion,
  derivativeEntities,
  entityOrder,
  isLabel,
  labelOf,
  parseBidsName,
  type Visit,
  visitId,
} from '../formats/bids.js'
import { readTsv, writeTsv } from '../formats/tsv.js'

/** A file of ours: its name below the visit's folder, and what it holds. */
export type Files = Map<string, Uint8Array | string>

/** Name of the mark of a complete visit. */
export const markName = 'provenance.json'

/** What the names and sidecars of a visit's files follow from. */
export interface NamedVisit extends Visit {
  /** Raw images by contrast, relative to the raw data set. */
  images: Readonly<Record<string, string>>
}

interface Kind {
  suffix: 'mask' | 'dseg' | 'probseg'
  label?: string
  desc?: string
  describe: string
  type?: string
}

const kinds: Readonly<Record<string, Kind>> = {
  lesion_mask: { suffix: 'mask', label: 'lesion', describe: 'White-matter lesions: 1, all else 0.', type: 'Lesion' },
  lesion_instances: {
    suffix: 'dseg',
    desc: 'lesions',
    describe: 'Each lesion with its number; the table says what they are.',
  },
  lesion_probability: { suffix: 'probseg', label: 'lesion', describe: 'Belief that a voxel is lesion, 0 to 1.' },
  lesion_uncertainty: {
    suffix: 'probseg',
    label: 'lesion',
    desc: 'uncertainty',
    describe: 'How unsure the method is, 0 to 1.',
  },
  brain_mask: { suffix: 'mask', desc: 'brain', describe: 'The brain that was looked at.', type: 'Brain' },
  structures: { suffix: 'dseg', desc: 'structures', describe: 'Tissue structures.' },
}

/** The labels of `structures`, as `methods` write them. */
const structures = ['fluid', 'grey matter', 'white matter', 'ventricles', 'infratentorial', 'lesion']

function kindOf(stem: string): Kind | undefined {
  const [, source, name] = /^(mask|consensus)_(\w+)$/.exec(stem) ?? []
  if (source === 'mask')
    return { suffix: 'mask', label: 'lesion', desc: labelOf(name), describe: `What ${name} found.`, type: 'Lesion' }
  if (source === 'consensus')
    return { suffix: 'probseg', label: 'lesion', desc: labelOf(`consensus${name}`), describe: `Consensus: ${name}.` }
  return kinds[stem]
}

/**
 * The files of a segmentation under the names and with the sidecars that BIDS derivatives have.
 *
 * @param made the files of `segment` by name
 * @returns by name below the visit's folder, the mark of completion last
 */
export function derivativeFiles(made: ReadonlyMap<string, Uint8Array>, visit: NamedVisit, provenance: object): Files {
  const files: Files = new Map()
  const id = visitId(visit)
  const text = (name: string) => new TextDecoder().decode(made.get(name))
  const entities = sourceEntities(visit)
  const reference = rawUri(visit.images.flair)
  const sources = Object.values(visit.images).map(rawUri)
  for (const [name, bytes] of made) {
    const [, stem] = /^(.*)\.nii\.gz$/.exec(name) ?? []
    const kind = stem === undefined ? undefined : kindOf(stem)
    if (!kind) continue
    const { suffix, label, desc, describe, type } = kind
    const file = (extension: string) =>
      `anat/${bidsName({ ...entities, space: 'orig', label, desc }, suffix, extension)}`
    files.set(file('.nii.gz'), bytes)
    const table =
      suffix === 'dseg' ? (stem === 'structures' ? structureTable() : instanceTable(text('lesions.tsv'))) : undefined
    if (table) files.set(file('.tsv'), table)
    files.set(
      file('.json'),
      json({
        Description: describe,
        ...(type ? { Type: type } : {}),
        Sources: sources,
        SpatialReference: reference,
        ...(suffix === 'dseg' ? columnsOf(stem === 'structures') : {}),
      }),
    )
  }
  files.set(`anat/${id}_lesions.tsv`, text('lesions.tsv'))
  files.set(`${id}_summary.json`, text('summary.json'))
  for (const name of ['report.html', 'report.pdf']) {
    const bytes = made.get(name)
    if (bytes) files.set(`${id}_${name}`, bytes)
  }
  files.set(
    markName,
    json({ ...provenance, files: [...files].map(([name, content]) => ({ name, bytes: sizeOf(content) })) }),
  )
  return files
}

/** True for a file that a run may have written into the visit's folder. */
export function isOurs(visit: Visit): (name: string) => boolean {
  const id = visitId(visit)
  return (name) =>
    name === markName ||
    name === `${id}_summary.json` ||
    name === `${id}_report.html` ||
    name === `${id}_report.pdf` ||
    (name.startsWith(`anat/${id}_`) &&
      (name === `anat/${id}_lesions.tsv` || /_space-orig_.*(mask|dseg|probseg)\.(nii\.gz|json|tsv)$/.test(name)))
}

/** What the name of the FLAIR tells beside whose it is: acquisition, run, … */
function sourceEntities({ subject, session, images }: NamedVisit): Record<string, string | undefined> {
  const name = images.flair?.split('/').at(-1) ?? ''
  const own = Object.entries(parseBidsName(name)?.entities ?? {}).filter(
    ([key, label]) => entityOrder.includes(key) && !derivativeEntities.has(key) && isLabel(label),
  )
  return { ...Object.fromEntries(own), sub: subject, ses: session }
}

const rawUri = (path: string): string => `bids:raw:${path}`

const sizeOf = (content: Uint8Array | string): number =>
  typeof content === 'string' ? new TextEncoder().encode(content).length : content.byteLength

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const structureTable = (): string =>
  writeTsv(['index', 'name'], [[0, 'background'], ...structures.map((name, at): [number, string] => [at + 1, name])])

/** `index` and `name` as BIDS asks for, and what a reader of the image wants to know. */
function instanceTable(lesions: string): string {
  const { rows } = readTsv(lesions, 'lesions.tsv')
  return writeTsv(
    ['index', 'name', 'mapping', 'location', 'volume'],
    rows.map((row) => [row.id, `lesion ${row.id}`, 7, row.location, row.volume_mm3]),
  )
}

const columnsOf = (plain: boolean): object =>
  plain
    ? {}
    : {
        location: {
          Description: 'Where the lesion lies: periventricular, juxtacortical, infratentorial or subcortical.',
        },
        volume: { Description: 'Volume of the lesion.', Units: 'mm^3' },
      }

/** What the derivatives of a raw data set are called. */
export const derivativesName = (raw: string | undefined): string =>
  `MS lesions by Lesionwise${raw === undefined ? '' : ` of ${raw}`}`

/** What makes the folder a data set of derivatives, by name. */
export function datasetFiles(version: string, raw: { name?: string; link?: string }): Files {
  return new Map([
    [
      'dataset_description.json',
      json({
        Name: derivativesName(raw.name),
        BIDSVersion: bidsVersion,
        DatasetType: 'derivative',
        License: 'n/a',
        ...(raw.link === undefined ? {} : { DatasetLinks: { raw: raw.link } }),
        GeneratedBy: [
          {
            Name: 'lesionwise',
            Version: version,
            Description: 'Segmentation of MS lesions; research only, not for diagnosis.',
          },
        ],
      }),
    ],
    [
      '.bidsignore',
      [
        '*_lesions.tsv',
        '*_summary.json',
        '*_report.html',
        '*_report.pdf',
        '**/provenance.json',
        'logs/',
        'cohort.*',
        'corrections/',
        '',
      ].join('\n'),
    ],
    ['README.md', readme],
  ])
}

const readme = `# MS lesions by Lesionwise

Made by \`lesionwise bids\`. Research only: nothing here is a diagnosis.

- \`sub-*/[ses-*/]anat/*_space-orig_label-lesion_mask.nii.gz\`: the lesions, on the grid of the FLAIR that was given;
  \`*_desc-lesions_dseg.nii.gz\` numbers them (table beside it), \`*_label-lesion_probseg.nii.gz\` is the method's belief,
  \`*_desc-brain_mask.nii.gz\` the brain that was looked at. \`space-orig\` is the space of the image named as
  \`SpatialReference\`; \`bids:raw:\` is the raw data set.
- \`*_lesions.tsv\`: each lesion with place, volume and intensities; \`*_report.html\` (\`.pdf\` with --pdf): to look at;
  \`*_summary.json\`: counts, volumes, doubts; \`provenance.json\`: inputs by hash, parameters, times. Where
  \`provenance.json\` is, the visit is complete.
- \`logs/\`: a file a visit with how its run ended, and why it failed where it did.
- \`cohort.tsv\`, \`cohort.json\`, \`cohort.html\`: all visits together (\`lesionwise bids … group\`).

The files that BIDS has no name for stand in \`.bidsignore\`.
`
