import { figure, listed } from '../words.js'
import { de } from './de.js'
import { en, type Words } from './en.js'

/** The languages of the report. A new one: a file with all phrases, as de.ts, and its name here. */
export const languages = { en, de } as const satisfies Record<string, Words>
export type Language = keyof typeof languages
export const languageCodes = Object.keys(languages) as Language[]

export const isLanguage = (code: string): code is Language => Object.hasOwn(languages, code)

/** Phrases of a language, and figures and lists as it writes them. */
export interface Speech {
  language: Language
  words: Words
  /** A number for reading, as `figure` in words.ts. */
  figure(value: number, decimals?: number): string
  /** With its sign; zero has none. */
  signed(value: number, decimals: number): string
  listed(words: readonly string[]): string
}

export function speech(language: Language = 'en'): Speech {
  const words: Words = languages[language]
  const number = (value: number, decimals?: number) => figure(value, decimals, words.locale)
  return {
    language,
    words,
    figure: number,
    signed(value, decimals) {
      const text = number(Math.abs(value), decimals)
      if (!/[1-9]/.test(text)) return text
      return `${value > 0 ? '+' : '−'}${text}`
    },
    listed: (parts) => listed(parts, words.and),
  }
}
