import { voxelSizes } from '../volume/affine.js'
import type { PreparedStudy } from '../volume/study.js'
import type { Image } from '../volume/volume.js'
import { networkChannels } from './channels.js'
import { networkKinds, type PredictRun } from './kinds.js'
import type { Model } from './model.js'
import type { NetworkScan } from './scan.js'

/** A prepared study as a kind of network sees it. */
export function networkScan(study: PreparedStudy, kind: keyof typeof networkKinds): NetworkScan {
  const { grid, brain } = study
  return {
    dims: grid.dims as unknown as [number, number, number],
    spacing: voxelSizes(grid.affine) as unknown as [number, number, number],
    channels: networkChannels(study, networkKinds[kind].channels),
    brain: brain.data as Uint8Array,
  }
}

/** A model's probability of lesion on a prepared study's grid, 0–1; its ensemble averaged. */
export async function predictStudy(
  study: PreparedStudy,
  { card, weights }: Model,
  run: Omit<PredictRun, 'features' | 'weights'>,
): Promise<Image> {
  const { kind, features } = card.network
  const data = await networkKinds[kind].predict(networkScan(study, kind), { ...run, features, weights })
  return { dims: study.grid.dims, affine: study.grid.affine, data }
}
