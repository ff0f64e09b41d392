import { seededRandom } from '../../random.js'
import { hash } from '../initialise.js'
import { patchEdge } from '../networks/valverde.js'
import { type LabelledScan, type NetworkScan, places } from '../scan.js'

/** Which voxels the networks of the cascade learn from and decide on (Valverde et al. 2017). */

/** One voxel of one scan, and what it is. */
export interface Sample {
  scan: number
  voxel: number
  lesion: boolean
}

/** FLAIR z-score from which a voxel can be lesion: leaves out fluid and dark white matter. */
export const candidateScore = 0.5
/** FLAIR z-score of the second network's candidates, where the first finds none. */
const brightScore = 2

/** Voxels of the brain whose FLAIR (channel 0) lies above a z-score. */
export function candidates({ channels: [flair], brain }: NetworkScan, above = candidateScore): Uint32Array {
  return places(brain).filter((voxel) => flair[voxel] > above)
}

/**
 * The first network's samples: every lesion voxel and, of each scan, as many candidates that are none.
 * @param pools of each scan, the voxels to draw from; default its candidates
 */
export function balanced(
  scans: readonly LabelledScan[],
  seed: string,
  pools: readonly Uint32Array[] = scans.map((scan) => candidates(scan)),
): Sample[] {
  return scans.flatMap((scan, at) => {
    const lesion = places(scan.truth)
    const others = pools[at].filter((voxel) => !scan.truth[voxel])
    const drawn = shuffled(others, `${seed}/${scan.id}`).slice(0, Math.max(lesion.length, 1))
    return [
      ...Array.from(lesion, (voxel) => ({ scan: at, voxel, lesion: true })),
      ...Array.from(drawn, (voxel) => ({ scan: at, voxel, lesion: false })),
    ]
  })
}

/** The second network's candidates: what the first takes for lesion, or bright voxels where it takes none. */
export function hardCandidates(scan: NetworkScan, voxels: Uint32Array, probability: Float32Array): Uint32Array {
  const taken = voxels.filter((_, i) => probability[i] > 0.5)
  return taken.length > 0 ? taken : candidates(scan, brightScore)
}

/** Fisher–Yates, the same for the same seed. */
export function shuffled<T extends { length: number; slice(): T; [at: number]: unknown }>(list: T, seed: string): T {
  const random = seededRandom(hash(seed))
  const out = list.slice()
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[out[i], out[j]] = [out[j], out[i]]
  }
  return out
}

/** Numbers of one patch and channel. */
export const patchSize = patchEdge ** 3

/**
 * Writes the patch around a voxel, `[channels, z, y, x]`; zero outside the scan.
 * @param flip along x and y
 */
export function readPatch(
  { dims: [nx, ny, nz], channels }: NetworkScan,
  voxel: number,
  out: Float32Array,
  flip: readonly [boolean, boolean] = [false, false],
): void {
  const half = patchEdge >> 1
  const [x, y, z] = [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / (nx * ny))]
  let to = 0
  for (const volume of channels)
    for (let k = z - half; k <= z + half; k++)
      for (let b = -half; b <= half; b++) {
        const j = flip[1] ? y - b : y + b
        const row = (k * ny + j) * nx
        const outside = k < 0 || k >= nz || j < 0 || j >= ny
        for (let a = -half; a <= half; a++) {
          const i = flip[0] ? x - a : x + a
          out[to++] = outside || i < 0 || i >= nx ? 0 : volume[row + i]
        }
      }
}
