import { rolesOf, tissueChannels } from '../channels.js'
import type { Weights } from '../initialise.js'
import { multiplaneUnet } from '../networks/multiplane.js'
import type { LabelledScan } from '../scan.js'
import { type TrainingRun, trainOnCrops } from '../training.js'
import { PlanePool, slicesWithin } from './sample.js'

/**
 * Trains a multi-plane U-Net. The weights depend on the scans, the configuration and the seed alone.
 * @param reach neighbouring slices on either side that the network sees too
 * @returns the averaged weights after the last step
 */
export async function trainPlanes(scans: readonly LabelledScan[], run: TrainingRun, reach = 0): Promise<Weights> {
  const { size, features } = run.config
  const pool = new PlanePool(scans, rolesOf(tissueChannels), run.config, reach)
  const channels = scans[0].channels.length * slicesWithin(reach).length
  return await trainOnCrops(pool, channels, [size, size], multiplaneUnet(features, run.config), run)
}
