import { type Spread, type Survey, type SurveyTable, scoreByYear, summariseKinds } from '../evaluate/survey.js'
import { type Cell, writeTsv } from '../formats/tsv.js'
import { type Html, html } from './html.js'

interface Column {
  name: string
  /** As the survey prints it. */
  print: (row: SurveyTable['rows'][number]) => string
  /** As figures, under these names. */
  cells: (row: SurveyTable['rows'][number]) => [string, Cell][]
}

const printed = (value: Spread | undefined): string =>
  value === undefined || Number.isNaN(value.mean)
    ? 'n/a'
    : value.mean.toFixed(2) + (Number.isNaN(value.sd) ? '' : `±${value.sd.toFixed(2)}`)

const spread = (name: string, of: (row: SurveyTable['rows'][number]) => Spread | undefined): Column => ({
  name,
  print: (row) => printed(of(row)),
  cells: (row) => [
    [name.toLowerCase(), of(row)?.mean],
    [`${name.toLowerCase()}_sd`, of(row)?.sd],
  ],
})

const text = (name: string, key: string, of: (row: SurveyTable['rows'][number]) => string): Column => ({
  name,
  print: of,
  cells: (row) => [[key, of(row) || undefined]],
})

const columnsOf = ({ hasDice }: SurveyTable): Column[] => [
  {
    name: 'Method',
    print: ({ method, cite }) => `${method} ${cite}`.trim(),
    cells: ({ method, cite }) => [
      ['method', method],
      ['reference', cite || undefined],
    ],
  },
  text('Kind', 'kind', ({ kind }) => kind),
  text('Entry', 'entry', ({ own, challengeEntry }) => (own ? 'own' : challengeEntry ? 'challenge' : 'later')),
  {
    name: 'Year',
    print: ({ year }) => (year === undefined ? 'n/a' : String(year)),
    cells: ({ year }) => [['year', year]],
  },
  {
    name: 'Score',
    print: ({ score }) => (Number.isNaN(score) ? 'n/a' : score.toFixed(2)),
    cells: ({ score }) => [['score', score]],
  },
  ...(hasDice ? [spread('Dice', ({ dice }) => dice)] : []),
  spread('LTPR', ({ ltpr }) => ltpr),
  spread('LFPR', ({ lfpr }) => lfpr),
  text('Notes', 'notes', ({ notes }) => notes.join(', ')),
]

/** A table of the survey with its figures as numbers, rows in print's order, our own after them. */
export function surveyTsv(table: SurveyTable): string {
  const rows = table.rows.map((row) => columnsOf(table).flatMap(({ cells }) => cells(row)))
  return writeTsv(
    rows[0].map(([name]) => name),
    rows.map((row) => row.map(([, cell]) => cell)),
  )
}

/** Both tables as the survey prints them, what they come to, and the list of inconsistencies, as Markdown. */
export function surveyMarkdown(survey: Survey): string {
  const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
    [head, head.map(() => '---'), ...rows]
      .map((row) => `| ${row.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`)
      .join('\n')
  const { head, rows } = summary(survey)
  return [
    '# Results of the two challenges',
    `Source: ${survey.source}.`,
    ...survey.tables.flatMap((one) => [
      `## ${one.name}: ${one.challenge}`,
      table(
        columnsOf(one).map(({ name }) => name),
        one.rows.map((row) => columnsOf(one).map(({ print }) => print(row))),
      ),
    ]),
    '## By kind of method',
    table(head, rows),
    trend(survey),
    '## What does not fit together in print',
    survey.inconsistencies.map(({ note, certainty }, n) => `${n + 1}. (${certainty}) ${note}`).join('\n'),
    '',
  ].join('\n\n')
}

/** A table for the page; it can be sorted. Notes are small numbers after the method. */
export function surveyTable(table: SurveyTable): Html {
  const [method, ...columns] = columnsOf(table).filter(({ name }) => name !== 'Notes')
  const notes = (numbers: readonly number[]) =>
    numbers.length > 0 &&
    html` <sup>${numbers.map((n, i) => html`${i > 0 && ', '}<a href="#note-${n}">${n}</a>`)}</sup>`
  return whole(html`<table class="list" data-sortable>
<thead><tr><th scope="col">${method.name}</th>${columns.map(({ name }) => html`<th scope="col"${numeric(name)}>${name}</th>`)}</tr></thead>
<tbody>${table.rows.map(
    (row) =>
      html`<tr><td>${method.print(row)}${notes(row.notes)}</td>${columns.map(
        ({ name, print }) => html`<td${numeric(name)}>${print(row)}</td>`,
      )}</tr>`,
  )}</tbody></table>`)
}

/** A table in a box that scrolls sideways only. */
const whole = (table: Html): Html => html`<div class="scroll" style="max-height:none">${table}</div>`

/** What the survey's methods come to by kind, for the page. */
export function summaryTable(survey: Survey): Html {
  const { head, rows } = summary(survey)
  return html`${whole(html`<table class="list"><thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`)}
<p class="fine">${trend(survey)}</p>`
}

const numeric = (name: string): Html =>
  ['Year', 'Score', 'Dice', 'LTPR', 'LFPR'].includes(name) ? html` class="n"` : html``

function summary(survey: Survey): { head: string[]; rows: string[][] } {
  const told = ({ mean, sd }: { mean: number; sd: number }, digits: number) =>
    Number.isNaN(mean) ? 'n/a' : mean.toFixed(digits) + (Number.isNaN(sd) ? '' : ` ± ${sd.toFixed(digits)}`)
  return {
    head: ['Challenge', 'Kind', 'Methods', 'Score', 'LTPR', 'LFPR'],
    rows: summariseKinds(survey).map(({ challenge, kind, score, ltpr, lfpr }) => [
      challenge,
      kind,
      String(score.n),
      told(score, 2),
      told(ltpr, 2),
      told(lfpr, 2),
    ]),
  }
}

const trend = (survey: Survey): string =>
  `Mean ± standard deviation over methods, own results left out. Kendall's τ between year and score: ${scoreByYear(
    survey,
  )
    .map(({ challenge, tau, n }) => `${tau.toFixed(2)} in ${challenge} (${n} methods)`)
    .join(', ')}. The methods were chosen by the survey and share test cases: this describes them and is no test.`
