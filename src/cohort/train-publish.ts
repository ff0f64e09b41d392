import type { FixedNetwork, TrainingConfig } from '../network/config.js'
import { Graph } from '../network/graph/graph.js'
import { encodeModel } from '../network/graph/onnx.js'
import type { Weights } from '../network/initialise.js'
import type { NetworkKind } from '../network/kinds.js'
import { type ModelCard, weightsFile } from '../network/model.js'
import { cardOf, foldFile, type NnunetCard } from '../network/nnunet/card.js'
import { type PlannedNnunet, withShapes } from '../network/nnunet/train.js'
import { sha256 } from '../platform/index.js'
import type { OutputFolder } from '../run/output-folder.js'
import type { TrainingScan } from './train-cases.js'
import type { CheckRow, HistoryRow } from './train-files.js'
import { trainingPage } from './train-report.js'

export interface TrainResult {
  card: ModelCard | NnunetCard
  config: TrainingConfig
  cases: { id: string; group: string; referenceMl: number; dice?: number; f1?: number }[]
  history: HistoryRow[]
  checks: CheckRow[]
  files: string[]
}

/** What `publish` makes the results from. */
export interface Trained {
  options: { name?: string; licence?: string; leaveOut?: 'group' | 'centre' }
  config: TrainingConfig
  scans: readonly TrainingScan[]
  seed: number
  version: string
  kind: NetworkKind
  history: HistoryRow[]
  checks: CheckRow[]
}

/** How a probability becomes lesions: a voxel's threshold, and what its finding must reach somewhere. */
export interface Cut {
  threshold: number
  certain: number
  /** Only the largest finding is kept: nnU-Net's post-processing. */
  largest?: true
}

/** The likelier label. */
export const plainCut: Cut = { threshold: 0.5, certain: 0.5 }

const thresholds: readonly Cut[] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9].flatMap((threshold) =>
  [threshold, 0.8, 0.9, 0.95].filter((c, i) => i === 0 || c > threshold).map((certain) => ({ threshold, certain })),
)

/** Those among which the scans left out choose; nnU-Net takes the likelier label, with or without its post-processing. */
export const cutsOf = ({ network }: TrainingConfig): readonly Cut[] =>
  network === 'nnunet' ? [plainCut, { ...plainCut, largest: true }] : thresholds

export interface CaseScores {
  id: string
  group: string
  centre?: string
  referenceMl: number
  /** One per cut. */
  scores: { dice: number; f1: number }[]
}

/** The cut with the best mean of Dice and F1, groups weighing the same; the first of several. */
function bestCut(scored: readonly CaseScores[], cuts: readonly Cut[]): number {
  const groups = [...new Set(scored.map(({ group }) => group))]
  const value = (cut: number) =>
    groups.reduce((sum, group) => {
      const own = scored.filter((one) => one.group === group)
      return sum + own.reduce((s, { scores }) => s + scores[cut].dice + scores[cut].f1, 0) / own.length
    }, 0)
  return cuts.reduce((best, _, cut) => (value(cut) > value(best) ? cut : best), 0)
}

/** Writes the model, its card, the tables and the page, all at once. */
export async function publish(
  folder: OutputFolder<string>,
  run: Trained,
  members: ReadonlyMap<string, Weights>,
  scored: readonly CaseScores[],
): Promise<TrainResult> {
  const { config, options, scans, version } = run
  const cuts = cutsOf(config)
  const byCentre = options.leaveOut === 'centre'
  const chosen = scored.map((one) => {
    const others = scored.filter(({ group, centre }) => (byCentre ? centre !== one.centre : group !== one.group))
    return { ...one, ...one.scores[bestCut(others.length > 0 ? others : scored, cuts)] }
  })
  const cut = scored.length > 0 ? cuts[bestCut(scored, cuts)] : plainCut
  const { card, files: model } = await modelFiles(run, members, cut, validationOf(run, chosen))
  const result: TrainResult = {
    card,
    config,
    cases: scans.map(({ id, group, referenceMl }) => {
      const own = chosen.find((one) => one.id === id)
      return { id, group, referenceMl, ...(own ? { dice: own.dice, f1: own.f1 } : {}) }
    }),
    history: run.history,
    checks: run.checks,
    files: [],
  }
  const files = new Map<string, Uint8Array | string>([
    ...model,
    ['model.json', `${JSON.stringify(card, null, 2)}\n`],
    [
      'history.tsv',
      table(
        ['fold', 'step', 'loss'],
        run.history.map((r) => [r.fold, r.step, r.loss.toFixed(5)]),
      ),
    ],
    [
      'cross-validation.tsv',
      table(
        ['id', 'group', 'reference_ml', 'dice', 'lesion_f1'],
        result.cases.map((c) => [
          c.id,
          c.group,
          c.referenceMl.toFixed(3),
          c.dice?.toFixed(4) ?? 'n/a',
          c.f1?.toFixed(4) ?? 'n/a',
        ]),
      ),
    ],
    ['training.html', await trainingPage(result, { name: 'lesionwise', version })],
    [
      'provenance.json',
      `${JSON.stringify({ schemaVersion: 1, software: { name: 'lesionwise', version }, config, seed: run.seed }, null, 2)}\n`,
    ],
  ])
  await folder.publish(files)
  return { ...result, files: [...files.keys()] }
}

