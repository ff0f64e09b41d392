import { readdir } from 'node:fs/promises'
import { type Flag, RunError, UsageError } from '../errors.js'
import { type Evaluation, evaluation, type ScoredCase } from '../evaluate/evaluation.js'
import { everyMeasure } from '../evaluate/every-measure.js'
import { overlap } from '../evaluate/overlap.js'
import type { CaseResult, Protocol } from '../evaluate/protocol.js'
import { findProtocol } from '../evaluate/protocols.js'
import { setThreads } from '../kernels/index.js'
import { coreCount, now } from '../platform/index.js'
import { buildScoresPage } from '../report/scores-page.js'
import { type Mask, voxelVolume } from '../volume/volume.js'
import { CaseMasks, choiceOf, type MaskChoices } from './case-masks.js'
import type { Progress } from './options.js'
import { openOutputFolder } from './output-folder.js'
import { type ScoreSummary, scoreFiles, scoreSummary } from './score-files.js'
import { scorePlan } from './score-plan.js'
import { packageVersion } from './segment.js'

export interface EvaluateOptions extends MaskChoices {
  /** Reference masks: a file, or a folder (BIDS, any tree, a pattern with `*`); several of protocols with several raters. */
  reference?: readonly string[]
  /** Candidate masks: a file, or a folder; several, or `TEAM=DIR`, for a challenge. */
  candidate?: readonly string[]
  /** A TSV with the columns id, reference and candidate in place of both. */
  cases?: string
  /** Challenge whose scores are wanted (`findProtocol`). Default `all`: every measure there is. */
  protocol?: string
  /** Folder for scores.tsv, summary.json and report.html; left out, nothing is written. */
  out?: string
  /** Bring candidates that lie on another grid onto the reference's, by nearest neighbour. Default false: refuse them. */
  resample?: boolean
  /** Write the paths of the masks into provenance.json. Default false: names can identify people. */
  keepPaths?: boolean
  threads?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  /** Called once for each doubt, before any scoring. */
  onFlag?(flag: Flag): void
}

export interface EvaluateResult {
  protocol: Protocol
  /** The scores, when one candidate file was compared with its references. */
  pair?: CaseResult
  evaluation: Evaluation
  summary: ScoreSummary
  flags: Flag[]
  /** Names of the files written into `out`. */
  files: string[]
}

/**
 * Scores candidate masks against reference masks: one pair, folders of cases, or the teams of a challenge. All masks are
 * read and judged before the first is scored.
 *
 * @throws UsageError, InputError (nothing is written), RunError. An earlier result in `out` stays as it was when anything
 *   is thrown.
 */
export async function evaluateFiles(options: EvaluateOptions): Promise<EvaluateResult> {
  const started = new Date()
  const clock = now()
  const { signal } = options
  setThreads(options.threads ?? coreCount())
  const { protocol: wanted = everyMeasure.id } = options
  const protocol = wanted === everyMeasure.id ? everyMeasure : findProtocol(wanted)
  const choices = { reference: choiceOf(options, 'reference'), candidate: choiceOf(options, 'candidate') }
  const plan = await scorePlan({
    references: options.reference ?? [],
    candidates: options.candidate ?? [],
    ...(options.cases === undefined ? {} : { list: options.cases }),
  })
  if (protocol.raters === 'one' && plan.cases[0].references.length > 1)
    throw new UsageError(
      `${protocol.id} scores against one reference, and ${plan.cases[0].references.length} are given; give one, or make one of them with \`lesionwise consensus\``,
    )
  if (options.out !== undefined) await refuseOthers(options.out)
  const folder = options.out === undefined ? undefined : await openOutputFolder<string>(options.out, isOwn)
  try {
    const masks = new CaseMasks(plan, protocol, choices, options.resample === true)
    const { flags, inputs } = await masks.judgeAll(signal)
    for (const flag of flags) options.onFlag?.(flag)

    const scored: ScoredCase[][] = plan.teams.map(() => [])
    for (const [n, one] of plan.cases.entries()) {
      options.onProgress?.({ stage: `Scoring ${one.id}`, fraction: n / plan.cases.length })
      const references = await masks.references(one)
      for (const [t, file] of one.candidates.entries()) {
        signal?.throwIfAborted()
        const candidate = file === undefined ? undefined : await masks.candidate(one, t, references[0])
        scored[t].push(await scoreCase(protocol, one.id, references, candidate))
      }
    }
    const result = evaluation(
      protocol,
      plan.teams.map((name, t) => ({ name, cases: scored[t] })),
    )
    const version = await packageVersion()
    const summary = scoreSummary(result, flags, Number(((now() - clock) / 1000).toFixed(2)))
    const written = { protocol, evaluation: result, summary, flags, files: [] as string[] }
    const only = scored[0][0].result
    if (plan.form === 'pair' && only) Object.assign(written, { pair: only })
    if (!folder) return written

    options.onProgress?.({ stage: 'Writing the report', fraction: 1 })
    const files = scoreFiles(result, summary)
    const software = { name: 'Lesionwise', version }
    files.set(
      'report.html',
      await buildScoresPage({ ...result, flags, software, date: started.toISOString().slice(0, 10) }),
    )
    const provenance = {
      schemaVersion: 1,
      software: { name: 'lesionwise', version, node: process.versions.node },
      options: {
        protocol: protocol.id,
        resample: options.resample === true,
        label: options.label,
        anyLabel: options.anyLabel,
        threshold: options.threshold,
      },
      inputs: inputs.map(({ path, ...rest }) => (options.keepPaths ? { ...rest, path } : rest)),
      started: started.toISOString(),
      finished: new Date().toISOString(),
      seconds: summary.seconds,
    }
    files.set('provenance.json', `${JSON.stringify(provenance, null, 2)}\n`)
    signal?.throwIfAborted()
    await folder.publish(files)
    return { ...written, files: [...files.keys()] }
  } finally {
    await folder?.release()
  }
}

/** Names that an earlier run of this command may have left. */
const isOwn = (name: string): boolean =>
  /^((scores|raters|ranking)\.tsv|summary\.json|report\.html|provenance\.json)$/.test(name)

/** Other commands' results have a summary.json too: theirs are not ours to replace. @throws RunError */
async function refuseOthers(folder: string): Promise<void> {
  const names = await readdir(folder).catch((): string[] => [])
  const found = names.find((name) => name === 'summary.json' || name === 'provenance.json')
  if (found && !names.includes('scores.tsv'))
    throw new RunError(`${folder}: holds the result of another command (${found}); give another --out`)
}

async function scoreCase(
  protocol: Protocol,
  id: string,
  references: readonly Mask[],
  candidate: Mask | undefined,
): Promise<ScoredCase> {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const referenceMl = mean(references.map(lesionMl))
  if (!candidate) return { id, referenceMl, candidateMl: Number.NaN, dice: Number.NaN }
  const result = await protocol.score(references, candidate)
  const dice = result.scores.dice ?? result.scores.dsc ?? mean(references.map((one) => overlap(one, candidate).dice))
  return { id, result, referenceMl, candidateMl: lesionMl(candidate), dice }
}

/** In ml; 1 is lesion, other values are what a protocol keeps beside lesions. */
function lesionMl(mask: Mask): number {
  let n = 0
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i] === 1) n++
  return (n * voxelVolume(mask)) / 1000
}
