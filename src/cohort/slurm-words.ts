import { count } from '../report/words.js'
import type { StatusResult } from './bids-progress.js'
import type { SlurmResult } from './slurm-submit.js'

/** What was given to Slurm, in a few lines for a reader. */
export function submissionSummary({
  dryRun,
  folder,
  submission,
  submitted,
  queued,
  done,
  leftOut,
}: SlurmResult): string {
  const arrays = submission?.jobs.map(({ job, attempt }) => (attempt === 0 ? job : `${job} (try ${attempt + 1})`)) ?? []
  const size = submission ? ` with ${submission.memoryMb} MB and ${submission.minutes} min each` : ''
  return [
    `${count(submitted.length, 'visit')} ${dryRun ? 'would be ' : ''}submitted${submitted.length > 0 ? size : ''}, ${queued.length} in the queue already, ${done.length} done, ${leftOut.length} left out`,
    ...leftOut.map(({ id, reason }) => `left out: ${id}: ${reason}`),
    ...(arrays.length > 0 ? [`Arrays: ${arrays.join(', ')}`] : []),
    ...(submission?.group === undefined ? [] : [`Group level: ${submission.group}`]),
    ...(folder === undefined ? [] : [`List, scripts and output: ${folder}`]),
    'Research only. Not for diagnosis.',
    '',
  ].join('\n')
}

/** How far a data set is, those without a result with the reason. */
export function statusSummary({ counts, visits }: StatusResult): string {
  return [
    `${count(visits.length, 'visit')}: ${Object.entries(counts)
      .map(([state, n]) => `${n} ${state}`)
      .join(', ')}`,
    ...visits.flatMap(({ id, state, reason, output }) =>
      reason === undefined ? [] : [`${state}: ${id}: ${reason}${output === undefined ? '' : ` (${output})`}`],
    ),
    '',
  ].join('\n')
}
