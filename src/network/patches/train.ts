import { seededRandom } from '../../random.js'
import { rolesOf, tissueChannels } from '../channels.js'
import { hash, type Weights } from '../initialise.js'
import { diceAndBinaryCrossEntropy } from '../losses.js'
import { unet3d } from '../networks/unet3d.js'
import type { LabelledScan } from '../scan.js'
import { adamW, rateAt, runRecipe, type TrainingRun } from '../training.js'
import { CubePool } from './sample.js'

/**
 * Trains a 3-D U-Net on cubes. The weights depend on the scans, the configuration and the seed alone.
 * @returns the averaged weights after the last step
 */
export async function trainCubes(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights> {
  const { config, seed } = run
  const { size, batch, steps } = config
  const channels = scans[0].channels.length
  const pool = new CubePool(scans, rolesOf(tissueChannels), config)
  const network = unet3d(config.features)
  const loss = diceAndBinaryCrossEntropy(config.entropyWeight)
  const cube = [size, size, size]
  return await runRecipe(
    {
      objective: {
        inputs: { image: [batch, channels, ...cube], truth: [batch, 1, ...cube] },
        build: (graph, { image, truth }) => ({ loss: loss(graph, network(graph, image), truth) }),
      },
      optimiser: adamW(config),
      steps,
      rate: (step) => rateAt(step, config),
      batch(step) {
        const count = size ** 3
        const image = new Float32Array(batch * channels * count)
        const truth = new Float32Array(batch * count)
        for (let b = 0; b < batch; b++)
          pool.draw(
            seededRandom(hash(`${seed}/${step}/${b}`)),
            image.subarray(b * channels * count, (b + 1) * channels * count),
            truth.subarray(b * count, (b + 1) * count),
          )
        return { image, truth }
      },
    },
    run,
  )
}