/** The card of a model, and its weights as files. */
async function modelFiles(
  { config, options, scans, seed, version, kind }: Trained,
  members: ReadonlyMap<string, Weights>,
  { threshold, certain, largest }: Cut,
  validation: ModelCard['validation'],
): Promise<{ card: ModelCard | NnunetCard; files: Map<string, Uint8Array> }> {
  const files = new Map<string, Uint8Array>()
  const name = options.name ?? 'model'
  const training = {
    data: `${scans.length} scans of ${new Set(scans.map(({ group }) => group)).size} groups`,
    licence: options.licence ?? 'not stated',
    scans: scans.length,
    steps: config.steps,
    version,
  }
  if (isPlanned(kind)) {
    const weights: NnunetCard['weights'] = []
    for (const [fold, member] of members) {
      const bytes = foldFile(withShapes(kind.model, member))
      files.set(`${fold}.safetensors`, bytes)
      weights.push({ file: `${fold}.safetensors`, sha256: await sha256(bytes), fold })
    }
    const postprocessing = largest ? [[1]] : []
    return { card: { ...cardOf(kind.model, weights), name, postprocessing, training, validation }, files }
  }
  const { size, features, network } = config
  const graph = new Graph(false)
  const outputs = kind.outputs(graph, features, size)
  const [weights] = members.values()
  const file = weightsFile(graph, weights)
  files.set('weights.safetensors', file)
  files.set('model.onnx', encodeModel(graph.model(outputs, weights)))
  const card: ModelCard = {
    format: 'lesionwise-model',
    formatVersion: 1,
    name,
    describe: `${kind.title}, trained with \`lesionwise train\`.`,
    network: { kind: network as FixedNetwork, features: [...features], channels: [...kind.channels] },
    threshold,
    certain,
    thresholdShare: 0,
    bright: 0,
    weights: [{ file: 'weights.safetensors', sha256: await sha256(file), seed }],
    training,
    calibration: [],
    failures: [],
    validation,
  }
  return { card, files }
}

const isPlanned = (kind: NetworkKind): kind is PlannedNnunet => 'model' in kind

/** Scores of the scans left out, overall and by centre. */
function validationOf(
  { config, options, seed }: Trained,
  chosen: readonly { centre?: string; dice: number; f1: number }[],
): ModelCard['validation'] {
  if (chosen.length === 0) return []
  const split = options.leaveOut === 'centre' ? 'each centre left out' : `${config.folds} folds by group`
  const centres = Object.fromEntries(
    centreNames(chosen).map((name) => [name, summary(chosen.filter(({ centre }) => centre === name))]),
  )
  return [{ split, seeds: [seed], overall: summary(chosen), centres }]
}

const summary = (scored: readonly { dice: number; f1: number }[]) => {
  const mean = (key: 'dice' | 'f1') => scored.reduce((sum, one) => sum + one[key], 0) / scored.length
  return { scans: scored.length, dice: mean('dice'), lesionF1: mean('f1') }
}

const centreNames = (scored: readonly { centre?: string }[]): string[] =>
  [...new Set(scored.flatMap(({ centre }) => centre ?? []))].sort()

const table = (columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  `${[columns, ...rows].map((row) => row.join('\t')).join('\n')}\n`
