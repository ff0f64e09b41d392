import { voxelSizes } from '../volume/affine.js'
import type { PreparedStudy } from '../volume/study.js'
import type { Image } from '../volume/volume.js'
import { networkChannels } from './channels.js'
import { networkKinds, type PredictRun } from './kinds.js'
import type { Model } from './model.js'
import type { SessionOptions } from './runtime.js'
import type { NetworkScan } from './scan.js'

/** A prepared study as a kind of network sees it. */
export const networkScan = (study: PreparedStudy, kind: keyof typeof networkKinds): NetworkScan =>
  scanOf(study, networkChannels(study, networkKinds[kind].channels))

/** A prepared study with these channels, which lie on its grid. */
export function scanOf({ grid, brain }: PreparedStudy, channels: readonly Float32Array[]): NetworkScan {
  return {
    dims: grid.dims as unknown as [number, number, number],
    spacing: voxelSizes(grid.affine) as unknown as [number, number, number],
    channels,
    brain: brain.data as Uint8Array,
  }
}

/** What a running method has around it. */
export interface Surroundings extends SessionOptions {
  signal: AbortSignal
  progress(stage: string, fraction: number): void
}

/** A model's probability of lesion on a prepared study's grid, 0–1; its ensemble averaged. */
export async function predictStudy(
  study: PreparedStudy,
  { card, weights }: Model,
  { threads, device, signal, progress }: Surroundings,
  { mirror }: Pick<PredictRun, 'mirror'> = {},
): Promise<Image> {
  const { kind, features } = card.network
  const data = await networkKinds[kind].predict(networkScan(study, kind), {
    features,
    weights,
    mirror,
    threads,
    device,
    signal,
    progress: (fraction) => progress('Finding lesions', fraction),
  })
  return { dims: study.grid.dims, affine: study.grid.affine, data }
}
