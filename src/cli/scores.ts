import { join } from 'node:path'
import type { Description, TeamSummary } from '../evaluate/evaluation.js'
import { groupsOf, measureOf } from '../evaluate/every-measure.js'
import type { CaseResult, Measure, Protocol } from '../evaluate/protocol.js'
import type { EvaluateResult } from '../run/evaluate.js'
import { aligned } from './table.js'

/** The scores as tables for a reader. */
export function printScores(result: EvaluateResult, out: string | undefined): void {
  const lines = result.pair ? pairLines(result.protocol, result.pair) : folderLines(result)
  if (out !== undefined) lines.push('', `Report: ${join(out, 'report.html')}`)
  process.stdout.write(`${lines.join('\n')}\n`)
}

function pairLines(protocol: Protocol, { scores, corrected = {}, raters = [] }: CaseResult): string[] {
  const columns = raters.length > 1 ? [scores, ...raters] : [scores]
  const table: string[][] = []
  if (columns.length > 1) table.push(['', '', 'mean', ...raters.map((_, r) => `rater ${r + 1}`)])
  for (const { title, measures } of groupsOf(protocol)) {
    const present = measures.filter(({ key }) => key in scores)
    if (title && present.length > 0) table.push([title])
    for (const measure of present)
      table.push([
        `${title ? '  ' : ''}${measure.label}`,
        measure.unit,
        ...columns.map((one) => text(measure, one[measure.key])),
      ])
  }
  if (Object.keys(corrected).length > 0) {
    table.push(['The right value, where the original program prints another'])
    for (const [key, value] of Object.entries(corrected)) {
      const measure = measureOf(protocol, key)
      table.push([`  ${measure.label}`, measure.unit, text(measure, value)])
    }
  }
  return [protocol.title, ...aligned(table)]
}

function folderLines({ protocol, evaluation }: EvaluateResult): string[] {
  const { summaries, rankings } = evaluation
  const lines = [`${protocol.title}: ${summaries[0].cases} cases`]
  for (const { title, places } of rankings) {
    lines.push('', title)
    lines.push(...aligned(places.map(({ place, team, value }) => [`  ${place}`, team, text(undefined, value)])))
  }
  for (const summary of summaries) {
    const { name, missing, cases } = summary
    const few = missing.length > 0 ? ` (${missing.length} of ${cases} missing)` : ''
    lines.push(
      '',
      `${summaries.length > 1 ? name : 'Over all cases'}${few}`,
      ...aligned(summaryTable(protocol, summary)),
    )
  }
  return lines
}

function summaryTable(protocol: Protocol, { measures, corrected, overall }: TeamSummary): string[][] {
  const table = [['', '', 'mean', 'SD', 'median', 'cases', 'undefined']]
  const row = (measure: Measure, d: Description) => {
    const [mean, sd, median] = [d.mean, d.sd, d.median].map((value) => text(measure, value, true))
    table.push([`  ${measure.label}`, measure.unit, mean, sd, median, `${d.n}`, `${d.undefined}`])
  }
  for (const { title, measures: own } of groupsOf(protocol)) {
    if (title) table.push([title])
    for (const measure of own)
      if (measure.key in measures) row(measure, measures[measure.key])
      else if (measure.key in overall)
        table.push([`  ${measure.label}`, measure.unit, text(measure, overall[measure.key]), '', '', 'all', ''])
  }
  if (Object.keys(corrected).length > 0) {
    table.push(['The right value, where the original program prints another'])
    for (const [key, d] of Object.entries(corrected)) row(measureOf(protocol, key), d)
  }
  return table
}

function text(measure: Measure | undefined, value: number | undefined, mean = false): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  if (measure?.unit === 'lesions') return value.toFixed(mean ? 1 : Number.isInteger(value) ? 0 : 1)
  return value.toFixed(measure === undefined || measure.unit === '' ? 4 : 2)
}
