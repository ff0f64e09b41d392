import { contentOf } from './content.js'
import { html, trusted } from './html.js'
import type { ReportInput } from './input.js'
import { type Section, sectionsOf } from './sections.js'
import { sortScript } from './sort.js'
import { style } from './style.js'
import { type Language, languages } from './words/languages.js'

export type { ReportInput } from './input.js'

/**
 * The report: one HTML page that needs no other file and no network, reads without its few lines of script, and names
 * no person and no file. Pictures show the brain only, not the face.
 */
export async function buildReport(input: ReportInput): Promise<string> {
  const content = contentOf(input)
  const [name, version] = [input.software.name, input.reportVersion ?? input.software.version]
  return page({
    title: content.speech.words.title,
    facts: content.facts,
    sections: await sectionsOf(input, content),
    software: { name, version },
    language: input.language,
  })
}

/** A page with a heading, sections and a list of them; it needs no other file. */
export function page({ title, facts, sections, software, style: own = '', language = 'en' }: Page): string {
  const words = languages[language]
  return `<!doctype html>
${
  html`<html lang="${words.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="generator" content="${software.name} ${software.version}">
<title>${title}</title><style>${trusted(style + own)}</style></head>
<body><header><div><p class="mark">${software.name}</p><h1>${title}</h1>
<p class="facts-line">${facts.filter(Boolean).join(' · ')}</p></div>
<p class="research">${words.research}</p></header>
<div class="page"><nav aria-label="${words.sections}"><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<main>${sections.map(block)}</main></div>
<footer>${words.footer(`${software.name} ${software.version}`)}</footer>
<script>${trusted(sortScript)}</script></body></html>`.html
}
`
}

export interface Page {
  title: string
  /** Short facts under the heading. */
  facts: readonly (string | undefined)[]
  sections: readonly Section[]
  software: { name: string; version: string }
  /** What the page needs beyond the style sheet of all pages. */
  style?: string
  /** Of what stands around the sections. Default: English. */
  language?: Language
}

const block = ({ id, title, lead, body }: Section) =>
  html`<section id="${id}"><h2>${title}</h2>${lead && html`<p class="lead">${lead}</p>`}${body}</section>`
