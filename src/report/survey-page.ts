import type { Survey } from '../evaluate/survey.js'
import { html, trusted } from './html.js'
import { page } from './page.js'
import type { SurveyFigure } from './survey-figure.js'
import { summaryTable, surveyTable } from './survey-tables.js'

/** The survey's tables and figures as one page that needs no other file. */
export function surveyPage(
  survey: Survey,
  figures: readonly SurveyFigure[],
  { software, date }: { software: { name: string; version: string }; date: string },
): string {
  const own = survey.tables.flatMap(({ rows }) => rows.filter((row) => row.own)).length
  return page({
    title: 'Lesion segmentation in two challenges',
    facts: [
      `${survey.tables.map(({ rows }) => rows.filter((row) => !row.own).length).join(' + ')} published results`,
      own > 0 ? `${own} of our own` : undefined,
      date,
    ],
    software,
    sections: [
      ...figures.map(({ name, heading, caption, svg }) => ({
        id: name,
        title: heading,
        body: html`<figure class="plot">${trusted(unique(svg, name))}<figcaption>${caption}</figcaption></figure>`,
      })),
      ...survey.tables.map((table, n) => ({
        id: `table-${n + 3}`,
        title: `${table.name}: ${table.challenge}`,
        lead: 'As printed: mean ± standard deviation over the test cases. Notes are numbers in the list below.',
        body: surveyTable(table),
      })),
      { id: 'kinds', title: 'Kinds of method', body: summaryTable(survey) },
      {
        id: 'inconsistencies',
        title: 'What does not fit together in print',
        lead: 'Known inconsistencies of the survey. Nothing has been corrected in tables or figures.',
        body: html`<ol>${survey.inconsistencies.map(
          ({ note, certainty }, n) => html`<li id="note-${n + 1}"><b>${certainty}.</b> ${note}</li>`,
        )}</ol>`,
      },
      { id: 'source', title: 'Source', body: html`<p class="cite">${survey.source}</p>` },
    ],
  })
}

/** Names that a figure gives to its parts hold for the whole page: each figure gets its own. */
const unique = (svg: string, name: string): string =>
  svg.replace(/id="([\w-]+)"/g, `id="${name}-$1"`).replace(/url\(#([\w-]+)\)/g, `url(#${name}-$1)`)
