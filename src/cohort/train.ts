import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Flag, InputError, RunError, UsageError } from '../errors.js'
import { lesionF1 } from '../evaluate/lesionwise.js'
import { dice } from '../evaluate/overlap.js'
import { setThreads } from '../kernels/index.js'
import { findLesions } from '../lesions/instances.js'
import type { TrainingConfig } from '../network/config.js'
import type { Weights } from '../network/initialise.js'
import { type NetworkKind, networkKinds } from '../network/kinds.js'
import { lesionsOf, loadModel } from '../network/model.js'
import { keepLargest } from '../network/nnunet/postprocess.js'
import { plannedNnunet } from '../network/nnunet/train.js'
import { coreCount } from '../platform/index.js'
import { hash } from '../run/inputs.js'
import { writeWhole } from '../run/output-file.js'
import { openOutputFolder } from '../run/output-folder.js'
import { packageVersion } from '../run/segment.js'
import type { Image } from '../volume/volume.js'
import { readCases } from './case-list.js'
import { assertSomeLesions, contrastsOf, type TrainingScan, trainingScan } from './train-cases.js'
import {
  type Checkpoint,
  type CheckRow,
  type HistoryRow,
  loadCheckpoint,
  loadWeights,
  saveCheckpoint,
  weightsBytes,
} from './train-files.js'
import { centresOf, foldsOf } from './train-folds.js'
import { type CaseScores, type Cut, cutsOf, plainCut, publish, type TrainResult } from './train-publish.js'
import { lossLine } from './train-report.js'

export type { TrainResult }

export interface TrainOptions {
  /** BIDS folder or TSV of cases (as `benchmark`). */
  data: string
  masks?: string
  out: string
  config: TrainingConfig
  /** What each fold leaves out: some of the groups (default, `config.folds` folds), or a centre whole. */
  leaveOut?: 'group' | 'centre'
  /** Name on the model's card. Default `model`. */
  name?: string
  /** What the model may be used for, on its card. */
  licence?: string
  /** A model to start from. */
  init?: string
  /** Layers whose name starts so keep the weights of `init`. */
  freeze?: readonly string[]
  /** Folder in which preparations are kept. Default: `OUT/work`. */
  work?: string
  threads?: number
  seed?: number
  device?: 'cpu' | 'webgpu' | 'cuda'
  signal?: AbortSignal
  onProgress?(event: { stage: string; fraction: number; detail?: string }): void
  onFlag?(flag: Flag): void
}

