import type { Location } from '../lesions/types.js'
import type { ReportInput } from './input.js'

export const locationNames: Readonly<Record<Location, string>> = {
  periventricular: 'Periventricular',
  juxtacortical: 'Juxtacortical and cortical',
  infratentorial: 'Infratentorial',
  subcortical: 'Subcortical, deep white matter',
}

export const contrastNames: Readonly<Record<string, string>> = {
  flair: 'FLAIR',
  t1: 'T1',
  t2: 'T2',
  pd: 'PD',
  t1gd: 'T1 + Gd',
}

/** A number for reading: as many decimals as tell something, thousands apart. */
export function figure(value: number, decimals = usualDecimals(Math.abs(value))): string {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString('en-GB', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

const usualDecimals = (size: number): number => (size >= 1000 ? 0 : size >= 10 || size === 0 ? 1 : 2)

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** "a, b and c" */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`

/** The sentences for the Methods section of a paper. */
export function methodsText(input: ReportInput): string {
  const { software, method, contrasts, summary, maskGiven, settings = {} } = input
  const images = listed(contrasts.map((contrast) => contrastNames[contrast] ?? contrast))
  const cited = method.citation ? ` (${method.citation.text})` : ''
  const params = Object.entries(input.params ?? {}).map(([name, value]) => `${name} = ${plain(value)}`)
  const first = maskGiven
    ? `Lesion masks were given; lesions were measured on ${images} images with ${software.name} ${software.version}.`
    : `Lesions were segmented on ${images} images with ${software.name} ${software.version}, method ${method.id}${cited}${
        params.length > 0 ? `, with ${params.join(', ')}` : ''
      }.`
  const rule = settings['Location rule'] === undefined ? '' : ` (rule: ${settings['Location rule']})`
  return (
    `${first} A lesion is an ${summary.connectivity}-connected component of at least ${summary.minimumSizeMm3} mm³. ` +
    `Lesions were classed as infratentorial, periventricular, juxtacortical or cortical, or subcortical by their ` +
    `distance to the ventricles and the cortex${rule}. Volumes are in the space of the FLAIR as acquired.`
  )
}

/** A parameter's value as one would type it. */
export const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
