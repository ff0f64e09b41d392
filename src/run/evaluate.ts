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
import { voxelSizes } from '../volume/affine.js'
import { type Mask, volumeMl } from '../volume/volume.js'
import { type MaskChoice, ontoReference, readLesionMask } from './masks.js'
import type { Progress, Provenance } from './options.js'
import { openOutputFolder } from './output-folder.js'
import { type ScoreSummary, scoreFiles, scoreSummary } from './score-files.js'
import { type PlannedCase, type ScorePlan, scorePlan } from './score-plan.js'
import { packageVersion } from './segment.js'

export interface EvaluateOptions {
  /** Reference masks: a file, or a folder (BIDS, any tree, a pattern with `*`); several of protocols with several raters. */
  reference?: readonly string[]
  /** Candidate masks: a file, or a folder; several, or `TEAM=DIR`, for a challenge. */
  candidate?: readonly string[]
  /** A TSV with the columns id, reference and candidate in place of both. */
  cases?: string
  /** Challenge whose scores are wanted (`findProtocol`). Left out: every measure there is. */
  protocol?: string
  /** Folder for scores.tsv, summary.json and report.html; left out, nothing is written. */
  out?: string
  /** Bring candidates that lie on another grid onto the reference's, by nearest neighbour. Default false: refuse them. */
  resample?: boolean
  /** What is lesion in files that are not simply masks; one for the reference, one for the candidate, or one for both. */
  label?: Sided<number>
  anyLabel?: Sided<boolean>
  threshold?: Sided<number>
  /** Write the paths of the masks into provenance.json. Default false: names can identify people. */
  keepPaths?: boolean
  threads?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  /** Called once for each doubt, before any scoring. */
  onFlag?(flag: Flag): void
}

export type Side = 'reference' | 'candidate'
export type Sided<T> = T | Partial<Record<Side, T>>

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
  const protocol = options.protocol === undefined ? everyMeasure : findProtocol(options.protocol)
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
    const masks = new Masks(plan, protocol, choices, options.resample === true)
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
        protocol: options.protocol ?? null,
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

function choiceOf({ label, anyLabel, threshold }: EvaluateOptions, side: Side): MaskChoice {
  const of = <T>(sided: Sided<T> | undefined): T | undefined =>
    typeof sided === 'object' && sided !== null ? (sided as Partial<Record<Side, T>>)[side] : (sided as T | undefined)
  const choice: MaskChoice = {}
  if (of(label) !== undefined) choice.label = of(label)
  if (of(anyLabel)) choice.anyLabel = true
  if (of(threshold) !== undefined) choice.threshold = of(threshold)
  if (Object.keys(choice).length > 1)
    throw new UsageError(
      `of --label, --any-label and --threshold only one can say what is lesion in the ${side}; give one`,
    )
  if (choice.threshold !== undefined && !(choice.threshold > 0))
    throw new UsageError(`--threshold ${choice.threshold} would make every voxel a lesion; give a number above 0`)
  if (choice.label !== undefined && (!Number.isInteger(choice.label) || choice.label === 0))
    throw new UsageError(`--label ${choice.label} is not the number of a label; give a whole number other than 0`)
  return choice
}

/** Labels of the reference that a protocol wants to see: WMH 2017 leaves "other pathology" out of the score. */
const keptLabels: Readonly<Record<string, readonly number[]>> = { wmh2017: [2] }

type Inputs = (Omit<Provenance['inputs'][number], 'orientation'> & { case: string })[]

/** What the judged masks may take in memory; beyond it they are read again when they are scored. */
const memoryBytes = 512e6

/** The masks of a plan: judged first, then handed out for scoring. */
class Masks {
  readonly #kept = new Map<string, Mask>()
  #bytes = 0

  constructor(
    readonly plan: ScorePlan,
    readonly protocol: Protocol,
    readonly choices: Record<Side, MaskChoice>,
    readonly resample: boolean,
  ) {}