/**
 * Trains a network on labelled scans: every group of patients is left out once, the thresholds come from the scans left
 * out, and the model that is kept has seen all. Stopped at any moment, the same call goes on where it was, to the same bits.
 *
 * @throws InputError (data), UsageError (settings), RunError (the output folder, or no memory)
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { config, seed = 1, threads = coreCount() } = options
  const signal = options.signal ?? new AbortController().signal
  setThreads(threads)
  const folder = await openOutputFolder<string>(options.out, (name) => ownFiles.test(name))
  try {
    const { cases } = await readCases(options.data, options.masks)
    const init = options.init === undefined ? undefined : await startFrom(options.init, config)
    if (options.freeze?.length && !init) throw new UsageError('--freeze keeps layers of a model; give it with --init')
    const contrasts = contrastsOf(cases, config.network)
    const scans: TrainingScan[] = []
    for (const [i, one] of cases.entries()) {
      options.onProgress?.({ stage: `Preparing ${one.id}`, fraction: (0.1 * i) / cases.length })
      scans.push(
        await trainingScan(one, {
          network: config.network,
          contrasts,
          work: options.work ?? join(options.out, 'work'),
          seed,
          threads,
          signal,
          onFlag: options.onFlag,
        }),
      )
    }
    assertSomeLesions(scans, options.data)
    const folds = options.leaveOut === 'centre' ? centresOf(scans, options.data) : foldsOf(scans, config.folds)
    if (folds.length === 0 && config.folds > 0)
      options.onFlag?.({
        code: 'no-validation',
        severity: 'warning',
        message:
          'All scans are of one group: nothing can be left out, so this model will have no score and the usual thresholds.',
      })
    const kind =
      config.network === 'nnunet'
        ? plannedNnunet(
            scans,
            contrasts.map((name) => name.toUpperCase()),
            config,
            options.data,
          )
        : networkKinds[config.network]
    // nnU-Net's model is the networks of its folds together; the others' is one that has seen all scans.
    const ensemble = config.network === 'nnunet' && folds.length > 0
    const run = new Training(
      options,
      scans,
      await packageVersion(),
      kind,
      ensemble,
      init,
      folds.length + (ensemble ? 0 : 1),
    )
    const scored: CaseScores[] = []
    const members = new Map<string, Weights>()
    for (const [i, fold] of folds.entries()) {
      const name = String(i + 1)
      scored.push(...(await run.fold(name, i, fold)))
      if (ensemble) members.set(`fold_${i}`, await loadWeights(run.weightsFile(name)))
    }
    if (!ensemble) members.set('fold_all', await run.final(folds.length))
    return await publish(folder, run, members, scored)
  } finally {
    await folder.release()
  }
}

const ownFiles =
  /^(model\.json|model\.onnx|weights\.safetensors|fold_(\d+|all)\.safetensors|history\.tsv|cross-validation\.tsv|training\.html|provenance\.json)$/

async function startFrom(name: string, config: TrainingConfig): Promise<Weights> {
  if (config.network === 'nnunet')
    throw new UsageError('an nnU-Net plans itself on the scans; it cannot start from another model')
  const { card, weights } = await loadModel(name)
  if (card.network.kind !== config.network)
    throw new InputError(
      name,
      `is a ${networkKinds[card.network.kind].title}`,
      `set "network" to ${card.network.kind} in --config`,
    )
  if (card.network.features.join() !== config.features.join())
    throw new UsageError(
      `--init ${name} has levels of ${card.network.features.join(', ')} channels, the settings say ${config.features.join(', ')}; set "features" alike`,
    )
  return weights[0]
}

class Training {
  readonly history: HistoryRow[] = []
  readonly checks: CheckRow[] = []
  readonly config: TrainingConfig
  readonly seed: number

  constructor(
    readonly options: TrainOptions,
    readonly scans: readonly TrainingScan[],
    readonly version: string,
    readonly kind: NetworkKind,
    /** Whether the networks of the folds are kept: they are the model. */
    readonly ensemble: boolean,
    readonly init: Weights | undefined,
    readonly parts: number,
  ) {
    this.config = options.config
    this.seed = options.seed ?? 1
  }

  /** Trains without the groups of this fold and scores them at every cut. */
  async fold(name: string, index: number, out: ReadonlySet<string>): Promise<CaseScores[]> {
    const left = this.scans.filter(({ group }) => out.has(group))
    const done = join(this.options.out, `fold-${name}`, 'scores.json')
    const key = this.#key(name, [...out])
    const earlier = await readFile(done, 'utf8').then(
      (text) => JSON.parse(text) as { key: string; scores: CaseScores[]; history: HistoryRow[]; checks: CheckRow[] },
      () => undefined,
    )
    if (earlier && earlier.key !== key)
      throw new InputError(
        done,
        'belongs to a training with other scans or settings',
        'give another --out, or remove this folder',
      )
    if (earlier) {
      this.history.push(...earlier.history)
      this.checks.push(...earlier.checks)
      return earlier.scores
    }
    const rows = { history: this.history.length, checks: this.checks.length }
    const weights = await this.#train(
      name,
      index,
      this.scans.filter(({ group }) => !out.has(group)),
      left,
      key,
    )
    const scores: CaseScores[] = []
    for (const scan of left) scores.push(await this.#scores(scan, weights, cutsOf(this.config)))
    const own = { key, scores, history: this.history.slice(rows.history), checks: this.checks.slice(rows.checks) }
    await writeWhole(
      new Map<string, string | Uint8Array>([
        ...(this.ensemble ? [[this.weightsFile(name), weightsBytes(weights)] as const] : []),
        [done, JSON.stringify(own)],
      ]),
    )
    return scores
  }

  /** Where a fold that is done keeps its network, if that is kept. */
  weightsFile(name: string): string {
    return join(this.options.out, `fold-${name}`, 'weights.safetensors')
  }

  /** Trains on all scans. */
  async final(index: number): Promise<Weights> {
    return await this.#train('all', index, this.scans, [], this.#key('all', []))
  }

  /** Everything that the weights depend on. */
  #key(name: string, out: readonly string[]): string {
    const scans = this.scans.map((scan) => [
      scan.id,
      scan.group,
      hash(new Uint8Array(scan.truth.buffer)),
      hash(new Uint8Array(scan.channels[0].buffer)),
    ])
    const start = this.init ? hash(new Uint8Array(this.init.values().next().value!.buffer)) : ''
    return createHash('sha256')
      .update(
        JSON.stringify([this.version, this.config, this.seed, name, out, scans, start, this.options.freeze ?? []]),
      )
      .digest('hex')
  }

  async #train(
    name: string,
    index: number,
    scans: readonly TrainingScan[],
    left: readonly TrainingScan[],
    key: string,
  ): Promise<Weights> {
    const { config, seed, options } = this
    const path = join(options.out, `fold-${name}`, 'checkpoint.safetensors')
    const earlier = await loadCheckpoint(path, key)
    const progress: Omit<Checkpoint, 'state'> = earlier ?? { history: [], checks: [], misses: 0 }
    const stage = name === 'all' ? 'Training on all scans' : `Training fold ${name} of ${this.parts - 1}`
    const weights = await explained(() =>
      this.kind.train(scans, {
        config,
        seed,
        threads: options.threads,
        device: options.device,
        signal: options.signal,
        state: earlier?.state,
        from: this.init,
        frozen: options.freeze,
        onStep: ({ step, loss }) => {
          progress.history.push({ fold: name, step: step + 1, loss })
          const look = progress.checks.at(-1)
          const said = look ? `, Dice ${look.dice.toFixed(2)} F1 ${look.f1.toFixed(2)}` : ''
          const done = (index + (step + 1) / config.steps) / this.parts
          const curve = lossLine(progress.history.map((row) => row.loss))
          options.onProgress?.({
            stage,
            detail: `loss ${curve} ${loss.toFixed(3)}${said}`,
            fraction: 0.1 + 0.9 * done,
          })
        },
        checkpoint: async (state) => await saveCheckpoint(path, key, { ...progress, state }),
        check: async (step, now) => await this.#look(name, step, now, left, progress),
      }),
    )
    this.history.push(...progress.history)
    this.checks.push(...progress.checks)
    return progress.best?.weights ?? weights
  }

  /** Scores a few of the scans left out; false when patience is at an end. */
  async #look(
    fold: string,
    step: number,
    weights: Weights,
    left: readonly TrainingScan[],
    progress: Omit<Checkpoint, 'state'>,
  ): Promise<boolean> {
    if (left.length === 0) return true
    const found: CaseScores['scores'] = []
    for (const scan of left.slice(0, 3)) found.push((await this.#scores(scan, weights, [plainCut])).scores[0])
    const mean = (key: 'dice' | 'f1') => found.reduce((sum, s) => sum + s[key], 0) / found.length
    progress.checks.push({ fold, step, dice: mean('dice'), f1: mean('f1') })
    if (this.config.patience === 0) return true
    const score = (mean('dice') + mean('f1')) / 2
    if (!progress.best || score > progress.best.score) {
      progress.best = { score, weights }
      progress.misses = 0
    } else progress.misses++
    return progress.misses < this.config.patience
  }

  async #scores(scan: TrainingScan, weights: Weights, at: readonly Cut[]): Promise<CaseScores> {
    const { config, options } = this
    const data = await this.kind.predict(scan, {
      features: config.features,
      weights: [weights],
      threads: options.threads,
      device: options.device,
      signal: options.signal,
    })
    const probability: Image = { ...scan.grid, data }
    const scores: CaseScores['scores'] = []
    for (const cut of at) {
      const found = lesionsOf(probability, cut)
      const kept = cut.largest ? keepLargest(found, [1]) : found
      const { mask } = findLesions(await scan.toNative.mask(kept), {})
      scores.push({ dice: orOne(dice(scan.reference, mask)), f1: orOne(lesionF1(scan.reference, mask).f1) })
    }
    return { id: scan.id, group: scan.group, centre: scan.centre, referenceMl: scan.referenceMl, scores }
  }
}

/** Of a scan without lesions in which none was found, nothing is wrong. */
const orOne = (value: number): number => (Number.isNaN(value) ? 1 : value)

/** Says in one line what a failing allocation means. */
async function explained<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    const { message } = cause as Error
    if (/alloc|out of memory|bad_alloc/i.test(message))
      throw new RunError('there is not enough memory for this training; make "batch", "size" or "features" smaller', {
        cause,
      })
    throw cause
  }
}
