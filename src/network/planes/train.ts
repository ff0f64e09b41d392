import { seededRandom } from '../../random.js'
import { rolesOf, tissueChannels } from '../channels.js'
import { hash, type Weights } from '../initialise.js'
import { diceAndBinaryCrossEntropy } from '../losses.js'
import { multiplaneUnet } from '../networks/multiplane.js'
import type { LabelledScan } from '../scan.js'
import { adamW, rateAt, runRecipe, type TrainingRun } from '../training.js'
import { PlanePool } from './sample.js'

/**
 * Trains a multi-plane U-Net. The weights depend on the scans, the configuration and the seed alone.
 * @returns the averaged weights after the last step
 */
export async function trainPlanes(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights> {
  const { config, seed } = run
  const { size, batch, steps } = config
  const channels = scans[0].channels.length
  const pool = new PlanePool(scans, rolesOf(tissueChannels), config)
  const network = multiplaneUnet(config.features)
  const loss = diceAndBinaryCrossEntropy(config.entropyWeight)
  return await runRecipe(
    {
      objective: {
        inputs: { image: [batch, channels, size, size], truth: [batch, 1, size, size] },
        build: (graph, { image, truth }) => ({ loss: loss(graph, network(graph, image), truth) }),
      },
      optimiser: adamW(config),
      steps,
      rate: (step) => rateAt(step, config),
      batch(step) {
        const area = size * size
        const image = new Float32Array(batch * channels * area)
        const truth = new Float32Array(batch * area)
        for (let b = 0; b < batch; b++)
          pool.draw(
            seededRandom(hash(`${seed}/${step}/${b}`)),
            image.subarray(b * channels * area, (b + 1) * channels * area),
            truth.subarray(b * area, (b + 1) * area),
          )
        return { image, truth }
      },
    },
    run,
  )
}
