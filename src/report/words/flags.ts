import type { Flag } from '../../errors.js'
import { deFlags } from './de-flags.js'
import { type Language, languages } from './languages.js'

/** The sentences of flags in a language other than English. */
export interface FlagWords {
  /** By code; what stands in braces is one of the flag's values. A code that is not here is said in English. */
  sentences: Readonly<Record<string, string>>
  /** Values that are words. */
  terms: Readonly<Record<string, string>>
}

/** A language without an entry says its flags in English, as they are. */
const known: Partial<Record<Language, FlagWords>> = { de: deFlags }

/** What a flag says, in a language that knows it and where the flag has all that its sentence there needs; else in English. */
export function flagSentence({ code, message, values = {} }: Flag, language: Language = 'en'): string {
  const words = known[language]
  if (!words || !Object.hasOwn(words.sentences, code)) return message
  const { locale } = languages[language]
  const said = (name: string): string | undefined => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (typeof value === 'number') return value.toLocaleString(locale, { maximumFractionDigits: 4, useGrouping: false })
    return value !== undefined && Object.hasOwn(words.terms, value) ? words.terms[value] : value
  }
  const names = Array.from(words.sentences[code].matchAll(/\{(\w+)\}/g), ([, name]) => name)
  if (names.some((name) => said(name) === undefined)) return message
  return words.sentences[code].replace(/\{(\w+)\}/g, (_, name) => said(name) as string)
}
