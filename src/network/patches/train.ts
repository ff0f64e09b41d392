import { rolesOf, tissueChannels } from '../channels.js'
import type { Weights } from '../initialise.js'
import { unet3d } from '../networks/unet3d.js'
import type { LabelledScan } from '../scan.js'
import { type TrainingRun, trainOnCrops } from '../training.js'
import { CubePool } from './sample.js'

/**
 * Trains a 3-D U-Net on cubes. The weights depend on the scans, the configuration and the seed alone.
 * @returns the averaged weights after the last step
 */
export async function trainCubes(scans: readonly LabelledScan[], run: TrainingRun): Promise<Weights> {
  const { size, features } = run.config
  const pool = new CubePool(scans, rolesOf(tissueChannels), run.config)
  return await trainOnCrops(pool, scans[0].channels.length, [size, size, size], unet3d(features, run.config), run)
}
