import { readFileSync } from 'node:fs'
import type { Shape3 } from '../../../src/network/nnunet/crop.js'

/** A golden file that nnU-Net itself made: bench/peers/nnunet_preprocess.py, nnunet_plans.py. */
export const readGolden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/nnunet/${name}.json`, import.meta.url), 'utf8')) as T

/** The numbers in [0, 1) of the peer's script: those of a multiplicative generator. */
export const made = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (Math.imul(seed + i, 2654435761) >>> 0) / 2 ** 32)

/** The peer's image: zero outside an ellipsoid, with a hole of zeros in it. */
export function head(shape: Shape3, channels: number): Float32Array[] {
  const [nz, ny, nx] = shape
  const centred = (i: number, n: number) => ((i - n / 2 + 0.5) / n) ** 2
  return Array.from({ length: channels }, (_, c) => {
    const noise = made(nz * ny * nx, 11 * (c + 1))
    return noise.map((value, at) => {
      const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
      if (centred(z, nz) + centred(y, ny) + centred(x, nx) >= 0.17) return 0
      const hole = z === nz >> 1 && x === nx >> 1 && (y === ny >> 1 || y === (ny >> 1) + 1)
      return hole ? 0 : 100 + 50 * value
    })
  })
}
