import { seededRandom } from '../../random.js'
import { EarlyStopping } from '../early-stopping.js'
import { Graph } from '../graph/graph.js'
import { hash, type Weights } from '../initialise.js'
import { crossEntropy } from '../losses.js'
import { patchEdge, valverde } from '../networks/valverde.js'
import { openSession, type Session } from '../runtime.js'
import type { LabelledScan } from '../scan.js'
import type { TrainingState } from '../trainer.js'
import { runRecipe, type TrainingRun } from '../training.js'
import { classify, type Stage } from './predict.js'
import { balanced, candidates, hardCandidates, patchSize, readPatch, type Sample, shuffled } from './samples.js'

/**
 * Trains the cascade of Valverde et al. (2017): the first network on all lesion voxels and as many others, the second on
 * lesion voxels and the first one's false positives. Each has half of the steps; a quarter of its samples is kept apart,
 * the weights that were best on them are the ones that stay, and `patience` looks without a better one end it early.
 *
 * AdaDelta, batches of patches of which half are turned or mirrored in the axial plane, as published.
 * @returns weights of both networks, named `first.…` and `second.…`
 */
export async function trainCascade(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights> {
  const earlier = run.state && stageOf(run.state.weights)
  const first =
    earlier === 'second'
      ? only('first', run.state!.weights)
      : await trainStage('first', scans, balanced(scans, `${run.seed}/first`), new Map(), run)
  const pools: Uint32Array[] = []
  for (const scan of scans) {
    const voxels = candidates(scan)
    const probability = await classify(scan, voxels, 'first', first, { ...run, features: run.config.features })
    pools.push(hardCandidates(scan, voxels, probability))
  }
  const samples = balanced(scans, `${run.seed}/second`, pools)
  const second = await trainStage('second', scans, samples, first, {
    ...run,
    state: earlier === 'second' ? run.state : undefined,
  })
  return new Map([...first, ...second])
}

const stageOf = (weights: Weights): Stage =>
  [...weights.keys()].some((name) => name.startsWith('second.')) ? 'second' : 'first'

const only = (stage: Stage, weights: Weights): Weights =>
  new Map([...weights].filter(([name]) => name.startsWith(`${stage}.`)))

async function trainStage(
  stage: Stage,
  scans: readonly LabelledScan[],
  samples: readonly Sample[],
  before: Weights,
  run: TrainingRun,
): Promise<Weights> {
  const { config, seed } = run
  const { batch } = config
  const steps = config.steps >> 1
  const offset = stage === 'first' ? 0 : steps
  const order = shuffled([...samples], `${seed}/${stage}/split`)
  const apart = order.slice(0, order.length >> 2)
  const training = order.slice(order.length >> 2)
  const channels = scans[0].channels.length
  const shape = [batch, channels, patchEdge, patchEdge, patchEdge]
  const network = valverde(stage, { features: config.features })
  const stopping = new EarlyStopping(
    { patience: config.patience || Number.POSITIVE_INFINITY, better: 'lower' },
    kept(run.state),
  )
  const validation = await Validation.open(network, scans, apart.slice(0, 16 * batch), shape, run)
  let epoch = -1
  let shuffledEpoch = training
  try {
    const last = await runRecipe(
      {
        objective: {
          inputs: { image: shape, truth: [batch, 2] },
          build: (graph, { image, truth }) => ({ loss: crossEntropy(graph, network(graph, image), truth) }),
        },
        optimiser: { kind: 'adadelta', rho: 0.95, epsilon: 1e-6 },
        steps,
        rate: () => config.rate,
        batch(step) {
          const perEpoch = Math.max(1, Math.floor(training.length / batch))
          const now = Math.floor(step / perEpoch)
          if (now !== epoch) {
            epoch = now
            shuffledEpoch = shuffled([...training], `${seed}/${stage}/${epoch}`)
          }
          const random = seededRandom(hash(`${seed}/${stage}/${step}`))
          return batchOf(scans, shuffledEpoch, (step % perEpoch) * batch, shape, (b) =>
            b % 2 === 0 ? [false, false] : turns[Math.floor(3 * random())],
          )
        },
      },
      {
        ...run,
        state: run.state && { ...run.state, step: run.state.step - offset },
        from: run.from && only(stage, run.from),
        frozen: run.frozen?.filter((prefix) => !/^(first|second)\b/.test(prefix) || prefix.startsWith(stage)),
        onStep: (one) => run.onStep?.({ ...one, step: one.step + offset }),
        checkpoint:
          run.checkpoint &&
          (async (state) => await run.checkpoint!(withKept({ ...state, step: state.step + offset }, before, stopping))),
        async check(step, weights) {
          const { stop } = stopping.look(await validation.loss(weights), step, () => weights)
          if (stop) return false
          // Scans left out are scored by both networks together.
          return stage === 'first' || !run.check || (await run.check(step + offset, new Map([...before, ...weights])))
        },
      },
    )
    stopping.look(await validation.loss(last), steps, () => last)
    return stopping.best?.weights ?? last
  } finally {
    await validation.close()
  }
}

/** Along x and y: turned by 180°, mirrored, mirrored and turned. */
const turns = [
  [true, true],
  [true, false],
  [false, true],
] as const

function batchOf(
  scans: readonly LabelledScan[],
  list: readonly Sample[],
  from: number,
  [batch, channels]: readonly number[],
  turn?: (b: number) => readonly [boolean, boolean],
): { image: Float32Array; truth: Float32Array } {
  const image = new Float32Array(batch * channels * patchSize)
  const truth = new Float32Array(2 * batch)
  for (let b = 0; b < batch; b++) {
    const { scan, voxel, lesion } = list[(from + b) % list.length]
    const out = image.subarray(b * channels * patchSize, (b + 1) * channels * patchSize)
    readPatch(scans[scan], voxel, out, turn?.(b))
    truth[2 * b + (lesion ? 1 : 0)] = 1
  }
  return { image, truth }
}

/** Cross-entropy of the samples that are kept apart. */
class Validation {
  private constructor(
    readonly session: Session,
    readonly batches: readonly { image: Float32Array; truth: Float32Array }[],
    readonly graph: Graph,
    readonly shape: readonly number[],
  ) {}

  static async open(
    network: ReturnType<typeof valverde>,
    scans: readonly LabelledScan[],
    samples: readonly Sample[],
    shape: readonly number[],
    run: TrainingRun,
  ): Promise<Validation> {
    const graph = new Graph(false)
    const loss = crossEntropy(graph, network(graph, graph.input('image', shape)), graph.input('truth', [shape[0], 2]))
    const session = await openSession(graph.model({ loss }), run)
    const batches = []
    for (let from = 0; from < samples.length; from += shape[0]) batches.push(batchOf(scans, samples, from, shape))
    return new Validation(session, batches, graph, shape)
  }

  async loss(weights: Weights): Promise<number> {
    const { batches, shape, graph } = this
    const fixed = Object.fromEntries(
      [...graph.parameters].map(([name, { value }]) => [name, { data: weights.get(name)!, shape: value.shape }]),
    )
    let sum = 0
    for (const { image, truth } of batches) {
      const feeds = { ...fixed, image: { data: image, shape }, truth: { data: truth, shape: [shape[0], 2] } }
      sum += (await this.session.run(feeds)).loss[0]
    }
    // Rounded as a checkpoint keeps it, so that a resumed training compares the same numbers.
    return batches.length > 0 ? Math.fround(sum / batches.length) : Number.NaN
  }

  async close(): Promise<void> {
    await this.session.close()
  }
}

/** A state that also holds the first network, and the best weights so far. */
function withKept(state: TrainingState, before: Weights, stopping: EarlyStopping): TrainingState {
  const { best, since } = stopping.state()
  const slots = new Map(state.slots)
  slots.set('stopping', Float32Array.of(since, best?.score ?? Number.NaN, best?.at ?? 0))
  for (const [name, values] of best?.weights ?? []) slots.set(`best/${name}`, values)
  return { ...state, weights: new Map([...before, ...state.weights]), slots }
}

function kept(state: TrainingState | undefined): {
  since: number
  best?: { score: number; at: number; weights: Weights }
} {
  const stopping = state?.slots.get('stopping')
  if (!stopping) return { since: 0 }
  const weights: Weights = new Map(
    [...state!.slots].flatMap(([name, values]) => (name.startsWith('best/') ? [[name.slice(5), values]] : [])),
  )
  const [since, score, at] = stopping
  return weights.size > 0 ? { since, best: { score, at, weights } } : { since }
}
