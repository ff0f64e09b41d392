// Tables III and IV and Figures 2 and 3 of the survey of Ma et al. (2022) from the JSON of its tables, with results of
// our own beside them:
//
//     npm run survey -- --tables TABLES.json --out DIR [--results OURS.tsv]
//
// OURS.tsv has the columns method, challenge, score, ltpr, lfpr, dice, year, kind; n/a where a figure is missing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { failed } from '../src/cli/errors.js'
import { version } from '../src/cli/version.js'
import { InputError, RunError, UsageError } from '../src/errors.js'
import { readSurvey, withResults } from '../src/evaluate/survey.js'
import { surveyFigures } from '../src/report/survey-figure.js'
import { surveyPage } from '../src/report/survey-page.js'
import { surveyMarkdown, surveyTsv } from '../src/report/survey-tables.js'

async function main(): Promise<void> {
  const { tables, results, out } = options()
  const printed = readSurvey(read(tables), tables)
  const survey = results === undefined ? printed : withResults(printed, read(results), results)
  const figures = await surveyFigures(survey)
  const page = surveyPage(survey, figures, {
    software: { name: 'lesionwise', version: version() },
    date: new Date().toISOString().slice(0, 10),
  })
  write(out, [
    ...figures.map(({ name, svg }) => [`${name}.svg`, svg] as const),
    ...survey.tables.map((table, n) => [`table-${n + 3}.tsv`, surveyTsv(table)] as const),
    ['tables.md', surveyMarkdown(survey)],
    ['survey.html', page],
  ])
  console.log(join(out, 'survey.html'))
}

function options(): { tables: string; results?: string; out: string } {
  const usage = 'usage: --tables TABLES.json --out DIR [--results OURS.tsv]'
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({ options: { tables: text, results: text, out: text } })
    const { tables, results, out } = values
    if (tables === undefined || out === undefined)
      throw new UsageError(`${tables === undefined ? '--tables' : '--out'} is missing; ${usage}`)
    return { tables, results, out }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${(error as Error).message.split('\n')[0]}; ${usage}`)
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new InputError(
      path,
      `cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      'give a file that is there',
      {
        cause,
      },
    )
  }
}

function write(folder: string, files: readonly (readonly [string, string])[]): void {
  try {
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of files) writeFileSync(join(folder, name), text)
  } catch (cause) {
    throw new RunError(`${folder}: cannot be written (${(cause as NodeJS.ErrnoException).code}); give another --out`, {
      cause,
    })
  }
}

main().catch((error) => {
  process.exitCode = failed(error)
})
