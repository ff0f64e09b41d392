import { rolesOf, tissueChannels } from '../channels.js'
import type { Weights } from '../initialise.js'
import { multiplaneUnet } from '../networks/multiplane.js'
import type { LabelledScan } from '../scan.js'
import { type TrainingRun, trainOnCrops } from '../training.js'
import { PlanePool } from './sample.js'

/**
 * Trains a multi-plane U-Net. The weights depend on the scans, the configuration and the seed alone.
 * @returns the averaged weights after the last step
 */
export async function trainPlanes(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights> {
  const { size, features } = run.config
  const pool = new PlanePool(scans, rolesOf(tissueChannels), run.config)
  return await trainOnCrops(pool, scans[0].channels.length, [size, size], multiplaneUnet(features), run)
}
