import { setThreads } from '../../src/kernels/index.js'
import { sha256 } from '../../src/platform/index.js'
import { loadAtlas } from '../../src/preprocess/atlas.js'
import { n4 } from '../../src/preprocess/bias.js'
import { register } from '../../src/preprocess/register.js'
import type { Affine } from '../../src/volume/affine.js'
import { distanceTo } from '../../src/volume/distance.js'
import { gaussian } from '../../src/volume/filter.js'
import { resample } from '../../src/volume/resample.js'
import type { Image, Mask, Volume } from '../../src/volume/volume.js'

/** A gentle turn and shift, RAS mm. */
const map = [0.995, 0.1, 0, 3, -0.1, 0.995, 0, -2, 0, 0, 1, 1.5, 0, 0, 0, 1]

export interface Results {
  /** SHA-256 of the bytes that kernels and preparation give. */
  hashes: Record<string, string>
  /** The map that registration finds. */
  map: Affine
}

/** The same code for Node and for a page. */
export async function results(flair: Image, t1: Image, brain: Mask, threads: number): Promise<Results> {
  setThreads(threads)
  const moved = await resample(t1, t1, { map, method: 'cubic' })
  const bias = await n4(flair, brain, { levels: 2, iterations: 10 })
  const atlas = await loadAtlas()
  return {
    hashes: {
      gaussian: await hash(await gaussian(flair, 3)),
      'cubic resampling': await hash(moved),
      'linear resampling': await hash(await resample(flair, flair, { map })),
      distance: await hash(await distanceTo(brain)),
      'N4, corrected': await hash(bias.corrected),
      'N4, field': await hash(bias.logField),
      'atlas, T1': await hash(atlas.t1),
      'atlas, brain': await hash(atlas.brain),
    },
    map: (await register(flair, moved, { dof: 6 })).map,
  }
}

const hash = ({ data }: Volume) => sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
