import type { StatusOptions } from '../../cohort/bids-progress.js'
import type { SlurmOptions } from '../../cohort/slurm-submit.js'
import { ProgressLine } from '../progress.js'

export interface SlurmFlags {
  slurm?: boolean
  slurmPartition?: string
  slurmTime?: number
  slurmMaxJobs?: number
  slurmRetries?: number
  slurmGroup?: boolean
  slurmCommand?: string
  groupBy?: string
  covariates?: string[]
  json?: boolean
  quiet?: boolean
}

/** Submits the participant level to Slurm, and prints what was submitted. */
export async function runSlurm(
  work: Omit<SlurmOptions, 'memoryGb'>,
  flags: SlurmFlags,
  memoryGb: number | undefined,
): Promise<void> {
  const { bidsSlurm } = await import('../../cohort/slurm-submit.js')
  const line = new ProgressLine(flags.quiet === true)
  const result = await bidsSlurm({
    ...work,
    memoryGb,
    partition: flags.slurmPartition,
    minutes: flags.slurmTime,
    atATime: flags.slurmMaxJobs,
    retries: flags.slurmRetries,
    ...(flags.slurmGroup
      ? {
          group: [
            ...(flags.groupBy === undefined ? [] : ['--group-by', flags.groupBy]),
            ...(flags.covariates === undefined ? [] : ['--covariates', ...flags.covariates]),
            '--quiet',
          ],
        }
      : {}),
    ...(flags.slurmCommand === undefined ? {} : { command: flags.slurmCommand.split(/\s+/) }),
    onNote: (message) => line.flag({ code: 'slurm', severity: 'warning', message }),
  })
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { submissionSummary } = await import('../../cohort/slurm-words.js')
  process.stdout.write(submissionSummary(result))
}

/** Prints how far a data set is. Exit code 1 where a visit has failed and nobody is going to try it again. */
export async function runStatus(whose: StatusOptions, flags: SlurmFlags): Promise<void> {
  const { bidsStatus } = await import('../../cohort/bids-progress.js')
  const line = new ProgressLine(flags.quiet === true)
  const result = await bidsStatus({
    ...whose,
    onNote: (message) => line.flag({ code: 'slurm', severity: 'warning', message }),
  })
  if (result.counts.failed > 0) process.exitCode = 1
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(result)}\n`)
    return
  }
  const { statusSummary } = await import('../../cohort/slurm-words.js')
  process.stdout.write(statusSummary(result))
}