  /** Reads every mask once. @throws InputError for the first that will not do */
  async judgeAll(signal?: AbortSignal): Promise<{ flags: Flag[]; inputs: Inputs }> {
    const flags = [...this.plan.flags]
    const inputs: Inputs = []
    const note = (one: PlannedCase, role: string, path: string, read: Read) => {
      flags.push(...read.flags)
      const { dims, affine } = read.mask
      const voxelSizeMm = voxelSizes(affine).map((mm) => Number(mm.toFixed(4)))
      inputs.push({ case: one.id, role, sha256: read.sha256, dims, voxelSizeMm, path })
    }
    for (const one of this.plan.cases) {
      signal?.throwIfAborted()
      const references: Mask[] = []
      for (const [r, path] of one.references.entries()) {
        const read = await this.#reference(one, r, references[0])
        note(one, one.references.length > 1 ? `reference ${r + 1}` : 'reference', path, read)
        references.push(read.mask)
      }
      for (const [t, path] of one.candidates.entries())
        if (path !== undefined) note(one, this.plan.teams[t], path, await this.#candidate(one, t, references[0]))
    }
    return { flags: condensed(flags), inputs }
  }

  async references(one: PlannedCase): Promise<Mask[]> {
    const masks: Mask[] = []
    for (const [r, path] of one.references.entries())
      masks.push(this.#take(`r${r} ${path}`) ?? (await this.#reference(one, r, masks[0])).mask)
    return masks
  }

  async candidate(one: PlannedCase, team: number, reference: Mask): Promise<Mask> {
    return this.#take(`c${team} ${one.candidates[team]}`) ?? (await this.#candidate(one, team, reference)).mask
  }

  async #reference(one: PlannedCase, r: number, first: Mask | undefined): Promise<Read> {
    const path = one.references[r]
    const name = `${one.id}, ${one.references.length > 1 ? `reference ${r + 1}` : 'reference'}`
    const keep = keptLabels[this.protocol.id]
    const read = await readLesionMask(path, name, keep ? { ...this.choices.reference, keep } : this.choices.reference)
    return this.#keep(`r${r} ${path}`, await this.#onto(read, first, path, one.references[0], name))
  }

  async #candidate(one: PlannedCase, t: number, reference: Mask): Promise<Read> {
    const path = one.candidates[t]!
    const name = `${one.id}, ${this.plan.teams[t]}`
    const read = await readLesionMask(path, name, this.choices.candidate)
    return this.#keep(`c${t} ${path}`, await this.#onto(read, reference, path, one.references[0], name))
  }

  async #onto(read: Read, reference: Mask | undefined, path: string, referencePath: string, name: string) {
    if (!reference) return read
    const placed = await ontoReference(read.mask, reference, { path, referencePath, name, resample: this.resample })
    return { ...read, mask: placed.mask, flags: [...read.flags, ...placed.flags] }
  }

  #keep(key: string, read: Read): Read {
    if (this.#bytes + read.mask.data.length <= memoryBytes) {
      this.#bytes += read.mask.data.length
      this.#kept.set(key, read.mask)
    }
    return read
  }

  /** Each mask is scored once: what is taken is given free. */
  #take(key: string): Mask | undefined {
    const mask = this.#kept.get(key)
    this.#kept.delete(key)
    return mask
  }
}

type Read = Awaited<ReturnType<typeof readLesionMask>>

/** Of many alike one: a folder of two hundred masks would say the same two hundred times. */
function condensed(flags: readonly Flag[]): Flag[] {
  const alike = new Map<string, Flag[]>()
  for (const flag of flags) alike.set(flag.code, [...(alike.get(flag.code) ?? []), flag])
  return [...alike.values()].flatMap((group) =>
    group.length <= 3
      ? group
      : [{ ...group[0], message: `${group[0].message} (${group.length - 1} more masks raise the same doubt.)` }],
  )
}

async function scoreCase(
  protocol: Protocol,
  id: string,
  references: readonly Mask[],
  candidate: Mask | undefined,
): Promise<ScoredCase> {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const referenceMl = mean(references.map(volumeMl))
  if (!candidate) return { id, referenceMl, candidateMl: Number.NaN, dice: Number.NaN }
  return {
    id,
    result: await protocol.score(references, candidate),
    referenceMl,
    candidateMl: volumeMl(candidate),
    dice: mean(references.map((reference) => overlap(reference, candidate).dice)),
  }
}
