import { seededRandom } from '../../random.js'
import { channelRoles } from '../channels.js'
import type { TrainingConfig } from '../config.js'
import { hash, type Weights } from '../initialise.js'
import { diceAndBinaryCrossEntropy } from '../losses.js'
import { multiplaneUnet } from '../networks/multiplane.js'
import type { SessionOptions } from '../runtime.js'
import { Trainer, type TrainingState } from '../trainer.js'
import { type PlaneCase, PlanePool } from './sample.js'

/** Trains a multi-plane U-Net. The weights depend on the scans, the configuration and the seed alone. */

export interface PlaneTrainingOptions extends SessionOptions {
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

/** Cosine fall after a linear warm-up of 30 steps (Loshchilov & Hutter 2017). */
export const rateAt = (step: number, { steps, rate }: TrainingConfig): number =>
  rate * Math.min(1, (step + 1) / 30) * 0.5 * (1 + Math.cos((Math.PI * step) / steps))

/** @returns the averaged weights after the last step */
export async function trainPlanes(cases: readonly PlaneCase[], options: PlaneTrainingOptions): Promise<Weights> {
  const { config, seed, signal, frozen = [] } = options
  const { size, batch, steps } = config
  const channels = cases[0].channels.length
  const pool = new PlanePool(cases, channelRoles, config)
  const network = multiplaneUnet(config.features)
  const loss = diceAndBinaryCrossEntropy(config.entropyWeight)
  const trainer = await Trainer.create(
    {
      inputs: { image: [batch, channels, size, size], truth: [batch, 1, size, size] },
      build: (graph, { image, truth }) => ({ loss: loss(graph, network(graph, image), truth) }),
    },
    {
      optimiser: {
        kind: 'adam',
        decoupled: true,
        weightDecay: config.weightDecay,
        clip: config.clip,
        averageDecay: config.averageDecay,
      },
      groups: frozen.map((prefix) => ({ prefix, rate: 0 })),
      seed,
      threads: options.threads,
      device: options.device,
    },
    options.state ?? (options.from ? { weights: options.from } : undefined),
  )
  try {
    let next = batchAt(pool, config, channels, seed, trainer.step)
    while (trainer.step < steps) {
      signal?.throwIfAborted()
      const step = trainer.step
      const rate = rateAt(step, config)
      const running = trainer.train(next, rate)
      // The next batch is drawn while this one is computed.
      if (step + 1 < steps) next = batchAt(pool, config, channels, seed, step + 1)
      options.onStep?.({ step, loss: (await running).loss, rate })
      const done = step + 1
      if (options.check && done % config.checkEvery === 0 && done < steps)
        if (!(await options.check(done, trainer.weights({ average: true })))) break
      if (options.checkpoint && done % config.checkpointEvery === 0 && done < steps)
        await options.checkpoint(trainer.state())
    }
    return trainer.weights({ average: true })
  } finally {
    await trainer.close()
  }
}

/** Batch number `step`: the same numbers whenever it is drawn. */
function batchAt(pool: PlanePool, { size, batch }: TrainingConfig, channels: number, seed: number, step: number) {
  const area = size * size
  const image = new Float32Array(batch * channels * area)
  const truth = new Float32Array(batch * area)
  for (let b = 0; b < batch; b++) {
    const random = seededRandom(hash(`${seed}/${step}/${b}`))
    pool.draw(
      random,
      image.subarray(b * channels * area, (b + 1) * channels * area),
      truth.subarray(b * area, (b + 1) * area),
    )
  }
  return { image, truth }
}
