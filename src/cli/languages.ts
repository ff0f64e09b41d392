import type { Language } from '../report/words/languages.js'

/** The languages of the report, without loading its phrases; the type holds the two lists together. */
export const reportLanguages = Object.keys({ en: true, de: true } satisfies Record<Language, true>) as Language[]
