import { join } from 'node:path'
import { count } from '../report/words.js'
import { problemsName } from './bids-derivatives.js'
import type { ParticipantResult } from './bids-participant.js'

/** What a run over a data set did, in a few lines for a reader. */
export function participantSummary({ visits, problems, dryRun, seconds }: ParticipantResult, out: string): string {
  const of = (status: string) => visits.filter((visit) => visit.status === status)
  const [done, failed, left, open] = ['done', 'failed', 'left out', 'to do'].map(of)
  const before = done.filter((visit) => visit.before)
  const list = (group: typeof visits, word: string) => group.map(({ id, reason }) => `${word}: ${id}: ${reason}`)
  const shown = problems.slice(0, 5)
  return [
    dryRun
      ? `${count(visits.length, 'visit')}: ${open.length} would be done, ${before.length} are done already, ${failed.length} cannot be read, ${left.length} left out`
      : `${count(visits.length, 'visit')}: ${done.length - before.length} done now, ${before.length} done before, ${failed.length} failed, ${left.length} left out; ${seconds} s`,
    ...open.map(({ id, method, changed }) => `to do: ${id} by ${method}${changed ? ` (again: ${changed})` : ''}`),
    ...list(failed, 'failed'),
    ...list(left, 'left out'),
    ...(problems.length > 0
      ? [
          `The raw data set breaks rules of BIDS in ${count(problems.length, 'place')}, which stops nothing:`,
          ...shown.map(({ file, problem }) => `  ${file} ${problem}`),
          ...(problems.length > shown.length
            ? [`  … ${dryRun ? 'and more' : `all in ${join(out, 'logs', problemsName)}`}`]
            : []),
        ]
      : []),
    ...(dryRun ? [] : [`Derivatives in ${out}`]),
    'Research only. Not for diagnosis.',
    '',
  ].join('\n')
}
