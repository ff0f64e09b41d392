import { tissueChannels } from '../../../src/network/channels.js'
import type { Weights } from '../../../src/network/initialise.js'
import type { LabelledScan } from '../../../src/network/scan.js'
import { gaussianRandom, seededRandom } from '../../../src/random.js'

/**
 * A ball of white matter in grey matter with bright lesions, and bright rims of fluid that are no lesions: a threshold
 * alone does not tell them apart.
 */
export function ballPhantom(id: string, seed: number, spacing: [number, number, number] = [1, 1, 1]): LabelledScan {
  const dims = spacing.map((mm) => Math.round(48 / mm)) as [number, number, number]
  const count = dims[0] * dims[1] * dims[2]
  const random = seededRandom(seed)
  const normal = gaussianRandom(random)
  const balls = Array.from({ length: 6 }, () => ({
    at: [0, 1, 2].map(() => 12 + 24 * random()),
    r: 2.5 + 2.5 * random(),
  }))
  const channels = tissueChannels.map(() => new Float32Array(count))
  const [truth, brain] = [new Uint8Array(count), new Uint8Array(count)]
  for (let k = 0, i = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let l = 0; l < dims[0]; l++, i++) {
        const p = [(l + 0.5) * spacing[0], (j + 0.5) * spacing[1], (k + 0.5) * spacing[2]]
        const r = Math.hypot(...p.map((v) => v - 24))
        if (r > 22) continue
        brain[i] = 1
        const white = r < 19 ? 1 : 0
        const rim = Math.abs(r - 20.5) < 1
        const lesion = white === 1 && balls.some((ball) => Math.hypot(...p.map((v, a) => v - ball.at[a])) < ball.r)
        truth[i] = lesion ? 1 : 0
        channels[0][i] = (lesion || rim ? 2.2 : white ? 0 : 0.5) + 0.3 * normal() || 1e-6
        channels[1][i] = channels[0][i] * 0.8 || 1e-6
        channels[2][i] = (lesion ? -0.6 : white ? 0 : -0.5) + 0.1 * normal() || 1e-6
        channels[3][i] = white || 1e-6
        channels[4][i] = 1 - white || 1e-6
        channels[5][i] = white * 0.5 || 1e-6
      }
  return { id, patient: id, dims, spacing, channels, truth, brain }
}

export function dice(a: Uint8Array, b: Float32Array): number {
  let [both, sum] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const found = b[i] >= 0.5 ? 1 : 0
    both += a[i] * found
    sum += a[i] + found
  }
  return (2 * both) / sum
}

/** Names of weights that are not the same bits; a plain comparison would print them all. */
export const differing = (a: Weights, b: Weights): string[] =>
  [...a.keys()].filter((name) => !a.get(name)!.every((v, i) => Object.is(v, b.get(name)![i])))

/** As dims say, mirrored along x. */
export function flip(values: Float32Array, [nx, ny, nz]: readonly number[]): Float32Array {
  const out = new Float32Array(values.length)
  for (let r = 0; r < ny * nz; r++) for (let x = 0; x < nx; x++) out[r * nx + x] = values[r * nx + nx - 1 - x]
  return out
}

export function mirror(scan: LabelledScan): LabelledScan {
  const brain = Uint8Array.from(flip(Float32Array.from(scan.brain), scan.dims))
  return { ...scan, channels: scan.channels.map((c) => flip(c, scan.dims)), brain }
}
