import type { Location } from '../lesions/types.js'
import { contrastNames } from './words/common.js'
import { en } from './words/en.js'

export { contrastNames }

export const locationNames: Readonly<Record<Location, string>> = en.locations

/** A number for reading: as many decimals as tell something, thousands apart. */
export function figure(value: number, decimals = usualDecimals(Math.abs(value)), locale = 'en-GB'): string {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

const usualDecimals = (size: number): number => (size >= 1000 ? 0 : size >= 10 || size === 0 ? 1 : 2)

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** "a, b and c" */
export const listed = (words: readonly string[], and = 'and'): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${and} ${words[words.length - 1]}`

/** A parameter's value as one would type it. */
export const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
