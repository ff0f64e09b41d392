/**
 * File names as the Brain Imaging Data Structure has them (BIDS 1.10): `sub-01_ses-02_space-orig_label-lesion_mask.nii.gz`
 * is entities (key-label pairs, in one order), a suffix and an extension.
 */
export interface BidsName {
  /** Labels by entity, e.g. `{ sub: '01', ses: '02' }`, in the order in which they stood. */
  entities: Readonly<Record<string, string>>
  suffix: string
  /** With its dot: `.nii.gz`. */
  extension: string
}

/** The version of BIDS that names and descriptions follow. */
export const bidsVersion = '1.10.0'

/** All entities in the order that BIDS 1.10 asks for; those of transforms (`from`, `to`, `mode`) after `space`. */
export const entityOrder: readonly string[] = [
  ...['sub', 'tpl', 'ses', 'cohort', 'sample', 'task', 'tracksys', 'acq', 'nuc', 'voi', 'ce', 'trc', 'stain', 'rec'],
  ...['dir', 'run', 'mod', 'echo', 'flip', 'inv', 'mt', 'part', 'proc', 'hemi', 'space', 'from', 'to', 'mode', 'split'],
  ...['recording', 'chunk', 'atlas', 'seg', 'scale', 'res', 'den', 'label', 'desc'],
]

/** Entities that only derivatives may have: in a raw data set they break its rules. */
export const derivativeEntities: ReadonlySet<string> = new Set([
  ...['space', 'from', 'to', 'mode', 'atlas', 'seg', 'scale', 'res', 'den', 'label', 'desc', 'cohort', 'tpl'],
])

/** True for what may stand after the hyphen. */
export const isLabel = (text: string): boolean => /^[0-9a-zA-Z+]+$/.test(text)

/**
 * Takes a file name apart, in whatever order its entities stand; undefined when it is no name of this kind (a part
 * without a hyphen before the suffix, an entity twice, an empty label).
 */
export function parseBidsName(name: string): BidsName | undefined {
  const [, stem, extension] = /^([^.]+)(\..+)$/.exec(name) ?? []
  if (stem === undefined) return undefined
  const parts = stem.split('_')
  const suffix = parts.pop() as string
  if (!/^[0-9a-zA-Z]+$/.test(suffix)) return undefined
  const entities: Record<string, string> = {}
  for (const part of parts) {
    const [, key, label] = /^([a-z0-9]+)-(.+)$/i.exec(part) ?? []
    if (key === undefined || key in entities) return undefined
    entities[key] = label
  }
  return { entities, suffix, extension }
}

/**
 * Puts a file name together, its entities in the order of BIDS; entities without a label are left out.
 *
 * @throws RangeError for an entity that BIDS does not know, or a label that it does not allow
 */
export function bidsName(entities: Readonly<Record<string, string | undefined>>, suffix: string, extension: string) {
  for (const [key, label] of Object.entries(entities)) {
    if (label === undefined) continue
    if (!entityOrder.includes(key)) throw new RangeError(`BIDS has no entity "${key}"`)
    if (!isLabel(label)) throw new RangeError(`"${label}" cannot be the label of ${key}: letters and digits only`)
  }
  const parts = entityOrder.flatMap((key) => (entities[key] === undefined ? [] : [`${key}-${entities[key]}`]))
  return `${[...parts, suffix].join('_')}${extension}`
}

/** Text as a label: what is not allowed in one is left out; undefined when nothing is left. */
export const labelOf = (text: string): string | undefined => text.replace(/[^0-9a-zA-Z+]/g, '') || undefined

/** Where a person and visit stand in a data set. `session` is missing where the data set has no sessions. */
export interface Visit {
  subject: string
  session?: string
}

/** `sub-01_ses-02`, which also begins all file names of the visit. */
export const visitId = ({ subject, session }: Visit): string =>
  `sub-${subject}${session === undefined ? '' : `_ses-${session}`}`

/** `sub-01/ses-02`: the folder of a visit below that of the data set, with `/`. */
export const visitFolder = ({ subject, session }: Visit): string =>
  `sub-${subject}${session === undefined ? '' : `/ses-${session}`}`

/** A label as people give it, `sub-01` or `01`. */
export const bareLabel = (text: string, entity: 'sub' | 'ses'): string =>
  text.startsWith(`${entity}-`) ? text.slice(entity.length + 1) : text

/** In the order of numbers where there are any: 2 before 10. */
export const byVisit = (a: Visit, b: Visit): number =>
  a.subject.localeCompare(b.subject, 'en', { numeric: true }) ||
  (a.session ?? '').localeCompare(b.session ?? '', 'en', { numeric: true })

/**
 * What breaks the rules of BIDS in the name of a raw image, in a few words each. Such files are used all the same.
 *
 * @param name file name without its folder
 */
export function rawNameProblems(name: string, { subject, session }: Visit): string[] {
  const parsed = parseBidsName(name)
  if (!parsed) return ['is not named as BIDS wants (entities, then a suffix)']
  const problems: string[] = []
  const keys = Object.keys(parsed.entities)
  if (parsed.entities.sub !== subject) problems.push(`lies in the folder of sub-${subject} and is not named so`)
  if (parsed.entities.ses !== session)
    problems.push(
      session === undefined ? 'names a session that has no folder' : `lies in ses-${session} and is not named so`,
    )
  const derived = keys.filter((key) => derivativeEntities.has(key))
  if (derived.length > 0)
    problems.push(`has ${derived.map((key) => `${key}-`).join(' and ')} in its name, which only derivatives may have`)
  const unknown = keys.filter((key) => !entityOrder.includes(key))
  if (unknown.length > 0)
    problems.push(`has ${unknown.map((key) => `${key}-`).join(' and ')}, which BIDS does not know`)
  const places = keys.map((key) => entityOrder.indexOf(key)).filter((at) => at >= 0)
  if (places.some((at, i) => i > 0 && at < places[i - 1])) problems.push('has its entities in another order than BIDS')
  const bad = Object.values(parsed.entities).filter((label) => !isLabel(label))
  if (bad.length > 0) problems.push(`has the label "${bad[0]}": letters and digits only`)
  return problems
}
