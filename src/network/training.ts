import { seededRandom } from '../random.js'
import type { TrainingConfig } from './config.js'
import { type Graph, sizeOf, type Value } from './graph/graph.js'
import { hash, type Weights } from './initialise.js'
import { diceAndBinaryCrossEntropy } from './losses.js'
import type { Optimiser } from './optimisers.js'
import type { SessionOptions } from './runtime.js'
import { type Objective, Trainer, type TrainingState } from './trainer.js'

/** What every training shares: batches drawn ahead, looks at scans left out, checkpoints. */

export interface TrainingRun extends SessionOptions {
  config: TrainingConfig
  seed: number
  /** Where an earlier run stopped. */
  state?: TrainingState
  /** Start from these weights instead of random ones (fine-tuning). */
  from?: Weights
  /** Layers whose name starts so keep their weights. */
  frozen?: readonly string[]
  signal?: AbortSignal
  onStep?(step: { step: number; loss: number; rate: number }): void
  /** Called every `checkpointEvery` steps; what it gets goes on with the same bits. */
  checkpoint?(state: TrainingState): Promise<void>
  /** Called every `checkEvery` steps with the averaged weights; `false` ends the training. */
  check?(step: number, weights: Weights): Promise<boolean>
}

/** What is trained, by which rule, on which batches. */
export interface Recipe {
  objective: Objective
  optimiser: Optimiser
  steps: number
  rate(step: number): number
  /** Batch number `step`: the same numbers whenever it is drawn. */
  batch(step: number): Record<string, Float32Array>
}

/** @returns the averaged weights after the last step; the last ones where the optimiser keeps no average */
export async function runRecipe(recipe: Recipe, run: TrainingRun): Promise<Weights> {
  const { steps } = recipe
  const { config, seed, signal, frozen = [] } = run
  const trainer = await Trainer.create(
    recipe.objective,
    {
      optimiser: recipe.optimiser,
      groups: frozen.map((prefix) => ({ prefix, rate: 0 })),
      seed,
      threads: run.threads,
      device: run.device,
    },
    run.state ?? (run.from ? { weights: run.from } : undefined),
  )
  try {
    let next = recipe.batch(trainer.step)
    while (trainer.step < steps) {
      signal?.throwIfAborted()
      const step = trainer.step
      const rate = recipe.rate(step)
      const running = trainer.train(next, rate)
      // The next batch is drawn while this one is computed.
      if (step + 1 < steps) next = recipe.batch(step + 1)
      const { loss } = await running
      run.onStep?.({ step, loss, rate })
      const done = step + 1
      if (run.check && done % config.checkEvery === 0 && done < steps)
        if (!(await run.check(done, trainer.weights({ average: true })))) break
      if (run.checkpoint && done % config.checkpointEvery === 0 && done < steps) await run.checkpoint(trainer.state())
    }
    return trainer.weights({ average: true })
  } finally {
    await trainer.close()
  }
}

/**
 * A batch of samples, each with random numbers of its own.
 * @param key of the batch: the same one is drawn for the same key
 * @param sizes of one sample's image and truth
 */
export function drawBatch(
  key: string,
  batch: number,
  [imageSize, truthSize]: readonly [number, number],
  draw: (b: number, random: () => number, image: Float32Array, truth: Float32Array) => void,
): { image: Float32Array; truth: Float32Array } {
  const image = new Float32Array(batch * imageSize)
  const truth = new Float32Array(batch * truthSize)
  for (let b = 0; b < batch; b++)
    draw(
      b,
      seededRandom(hash(`${key}/${b}`)),
      image.subarray(b * imageSize, (b + 1) * imageSize),
      truth.subarray(b * truthSize, (b + 1) * truthSize),
    )
  return { image, truth }
}

/** Draws samples: `image` is `[channels, …shape]`, `truth` `[…shape]`. */
export interface CropPool {
  draw(random: () => number, image: Float32Array, truth: Float32Array): void
}

/** Soft Dice and cross-entropy on crops of a shape, AdamW, `rateAt`. @returns the averaged weights after the last step */
export async function trainOnCrops(
  pool: CropPool,
  channels: number,
  shape: readonly number[],
  network: (graph: Graph, image: Value) => Value,
  run: TrainingRun,
): Promise<Weights> {
  const { config, seed } = run
  const { batch, steps } = config
  const loss = diceAndBinaryCrossEntropy(config.entropyWeight)
  const count = sizeOf(shape)
  return await runRecipe(
    {
      objective: {
        inputs: { image: [batch, channels, ...shape], truth: [batch, 1, ...shape] },
        build: (graph, { image, truth }) => ({ loss: loss(graph, network(graph, image), truth) }),
      },
      optimiser: adamW(config),
      steps,
      rate: (step) => rateAt(step, config),
      batch: (step) =>
        drawBatch(`${seed}/${step}`, batch, [channels * count, count], (_, ...sample) => pool.draw(...sample)),
    },
    run,
  )
}

/** Cosine fall after a linear warm-up of 30 steps (Loshchilov & Hutter 2017). */
const rateAt = (step: number, { steps, rate }: TrainingConfig): number =>
  rate * Math.min(1, (step + 1) / 30) * 0.5 * (1 + Math.cos((Math.PI * step) / steps))

/** AdamW with the settings of the configuration. */
const adamW = ({ weightDecay, clip, averageDecay }: TrainingConfig): Optimiser => ({
  kind: 'adam',
  decoupled: true,
  weightDecay,
  clip,
  averageDecay,
})
